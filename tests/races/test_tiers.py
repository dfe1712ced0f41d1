"""Two sweeps at once: a member rises once, and what rising brings she is given once."""

import pytest
from django.db import connection, transaction

from loyalty import operations
from loyalty.counted import Asked, counted
from loyalty.ladders import ladder_of
from loyalty.models import Member, TierChange
from loyalty.operations.moving import Move, move
from retention.actors import Actor
from retention.incentives import operations as incentives
from retention.incentives.models import Grant
from retention.incentives.rules import IncentiveRule
from tests.loyalty.conftest import BY, customers, programme, shop, unit  # noqa: F401
from tests.loyalty.test_tiers import NOON, STEPS, YEAR, earns
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)
JOB = Actor.job("loyalty.tiers")


@pytest.fixture
def members(programme, customers, now):  # noqa: F811
    """Five members who have just done enough for silver, which brings a coupon."""
    rule = IncentiveRule.model_validate(
        {"name": "Silver", "effects": [{"kind": "percent", "basis_points": 1_000}], "codes": {"kind": "unique"}}
    )
    gift = incentives.create_incentive(rule=rule, now=now, by=BY)
    incentives.go_live(incentive_id=gift.pk, now=now, by=BY)
    made = programme(tiers={"steps": [{**STEPS[0], "rewards": [gift.pk]}], "validity": YEAR})
    joined = operations.join(programme_id=made.pk, customer_ids=[c.pk for c in customers], now=NOON, by=BY)
    for member in joined.members.values():
        earns(member, 150, NOON)
    return made


def naive(_n: int) -> None:
    """As one writes it first: look, decide, write; nobody is locked."""
    ladder = ladder_of(Member.objects.select_related("programme").first().programme)
    with transaction.atomic():
        found = list(Member.objects.order_by("pk"))
        sums = counted("points", [Asked(one.pk, one.customer_id, None) for one in found])
        rising = [one for one in found if ladder.rules.reached(sums[one.pk]) > ladder.rank(one)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        move(
            ladder, [Move(one, ladder.rows[1], "reached", sums[one.pk], None, is_up=True) for one in rising],
            now=NOON, by=JOB,
        )  # fmt: skip


def ours(_n: int) -> None:
    operations.retier(now=NOON, by=JOB, progress=lambda done, total: None)


def test_two_sweeps_at_once_raise_everybody_once(members):
    assert at_once(ours, tries=8, shoppers=4) == {"done": 8}
    assert TierChange.objects.count() == Grant.objects.count() == 5


def test_the_naive_way_raises_twice(members):
    at_once(naive, tries=4, shoppers=4)
    assert TierChange.objects.count() > 5
    assert Grant.objects.count() == 5, "whoever writes asks once more what she had"


def test_a_sweep_and_the_night_at_once_agree(members):
    ours(0)
    later = Member.objects.order_by("pk").first().tier_until

    def either(n: int) -> None:
        verb = operations.keep_tiers if n % 2 else operations.retier
        verb(now=later, by=JOB, progress=lambda done, total: None)

    assert at_once(either, tries=8, shoppers=4) == {"done": 8}
    assert TierChange.objects.filter(why="expired").count() == 5
    assert Grant.objects.count() == 5
