"""Surprises: a draw that draws the same again, within its budget, its stock and the rest of who won."""

import datetime as dt
import hashlib

import pytest

from loyalty import operations
from loyalty.models import Claim, Member
from loyalty.operations import surprises
from loyalty.operations.rewards import NoSuchReward
from loyalty.operations.surprises import NoLimit, SurpriseState, draw_orders, draw_surprises, due_surprises, winners
from loyalty.rules.surprises import SurpriseRule
from retention.customers.models import Customer
from retention.segments.models import Membership, Segment
from tests.loyalty.conftest import BY, as_if_written_before

DAY = dt.timedelta(days=1)


@pytest.fixture
def crowd(programme, now):
    """A live programme with two hundred members."""
    club = programme()
    people = Customer.objects.bulk_create([Customer(reference=f"p{n}", recorded_at=now) for n in range(200)])
    operations.join(programme_id=club.pk, customer_ids=[one.pk for one in people], now=now, by=BY)
    return club


@pytest.fixture
def surprise(reward, now):
    def make(of, *, issued=1_000, given=None, **rule):
        given = given or reward(of, is_in_catalogue=False)
        rule = SurpriseRule.model_validate(
            {
                "names": {"en": "Treat"}, "reward_id": given.pk, "chance": 1000,
                "limits": {"limits": [{"issued": issued}]}, **rule,
            }
        )  # fmt: skip
        made = surprises.create_surprise(programme_id=of.pk, rule=rule, now=now, by=BY)
        return surprises.start_surprise(surprise_id=made.pk, now=now, by=BY)

    return make


def test_the_same_members_win_however_often_a_day_is_drawn(crowd, surprise, now):
    one = surprise(crowd)
    drawn = winners(one, now=now)
    assert 8 <= len(drawn) <= 36  # a tenth of 200, far beyond chance
    assert due_surprises(now=now) == len(drawn)

    assert draw_surprises(now=now)["granted"] == len(drawn)

    one.refresh_from_db()
    assert one.drawn_on == dt.date(2026, 5, 12)
    assert draw_surprises(now=now + dt.timedelta(hours=3)) == {"due": 0, "granted": 0, "skipped": {}}
    # As after a worker that died before it wrote the day down.
    type(one).objects.update(drawn_on=None)
    assert winners(one, now=now) == drawn
    draw_surprises(now=now)
    claims = Claim.objects.filter(origin="loyalty.surprise", origin_id=one.pk)
    assert sorted(claims.values_list("member", flat=True)) == sorted(drawn)
    assert set(claims.values_list("source", flat=True)) == {f"surprise:{one.pk}:2026-05-12:{pk}" for pk in drawn}


def test_days_and_surprises_are_drawn_apart_and_winners_rest(crowd, surprise, reward, now):
    one, other = surprise(crowd, rest_days=0), surprise(crowd, chance=10_000, rest_days=10)
    first = winners(one, now=now)
    assert set(first) != set(winners(one, now=now + DAY))
    assert len(winners(other, now=now)) == 200
    draw_surprises(now=now)
    assert winners(other, now=now + 10 * DAY - dt.timedelta(seconds=1)) == []
    assert len(winners(other, now=now + 10 * DAY)) == 200


def test_its_budget_and_its_stock_are_never_passed(crowd, surprise, reward, now):
    surprise(crowd, chance=10_000, issued=7)
    assert draw_surprises(now=now) == {"due": 200, "granted": 7, "skipped": {"incentives.budget_issued": 193}}
    assert draw_surprises(now=now + DAY)["granted"] == 0
    surprise(crowd, chance=10_000, given=reward(crowd, stock=3, is_in_catalogue=False))
    assert draw_surprises(now=now + DAY) == {"due": 200, "granted": 3, "skipped": {"loyalty.reward_gone": 197}}


def test_only_its_weekdays_its_segment_and_those_who_stayed(crowd, surprise, now):
    chosen = Segment.objects.create(name="Chosen")
    inside, gone = Member.objects.order_by("pk")[:2]
    for one in (inside, gone):
        Membership.objects.create(segment=chosen, customer_id=one.customer_id, entered_at=now)
    operations.leave(programme_id=crowd.pk, customer_ids=[gone.customer_id], now=now, by=BY)
    surprise(crowd, chance=10_000, segment_id=chosen.pk, weekdays=[2])
    assert draw_surprises(now=now)["due"] == 0  # a Tuesday
    assert draw_surprises(now=now + DAY)["granted"] == 1
    assert Claim.objects.get().member_id == inside.pk


def test_it_needs_a_limit_and_a_reward_of_its_programme(crowd, surprise, reward, programme, now):
    with pytest.raises(NoLimit):
        surprise(crowd, limits={"limits": []})
    with pytest.raises(NoSuchReward):
        surprise(crowd, given=reward(programme("other")))
    one = surprise(crowd)
    with pytest.raises(SurpriseState):
        surprises.start_surprise(surprise_id=one.pk, now=now, by=BY)
    surprises.stop_surprise(surprise_id=one.pk, now=now, by=BY)
    assert draw_surprises(now=now)["due"] == 0
    wider = SurpriseRule.model_validate({**one.version.data, "limits": {"limits": [{"issued": 5, "within": "day"}]}})
    saved = surprises.save_surprise(surprise_id=one.pk, rule=wider, edited=1, now=now, by=BY)
    assert saved.version.number == 2


def test_an_order_is_drawn_once_however_often_it_is_seen(crowd, surprise, order, now):
    """Half of forty orders, by their own numbers; within the budget, and not before it was started."""
    member = Customer.objects.order_by("pk").first()
    order(member, at=now - DAY)
    one = surprise(crowd, drawn="order", chance=5_000, rest_days=0, issued=15)
    orders = [order(member, at=now + dt.timedelta(minutes=n + 1)) for n in range(40)]
    order(member, at=now + DAY, state="placed")
    order(None, at=now + DAY)
    lucky = [
        each.pk for each in orders
        if int(hashlib.md5(f"{one.public_id}:order:{each.pk}".encode()).hexdigest()[:8], 16) / 2**32 < 0.5
    ]  # fmt: skip
    assert len(lucky) > 8

    def draw():
        as_if_written_before()
        return draw_orders(now=now + 2 * DAY)

    first = draw()

    assert (first["granted"], first["due"]) == (min(15, len(lucky)), len(lucky))
    claims = Claim.objects.filter(origin="loyalty.surprise", origin_id=one.pk).order_by("pk")
    won = [int(source.rpartition(":")[2]) for source in claims.values_list("source", flat=True)]
    assert won == lucky[:15]
    # Told again, and changed since, they win nothing more; drawn by order, a surprise is not drawn by day.
    assert draw()["granted"] == 0
    assert claims.count() == len(won)
    assert draw_surprises(now=now + 2 * DAY)["due"] == 0


def test_who_won_by_an_order_rests(crowd, surprise, order, now):
    anna, boris = Customer.objects.order_by("pk")[:2]
    one = surprise(crowd, drawn="order", chance=10_000, rest_days=30)
    for at in (1, 2):
        order(anna, at=now + at * DAY)
    order(boris, at=now + 2 * DAY)
    for _twice in range(2):
        as_if_written_before()
        draw_orders(now=now + 3 * DAY)
    order(anna, at=now + 40 * DAY)
    as_if_written_before()
    draw_orders(now=now + 40 * DAY)
    owners = Claim.objects.filter(origin_id=one.pk).order_by("pk").values_list("member__customer", flat=True)
    assert list(owners) == [anna.pk, boris.pk, anna.pk]
