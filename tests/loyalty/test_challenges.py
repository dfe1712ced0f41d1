"""Challenges: what counts, when it counts, and that each is done once and brings what it says."""

import datetime as dt

import pytest
from pydantic import ValidationError

from loyalty.models import Claim, Completion, Earning, Member
from loyalty.operations import challenges, leave, rewards
from loyalty.operations.challenges import ChallengeState, NoSuchChallenge, progress_of
from loyalty.rules.challenges import ChallengeRule
from retention.customers.models import Activity, Order, OrderLine, Product
from retention.segments.models import Membership, MembershipChange, Segment
from tests.loyalty.conftest import BY, points_of
from tests.marks import settle

#: Marks are read across transactions.
pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


def look(now):
    settle()
    return challenges.complete_challenges(now=now)


@pytest.fixture
def challenge(now):
    def make(of, task, *, at=now, **rule):
        rule = ChallengeRule.model_validate({"names": {"en": "Explorer"}, "task": task, **rule})
        made = challenges.create_challenge(programme_id=of.pk, rule=rule, now=at, by=BY)
        return challenges.start_challenge(challenge_id=made.pk, now=at, by=BY)

    return make


@pytest.fixture
def buy(now):
    """A function that writes an order of some products, each a category path."""

    def make(customer, *categories, at=now, base_minor=1_000, state="paid"):
        made = Order.objects.create(
            reference=f"o{Order.objects.count()}", customer=customer, state=state, currency="EUR", placed_at=at,
            total_minor=base_minor, base_minor=base_minor, recorded_at=at,
        )  # fmt: skip
        for position, category in enumerate(categories):
            product, _new = Product.objects.get_or_create(
                sku=category,
                defaults={
                    "name": category,
                    "category": category,
                    "price_minor": 1,
                    "currency": "EUR",
                    "recorded_at": now,
                },
            )
            OrderLine.objects.create(
                order=made, position=position, product=product, quantity=1, unit_price_minor=1, total_minor=1
            )
        return made

    return make


def act(customer, kind, at, **properties):
    return Activity.objects.create(kind=kind, customer=customer, properties=properties, occurred_at=at, recorded_at=at)


def done():
    return list(Completion.objects.order_by("member").values_list("member", flat=True))


def how_far(member, now):
    return [(one.done, one.target, one.completed_at) for one in progress_of(member, now=now)]


def test_so_many_orders_of_so_much_bring_a_badge_once(programme, member, challenge, buy, customers, now):
    club = programme()
    hers = member(club)
    one = challenge(club, {"kind": "orders", "count": 2, "least_minor": 1_000})
    buy(customers[0], at=now - DAY)
    buy(customers[0], base_minor=999)
    buy(customers[0], state="cancelled")
    buy(customers[0])
    assert look(now)["due"] == 0
    assert how_far(hers, now) == [(1, 2, None)]

    buy(customers[0], at=now + DAY)
    assert look(now + DAY) == {"due": 1, "granted": 0, "skipped": {}}
    buy(customers[0], at=now + DAY)
    assert look(now + 2 * DAY)["due"] == 0

    badge = Completion.objects.get()
    assert (badge.challenge_id, badge.member_id, badge.has_badge, badge.state) == (one.pk, hers.pk, True, "done")
    assert how_far(hers, now + 2 * DAY) == [(2, 2, now + DAY)]
    told = Activity.objects.get(kind="loyalty.badge_earned")
    assert (told.customer_id, told.properties) == (customers[0].pk, {"programme": "club", "badge": "Explorer"})


@pytest.mark.parametrize(
    ("task", "short", "enough"),
    [
        ({"kind": "spend", "amount_minor": 1_500}, ["a"], ["b"]),
        ({"kind": "products", "count": 2, "categories": ["Shoes"]}, ["Shoes/a", "Hats", "Shoesbox"], ["Shoes/b"]),
        ({"kind": "products", "count": 3}, ["a", "b"], ["a", "c"]),
        ({"kind": "categories", "count": 2}, ["Shoes/a", "Shoes/b"], ["Hats/a"]),
    ],
)
def test_different_things_count_once(programme, member, challenge, buy, customers, now, task, short, enough):
    club = programme()
    hers = member(club)
    challenge(club, task)
    buy(customers[0], *short)
    look(now)
    assert done() == []
    buy(customers[0], *enough)
    look(now)
    assert done() == [hers.pk]


def test_activities_of_one_kind_and_property_count(programme, member, challenge, customers, now):
    club = programme()
    hers, other = member(club), member(club, customers[1])
    task = {"kind": "activities", "activity": "reviewed", "count": 2, "field": "rating", "value": "5"}
    challenge(club, task)
    for customer, rating in [(customers[0], 5), (customers[0], 4), (customers[1], 5)]:
        act(customer, "reviewed", now, rating=rating)
    act(customers[0], "shared", now, rating=5)
    look(now)
    assert done() == []
    act(customers[0], "reviewed", now, rating=5)
    look(now)
    assert done() == [hers.pk]
    assert other.pk not in done()


