"""What other programs are told of partners' cash, as the catalogue says."""

from referrals.events import PartnerCashSource
from referrals.operations.commissions import earn_commission, take_back_commission
from referrals.operations.payouts import approve_payouts, draw_up, pay_out
from retention.actors import Actor
from retention.shop.models import Staff
from tests.referrals.partners.conftest import BY
from tests.webhooks.facts import check_shapes, told


def test_cash_is_told_as_it_moves(partner, referral, order, came_back, now):
    paid, kept = referral(partner()), referral(partner())
    for each in (paid, kept):
        earn_commission(referral=each, now=now, by=BY)
    came_back(kept.order, 2_000)
    kept.refresh_from_db()
    take_back_commission(referral=kept, now=now, by=BY)
    batch = draw_up(currency="EUR", now=now, by=BY)
    staff = Staff.objects.create_user("another")
    approve_payouts(batch_id=batch.pk, now=now, by=Actor.staff(staff))
    pay_out(batch_id=batch.pk, reference="bank", now=now, by=BY)

    rows = told()
    assert check_shapes(rows) >= set(PartnerCashSource.kinds)
    cash = [(row["kind"], row["data"]["amount_minor"]) for row in rows if row["kind"] in PartnerCashSource.kinds]
    assert sorted(cash) == [
        ("referrals.commission_earned", 800), ("referrals.commission_earned", 800),
        ("referrals.commission_taken_back", 200), ("referrals.partner_paid", 600), ("referrals.partner_paid", 800),
    ]  # fmt: skip
    assert not [row for row in rows if row["kind"].startswith("ledger.")]
