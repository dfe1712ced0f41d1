"""Claims: points and reward at once or neither, each source once, and everything back when it is returned."""

import datetime as dt

import pytest

from loyalty.models import Claim, Member, RewardCount
from loyalty.operations import claims, rewards
from loyalty.operations.members import NoSuchMember
from loyalty.operations.programmes import end_programme
from loyalty.rules.rewards import RewardGone, RewardLimit, RewardNotYet
from retention.customers.models import Activity
from retention.incentives import operations as incentives
from retention.incentives.decisions import Stopped
from retention.incentives.models import Code, Fulfilment, Grant
from retention.incentives.operations.grant_life import GrantUsed
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry, Lot
from retention.ledger.operations.proofs import differences
from retention.ledger.operations.transfers import Frozen, NotEnough, SourceReused
from tests.loyalty.conftest import BY, points_of

DAY = dt.timedelta(days=1)


@pytest.fixture
def claim(now):
    def take(reward, member, source="a", at=now):
        return claims.claim(reward_id=reward.pk, member_id=member.pk, source=source, now=at, by=BY)

    return take


def nothing_happened(member, now, *, points):
    assert not Claim.objects.exists()
    assert not Grant.objects.filter(origin="loyalty.claim").exists()
    assert points_of(member, now=now) == points
    assert set(RewardCount.objects.values_list("taken", flat=True)) == {0}
    assert not Activity.objects.filter(kind="loyalty.reward_claimed").exists()


def test_points_go_and_a_working_code_comes_in_one_transaction(programme, reward, member, claim, now):
    club = programme()
    one, hers = reward(club, stock=3), member(club, points=250)

    taken = claim(one, hers)

    assert (taken.price, taken.state, taken.version_id) == (100, "claimed", one.version_id)
    assert points_of(hers, now=now) == 150
    entry = Entry.objects.get(pk=taken.entry_id)
    assert (entry.verb, entry.amount, entry.source) == ("spend", 100, f"claim:{taken.pk}")
    assert entry.to_account_id == Account.objects.get(unit=club.unit, purpose="redeemed").pk
    assert (taken.grant.source, taken.grant.origin, taken.grant.origin_id) == (
        f"claim:{taken.pk}", "loyalty.claim", taken.pk,
    )  # fmt: skip
    assert Code.objects.get(grant=taken.grant).state == "given"
    counts = set(RewardCount.objects.values_list("member", "period", "taken", "most"))
    assert counts == {(None, "", 1, 3), (hers.pk, "", 1, None)}
    told = Activity.objects.get(kind="loyalty.reward_claimed")
    assert (told.reference, told.customer_id, told.properties["points"]) == (
        f"loyalty.claim:{taken.pk}", hers.customer_id, 100,
    )  # fmt: skip
    assert Member.objects.get(pk=hers.pk).active_at == now
    assert differences() == []


def test_a_source_claims_once(programme, reward, member, claim, customers, now):
    club = programme()
    one, other, hers = reward(club, stock=1), reward(club), member(club, points=250)

    first = claim(one, hers)
    assert claim(one, hers) == first  # though nothing is left of it

    assert Claim.objects.count() == 1
    assert points_of(hers, now=now) == 150
    with pytest.raises(SourceReused):
        claim(other, hers)
    with pytest.raises(SourceReused):
        claim(one, member(club, customers[1]))


def test_what_she_cannot_have_is_refused_by_name_and_changes_nothing(programme, reward, member, claim, now):
    club = programme()
    hers = member(club, points=250)
    for problem, rule in [
        (RewardGone, {"stock": 0}),
        (RewardGone, {"ends_at": now.isoformat()}),
        (RewardNotYet, {"starts_at": (now + DAY).isoformat()}),
        (NotEnough, {"price": 251}),
        (rewards.NoSuchReward, {"is_in_catalogue": False}),
    ]:
        with pytest.raises(problem):
            claim(reward(club, **rule), hers)
    with pytest.raises(RewardGone):
        claim(reward(club, is_live=False), hers)
    with pytest.raises(rewards.NoSuchReward):
        claim(reward(programme("other")), hers)
    with pytest.raises(NoSuchMember):
        claims.claim(reward_id=reward(club).pk, member_id=0, source="a", now=now, by=BY)
    stopped = reward(club)
    incentives.stop(incentive_id=stopped.incentive_id, now=now, by=BY)
    with pytest.raises(Stopped):
        claim(stopped, hers)
    nothing_happened(hers, now, points=250)


def test_points_of_a_blocked_account_buy_nothing(programme, reward, member, claim, now):
    club = programme()
    hers = member(club, points=250)
    account = Account.objects.get(customer_id=hers.customer_id, unit=club.unit)
    ledger.freeze(account_id=account.pk, is_frozen=True, now=now, by=BY, reason="test")
    with pytest.raises(Frozen):
        claim(reward(club), hers)
    nothing_happened(hers, now, points=250)


