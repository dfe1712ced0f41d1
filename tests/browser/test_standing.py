"""Mina looks at stages, RFM groups and overlaps in the real console, desk and phone, and orders her stages."""

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.db import connection
from playwright.sync_api import expect

from retention.actors import Actor
from retention.customers import seeds as kinds
from retention.customers.models import CustomerStats, Stage
from retention.customers.operations import compute_rfm
from retention.doors import seeds as roles
from retention.segments import operations, seeds
from retention.segments.models import Segment
from retention.shop.models import Shop, Staff
from tests.segments import facts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOW = facts.NOW
BY = Actor.command("test")
PAGES = {
    "stages": "/admin/customers/stage/flow/",
    "rfm": "/admin/customers/rfm/grid/",
    "overlap": "/admin/segments/segment/overlap/",
    "life event": "/admin/customers/lifeevent/add/",
}
_CROWD = """
    INSERT INTO customers_customer (given_name, family_name, email, address, postcode, city, region, country, language,
        time_zone, preferred_channel, interests, source, acquisition_currency, attributes, signed_up_at, recorded_at)
    SELECT 'Given' || n, 'Family', 'c' || n || '@example.com', '', '', '', '', 'DE', '', '', '', '{{}}', '', '', '{{}}',
        %s - n * interval '7 hours', %s FROM generate_series(1, 400) n
"""
_STATS = """
    INSERT INTO customers_customerstats (customer_id, orders, items, first_order_at, last_order_at, spend_minor,
        refunds_minor, discounts_minor, average_order_minor, days_between_orders, favourite_category)
    SELECT id, 1 + id %% 7, 1, %s - interval '500 days', %s - (id * 31) %% 420 * interval '1 day',
        (id * 7919) %% 60000, 0, 0, 2000, 40, '' FROM customers_customer WHERE id %% 4 <> 0
"""


@pytest.fixture
def crowd(transactional_db, empty_cache, monkeypatch):
    monkeypatch.setattr("retention.clock.now", lambda: NOW)
    roles.seed(now=NOW)
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", languages=["en", "ko"])
    kinds.seed(now=NOW)
    seeds.seed(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(_CROWD.format(), [NOW, NOW])
        cursor.execute(_STATS, [NOW, NOW])
    before = NOW - dt.timedelta(days=2)
    operations.place_customers(now=before)
    compute_rfm(now=before)
    some = CustomerStats.objects.filter(pk__in=list(CustomerStats.objects.values_list("pk", flat=True)[:120]))
    some.update(last_order_at=NOW - dt.timedelta(days=1), orders=5)
    operations.place_customers(now=NOW, everybody=True)
    compute_rfm(now=NOW)
    for segment in Segment.objects.all():
        operations.refresh_segment(segment_id=segment.pk, now=before)
        operations.refresh_segment(segment_id=segment.pk, now=NOW)
    user = Staff.objects.create(username="mina", is_staff=True)
    user.groups.add(Group.objects.get(name="marketer"))
    return user


def test_she_sees_who_stands_where_and_orders_her_stages(crowd, browser):
    page = browser.log_in(crowd)
    page.goto(PAGES["stages"])
    expect(page.locator(".seg-stage h2")).to_have_text(
        ["Visitor", "Subscriber", "New", "Loyal", "Active", "At risk", "Lapsed"]
    )
    page.get_by_role("button", name="Ask Loyal later").click()
    expect(page.locator(".seg-stage h2").nth(4)).to_have_text("Loyal")
    assert list(Stage.objects.values_list("key", flat=True))[3:5] == ["active", "loyal"]
    page.goto(PAGES["rfm"])
    expect(page.locator(".seg-rfm td")).to_have_count(25)
    expect(page.locator(".seg-rfm td").nth(4)).to_contain_text("Champions")
    page.goto(PAGES["overlap"])
    for name in ("VIP", "Repeat buyers", "Loyal at full price"):
        page.locator("label", has_text=name).locator("input").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".seg-regions tbody tr")).to_have_count(7)
    assert not browser.complaints


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_readable_for_all(crowd, browser, width):
    page = browser.log_in(crowd)
    page.set_viewport_size({"width": width, "height": 900})
    for name, address in PAGES.items():
        page.goto(address + ("?" + "&".join(f"s={pk}" for pk in chosen()) if name == "overlap" else ""))
        found = Axe().run(page, context="#content", options={"runOnly": ["wcag2a", "wcag2aa"]})
        assert found.violations_count == 0, (name, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    page.goto(f"/admin/segments/segment/{chosen()[0]}/composition/")
    expect(page.get_by_role("img", name="customers on")).to_be_visible()
    found = Axe().run(page, context="#content", options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not browser.complaints


def chosen():
    return Segment.objects.filter(key__in=["vip", "repeat-buyers", "at-risk"]).values_list("pk", flat=True)
