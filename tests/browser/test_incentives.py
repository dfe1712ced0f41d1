"""Mina builds three incentives that she wants, tries them, and stops one: it is gone everywhere at once."""

import json
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import expect

from retention.actors import Actor
from retention.customers.models import Customer, Product
from retention.doors.keys import create_key
from retention.incentives.models import Incentive
from retention.incentives.operations import go_live, grant
from retention.incentives.versions import rule_of
from retention.messaging.models import Delivery
from retention.messaging.operations import Message, create_template, queue, send_due
from tests.messaging.conftest import WORDS, agree

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/admin/incentives/incentive/"
BY = Actor.command("test")


@pytest.fixture(autouse=True)
def patient():
    """The words follow what she types; on a busy machine they take their time."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def mina(browser, shop, person, now, monkeypatch, empty_cache):
    """Her tab, in a shop with four products."""
    monkeypatch.setattr("retention.clock.now", lambda: now)
    for sku, name, category, price in [
        ("SH-1", "Trail shoe", "Shoes/Trail", 12000),
        ("SH-2", "Road shoe", "Shoes/Road", 10000),
        ("TS-1", "T-shirt", "Clothes", 2500),
        ("MU-1", "Mug", "Home", 1000),
    ]:
        Product.objects.create(
            sku=sku, name=name, category=category, price_minor=price, currency="EUR", recorded_at=now
        )
    return browser.log_in(person("mina", "marketer"))


def at(page, path):
    return page.locator(f"[id='inc{path}']")


def add(page, button, word):
    """Adds an effect or a condition by keyboard: open the list, type, Enter."""
    page.get_by_role("button", name=button).press("Enter")
    page.keyboard.type(word)
    page.keyboard.press("Enter")


def save(page):
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_url("**/change/")
    return Incentive.objects.latest("pk")


def try_it(page, incentive, lines, **fields):
    page.goto(f"{LIST}{incentive.pk}/try/")
    for name, value in {"lines": lines, **fields}.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Try it").click()
    return page.locator(".inc-outcome")


def test_a_percentage_with_a_cap_on_a_category_that_is_not_on_sale(mina, browser):
    page = mina
    page.goto(f"{LIST}add/")
    at(page, "/name").fill("Shoes for spring")
    at(page, "/effects/0/basis_points").fill("20")
    at(page, "/effects/0/cap").fill("30")
    at(page, "/effects/0/scope/on").select_option("lines")
    at(page, "/effects/0/scope/categories").fill("sho")
    page.locator(".seg-options:visible li").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at(page, "/effects/0/scope/without_discounted").check()
    add(page, "Add a condition", "basket from")
    at(page, "/conditions/0/amounts").fill("50")
    at(page, "/limits/total").fill("500")
    at(page, "/limits/per_customer").fill("1")
    # Nothing is scolded before she has been there; what is missing is said once she leaves it.
    expect(page.locator(".seg-error:visible")).to_have_count(0)
    at(page, "/codes/text").fill("x")
    at(page, "/name").focus()
    expect(page.locator(".seg-error:visible")).to_contain_text("3 to 60 letters")
    at(page, "/codes/text").fill("spring-20")
    expect(page.locator("[data-sentence]")).to_have_text(
        "20 % off Shoes, not on sale items, at most 30.00 EUR, from 50.00 EUR, first 500 shoppers, once per customer"
    )
    expect(page.locator("[data-example]")).to_contain_text("−30.00")
    incentive = save(page)
    assert rule_of(incentive.version_id).model_dump(exclude_defaults=True, mode="json")["effects"] == [
        {
            "basis_points": 2000,
            "cap": {"EUR": 3000},
            "scope": {"on": "lines", "categories": ["Shoes"], "without_discounted": True},
        }
    ]
    Customer.objects.create(reference="anna", email="anna@example.com", recorded_at=incentive.version.saved_at)
    lines = "SH-1, 1, 120.00\nSH-2, 1, 90.00, sale\nMU-1, 1, 10.00"
    told = try_it(page, incentive, lines, customer="anna@example.com")
    expect(told).to_contain_text("24.00 EUR off, 200.90 EUR to pay")
    expect(told).to_contain_text("SH-1 −24.00 EUR")
    # The basket shrinks: the outcome follows without a click, with every reason.
    page.locator("[name=lines]").fill("MU-1, 1, 10.00")
    page.locator("[name=customer]").fill("")
    page.keyboard.press("Tab")
    expect(told).to_contain_text("Nothing comes off")
    expect(told).to_contain_text("40.00 EUR short")
    expect(told).to_contain_text("known customers")
    page.get_by_label("Put a product into the basket").fill("trail")
    page.locator("#found-products option").first.wait_for(state="attached")
    page.keyboard.press("Enter")
    assert page.locator("[name=lines]").input_value() == "MU-1, 1, 10.00\nSH-1, 1, 120.00"
    assert browser.complaints == []


def test_three_for_two(mina, browser):
    page = mina
    page.goto(f"{LIST}add/")
    at(page, "/name").fill("Three for two")
    page.get_by_role("button", name="Remove: Percent off").click()
    add(page, "Add something that is given", "buy x")
    at(page, "/effects/0/buy_quantity").fill("2")
    at(page, "/codes").select_option("automatic")
    expect(page.locator("[data-sentence]")).to_contain_text("Buy 2 of the order, get 1 of the cheapest of them free")
    # Only fields of this kind are there.
    expect(at(page, "/effects/0/basis_points")).to_have_value("100")
    expect(at(page, "/codes/text")).to_have_count(0)
    incentive = save(page)
    told = try_it(page, incentive, "TS-1, 3, 25.00\nMU-1, 2, 10.00")
    # Five units: one set of three, the cheapest of them free.
    expect(told).to_contain_text("10.00 EUR off, 89.90 EUR to pay")
    assert browser.complaints == []


def test_spend_more_save_more_with_free_shipping_is_stopped_and_gone(mina, browser, now, smtp):
    page = mina
    page.goto(f"{LIST}add/")
    at(page, "/name").fill("More is more")
    page.get_by_role("button", name="Remove: Percent off").click()
    add(page, "Add something that is given", "spend more")
    for step, (start, percent) in enumerate([("50", "5"), ("100", "10")]):
        page.get_by_role("button", name="Add a step").click()
        at(page, f"/effects/0/steps/{step}/from_amounts").fill(start)
        at(page, f"/effects/0/steps/{step}/basis_points").fill(percent)
    add(page, "Add something that is given", "free ship")
    at(page, "/codes/text").fill("MORE")
    expect(page.locator("[data-sentence]")).to_contain_text("ree shipping")
    incentive = save(page)
    told = try_it(page, incentive, "SH-1, 1, 120.00")
    # 10 % of 120.00 and the shipping of 4.90.
    expect(told).to_contain_text("16.90 EUR off, 108.00 EUR to pay")
    go_live(incentive_id=incentive.pk, now=now, by=BY)

    anna = Customer.objects.create(reference="anna", email="anna@example.com", recorded_at=now)
    agree(anna)
    template = create_template(name="Hello", words=WORDS, now=now, by=BY)
    given = grant(
        incentive_id=incentive.pk, sources=["s"], customer_ids=[anna.pk], origin="test", origin_ids=[1], now=now, by=BY
    )
    queue(
        template_id=template.pk,
        origin="test.row",
        messages=[Message(origin_id=anna.pk, customer_id=anna.pk, grant_id=given.grants["s"])],
        now=now,
    )
    assert validated(now)["is_valid"]
    page.goto(f"{LIST}{incentive.pk}/change/")
    page.get_by_role("link", name="Stop").click()
    page.get_by_label("Why").fill("leaked")
    page.get_by_role("button", name="Stop everywhere").click()
    expect(page.get_by_text("The offer is stopped everywhere.")).to_be_visible()
    # Gone from the API, the panel, and what was about to leave.
    assert validated(now)["refusal"]["code"] == "incentives.stopped"
    told = try_it(page, incentive, "SH-1, 1, 120.00")
    expect(told).to_contain_text("This offer was stopped.")
    send_due(now=now, worker="test")
    assert Delivery.objects.get().reason == "messaging.offer_stopped"
    assert smtp.messages == []
    assert browser.complaints == []


def validated(now):
    scopes = ("incentives:redeem",)
    secret = create_key(name=uuid.uuid4().hex, scopes=scopes, known=scopes, now=now, by=BY).secret
    basket = {"currency": "EUR", "lines": [{"sku": "SH-1", "quantity": 1, "unit_price_minor": 12000}]}
    return (
        Client()
        .post(
            "/api/v1/validations/",
            json.dumps({"codes": ["MORE"], "basket": basket}),
            content_type="application/json",
            headers={"authorization": f"Bearer {secret}"},
        )
        .json()
    )


def test_on_a_phone_nothing_is_cut_off_and_anyone_can_use_it(mina, browser):
    page = mina
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{LIST}add/")
    page.get_by_role("button", name="Remove: Percent off").click()
    add(page, "Add something that is given", "spend more")
    page.get_by_role("button", name="Add a step").click()
    add(page, "Add something that is given", "bundle")
    page.get_by_role("button", name="Add a part").click()
    for summary in page.locator(".inc-form summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    found = Axe().run(page, context=".inc-form", options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.response["violations"] == []
    assert browser.complaints == []
