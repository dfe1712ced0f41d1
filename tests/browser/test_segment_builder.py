"""Mina builds a segment in the real console, by keyboard, on a desk and on a phone; an analyst only looks."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from retention.doors import seeds
from retention.segments.models import Segment
from retention.shop.models import Staff
from tests.segments import facts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/admin/segments/segment/"


@pytest.fixture
def people(transactional_db, empty_cache, monkeypatch):
    monkeypatch.setattr("retention.clock.now", lambda: facts.NOW)
    seeds.seed(now=facts.NOW)
    return facts.small_shop()


def staff(role):
    user = Staff.objects.create(username=role.replace(" ", "-"), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def pick(page, name, *typed):
    """Add a condition by its name and fill its first field, all by keyboard."""
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    for word in typed:
        page.keyboard.type(word)
        page.locator(".seg-options:visible li[aria-selected]").first.wait_for()
        page.keyboard.press("ArrowDown") if page.locator(
            ".seg-options li[aria-selected=true]:visible"
        ).count() == 0 else None
        page.keyboard.press("Enter")


def test_she_builds_a_segment_and_reads_who_is_in(people, browser):
    page = browser.log_in(staff("marketer"))
    page.goto(f"{LIST}add/")
    page.get_by_label("Name").fill("Jazz, silent")
    expect(page.locator("[data-sentence]")).to_have_text("Nobody: there is no condition yet.")

    page.get_by_role("button", name="Add a condition").press("Enter")
    pick(page, "country", "germ", "austri")
    expect(page.locator("[data-count]")).to_have_text("2")
    expect(page.locator("[data-sentence]")).to_have_text("Everyone who lives in Germany or Austria.")
    expect(page.locator("[data-sample] li")).to_have_count(2)

    # A group of its own, whose second condition is incomplete: nothing is scolded until she has been there.
    page.get_by_role("button", name="Add a group").press("Enter")
    pick(page, "birthday is known")
    page.get_by_role("button", name="Add a condition").first.press("Enter")
    pick(page, "money spent")
    expect(page.locator("[data-share]")).to_have_text("Not counted yet")
    expect(page.locator(".seg-error:visible")).to_have_count(0)
    page.get_by_label("amount").fill("12.345")
    expect(page.locator(".seg-error:visible")).to_have_text("Enter an amount of money.")
    page.get_by_label("amount").fill("100,50")
    expect(page.locator("[data-sentence]")).to_have_text(
        "Everyone who lives in Germany or Austria, and (has told her birthday, or has spent at least €100.50)."
    )
    page.get_by_role("button", name="Not: Birthday is known").press("Space")
    expect(page.locator("[data-count]")).to_have_text("1")
    expect(page.locator("[data-sample]")).to_contain_text("Anna")

    page.get_by_label("Email or reference of a customer").fill("boris@example.com")
    page.keyboard.press("Enter")
    expect(page.locator(".seg-verdict")).to_contain_text("Boris is not in")
    assert not Segment.objects.filter(name="Jazz, silent").exists()

    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{LIST}")
    assert Segment.objects.get(name="Jazz, silent").rule == {
        "all": [
            {"key": "country", "args": {"countries": ["DE", "AT"]}},
            {
                "any": [
                    {"not": {"key": "has_birthday", "args": {}}},
                    {"key": "spend", "args": {"operator": "at_least", "number": 10050, "window": "ever"}},
                ]
            },
        ]
    }
    assert browser.complaints == []


def test_what_was_saved_is_what_she_finds_and_an_error_keeps_it(people, browser):
    may = {"window": "dates", "since": "2026-05-01", "until": "2026-05-12"}
    koreans = {"all": [{"key": "country", "args": {"countries": ["KR"]}}]}
    rule = {"any": [{"not": koreans}, {"key": "last_order", "args": may}]}
    made = Segment.objects.create(name="Old", rule=rule)
    page = browser.log_in(staff("marketer"))
    page.goto(f"{LIST}{made.pk}/change/")
    expect(page.locator("[data-count]")).to_have_text("3")
    page.get_by_label("to", exact=True).fill("2026-04-01")
    expect(page.locator(".seg-error:visible")).to_have_text("This day is before the first.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".seg-error:visible")).to_have_text("This day is before the first.")
    page.get_by_label("to", exact=True).fill("2026-05-10")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{LIST}")
    made.refresh_from_db()
    assert made.rule["any"][1]["args"] == {"window": "dates", "since": "2026-05-01", "until": "2026-05-10"}
    assert made.rule["any"][0] == rule["any"][0]
    assert browser.complaints == []


def test_on_a_phone_nothing_is_cut_off_and_anyone_can_use_it(people, browser):
    made = Segment.objects.create(
        name="Deep",
        rule={"all": [{"any": [{"all": [{"key": "country", "args": {"countries": ["DE"]}}]}, {"key": "has_birthday"}]},
                      {"key": "bought_category", "args": {"categories": ["Music"], "operator": "at_least",
                                                          "number": 1, "window": "ever"}}]},
    )  # fmt: skip
    page = browser.log_in(staff("marketer"))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{LIST}{made.pk}/change/")
    expect(page.locator("[data-count]")).to_have_text("2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.locator(".seg button:visible").all():
        assert button.bounding_box()["height"] >= 20
    found = Axe().run(page, context=".seg", options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.response["violations"] == []
    assert browser.complaints == []


def test_an_analyst_looks_and_asks_but_changes_nothing(people, browser):
    made = Segment.objects.create(name="Germans too", rule={"key": "country", "args": {"countries": ["DE"]}})
    page = browser.log_in(staff("analyst"))
    page.goto(f"{LIST}{made.pk}/change/")
    expect(page.locator("[data-count]")).to_have_text("1")
    assert page.locator(".seg-rule button:visible, .seg-rule input:enabled").count() == 0
    page.get_by_role("button", name="Why? Anna").click()
    expect(page.locator(".seg-verdict")).to_contain_text("Anna is in")
    assert browser.complaints == []
