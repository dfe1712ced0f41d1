"""The catalogue: what can be written into it, its life, and what a member is shown of it."""

import datetime as dt

import pytest
from django.utils.translation import override
from pydantic import ValidationError

from loyalty.catalogue import offered_to
from loyalty.models import Reward, RewardCount
from loyalty.operations import claims, rewards
from loyalty.operations.programmes import pause_programme
from loyalty.rules.rewards import RewardRule
from retention.audit.operations import EditedMeanwhile
from retention.customers.models import CustomerStats
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.segments.models import Membership, Segment
from tests.loyalty.conftest import BY

DAY = dt.timedelta(days=1)


def changed(reward, **changes):
    return RewardRule.model_validate({**reward.version.data, **changes})


def save(reward, now, **changes):
    reward.refresh_from_db()
    edited = reward.version.number
    return rewards.save_reward(reward_id=reward.pk, rule=changed(reward, **changes), edited=edited, now=now, by=BY)


def refused(member, now):
    return {one.reward.name: one.refusal and one.refusal.code for one in offered_to(member, now=now)}


def test_a_draft_of_a_reward_and_of_its_incentive_go_live_together(programme, reward, now):
    draft = reward(programme(), is_live=False, stock=5)
    assert (draft.state, draft.name, draft.price, draft.version.number) == ("draft", "10 % off", 100, 1)
    assert list(RewardCount.objects.values_list("reward", "member", "taken", "most")) == [(draft.pk, None, 0, 5)]

    live = rewards.start_reward(reward_id=draft.pk, now=now, by=BY)

    assert live.state == "live"
    assert Incentive.objects.get(pk=live.incentive_id).state == "live"
    with pytest.raises(rewards.RewardState):
        rewards.start_reward(reward_id=draft.pk, now=now, by=BY)
    assert rewards.stop_reward(reward_id=draft.pk, now=now, by=BY).state == "stopped"
    with pytest.raises(rewards.RewardState):
        rewards.stop_reward(reward_id=draft.pk, now=now, by=BY)
    incentives.stop(incentive_id=live.incentive_id, now=now, by=BY)
    with pytest.raises(rewards.RewardNeedsOffer):
        rewards.start_reward(reward_id=draft.pk, now=now, by=BY)


@pytest.mark.parametrize(
    ("kind", "effect", "fits"),
    [
        ("coupon", {"kind": "percent", "basis_points": 500}, True),
        ("coupon", {"kind": "store_credit", "amounts": {"EUR": 500}}, False),
        ("gift_card", {"kind": "gift_card", "amounts": {"EUR": 500}}, True),
        ("gift_card", {"kind": "percent", "basis_points": 500}, False),
        ("credit", {"kind": "store_credit", "amounts": {"EUR": 500}}, True),
        ("credit", {"kind": "store_credit", "is_from_grant": True}, False),
        ("product", {"kind": "experience", "name": "Sample"}, True),
        ("product", {"kind": "percent", "basis_points": 500}, False),
        ("experience", {"kind": "access", "to": "event", "name": "Opening night"}, True),
        ("experience", {"kind": "store_credit", "amounts": {"EUR": 500}}, False),
        ("donation", {"kind": "experience", "name": "A tree"}, True),
        ("donation", {"kind": "access", "to": "event", "name": "Opening night"}, False),
    ],
)
def test_what_it_gives_is_of_its_kind(programme, reward, kind, effect, fits):
    if fits:
        assert reward(programme(), kind=kind, effects=[effect]).kind == kind
        return
    with pytest.raises(rewards.RewardNeedsOffer):
        reward(programme(), kind=kind, effects=[effect])
    assert not Reward.objects.exists()


def test_it_names_only_what_is_there(programme, reward):
    club = programme()
    for unknown in ({"tiers": ["gold"]}, {"segment_id": 99}):
        with pytest.raises(rewards.RewardNamesNobody):
            reward(club, **unknown)
    with pytest.raises(rewards.NameMissing):
        reward(club, names={"de": "10 % Rabatt"})
    with pytest.raises(ValidationError):
        reward(club, starts_at="2026-06-01T00:00:00Z", ends_at="2026-06-01T00:00:00Z")
    with pytest.raises(ValidationError):
        reward(club, starts_at="2026-06-01T00:00:00")


