"""A scheme from the gallery to its launch, and a suspicious referral decided by one key, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from referrals import operations
from referrals.models import Referral, Scheme
from referrals.operations.ready import create_from_ready
from referrals.seeds import seed
from referrals.versions import rule_of
from retention import clock
from retention.actors import Actor
from retention.customers.models import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BY = Actor.command("test")


@pytest.fixture
def marketer(browser, person, shop):
    return browser.log_in(person("olga", "marketer"))


@pytest.fixture
def suspicious(shop):
    """Three referrals that wait for a person."""
    now = clock.now()
    seed(now=now)
    scheme = create_from_ready(key="give_and_get", now=now, by=BY)
    operations.launch_scheme(scheme_id=scheme.pk, now=now, by=BY)
    names = ["anna", *(f"friend{n}x{n}" for n in range(4))]
    anna, *friends = [
        Customer.objects.create(reference=name, email=f"{name}@example.com", signed_up_at=now, recorded_at=now)
        for name in names
    ]
    opened = operations.open_advocates(scheme_id=scheme.pk, customer_ids=[anna.pk], now=now, by=BY)
    for n, friend in enumerate(friends):
        operations.refer(
            code=opened.advocates[anna.pk][1], friend_id=friend.pk, source=f"f{n}", visitor_key=f"v{n}", device="one",
            now=now, by=BY,
        )  # fmt: skip
    return list(Referral.objects.filter(state="review").order_by("due_at", "pk"))


def press(page, button, confirm):
    """A button of the page, then its twin in the dialog."""
    named = re.compile(rf"\b{button}\s*$")
    page.locator("main, #main, body").locator("a, button").filter(has_text=named).first.click()
    dialog = page.get_by_role("button", name=confirm, exact=True).last
    dialog.wait_for()
    dialog.click()
    page.wait_for_load_state("networkidle")


def tab(page, name):
    page.locator("a, button").get_by_text(name, exact=True).or_(
        page.locator(f"a:text-is({name!r}), button:text-is({name!r})")
    ).first.click()


def test_from_the_gallery_to_a_live_scheme(browser, marketer):
    page = marketer
    page.goto("/admin/referrals/scheme/")
    page.get_by_role("link", name="Begin with a ready scheme").click()
    page.get_by_role("region", name="One, three, ten friends").get_by_role("button").click()
    expect(page.get_by_text("This is your draft.")).to_be_visible()
    expect(page.locator("[data-said]")).to_contain_text("With friend 10 the advocate gets 100.00 EUR store credit")
    tab(page, "After what")
    page.get_by_label(re.compile("Rewarded after days")).fill("30")
    page.get_by_label(re.compile("Rewarded after days")).blur()
    expect(page.locator("[data-said]")).to_contain_text("Rewarded 30 days later")
    tab(page, "What is given")
    page.get_by_role("button", name="Add a level").click()
    added = page.locator("[data-rows-list] [data-row]:visible").last
    added.get_by_label("From friend").fill("20")
    added.get_by_label("The advocate gets").select_option(label="Credit for ten friends")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("[data-said]")).to_contain_text("From friend 20 on it is 100.00 EUR store credit")
    rule = rule_of(Scheme.objects.get().version_id)
    assert (rule.hold_days, [level.from_count for level in rule.levels]) == (30, [1, 3, 10, 20])
    press(page, "Launch", "Launch")
    expect(page.get_by_text("is live: its links bring friends from now on")).to_be_visible()
    assert Scheme.objects.get().state == "live"
    assert browser.complaints == []


def test_decided_by_one_key_each(browser, marketer, suspicious):
    page = marketer
    first, second, third = suspicious
    page.goto("/admin/referrals/referral/review/")
    lit = page.locator("[data-lit]")
    expect(lit).to_have_id(f"referral-{first.pk}")
    page.keyboard.press("j")
    expect(lit).to_have_id(f"referral-{second.pk}")
    page.keyboard.press("k")
    page.keyboard.press("a")
    expect(page.locator(f"#referral-{first.pk}[data-decided]")).to_contain_text("approved")
    expect(lit).to_have_id(f"referral-{second.pk}")
    page.keyboard.press("r")
    expect(page.locator(f"#referral-{second.pk}[data-decided]")).to_contain_text("rejected")
    expect(lit).to_have_id(f"referral-{third.pk}")
    lit.get_by_role("button", name="Approve").click()
    expect(page.locator(f"#referral-{third.pk}[data-decided]")).to_contain_text("approved")
    states = list(Referral.objects.filter(pk__in=[one.pk for one in suspicious]).order_by("pk").values_list("state"))
    assert states == [("pending",), ("rejected",), ("pending",)]
    assert browser.complaints == []


def test_the_queue_on_a_phone(browser, marketer, suspicious):
    page = marketer
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/admin/referrals/referral/review/")
    expect(page.locator("[data-card]")).to_have_count(3)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
