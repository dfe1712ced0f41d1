"""A marketer takes a playbook, edits it, and a lead launches it, in a real browser."""

import datetime as dt
import os
import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from campaigns import operations
from campaigns.models import Campaign
from campaigns.plans import plan_of
from retention import clock
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.shop.models import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: Name a folder here to keep pictures of every page, at desktop and phone width.
SHOTS = os.environ.get("SCREENSHOTS", "")


@pytest.fixture
def shop(db):
    return Shop.objects.create(
        name="Vinyl",
        time_zone="Europe/Berlin",
        currency="EUR",
        languages=["en", "ko", "ru"],
        country="DE",
        postal_address="1 Main Street",
    )


@pytest.fixture
def people(shop):
    now = clock.now()
    for n in range(9):
        born = now + dt.timedelta(days=n + 2)
        customer = Customer.objects.create(
            given_name=f"Anna {n}",
            email=f"p{n}@example.com",
            country="DE",
            birth_month=born.month,
            birth_day=born.day,
            signed_up_at=now - dt.timedelta(days=n),
            recorded_at=now,
        )
        if n % 3:
            ConsentState.objects.create(
                customer=customer,
                channel="email",
                purpose="marketing",
                is_given=True,
                address=customer.email,
                occurred_at=now,
            )
    operations.refresh_holidays(now=now)


@pytest.fixture
def lead(db):
    return get_user_model().objects.create_superuser("lead", "lead@example.com", "a long enough password")