def test_within_some_days_means_whichever_days(programme, member, challenge, buy, customers, now):
    club = programme()
    hers = member(club)
    challenge(club, {"kind": "orders", "count": 2}, within_days=3)
    buy(customers[0], at=now)
    buy(customers[0], at=now + 3 * DAY)
    look(now + 3 * DAY)
    assert done() == []
    assert how_far(hers, now + 3 * DAY) == [(1, 2, None)]
    buy(customers[0], at=now + 5 * DAY)
    look(now + 30 * DAY)  # a late worker sees it all the same
    assert done() == [hers.pk]


def test_only_its_window_its_segment_and_members_count(programme, member, challenge, buy, customers, now):
    club = programme()
    insiders = Segment.objects.create(name="Insiders")
    hers, outsider, gone = (member(club, customer) for customer in customers[:3])
    challenge(
        club, {"kind": "orders", "count": 1}, segment_id=insiders.pk, starts_at=(now + DAY).isoformat(),
        ends_at=(now + 2 * DAY).isoformat(),
    )  # fmt: skip
    for customer in customers[:4]:
        Membership.objects.get_or_create(segment=insiders, customer=customer, defaults={"entered_at": now})
    Membership.objects.filter(customer=customers[1]).delete()
    leave(programme_id=club.pk, customer_ids=[customers[2].pk], now=now, by=BY)
    buy(customers[0], at=now + DAY - dt.timedelta(seconds=1)), buy(customers[0], at=now + 2 * DAY)
    look(now + 2 * DAY)
    assert done() == []
    for customer in customers[:4]:
        buy(customer, at=now + DAY)
    look(now + 2 * DAY)
    assert done() == [hers.pk]
    assert progress_of(outsider, now=now + DAY) == []

    Membership.objects.create(segment=insiders, customer=customers[1], entered_at=now)
    MembershipChange.objects.create(segment=insiders, customer=customers[1], has_entered=True, at=now)
    look(now + 2 * DAY)
    assert done() == [hers.pk, outsider.pk]


def test_points_and_a_reward_come_with_it(programme, member, reward, challenge, buy, customers, now):
    club = programme()
    hers = member(club)
    given = reward(club, stock=1)
    challenge(club, {"kind": "orders", "count": 1}, reward_id=given.pk, points=70, badge=False)
    second = member(club, customers[1])
    buy(customers[0])
    assert look(now)["granted"] == 1
    buy(customers[1])
    assert look(now)["skipped"] == {"loyalty.refused": 1}

    first, short = Completion.objects.order_by("pk")
    assert (first.state, first.has_badge, first.claim_id) == ("done", False, Claim.objects.get().pk)
    assert (short.state, short.refusal, short.claim) == ("refused", "loyalty.reward_gone", None)
    assert points_of(hers, now=now) == points_of(second, now=now) == 70
    earned = Earning.objects.get(member=hers)
    assert (earned.about, earned.amount, earned.counts_for_tier) == (f"challenge:{first.pk}", 70, False)
    assert (first.grant.source, first.grant.origin) == (f"earning:{earned.pk}", "loyalty.earning")
    assert Member.objects.get(pk=hers.pk).earned == 70
    assert not Activity.objects.filter(kind="loyalty.badge_earned").exists()


def test_its_life_and_what_it_refuses(programme, reward, challenge, member, buy, customers, now):
    club = programme()
    member(club)
    one = challenge(club, {"kind": "orders", "count": 3})
    with pytest.raises(ChallengeState):
        challenges.start_challenge(challenge_id=one.pk, now=now, by=BY)
    buy(customers[0])
    look(now)
    eased = ChallengeRule.model_validate({**one.version.data, "task": {"kind": "orders", "count": 1}})
    challenges.save_challenge(challenge_id=one.pk, rule=eased, edited=1, now=now, by=BY)
    challenges.stop_challenge(challenge_id=one.pk, now=now, by=BY)
    assert look(now)["due"] == 0
    challenges.start_challenge(challenge_id=one.pk, now=now + DAY, by=BY)
    assert look(now + DAY)["due"] == 1  # nothing new of hers was needed
    with pytest.raises(NoSuchChallenge):
        challenges.stop_challenge(challenge_id=0, now=now, by=BY)
    strange = reward(programme("other"))
    with pytest.raises(rewards.NoSuchReward):
        challenge(club, {"kind": "orders", "count": 3}, reward_id=strange.pk)
    with pytest.raises(ValidationError):
        ChallengeRule.model_validate({**one.version.data, "badge": False})
