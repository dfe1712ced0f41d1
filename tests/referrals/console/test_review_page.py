"""The review queue and the pages of payouts and statements, through the console's doors."""

import pytest

from referrals import operations
from referrals.models import PayoutBatch, Referral
from referrals.operations.commissions import account_of
from referrals.operations.partners import PartnerData, create_partner
from retention.ledger import operations as ledger
from tests.console.conftest import as_role, person
from tests.referrals.conftest import BY

__all__ = ["as_role", "person"]
#: What a dialog sends with its fields.
SENT = {"_form_submitted": "1"}


@pytest.fixture
def suspicious(scheme, customer, now):
    """Two friends by one device wait for a person."""
    made = scheme()
    anna = customer("anna")
    code = operations.open_advocates(scheme_id=made.pk, customer_ids=[anna.pk], now=now, by=BY).advocates[anna.pk][1]
    for n in range(3):
        friend = customer(f"friend{n}x{n}")
        operations.refer(
            code=code, friend_id=friend.pk, source=f"f{n}", visitor_key=f"v{n}", device="one", now=now, by=BY
        )
    return list(Referral.objects.filter(state="review").order_by("pk"))


def test_why_and_who_and_one_decision_each(as_role, suspicious):
    support = as_role("support agent")
    page = support.get("/admin/referrals/referral/review/").content.decode()
    assert page.count("data-card") == len(suspicious) == 2
    assert "The friend came by a device of the advocate or of another of her friends." in page
    assert "anna@example.com" in page
    first, second = suspicious
    for referral, decision in ((first, "approve"), (second, "reject")):
        told = {"referral": referral.pk, "decision": decision}
        assert b'role="status"' in support.post("/admin/referrals/referral/review/", told).content
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("pending", "rejected")
    assert first.steps.last().by.startswith("staff:")
    again = support.post("/admin/referrals/referral/review/", {"referral": first.pk, "decision": "approve"})
    assert b"Nobody is asked about this referral" in again.content
    assert "Nothing waits for a person." in support.get("/admin/referrals/referral/review/").content.decode()


def test_who_may_not_decide_decides_nothing(as_role, suspicious):
    analyst = as_role("analyst")
    told = {"referral": suspicious[0].pk, "decision": "reject"}
    assert analyst.get("/admin/referrals/referral/review/").status_code == 403
    assert analyst.post("/admin/referrals/referral/review/", told).status_code == 403
    assert Referral.objects.filter(state="review").count() == 2


def test_payouts_need_another_person_and_the_file_comes_after(as_role, shop, now):
    told = PartnerData(reference="p", name="P", payee="P Ltd", iban="DE89370400440532013000", basis_points=1_000,
                       currency="EUR")  # fmt: skip
    partner = create_partner(data=told, now=now, by=BY)
    ledger.adjust(account_id=account_of(partner, now=now, by=BY), amount=800, source="t", reason="test", now=now, by=BY)
    lead, boss = as_role("marketing lead"), as_role("administrator")
    assert "EUR: €8.00 to 1 partner." in lead.get("/admin/referrals/payoutbatch/draw-up/").content.decode()
    assert lead.post("/admin/referrals/payoutbatch/draw-up/", {"currency": "EUR", **SENT}).status_code == 200
    batch = PayoutBatch.objects.get()
    here = f"/admin/referrals/payoutbatch/{batch.pk}"
    assert lead.get(f"{here}/file/").status_code == 404
    assert "somebody else must approve" in lead.post(f"{here}/approve/", SENT).content.decode()
    boss.post(f"{here}/approve/", SENT)
    rows = lead.get(f"{here}/file/").content.decode().splitlines()
    assert rows[1].split(",")[1:5] == ["8.00", "EUR", "P Ltd", "DE89370400440532013000"]
    lead.post(f"{here}/pay/", {"reference": "B-1", **SENT})
    batch.refresh_from_db()
    assert (batch.state, batch.reference) == ("paid", "B-1")
    file = lead.get(f"/admin/referrals/partner/{partner.pk}/statement/", {"format": "csv"})
    assert "paid out,-8.00,EUR" in file.content.decode()


def test_where_the_money_goes_is_only_for_those_who_may_change_it(as_role, shop, now):
    told = PartnerData(reference="p", name="P", iban="DE89370400440532013000", basis_points=1_000, currency="EUR")
    partner = create_partner(data=told, now=now, by=BY)
    page = as_role("analyst").get(f"/admin/referrals/partner/{partner.pk}/change/").content.decode()
    assert "DE89 … 3000" in page
    assert "DE89370400440532013000" not in page
