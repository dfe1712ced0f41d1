"""The ledger in the console: units edited as versions, corrections that say why, and the liability book."""

import csv
import datetime as dt
import io

import pytest
import time_machine

from retention.ledger import operations
from retention.ledger.models import Account, Entry, Unit
from retention.ledger.versions import rule_of
from tests.console.conftest import as_role, person
from tests.ledger.conftest import BY

__all__ = ["as_role", "person"]

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ADMIN = "/admin/ledger"


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def lead(as_role):
    return as_role("marketing lead")


def fields(page):
    """What the form of a page holds, to be sent again."""
    form = page.context["adminform"].form
    shown = {**{name: field.initial for name, field in form.fields.items()}, **form.initial}
    return {name: "" if value is None else value for name, value in shown.items()}


class TestUnits:
    NEW = {
        "key": "stars", "name": "Stars", "kind": "points", "currency": "", "digits": 0, "expires": "month",
        "count": "12", "rounded_to": "year", "most_percent": "50", "worth_points": "100", "worth": "1.00 EUR, 1.10 USD",
        "excluded_categories": "Books, Gift wrap", "least_days_after_return": "14", "why": "new programme",
        "counted_en_one": "star", "counted_en_other": "stars",
    }  # fmt: skip

    def test_a_unit_is_made_and_changed_as_versions(self, lead, shop):
        made = lead.post(f"{ADMIN}/unit/add/", self.NEW)
        assert made.status_code == 302, made.context["adminform"].form.errors
        unit = Unit.objects.get()
        rule = rule_of(unit)
        assert (rule.excluded_categories, rule.excluded_products) == (("Books", "Gift wrap"), ())
        left_out = {"name", "kind", "currency", "digits", "may_be_negative", "excluded_categories", "excluded_products"}
        assert rule.model_dump(exclude=left_out) == {
            "expiry": {"kind": "after", "count": 12, "per": "month", "rounded_to": "year"},
            "most_basis_points": 5_000, "worth_points": 100, "worth": {"EUR": 100, "USD": 110},
            "least_days_after_return": 14, "counted": {"en": {"one": "star", "other": "stars"}},
        }  # fmt: skip
        page = lead.get(f"{ADMIN}/unit/{unit.pk}/change/")
        assert 'name="counted_en_one" value="star"' in page.content.decode()
        changed = {**fields(page), "expires": "each_year", "month": "12", "day": "31", "least_days": "90"}
        changed.pop("may_be_negative")
        assert lead.post(f"{ADMIN}/unit/{unit.pk}/change/", changed).status_code == 302
        unit.refresh_from_db()
        assert rule_of(unit).expiry.model_dump() == {"kind": "each_year", "month": 12, "day": 31, "least_days": 90}
        assert rule_of(unit).worth == {"EUR": 100, "USD": 110}
        assert "90" in lead.get(f"{ADMIN}/unit/{unit.pk}/history/").content.decode()

    def test_a_unit_of_money_asks_for_no_worth_and_is_saved(self, lead, unit):
        credit = unit()
        page = lead.get(f"{ADMIN}/unit/{credit.pk}/change/")
        assert 'name="worth"' not in page.content.decode()
        sent = {**fields(page), "most_percent": "80"}
        for name in ("may_be_negative", "worth", "worth_points"):
            sent.pop(name, None)
        saved = lead.post(f"{ADMIN}/unit/{credit.pk}/change/", sent)
        assert saved.status_code == 302, saved.context["adminform"].form.errors
        assert rule_of(Unit.objects.get(pk=credit.pk)).most_basis_points == 8_000

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"worth": "one euro"}, "Write amounts such as"),
            ({"expires": "each_year", "month": "2", "day": "30"}, "there is no such day in any year"),
            ({"kind": "money", "currency": ""}, "money needs a currency"),
            ({"expires": "month", "may_be_negative": "on"}, "what may be owed cannot expire"),
            ({"key": "Not a key"}, "key"),
        ],
    )
    def test_what_cannot_be_is_said_in_the_form(self, lead, shop, wrong, said):
        page = lead.post(f"{ADMIN}/unit/add/", {**self.NEW, **wrong})
        assert page.status_code == 200
        assert said in page.content.decode()
        assert not Unit.objects.exists()


