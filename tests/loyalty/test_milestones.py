"""Milestones: passed once each time, given by themselves or chosen, and settled when a choice runs out."""

import datetime as dt

import pytest
from pydantic import ValidationError

from loyalty import operations
from loyalty.models import Claim, Earning, Member, Passing, Reward
from loyalty.operations import milestones, rewards
from loyalty.operations.milestones import ChoiceOver, NoSuchChoice, NotAChoice, choose, give_again
from loyalty.rules import ProgrammeRule
from loyalty.rules.milestones import Milestone
from loyalty.rules.rewards import RewardGone, RewardRule
from loyalty.sentences import Teller
from retention.customers.models import Activity, Order, Return
from tests.loyalty.conftest import BY
from tests.marks import settle

#: Marks are read across transactions.
pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


def pass_milestones(*, now):
    """As the job does, once whatever else runs on this server cannot hold the marks back."""
    settle()
    return milestones.pass_milestones(now=now)


def milestone(reward_ids, **rule):
    gives = {"kind": "automatic", "reward_id": reward_ids[0]}
    if len(reward_ids) > 1:
        gives = {"kind": "choice", "reward_ids": reward_ids, **rule.pop("choice", {})}
    return {"key": "first", "names": {"en": "First"}, "measure": "points", "at": 100, "gives": gives, **rule}


@pytest.fixture
def written(programme, reward, now):
    """A function that makes a live programme with one milestone over its rewards."""

    def make(*, count=1, at=now, joining="everyone", much=100, **rule):
        club = programme(is_live=False, joining=joining)
        given = [reward(club, names={"en": f"r{n}"}).pk for n in range(count)]
        club.refresh_from_db()
        write(club, [milestone(given, at=much, **rule)], now=at)
        operations.launch_programme(programme_id=club.pk, now=at, by=BY)
        club.refresh_from_db()
        return club

    return make


def write(club, given, *, now):
    club.refresh_from_db()
    rule = ProgrammeRule.model_validate({**club.version.data, "milestones": given})
    operations.save_programme(programme_id=club.pk, rule=rule, edited=club.version.number, now=now, by=BY)


def earned(member, amount):
    """As the sweep counts it: she has so much in all, and one earning more."""
    Earning.objects.create(
        member=member, rule="base", version=member.programme.version, about=f"test:{Earning.objects.count()}", given=1,
        amount=1, earned_at=member.joined_at, recorded_at=member.joined_at,
    )  # fmt: skip
    Member.objects.filter(pk=member.pk).update(earned=amount)


def order(customer, at, base_minor=5_000, state="paid"):
    return Order.objects.create(
        reference=f"o{Order.objects.count()}", customer=customer, state=state, currency="EUR", total_minor=base_minor,
        base_minor=base_minor, placed_at=at, recorded_at=at,
    )  # fmt: skip


def passings():
    return list(Passing.objects.order_by("member", "times").values_list("member", "times", "state"))


def test_it_is_given_once_when_it_is_passed(written, member, now):
    club = written()
    hers = member(club)
    earned(hers, 99)
    assert pass_milestones(now=now)["granted"] == 0
    earned(hers, 100)

    assert pass_milestones(now=now + DAY) == {"due": 1, "granted": 1, "skipped": {}}

    passed = Passing.objects.get()
    assert (passed.member_id, passed.milestone, passed.times, passed.state) == (hers.pk, "first", 1, "given")
    claim = Claim.objects.get(pk=passed.claim_id)
    assert (claim.price, claim.entry, claim.source, claim.origin, claim.origin_id) == (
        0, None, f"milestone:{passed.pk}", "loyalty.passing", passed.pk,
    )  # fmt: skip
    told = Activity.objects.get(kind="loyalty.milestone_reached")
    assert (told.customer_id, told.properties) == (
        hers.customer_id, {"programme": "club", "milestone": "first", "is_choice": False},
    )  # fmt: skip
    earned(hers, 90)
    pass_milestones(now=now + DAY)
    earned(hers, 250)
    assert pass_milestones(now=now + DAY)["granted"] == 0
    assert passings() == [(hers.pk, 1, "given")]


def test_repeated_it_is_given_for_every_so_much(written, member, now):
    club = written(is_repeated=True)
    hers = member(club)
    earned(hers, 330)
    pass_milestones(now=now)
    earned(hers, 420)
    pass_milestones(now=now)
    assert passings() == [(hers.pk, times, "given") for times in (1, 2, 3, 4)]


def test_orders_and_spend_count_from_launch_on_and_without_what_came_back(written, member, customers, now):
    club = written(measure="spend", much=10_000)
    hers = member(club)
    order(customers[0], now - DAY, base_minor=90_000)
    first = order(customers[0], now + DAY, base_minor=9_000)
    order(customers[0], now + DAY, base_minor=9_000, state="placed")
    Return.objects.create(
        order=first, reference="r", amount_minor=4_000, base_minor=4_000, occurred_at=now + DAY, recorded_at=now + DAY
    )
    order(customers[0], now + DAY, base_minor=4_999)
    pass_milestones(now=now + 2 * DAY)
    assert passings() == []
    order(customers[0], now + 2 * DAY, base_minor=1)
    pass_milestones(now=now + 2 * DAY)
    assert passings() == [(hers.pk, 1, "given")]


