"""A gift card is made by hand in the console, and stands in the liability book."""

import pytest
from playwright.sync_api import expect

from retention import clock
from retention.actors import Actor
from retention.incentives.models import GiftCard
from retention.ledger import seeds
from tests.browser.test_console import NARROW, WIDE, log_in, serious_violations, shoot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_card_is_made_topped_up_and_owed(browser, person, shop):
    person("lena", "marketing lead")
    seeds.seed(now=clock.now(), by=Actor.command("test"))
    page = log_in(browser, "lena")
    page.set_viewport_size(WIDE)
    page.goto("/admin/incentives/giftcard/")
    page.get_by_text("Make a gift card").first.click()
    page.wait_for_selector("#dialog")
    page.fill("#dialog [name=amount]", "25,00")
    page.fill("#dialog [name=reason]", "raffle")
    page.fill("#dialog [name=categories]", "Books")
    page.click("#dialog button[type=submit]")
    expect(page.get_by_text("worth €25.00")).to_be_visible()
    card = GiftCard.objects.get()
    page.goto(f"/admin/incentives/giftcard/{card.pk}/change/")
    shoot(page, "giftcard")
    page.get_by_text("Top up").first.click()
    page.wait_for_selector("#dialog")
    page.fill("#dialog [name=amount]", "5")
    page.fill("#dialog [name=reason]", "sorry")
    page.click("#dialog button[type=submit]")
    expect(page.get_by_text("€30.00 are on it now.")).to_be_visible()
    page.goto("/admin/ledger/unit/liability/")
    section = page.locator("section", has=page.locator(f"#unit-gift_card_{shop.currency.lower()}"))
    expect(section.get_by_role("row", name="Owed after")).to_contain_text("€30.00")
    assert serious_violations(page) == []
    shoot(page, "liability")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shoot(page, "liability-narrow")
    section.get_by_role("link", name="sold or paid in").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.set_viewport_size(WIDE)
    page.goto(f"/admin/ledger/unit/{card.account.unit_id}/change/")
    shoot(page, "unit")
    assert serious_violations(page) == []
