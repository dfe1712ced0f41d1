"""The reports page, its files, and the estimate: what people read, and what they read before it is counted."""

import csv

import pytest
import time_machine

from referrals.jobs import CountReports
from referrals.models import Referral
from referrals.reports import counting
from tests.console.conftest import as_role, person
from tests.referrals.conftest import days

__all__ = ["as_role", "person"]
REPORTS = "/admin/referrals/referral/reports/"


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def brought(scheme, advocate, customer, refer, order, now):
    (code,) = advocate(scheme(checks=[]), customer("anna", now - days(400)))
    friend = customer("friend")
    referral = refer(code, friend)
    Referral.objects.filter(pk=referral.pk).update(order=order(friend, now, 5_000), qualified_at=now, state="hold")
    return code


def test_what_was_brought_and_the_same_as_files(as_role, brought, now):
    analyst = as_role("analyst")
    page = analyst.get(REPORTS).content.decode()
    assert page.count("€50.00") == 3  # in all, in this month, by Anna
    assert page.count("As a CSV file") == 3

    def rows(name):
        answer = analyst.get(f"{REPORTS}?first=2026-04-30&last={now.date()}&file={name}")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.reader(answer.content.decode().splitlines()))

    assert rows("months") == [
        ["month", "spend", "reward", "currency"],
        ["2026-04", "0.00", "0.00", "EUR"],
        ["2026-05", "50.00", "0.00", "EUR"],
    ]
    assert rows("advocates")[1][1:] == [brought, "", "1", "1", "50.00", "0.00", "EUR", "–"]
    assert [row[:2] for row in rows("worth")] == [["customers", "count"], ["referred", "0"], ["others", "0"]]
    assert analyst.get(f"{REPORTS}?first=2026-05-02&last=2026-05-01").status_code == 200


def test_of_a_large_shop_it_is_counted_first(as_role, brought, now, monkeypatch):
    monkeypatch.setattr(counting, "FEW", 0)
    analyst = as_role("analyst")
    first = analyst.get(REPORTS)
    assert first["Refresh"]
    assert "being counted for the first time" in first.content.decode()
    assert (
        "your own figures, which are being counted"
        in analyst.get("/admin/referrals/referral/estimate/").content.decode()
    )
    CountReports.run(now=now, progress=lambda done, total: None)
    then = analyst.get(REPORTS)
    assert "Refresh" not in then
    assert then.content.decode().count("€50.00") == 3


def test_days_that_no_shop_has_are_a_mistake_in_the_form(as_role, brought, now):
    analyst = as_role("analyst")
    for period in ("first=0001-01-01&last=2026-05-01", "first=2026-01-01&last=9999-12-31"):
        page = analyst.get(f"{REPORTS}?{period}")
        assert (page.status_code, page.content.decode().count("Choose a day of this century.")) == (200, 1)