def test_on_request_orders_count_from_joining_on(written, member, customers, now):
    club = written(at=now - 9 * DAY, joining="request", measure="orders", much=2)
    order(customers[0], now - DAY)
    hers = member(club)
    order(customers[0], now + DAY)
    pass_milestones(now=now + DAY)
    assert passings() == []
    order(customers[0], now + DAY)
    pass_milestones(now=now + DAY)
    assert passings() == [(hers.pk, 1, "given")]


@pytest.mark.parametrize("reaches_back", [False, True])
def test_one_written_later_is_for_those_who_were_past_it_only_where_it_says_so(
    written, reward, member, customers, now, reaches_back
):
    club = written()
    old, young = member(club), member(club, customers[1])
    earned(old, 500)
    pass_milestones(now=now)
    late = milestone([reward(club).pk], key="late", at=400, reaches_back=reaches_back)
    write(club, [*club.version.data["milestones"], late], now=now + DAY)

    pass_milestones(now=now + DAY)
    earned(young, 500)
    pass_milestones(now=now + 2 * DAY)

    found = dict(Passing.objects.filter(milestone="late").values_list("member", "state"))
    assert found == {old.pk: "given" if reaches_back else "before", young.pk: "given"}


def test_a_choice_is_open_until_she_chooses(written, member, now):
    club = written(count=3, choice={"days": 10})
    hers = member(club)
    earned(hers, 100)
    pass_milestones(now=now)
    one = Passing.objects.get()
    assert (one.state, one.choose_until, one.claim) == ("open", now + 10 * DAY, None)
    first, second, third = Reward.objects.order_by("pk")
    with pytest.raises(NoSuchChoice):
        choose(passing=hers.programme.public_id, reward_id=first.pk, now=now, by=BY)
    with pytest.raises(NotAChoice):
        choose(passing=one.public_id, reward_id=0, now=now, by=BY)
    rewards.stop_reward(reward_id=first.pk, now=now, by=BY)
    with pytest.raises(RewardGone):
        choose(passing=one.public_id, reward_id=first.pk, now=now, by=BY)
    assert passings() == [(hers.pk, 1, "open")]

    claim = choose(passing=one.public_id, reward_id=second.pk, now=now + 9 * DAY, by=BY)

    assert (claim.reward_id, claim.price, claim.member_id) == (second.pk, 0, hers.pk)
    assert choose(passing=one.public_id, reward_id=second.pk, now=now + 99 * DAY, by=BY) == claim
    with pytest.raises(ChoiceOver):
        choose(passing=one.public_id, reward_id=third.pk, now=now, by=BY)
    assert Claim.objects.count() == 1


@pytest.mark.parametrize("has_default", [True, False])
def test_at_the_deadline_the_default_is_given_or_it_lapses(written, member, now, has_default):
    club = written(count=2, choice={"days": 10})
    first, second = Reward.objects.order_by("pk")
    gives = {"kind": "choice", "reward_ids": [first.pk, second.pk], "days": 10}
    if has_default:
        gives["default_id"] = second.pk
    write(club, [{**club.version.data["milestones"][0], "gives": gives}], now=now)
    hers = member(club)
    earned(hers, 100)
    pass_milestones(now=now)
    one = Passing.objects.get()
    pass_milestones(now=now + 10 * DAY - dt.timedelta(seconds=1))
    assert passings() == [(hers.pk, 1, "open")]
    with pytest.raises(ChoiceOver):
        choose(passing=one.public_id, reward_id=first.pk, now=now + 10 * DAY, by=BY)

    pass_milestones(now=now + 10 * DAY)

    assert passings() == [(hers.pk, 1, "given" if has_default else "lapsed")]
    assert list(Claim.objects.values_list("reward", flat=True)) == ([second.pk] if has_default else [])


def test_what_could_not_be_given_says_why_and_can_be_given_again(written, member, now):
    club = written()
    given = Reward.objects.get()
    stock = {**given.version.data, "stock": 0}
    rewards.save_reward(reward_id=given.pk, rule=RewardRule.model_validate(stock), edited=1, now=now, by=BY)
    earned(member(club), 100)
    assert pass_milestones(now=now)["skipped"] == {"loyalty.refused": 1}
    one = Passing.objects.get()
    assert (one.state, one.refusal) == ("refused", "loyalty.reward_gone")

    rewards.save_reward(
        reward_id=given.pk, rule=RewardRule.model_validate({**stock, "stock": 1}), edited=2, now=now, by=BY
    )
    assert pass_milestones(now=now)["due"] == 0
    give_again(passing=one.public_id, now=now, by=BY)
    assert pass_milestones(now=now)["granted"] == 1
    with pytest.raises(ChoiceOver):
        give_again(passing=one.public_id, now=now, by=BY)


def test_a_milestone_says_what_it_is():
    said = Milestone.model_validate(milestone([1], measure="orders", at=10, is_repeated=True))
    assert said.sentence(Teller()) == "every 10 orders"
    assert [said.times(done) for done in (9, 10, 29)] == [0, 1, 2]
    once = Milestone.model_validate(milestone([1]))
    assert (once.times(99), once.times(1_000)) == (0, 1)
    for wrong in ({"reward_ids": [1, 1]}, {"reward_ids": [1, 2], "default_id": 3}, {"reward_ids": [1]}):
        with pytest.raises(ValidationError):
            Milestone.model_validate({**milestone([1]), "gives": {"kind": "choice", **wrong}})
