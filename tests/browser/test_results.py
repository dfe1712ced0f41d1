"""The gallery is searched and a test's results are read, at desktop, phone and in the dark; axe finds nothing amiss."""

import datetime as dt
import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.core.cache import cache

from campaigns import operations
from campaigns.models import Touch
from campaigns.plans import Plan
from retention import clock
from retention.actors import Actor
from retention.customers.models import Customer, Order
from retention.messaging import operations as messaging
from retention.shop.models import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BY = Actor.command("test")
#: Name a folder here to keep pictures of the pages.
SHOTS = os.environ.get("SCREENSHOTS", "")
DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(db):
    cache.clear()
    return Shop.objects.create(
        name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en"], postal_address="1 Main Street"
    )


@pytest.fixture
def campaign(shop):
    """A test of two variants with a holdout: 1,200 customers, and one variant that sells more."""
    now = clock.now()
    template = messaging.ensure_ready_template(key="broadcast", now=now, by=BY)
    plan = Plan.model_validate(
        {
            "name": "Spring test",
            "occasion": "birthday",
            "occasion_args": {"hour": "09:00"},
            "steps": [{"messages": [template.pk]}],
            "goal": {"days": 14},
            "holdout_percent": 20,
            "variants": [{"key": "plain", "label": "Plain words"}, {"key": "warm", "label": "Warm words"}],
        }
    )
    made = operations.create_campaign(plan=plan, now=now - 40 * DAY, by=BY)
    operations.approve(campaign_id=made.pk, version=1, now=now - 40 * DAY, by=BY)
    made = operations.launch(campaign_id=made.pk, now=now - 40 * DAY, by=BY)
    at = now - 30 * DAY
    people = Customer.objects.bulk_create(Customer(reference=f"c{n}", recorded_at=now) for n in range(1_200))
    arms = [("plain", False)] * 480 + [("warm", False)] * 480 + [("plain", True)] * 240
    Touch.objects.bulk_create(
        Touch(
            campaign=made, customer=person, occasion="birthday:2026", version=made.approved_version, variant=variant,
            is_ghost=is_ghost, state="done", due_at=at, enlisted_at=at, begun_at=at,
        )
        for person, (variant, is_ghost) in zip(people, arms, strict=True)
    )  # fmt: skip
    buyers = [*people[:53], *people[480:600], *people[960:980]]
    Order.objects.bulk_create(
        Order(
            reference=f"o{n}", customer=person, state="paid", currency="EUR", total_minor=2_000 + 100 * n,
            base_minor=2_000 + 100 * n, placed_at=at + DAY, recorded_at=now,
        )
        for n, person in enumerate(buyers)
    )  # fmt: skip
    return made


def look(page, name):
    """The page as it is seen on a desk, on a phone, and in the dark; nothing is wider than the phone."""
    for width, height, scheme in ((1440, 900, "light"), (390, 844, "light"), (1440, 900, "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scheme => document.documentElement.classList.toggle('dark', scheme == 'dark')", scheme)
        page.wait_for_timeout(200)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}_{width}_{scheme}.png", full_page=name != "gallery")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.evaluate("document.documentElement.classList.remove('dark')")


def test_results_are_read_and_the_winner_promoted(browser, campaign):
    page = browser.log_in(get_user_model().objects.create_superuser("lead", "lead@example.com", "a long password"))
    page.goto(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    page.get_by_role("link", name="Its results").click()
    page.get_by_role("heading", name="Arms", exact=True).wait_for()
    assert page.get_by_role("row", name="Held out").get_by_text("8.3 %").count() == 1
    against = page.get_by_label("Against those held out: Warm words")
    assert against.get_by_text("Not enough data yet").count() == 1
    page.get_by_label("The smallest lift worth seeing").select_option("100")
    page.get_by_role("button", name="Show", exact=True).click()
    against.get_by_text("Better", exact=True).wait_for()
    look(page, "results")
    page.get_by_role("button", name="Promote “Warm words”").click()
    page.get_by_text("The winner is the plan now. It runs once this version is approved.").wait_for()
    campaign.refresh_from_db()
    assert (campaign.version.number, campaign.version.data["variants"]) == (2, [])
    assert browser.complaints == []


def test_the_gallery_is_searched(browser, shop):
    page = browser.log_in(get_user_model().objects.create_superuser("lead", "lead@example.com", "a long password"))
    page.goto("/admin/campaigns/campaign/playbooks/")
    look(page, "gallery")
    page.get_by_label("Search", exact=True).last.fill("cart checkout")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_text("2 playbooks").wait_for()
    assert page.get_by_role("heading", name="Abandoned cart").count() == 1
    assert page.get_by_role("heading", name="Welcome").count() == 0
    page.locator("button").filter(has_text="Make a draft").filter(has_text="Abandoned cart").click()
    page.wait_for_url("**/change/**")
    page.get_by_text("This is your draft.").wait_for()
    assert browser.complaints == []