def test_after_a_programme_ended_nothing_can_be_claimed(programme, reward, member, claim, now):
    club = programme()
    one, hers = reward(club), member(club, points=250)
    end_programme(programme_id=club.pk, now=now, by=BY)
    with pytest.raises(RewardGone):
        claim(one, hers)


def test_her_limit_is_hers_alone(programme, reward, member, claim, customers, now):
    club = programme()
    one = reward(club, per_customer=2, price=0)
    hers, another = member(club), member(club, customers[1])
    claim(one, hers, "a"), claim(one, hers, "b")
    with pytest.raises(RewardLimit) as refused:
        claim(one, hers, "c")
    assert refused.value.params == {"limit": "2 times in all"}
    assert claim(one, another, "d").price == 0
    assert RewardCount.objects.get(reward=one, member=None).taken == 3


def test_returned_before_use_points_come_back_with_the_end_they_had(programme, reward, member, claim, now):
    club = programme()
    ends = now + 60 * DAY
    hers = member(club, points=250, expires_at=ends)
    taken = claim(reward(club, stock=1, per_customer=1), hers)

    back = claims.return_claim(claim_id=taken.pk, now=now + DAY, by=BY, reason="changed her mind")

    assert (back.state, back.ended_at) == ("returned", now + DAY)
    assert points_of(hers, now=now + DAY) == 250
    assert set(Lot.objects.filter(remaining__gt=0).values_list("expires_at", flat=True)) == {ends}
    assert Code.objects.get(grant=taken.grant).state == "void"
    assert Grant.objects.get(pk=taken.grant_id).state == "void"
    assert set(RewardCount.objects.values_list("taken", flat=True)) == {0}
    with pytest.raises(claims.ClaimReturned):
        claims.return_claim(claim_id=taken.pk, now=now + DAY, by=BY, reason="again")
    assert claim(Claim.objects.get(pk=taken.pk).reward, hers, "b", now + DAY).state == "claimed"
    assert differences() == []


def test_where_the_rule_says_so_points_do_not_come_back(programme, reward, member, claim, now):
    club = programme()
    hers = member(club, points=250)
    taken = claim(reward(club, gives_back=False), hers)
    claims.return_claim(claim_id=taken.pk, now=now, by=BY, reason="test")
    assert points_of(hers, now=now) == 150


def test_returning_a_present_leaves_the_limit_of_what_she_takes_herself(programme, reward, member, claim, now):
    club = programme()
    one, hers = reward(club, stock=2, per_customer=1), member(club, points=250)
    claim(one, hers)
    given = claims.give_rewards(
        reward_id=one.pk, member_ids=[hers.pk], sources=["present"], origin="test", origin_ids=[1], now=now, by=BY
    )

    claims.return_claim(claim_id=given.claims["present"], now=now, by=BY, reason="not wanted")

    assert dict(RewardCount.objects.values_list("member", "taken")) == {None: 1, hers.pk: 1}
    with pytest.raises(RewardLimit):
        claim(one, hers, "b")


def test_what_was_carried_out_cannot_be_returned(programme, reward, member, claim, now):
    club = programme()
    hers = member(club, points=250)
    taken = claim(reward(club, kind="product", effects=[{"kind": "experience", "name": "Sample"}]), hers)
    wanted = Fulfilment.objects.get(grant=taken.grant)
    incentives.settle_fulfilment(public_id=wanted.public_id, state="done", now=now, by=BY)
    with pytest.raises(GrantUsed):
        claims.return_claim(claim_id=taken.pk, now=now, by=BY, reason="test")
    assert Claim.objects.get().state == "claimed"
    assert points_of(hers, now=now) == 150
    assert RewardCount.objects.get(member=None).taken == 1


def test_giving_for_nothing_shares_out_what_there_is_and_is_done_once(programme, reward, member, customers, now):
    club = programme()
    one = reward(club, stock=3, price=1_000, is_in_catalogue=False)
    members = [member(club, customer).pk for customer in customers]
    asked = {
        "reward_id": one.pk, "member_ids": members, "sources": [f"s{pk}" for pk in members], "origin": "test",
        "origin_ids": members, "now": now, "by": BY,
    }  # fmt: skip

    first = claims.give_rewards(**asked)
    again = claims.give_rewards(**asked)

    assert set(first.claims) == set(again.claims) == {f"s{pk}" for pk in members[:3]}
    assert {why.code for why in first.refused.values()} == {"loyalty.reward_gone"}
    assert len(first.refused) == 2
    assert list(Claim.objects.order_by("pk").values_list("member", "price", "origin", "origin_id")) == [
        (pk, 0, "test", pk) for pk in members[:3]
    ]
    assert RewardCount.objects.get(member=None).taken == 3
    assert Activity.objects.filter(kind="loyalty.reward_claimed").count() == 3
