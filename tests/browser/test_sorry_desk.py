"""The sorry desk in a real browser: found, given in three clicks, refused, undone; by keyboard and on a phone."""

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from retention import clock
from retention.actors import Actor
from retention.incentives.models import Code
from retention.messaging.models import Delivery
from retention.shop.models import Staff
from retention.support.models import Compensation
from retention.support.operations import compensate
from tests.support.conftest import make_agent, make_shopfloor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOCUS = "id => document.activeElement.id === id"


@pytest.fixture
def floor():
    return make_shopfloor(clock.now())


@pytest.fixture
def page(browser, floor):
    browser.log_in(make_agent(clock.now()))
    return browser.page


def test_three_clicks_from_the_customer_to_a_sent_coupon(browser, floor, page):
    page.goto("/admin/sorry/")
    page.wait_for_function(FOCUS, arg="sorry-q")
    page.keyboard.type("anna.meyer@example.com")
    page.locator("#found a").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/customer/**")

    page.get_by_text("Damaged or defective", exact=True).click()
    page.get_by_text("Half Speed (Vinyl)").click()
    page.wait_for_function("document.querySelector('#sorry-amount').value === '12.00'")
    expect(page.get_by_text("30 % of $40.00 for “Damaged or defective”.")).to_be_visible()
    page.get_by_role("button", name="Give and send").click()

    page.wait_for_url("**/given/**")
    code = Code.objects.get()
    assert page.locator("#sorry-code").inner_text() == code.code
    assert code.grant.terms == {"amount_minor": 1_200, "currency": "USD"}
    assert Delivery.objects.get().customer == floor.anna
    expect(page.get_by_text("$168.00 of $180.00 left today")).to_be_visible()
    assert browser.complaints == []


def test_hits_appear_while_she_types(browser, floor, page):
    page.goto("/admin/sorry/")
    page.wait_for_function(FOCUS, arg="sorry-q")
    page.keyboard.type("mey")
    page.locator("#found").get_by_role("link", name="Anna Meyer").click()
    page.wait_for_url("**/customer/**")
    expect(page.get_by_role("heading", name="Anna Meyer").last).to_be_visible()
    assert browser.complaints == []


def test_by_keyboard_alone(browser, floor, page):
    page.goto("/admin/sorry/?q=NW-1001")
    page.wait_for_url("**/customer/**")
    page.wait_for_function("document.activeElement.name === 'reason'")
    page.keyboard.press("ArrowRight")  # from the first reason to the second
    page.wait_for_function("document.querySelector('#sorry-amount').value !== ''")
    page.locator("#sorry-amount").press("Enter")
    page.wait_for_url("**/given/**")
    given = Compensation.objects.get()
    assert given.case.reason.key == "damaged"
    assert given.amount_minor == 1_500
    assert browser.complaints == []


def test_above_the_limit_the_reason_is_read_and_nothing_is_lost(browser, floor, page):
    page.goto("/admin/sorry/?q=NW-1001")
    page.get_by_text("Late", exact=True).click()
    page.locator("#sorry-words").fill("It should not have taken three weeks.")
    page.wait_for_function("document.querySelector('#sorry-amount').value !== ''")
    page.locator("#sorry-amount").fill("50,50")
    page.get_by_role("button", name="Give and send").click()

    assert "$50.50 is above your limit of $50.00 for one case" in page.get_by_role("alert").first.inner_text()
    assert page.locator("#sorry-words").input_value() == "It should not have taken three weeks."
    assert not Code.objects.exists()


def test_given_to_copy_then_undone(browser, floor, page):
    page.goto("/admin/sorry/?q=NW-1001")
    page.get_by_text("Other", exact=True).click()
    page.wait_for_function("document.querySelector('#sorry-amount').value !== ''")
    page.get_by_role("button", name="Give and copy").dblclick()
    page.wait_for_url("**/given/**")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()  # the clipboard answers when it likes
    assert Code.objects.count() == 1
    assert not Delivery.objects.exists()

    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone: the code is dead").wait_for()
    assert Code.objects.get().state == Code.State.VOID
    expect(page.get_by_text("$180.00 of $180.00 left today")).to_be_visible()
    assert browser.complaints == []


def test_on_a_phone_nothing_is_wider_than_the_screen(browser, floor, page):
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/admin/sorry/", "/admin/sorry/?q=NW-1001"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_text("Late", exact=True).click()
    page.wait_for_function("document.querySelector('#sorry-amount').value !== ''")
    page.get_by_role("button", name="Give and send").click()
    page.wait_for_url("**/given/**")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert Compensation.objects.get().given_at > clock.now() - dt.timedelta(minutes=5)


def test_nothing_that_keeps_people_out(browser, floor, page):
    compensate(
        source="1", complaint=floor.complaint(), amount_minor=500, now=clock.now(), by=Actor.staff(Staff.objects.get())
    )
    given = Compensation.objects.get().pk
    for address in ("/admin/sorry/?q=zzz", "/admin/sorry/?q=NW-1001", f"/admin/sorry/given/{given}/"):
        page.goto(address)
        page.wait_for_timeout(300)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(100)
            found = Axe().run(page, context=".sorry").response["violations"]
            assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found] == [], (address, scheme)