def test_a_saved_version_holds_at_once_and_stock_is_never_less_than_taken(programme, reward, member, now):
    club = programme()
    one, hers = reward(club), member(club, points=500)
    claims.claim(reward_id=one.pk, member_id=hers.pk, source="a", now=now, by=BY)

    with pytest.raises(rewards.StockTaken):
        save(one, now, stock=0)
    saved = save(one, now, stock=1, price=150)

    assert (saved.version.number, saved.price) == (2, 150)
    assert offered_to(hers, now=now) == []  # nothing is left
    with pytest.raises(EditedMeanwhile):
        rewards.save_reward(reward_id=one.pk, rule=changed(saved), edited=1, now=now, by=BY)


def test_a_member_reads_what_she_can_have_and_why_not(programme, reward, member, customers, now):
    club = programme()
    insiders = Segment.objects.create(name="Insiders")
    reward(club, names={"en": "cheap"}, price=100)
    reward(club, names={"en": "dear"}, price=1_000)
    reward(club, names={"en": "tomorrow"}, starts_at=(now + DAY).isoformat())
    reward(club, names={"en": "over"}, ends_at=now.isoformat())
    reward(club, names={"en": "none left"}, stock=0)
    reward(club, names={"en": "inside"}, segment_id=insiders.pk)
    reward(club, names={"en": "only given"}, is_in_catalogue=False)
    reward(club, names={"en": "draft"}, is_live=False)
    hers = member(club, points=400)

    assert refused(hers, now) == {
        "cheap": None, "tomorrow": "loyalty.reward_not_yet", "dear": "loyalty.points_short",
    }  # fmt: skip
    assert {one.reward.name: one.short for one in offered_to(hers, now=now)}["dear"] == 600

    Membership.objects.create(segment=insiders, customer=customers[0], entered_at=now)
    assert refused(hers, now)["inside"] is None
    pause_programme(programme_id=club.pk, now=now, by=BY)
    hers.refresh_from_db()
    assert "cheap" in refused(hers, now)  # what is there can be spent


def test_what_is_for_other_tiers_says_so_in_the_words_of_her_language(programme, reward, member, now):
    gold = {"key": "gold", "names": {"en": "Gold", "ko": "골드"}, "threshold": 500}
    club = programme(tiers={"measure": "points", "steps": [gold]})
    reward(club, names={"en": "dear"}, tiers=["gold"])
    hers = member(club, points=400)

    def why():
        (one,) = offered_to(hers, now=now)
        return one.refusal.code, str(one.refusal)

    assert why() == ("loyalty.for_other_tiers", "This reward is for members of Gold.")
    with override("ko"):
        assert why()[1].endswith("골드.")


def test_a_limit_of_each_counts_by_the_shops_calendar(programme, reward, member, now):
    club = programme()
    reward(club, names={"en": "monthly"}, per_customer=1, within="month", price=10)
    hers = member(club, points=100)
    claims.claim(reward_id=Reward.objects.get().pk, member_id=hers.pk, source="a", now=now, by=BY)

    assert refused(hers, now) == {"monthly": "loyalty.reward_limit"}
    assert refused(hers, dt.datetime(2026, 5, 31, 22, tzinfo=dt.UTC)) == {"monthly": None}  # June in Berlin


def test_what_she_likes_comes_first(programme, reward, member, customers, now):
    club = programme()
    reward(club, names={"en": "cheap coupon"}, price=10)
    reward(club, names={"en": "shoes"}, price=90, categories=["Shoes"])
    reward(club, names={"en": "hats"}, price=80, categories=["Hats"])
    reward(club, names={"en": "card"}, kind="gift_card", effects=[{"kind": "gift_card", "amounts": {"EUR": 500}}])
    hers = member(club)
    CustomerStats.objects.create(customer=customers[0], favourite_category="Shoes/Boots")

    assert [one.reward.name for one in offered_to(hers, now=now)] == ["shoes", "cheap coupon", "hats", "card"]
    hers.prefers = "gift_card"
    assert [one.reward.name for one in offered_to(hers, now=now)] == ["card", "shoes", "cheap coupon", "hats"]