class TestAccounts:
    def test_a_lead_corrects_a_balance_once(self, lead, unit, account):
        hers = account(unit())
        page = lead.get(f"{ADMIN}/account/{hers.pk}/change/")
        assert page.status_code == 200
        sent = {
            "_form_submitted": "True",
            "amount": "12,50",
            "reason": "counted wrong",
            "source": "console:1",
            "expires_on": "2026-05-31",
        }
        for _ in range(2):
            assert "HX-Redirect" in lead.post(f"{ADMIN}/account/{hers.pk}/adjust/", sent).headers
        hers.refresh_from_db()
        assert hers.balance == 1250
        assert Entry.objects.get().lot.expires_at == dt.datetime(2026, 5, 31, 22, tzinfo=dt.UTC)
        refused = lead.post(f"{ADMIN}/account/{hers.pk}/adjust/", {**sent, "amount": "-20", "source": "console:2"})
        assert "1250 are left" in refused.content.decode()
        assert "at most 2 decimal places" in lead.post(
            f"{ADMIN}/account/{hers.pk}/adjust/", {**sent, "amount": "0.001"}
        ).content.decode()  # fmt: skip

    def test_an_entry_is_undone_by_another_one(self, lead, unit, account, give):
        hers = account(unit())
        entry = give(hers, 500)
        lead.post(f"{ADMIN}/entry/{entry}/reverse/", {"_form_submitted": "True", "reason": "given twice"})
        hers.refresh_from_db()
        assert hers.balance == 0
        assert Entry.objects.get(reverses=entry).reason == "given twice"
        page = lead.get(f"{ADMIN}/entry/?account={hers.pk}")
        assert page.content.decode().count("/admin/ledger/entry/") >= 2

    def test_an_account_is_blocked_and_freed(self, lead, unit, account):
        hers = account(unit())
        lead.post(f"{ADMIN}/account/{hers.pk}/freeze/", {"_form_submitted": "True", "reason": "stolen"})
        assert Account.objects.get(pk=hers.pk).is_frozen
        lead.post(f"{ADMIN}/account/{hers.pk}/thaw/", {"_form_submitted": "True", "reason": "found"})
        assert not Account.objects.get(pk=hers.pk).is_frozen

    def test_the_shops_own_accounts_offer_no_corrections(self, lead, unit):
        shop = operations.shop_account(unit(), "issued")
        page = lead.get(f"{ADMIN}/account/{shop}/change/").content.decode()
        assert "given away" in page
        assert f"{ADMIN}/account/{shop}/adjust/" not in page

    def test_a_customers_page_shows_her_balances(self, lead, unit, account, give):
        hers = account(unit())
        give(hers, 1234)
        page = lead.get(f"/admin/customers/customer/{hers.customer_id}/change/").content.decode()
        assert "€12.34" in page


class TestLiabilityBook:
    @pytest.fixture
    def year(self, unit, points, account, give, spend, now):
        credit = unit()
        hers = account(credit)
        long_ago = now - 40 * DAY
        shop = operations.shop_account(credit, "issued")
        early = operations.Transfer(source="early", from_id=shop, to_id=hers.pk, amount=10_000, verb="issue")
        operations.transfer_one(wish=early, now=long_ago, by=BY)
        give(hers, 2_000, expires_at=now + 60 * DAY)
        give(hers, 500, expires_at=now + 61 * DAY, pending_event="parcel")
        spend(hers, 3_000)
        give(hers, 300, expires_at=now - DAY)
        operations.keep_night(now=now, by=BY, progress=lambda done, total: None)
        operations.hold(account_id=hers.pk, amount=700, source="h", expires_at=now + DAY, now=now)
        give(account(points), 250)

    def test_it_says_what_is_owed_and_why(self, lead, year):
        rows = lead.get(f"{ADMIN}/unit/liability/?format=csv").content.decode()
        found = {(r["unit"], r["what"], r["month"]): int(r["amount"]) for r in csv.DictReader(io.StringIO(rows))}
        assert {key[1:]: amount for key, amount in found.items() if key[0] == "credit" and amount} == {
            ("outstanding before", ""): 10_000, ("issued", ""): 2_800, ("redeemed", ""): -3_000, ("expired", ""): -300,
            ("outstanding after", ""): 9_500, ("pending now", ""): 500, ("held now", ""): 700,
            ("expiring", "2026-07"): 500,
        }  # fmt: skip
        assert found["points", "outstanding after", ""] == 250

    def test_the_page_leads_to_the_entries(self, lead, year):
        page = lead.get(f"{ADMIN}/unit/liability/").content.decode()
        for words in ("€100.00", "€95.00", "-€30.00", "July 2026", "Breakage so far: 2.3 %", "worth €2.50"):
            assert words in page, words
        issued = Account.objects.get(unit__key="credit", purpose="issued")
        link = f"/admin/ledger/entry/?account={issued.pk}&amp;recorded_at_from=2026-05-01&amp;recorded_at_to=2026-05-12"
        assert link in page
        assert lead.get(link.replace("&amp;", "&")).context["cl"].result_count == 3

    def test_an_earlier_period(self, lead, year):
        rows = lead.get(f"{ADMIN}/unit/liability/?first=2026-04-01&last=2026-04-30&format=csv").content.decode()
        found = {(r["unit"], r["what"]): int(r["amount"]) for r in csv.DictReader(io.StringIO(rows))}
        assert (found["credit", "outstanding before"], found["credit", "outstanding after"]) == (0, 10_000)
        bad = lead.get(f"{ADMIN}/unit/liability/?first=2026-05-12&last=2026-05-01")
        assert "The period ends before it begins." in bad.content.decode()

    def test_it_is_not_for_everybody(self, as_role, shop):
        assert as_role("support agent").get(f"{ADMIN}/unit/liability/").status_code == 403
