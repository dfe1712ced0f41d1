"""What other programs are told of referrals: each step of each friend, as the catalogue says."""

from referrals.events import KINDS, StepSource
from referrals.models import Referral
from referrals.operations.moving import Move, move
from retention.refusals import Refusal
from tests.referrals.conftest import BY, days
from tests.webhooks.facts import check_shapes, told


def test_every_state_is_told_with_its_reasons(
    scheme, advocate, refer, customer, order, follow, comes_back, now, transactional_db
):
    made = scheme()
    anna = customer("anna", now - days(400))
    (code,) = advocate(made, anna)
    friend, lapsing, odd = (customer(name) for name in ("friend", "lapsing", "odd"))
    brought = refer(code, friend)
    refer(code, lapsing)
    looked_at = refer(code, odd)
    bought = order(friend, now + days(2))
    follow(now + days(2))
    follow(now + days(16))
    comes_back(bought, now + days(17))
    follow(now + days(17))
    looked_at.refresh_from_db()
    strange = Refusal("referrals.same_device")
    for was, becomes in (("pending", "review"), ("review", "rejected")):
        assert move([Move(looked_at.pk, was, becomes, [strange])], now=now + days(3), by=BY) == {looked_at.pk}
    follow(now + days(61))

    rows = told()
    assert set(StepSource.kinds) == set(KINDS.values())
    assert check_shapes(rows) >= set(KINDS.values())
    of = {row["kind"]: row for row in rows if row["data"].get("referral") == str(brought.public_id)}
    assert [kind for kind in KINDS.values() if kind in of] == [
        "referrals.claimed", "referrals.pending", "referrals.qualified", "referrals.approved", "referrals.rewarded",
        "referrals.reversed",
    ]  # fmt: skip
    last = of["referrals.reversed"]
    assert (last["customer_id"], last["data"]["order"], last["data"]["level"]) == (friend.pk, bought.reference, 1)
    assert last["data"]["advocate"]["customer"] == str(anna.public_id)
    states = {row["data"]["state"]: row["data"]["reasons"] for row in rows if row["kind"] == "referrals.rejected"}
    assert states == {"rejected": ["referrals.same_device"]}
    assert Referral.objects.get(friend=lapsing).state == "lapsed"
