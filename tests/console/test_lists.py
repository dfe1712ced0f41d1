"""Lists at scale: however long a table is, a list page asks few questions and reads few rows."""

import datetime as dt
import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retention.doors.console import CappedPaginator, EditAdmin, FactAdmin, FastList
from retention.shop.models import ExchangeRate
from tests.matrix.rows import one_of_each

pytestmark = pytest.mark.django_db

#: Tables that people or calendars fill: short, whatever the size of the shop.
SMALL = {
    "auth_group",
    "auth_permission",
    "campaigns_campaign",
    "campaigns_holiday",
    "customers_activitykind",
    "customers_attributedefinition",
    "django_celery_beat_intervalschedule",
    "django_content_type",
    "django_session",
    "loyalty_programme",
    "loyalty_tier",
    "segments_segment",
    "shop_shop",
    "support_reason",
    "work_heartbeat",
    "work_job",
}
LISTS = sorted(model._meta.label_lower for model in admin.site._registry)


def is_bounded(sql):
    """Whether a statement reads a limited number of rows: a page, a row by its key, or a small table."""
    if not sql.lstrip().upper().startswith("SELECT"):
        return True
    tables = set(re.findall(r'(?:FROM|JOIN) "(\w+)"', sql))
    by_key = re.search(r'WHERE .*"\w+"\."\w*id" (?:=|IN) ', sql) is not None
    return " LIMIT " in sql or by_key or tables <= SMALL


@pytest.fixture
def admin_client(as_role, shop):
    return as_role("administrator")


def statements(client, url):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url, follow=True)
    assert response.status_code == 200, url
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("label", LISTS)
def test_a_list_reads_a_page_and_nothing_more(admin_client, label):
    one_of_each()
    read = statements(admin_client, f"/admin/{label.replace('.', '/')}/")
    unbounded = [sql for sql in read if not is_bounded(sql)]
    assert unbounded == []
    assert len(read) <= 25


@pytest.mark.parametrize("label", LISTS)
def test_every_admin_stands_on_the_bases(label):
    model_admin = next(site for model, site in admin.site._registry.items() if model._meta.label_lower == label)
    assert isinstance(model_admin, FactAdmin | EditAdmin), "a list without the bases counts whole tables"
    assert model_admin.paginator is CappedPaginator
    assert model_admin.list_per_page <= 100
    assert not model_admin.show_full_result_count
    assert not model_admin.date_hierarchy


def test_what_counts_as_unbounded():
    assert not is_bounded('SELECT COUNT(*) AS "__count" FROM "customers_customer"')
    assert not is_bounded('SELECT "customers_customer"."id" FROM "customers_customer" ORDER BY "id" DESC')
    assert is_bounded('SELECT COUNT(*) FROM (SELECT "a"."id" FROM "customers_customer" LIMIT 10001) subquery')


class TestCappedPaginator:
    @pytest.fixture
    def rates(self, shop):
        days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(7)]
        ExchangeRate.objects.bulk_create(ExchangeRate(currency="USD", on=day, rate=1) for day in days)
        return ExchangeRate.objects.order_by("on")

    def test_it_counts_exactly_below_the_cap(self, rates):
        paginator = CappedPaginator(rates, 5)
        assert (paginator.count, paginator.num_pages, paginator.is_capped) == (7, 2, False)

    def test_beyond_the_cap_it_says_so_and_reads_no_deeper(self, rates, monkeypatch):
        monkeypatch.setattr(CappedPaginator, "CAP", 6)
        paginator = CappedPaginator(rates, 4)
        assert (paginator.count, paginator.num_pages, paginator.is_capped) == (6, 2, True)
        with CaptureQueriesContext(connection) as captured:
            CappedPaginator(rates, 4).count  # noqa: B018
        assert "LIMIT 7" in captured[0]["sql"]
        assert len(captured) == 1

    def test_the_page_tells(self, rates, monkeypatch, admin_client):
        monkeypatch.setattr(CappedPaginator, "CAP", 6)
        page = admin_client.get("/admin/shop/exchangerate/")
        assert b"the first 6 exchange rates; filter or search to see others" in page.content

    def test_a_list_of_values_is_counted_too(self):
        assert CappedPaginator([1, 2, 3], 2).count == 3


def test_the_number_of_questions_does_not_grow_with_the_rows(admin_client):
    def rates(count, currency):
        days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(count)]
        ExchangeRate.objects.bulk_create(ExchangeRate(currency=currency, on=day, rate=1) for day in days)

    rates(2, "USD")
    few = len(statements(admin_client, "/admin/shop/exchangerate/"))
    rates(60, "KRW")
    assert len(statements(admin_client, "/admin/shop/exchangerate/")) == few


def test_empty_lists_say_what_is_missing(admin_client):
    empty = admin_client.get("/admin/shop/exchangerate/")
    assert b"No exchange rates yet" in empty.content
    assert b"Nothing matches" in admin_client.get("/admin/shop/staff/?q=zzz").content


def test_nobody_forgot_the_fast_base():
    assert issubclass(EditAdmin, FastList)
    assert issubclass(FactAdmin, FastList)
