"""What other programs are told of loyalty looks as the catalogue says, for every kind of event."""

import datetime as dt

import pytest

from loyalty import operations
from loyalty.events import ActivitySource, PointsSource, ReturnedClaimSource, TierSource
from loyalty.operations import adjusting, challenges, claims, milestones
from loyalty.rules import ProgrammeRule
from loyalty.rules.challenges import ChallengeRule
from retention.actors import Actor
from tests.loyalty.conftest import BY
from tests.marks import settle
from tests.webhooks.facts import check_shapes, told

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = [
    {"key": "silver", "names": {"en": "Silver"}, "threshold": 50},
    {"key": "gold", "names": {"en": "Gold"}, "threshold": 5_000},
]


def test_everything_that_happens_to_a_member_is_told_as_the_catalogue_says(
    programme, reward, customers, order, sweep, follow, give_back, now
):
    club = programme(is_live=False, joining="request", tiers={"steps": STEPS})
    gift = reward(club)
    club.refresh_from_db()
    milestone = {
        "key": "ten", "names": {"en": "Ten"}, "measure": "points", "at": 10,
        "gives": {"kind": "automatic", "reward_id": gift.pk},
    }  # fmt: skip
    rule = ProgrammeRule.model_validate({**club.version.data, "milestones": [milestone]})
    operations.save_programme(programme_id=club.pk, rule=rule, edited=club.version.number, now=now, by=BY)
    operations.launch_programme(programme_id=club.pk, now=now, by=BY)
    anna = customers[0]
    joined = operations.join(programme_id=club.pk, customer_ids=[anna.pk], now=now, by=BY)
    member = joined.members[anna.pk]
    task = ChallengeRule.model_validate({"names": {"en": "Once"}, "task": {"kind": "orders", "count": 1}})
    made = challenges.create_challenge(programme_id=club.pk, rule=task, now=now, by=BY)
    challenges.start_challenge(challenge_id=made.pk, now=now, by=BY)
    bought = order(anna, ("A", 20_000, 2), at=now + dt.timedelta(minutes=1))
    later = now + dt.timedelta(minutes=2)
    settle()
    challenges.complete_challenges(now=later)
    sweep(later)
    settle()
    milestones.pass_milestones(now=later)
    job = Actor.job("test")
    operations.retier(now=later, by=job, progress=lambda *_: None)
    taken = claims.claim(reward_id=gift.pk, member_id=member, source="one", now=later, by=BY)
    claims.return_claim(claim_id=taken.pk, reason="test", now=later, by=BY)
    give_back(bought, later, A=1)
    follow(later)
    adjusting.adjust_points(member_id=member, amount=5, reason="test", source="one", now=later, by=BY)
    operations.leave(programme_id=club.pk, customer_ids=[anna.pk], now=later, by=BY)
    operations.retier(now=later, by=job, progress=lambda *_: None)
    operations.keep_tiers(now=now + dt.timedelta(days=900), by=job, progress=lambda *_: None)

    rows = told()
    expected = {
        key for source in (ActivitySource, TierSource, ReturnedClaimSource, PointsSource) for key in source.kinds
    }
    assert expected <= check_shapes(rows)
    by_kind = {row["kind"]: row["data"] for row in rows}
    assert by_kind["loyalty.points_earned"] == {
        "programme": "club", "unit": "club_points", "rule": "base", "amount": 400, "order": bought.reference,
        "activity": None, "counts_from": later.isoformat(),
    }  # fmt: skip
    assert by_kind["loyalty.points_taken_back"]["amount"] == 200
    assert {row["customer_id"] for row in rows if row["kind"] in expected} == {anna.pk}
    assert {"ledger.issued", "ledger.spent", "ledger.given_back", "ledger.taken_back", "incentives.granted"} <= set(
        by_kind
    )