def shoot(page, name):
    if SHOTS:
        for width, height in ((1440, 900), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            page.screenshot(path=Path(SHOTS) / f"{name}_{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.evaluate("document.documentElement.classList.add('dark')")
        page.wait_for_timeout(300)
        page.screenshot(path=Path(SHOTS) / f"{name}_dark.png", full_page=True)
        page.evaluate("document.documentElement.classList.remove('dark')")


def press(page, button, confirm):
    """A button of the page, then its twin in the dialog."""
    named = re.compile(rf"\b{button}\s*$")
    page.locator("main, #main, body").locator("a, button").filter(has_text=named).first.click()
    dialog = page.get_by_role("button", name=confirm, exact=True).last
    dialog.wait_for()
    dialog.click()
    page.wait_for_load_state("networkidle")


def test_from_the_gallery_to_live(browser, lead, people):
    page = browser.log_in(lead)
    page.goto("/admin/campaigns/campaign/playbooks/")
    shoot(page, "playbooks")
    page.locator("button").filter(has_text="Make a draft").filter(has_text="Birthday").click()
    page.wait_for_url("**/change/**")
    campaign = Campaign.objects.get()
    assert campaign.state == "draft"
    page.get_by_text("It would reach 6 customers in the next 30 days.").wait_for()
    assert page.get_by_text("3 would be skipped: no consent for this address").count() == 1
    shoot(page, "campaign_draft")
    page.locator("a, button").filter(has_text="When").first.click()
    hour = page.locator("[name=arg__birthday__hour]")
    expect(hour).to_be_visible()
    expect(page.locator("[name=arg__one_date__on]")).to_be_hidden()
    shoot(page, "campaign_when")
    hour.fill("08:30")
    page.locator("button[name=_continue], button[name=_save]").first.click()
    page.wait_for_load_state("networkidle")
    campaign.refresh_from_db()
    assert campaign.version.data["occasion_args"]["hour"] == "08:30"
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    for button, state, outcome in (
        ("Approve", "approved", "Approved."),
        ("Launch", "live", "It is live."),
        ("Pause", "paused", "It is paused."),
        ("Resume", "live", "It is live again."),
        ("End", "ended", "It has ended."),
    ):
        press(page, button, button)
        page.get_by_text(outcome, exact=True).wait_for()
        campaign.refresh_from_db()
        assert campaign.state == state
    shoot(page, "campaign_ended")
    page.goto("/admin/campaigns/campaign/")
    shoot(page, "campaigns")
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/history/")
    shoot(page, "campaign_history")
    page.goto("/admin/campaigns/holiday/")
    shoot(page, "holidays")
    assert browser.complaints == []


def tab(page, name):
    page.locator("a, button").get_by_text(name, exact=True).or_(
        page.locator(f"a:text-is({name!r}), button:text-is({name!r})")
    ).first.click()


def test_a_ladder_is_built_in_the_editor_and_said_as_it_grows(browser, lead, people):
    ready = operations.create_from_playbook(key="win_back", now=clock.now(), by=Actor.command("test"))
    page = browser.log_in(lead)
    page.goto(f"/admin/campaigns/campaign/{ready.pk}/change/")
    said = page.locator("[data-sentence]")
    tab(page, "What")
    steps = page.locator("[data-plan-parts=steps]")
    expect(steps.locator(".plan-step")).to_have_count(1)
    steps.get_by_role("button", name="Add a step").click()
    second = steps.locator(".plan-step").nth(1)
    second.get_by_label("Say", exact=True).select_option(index=1)
    second.locator("select").first.select_option("days")
    expect(said).to_contain_text("After 1 day, at 10:00 of her clock:")
    second.locator("summary").click()
    second.get_by_label("Only for").select_option(index=1)
    second.get_by_label("The others go on with").select_option("end")
    expect(said).to_contain_text("others: the end.")
    shoot(page, "campaign_steps")
    tab(page, "Test")
    page.get_by_role("button", name="Add a variant").click()
    variants = page.locator("[data-plan-parts=variants] .plan-step")
    expect(variants).to_have_count(2)
    variants.nth(1).get_by_label("Name").fill("Later")
    variants.nth(1).get_by_label("Wait").first.select_option("hours")
    expect(said).to_contain_text("Tested: A (50 %), Later (50 %).")
    shoot(page, "campaign_test")
    tab(page, "When")
    page.get_by_role("button", name="Add hours").click()
    expect(said).to_contain_text("Only Monday, Tuesday, Wednesday, Thursday, Friday 09:00–18:00, by her clock.")
    shoot(page, "campaign_hours")
    tab(page, "Limits")
    page.fill("[name=limit_touches]", "0")
    expect(page.locator("[data-faults]")).to_contain_text("Customers in all")
    page.fill("[name=limit_touches]", "500")
    expect(said).to_contain_text("At most 500 customers in all.")
    expect(page.locator("[data-faults] li")).to_have_count(0)
    shoot(page, "campaign_limits")
    page.locator("button[name=_continue], button[name=_save]").first.click()
    page.wait_for_load_state("networkidle")
    plan = plan_of(Campaign.objects.select_related("version").get())
    assert (plan.steps[1].wait.days, plan.steps[1].otherwise, plan.limits.touches) == (1, "end", 500)
    assert (plan.variants[1].label, plan.step_for(0, plan.variants[1].key).wait.hours) == ("Later", 24)
    assert browser.complaints == []


def test_what_is_wrong_is_said_beside_it(browser, lead, people):
    page = browser.log_in(lead)
    page.goto("/admin/campaigns/campaign/add/")
    page.fill("[name=name]", "Nothing to say")
    page.fill("[name=countries]", "Germany")
    page.locator("button[name=_save], input[name=_save]").first.click()
    page.wait_for_load_state("networkidle")
    shoot(page, "campaign_refused")
    assert not Campaign.objects.exists()
    assert page.locator(".errorlist, .errornote, [role=alert]").count() or page.get_by_text("error").count()


def test_the_jobs_page(browser, lead, people):
    page = browser.log_in(lead)
    page.goto("/admin/work/job/")
    assert page.get_by_text("Campaigns reach who is due").count() >= 1
    shoot(page, "jobs")
    page.get_by_role("link", name="Campaigns reach who is due").first.click()
    page.wait_for_url("**/change/**")
    press(page, "Run now", "Run now")
    page.get_by_text("A worker was told").wait_for()
    shoot(page, "job")
    assert browser.complaints == []
