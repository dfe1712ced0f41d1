"""An administrator sets an endpoint up, sends a test, sees what became of it, and reads what can be told."""

import pytest
from playwright.sync_api import expect

from retention import clock
from retention.webhooks import operations
from retention.webhooks.models import Endpoint, Notice
from retention.webhooks.signing import secret_of
from tests.browser.test_console import NARROW, WIDE, log_in, serious_violations, shoot
from tests.webhooks.conftest import Receiver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def receiver(settings):
    settings.PRIVATE_ADDRESSES_ALLOWED = True
    receiver = Receiver()
    yield receiver
    receiver.close()


def press(page, words):
    page.get_by_role("link", name=words, exact=True).or_(
        page.get_by_role("button", name=words, exact=True)
    ).first.click()
    page.wait_for_selector("#dialog")
    return page.locator("#dialog")


def test_an_endpoint_from_its_form_to_its_log(browser, person, shop, receiver):
    person("zoe", "administrator")
    page = log_in(browser, "zoe")
    page.set_viewport_size(WIDE)
    page.goto("/admin/webhooks/endpoint/add/")
    page.fill("[name=name]", "Shop")
    page.fill("[name=url]", "ftp://shop.example.com/")
    page.check("[value='loyalty.tier_reached']")
    page.check("[value='referrals.rewarded']")
    shoot(page, "webhooks-form")
    page.click("[name=_save]")
    expect(page.get_by_text("The address begins with https://").first).to_be_visible()
    assert page.is_checked("[value='referrals.rewarded']")
    page.fill("[name=url]", receiver.url)
    page.click("[name=_save]")
    made = Endpoint.objects.get()
    assert made.kinds == ["loyalty.tier_reached", "referrals.rewarded"]
    expect(page.locator("#secret")).to_have_text(secret_of(made))
    shoot(page, "webhooks-endpoints")
    page.goto(f"/admin/webhooks/endpoint/{made.pk}/change/")
    shoot(page, "webhooks-endpoint")
    press(page, "Send a test").locator("button[type=submit]").click()
    expect(page.get_by_text("A test is on its way")).to_be_visible()
    operations.deliver(now=clock.now())
    page.goto(f"/admin/webhooks/notice/{Notice.objects.get().pk}/change/")
    expect(page.get_by_text('"type": "webhooks.test"')).to_be_visible()
    shoot(page, "webhooks-notice")
    press(page, "Send again").locator("button[type=submit]").click()
    expect(page.get_by_text("It is on its way again.")).to_be_visible()
    operations.deliver(now=clock.now())
    assert receiver.heard[0].id == receiver.heard[1].id
    page.goto("/admin/webhooks/notice/")
    expect(page.get_by_text("webhooks.test")).to_be_visible()
    shoot(page, "webhooks-notices")
    page.goto(f"/admin/webhooks/endpoint/{made.pk}/change/")
    press(page, "Switch off").locator("button[type=submit]").click()
    expect(page.get_by_text("Shop is switched off.")).to_be_visible()
    dialog = press(page, "Switch on")
    dialog.locator("select").select_option("now")
    shoot(page, "webhooks-on")
    dialog.locator("button[type=submit]").click()
    expect(page.get_by_text("Shop is switched on.")).to_be_visible()
    press(page, "Send again what was given up").get_by_text("Given up, by the number of days").wait_for()
    page.goto("/admin/webhooks/endpoint/events/")
    page.get_by_text("loyalty.tier_reached", exact=True).click()
    expect(page.get_by_text('"before": "silver"')).to_be_visible()
    shoot(page, "webhooks-events")
    page.set_viewport_size(NARROW)
    for address in ("events/", "", f"{made.pk}/change/"):
        page.goto(f"/admin/webhooks/endpoint/{address}")
        shoot(page, f"webhooks-narrow-{address.strip('/').replace('/', '-')}")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert serious_violations(page) == []
    assert browser.complaints == []
