"""What segments may ask of memberships and tiers, and what messages may say of them."""

import datetime as dt
import uuid

import pytest
from django import forms
from django.conf import settings

from loyalty import operations
from loyalty.models import Member
from loyalty.placeholders import InvitationWords, LoyaltyWords
from retention.messaging.outgoing import Outgoing
from retention.registries import conditions
from retention.segments.querysets import members
from tests.loyalty.conftest import BY
from tests.loyalty.test_expiry import moves
from tests.loyalty.test_tiers import NOON, STEPS, YEAR, at, earns, keep, look

DAY = dt.timedelta(days=1)


@pytest.fixture
def club(programme, customers):
    """c1 is silver with 180, c2 gold with 600, c3 has 40, c4 has nothing, c5 left; c4 joined yesterday."""
    made = programme(tiers={"steps": STEPS, "validity": YEAR})
    ids = [customer.pk for customer in customers]
    operations.join(programme_id=made.pk, customer_ids=[*ids[:3], ids[4]], now=NOON - 30 * DAY, by=BY)
    operations.join(programme_id=made.pk, customer_ids=[ids[3]], now=NOON - DAY, by=BY)
    operations.leave(programme_id=made.pk, customer_ids=[ids[4]], now=NOON, by=BY)
    for customer, amount in zip(customers, (180, 600, 40), strict=False):
        earns(Member.objects.get(customer=customer).pk, amount, NOON)
    look(NOON)
    return made


EVER = {"window": "ever"}


@pytest.mark.parametrize(
    ("key", "args", "meant"),
    [
        ("loyalty_member", {"programme": "club", **EVER}, "c1 c2 c3 c4"),
        ("loyalty_member", {"programme": "", **EVER}, "c1 c2 c3 c4"),
        ("loyalty_member", {"programme": "club", "window": "last", "days": 7}, "c4"),
        ("loyalty_tier", {"tiers": ["club.silver"], **EVER}, "c1"),
        ("loyalty_tier", {"tiers": ["club.silver", "club.gold"], **EVER}, "c1 c2"),
        ("loyalty_tier", {"tiers": ["club.gold"], "window": "before", "days": 7}, ""),
        ("loyalty_tier_moved", {"tiers": ["club.gold"], "move": "up", "window": "last", "days": 7}, "c2"),
        ("loyalty_tier_moved", {"tiers": ["club.gold"], "move": "down", "window": "last", "days": 7}, ""),
        ("loyalty_missing", {"programme": "club", "operator": "at_most", "number": 320}, "c1 c3 c4"),
        ("loyalty_missing", {"programme": "club", "operator": "at_most", "number": 60}, "c3"),
        ("loyalty_missing", {"programme": "club", "operator": "at_most", "number": 59}, ""),
        ("loyalty_missing", {"programme": "club", "operator": "at_least", "number": 100}, "c1 c4"),
        ("loyalty_missing", {"programme": "club", "operator": "between", "number": 100, "number_to": 200}, "c4"),
    ],
)
def test_segments_know_members_and_tiers(club, key, args, meant):
    rule = {"key": key, "args": args}
    assert " ".join(sorted(one.reference for one in members(rule, NOON))) == meant
    everyone = {"c1", "c2", "c3", "c4", "c5"}
    others = {one.reference for one in members({"not": rule}, NOON)}
    assert others == everyone - {*meant.split()}


@pytest.mark.parametrize(
    ("key", "args", "sentence"),
    [
        ("loyalty_member", {"programme": "club", **EVER}, "is a member of “Club”"),
        ("loyalty_member", {"programme": "", **EVER}, "is a member of a loyalty programme"),
        ("loyalty_tier", {"tiers": ["club.gold"], **EVER}, "is in the tier “Club: Gold”"),
        (
            "loyalty_tier_moved",
            {"tiers": ["club.gold"], "move": "down", "window": "last", "days": 7},
            "lost the tier “Club: Gold” in the last 7 days",
        ),
        (
            "loyalty_missing",
            {"programme": "club", "operator": "at_most", "number": 320},
            "is at most 320 Club_points short of the next tier of “Club”",
        ),
    ],
)
def test_they_say_it_in_a_sentence(club, key, args, sentence):
    condition = conditions[key]
    assert condition.sentence(condition.clean(args)) == sentence


def test_unknown_tiers_are_refused(club):
    with pytest.raises(forms.ValidationError):
        conditions["loyalty_tier"].clean({"tiers": ["club.bronze"], **EVER})


def outgoing(number: int, customer, language="en", **context) -> Outgoing:
    fields = dict.fromkeys(Outgoing.__dataclass_fields__)
    known = {
        "id": number, "public_id": uuid.uuid4(), "customer_id": customer.pk, "language": language,
        "zone": "Europe/Berlin", "context": context,
    }  # fmt: skip
    return Outgoing(**{**fields, **known})


def test_messages_tell_of_points_tier_and_what_is_missing(club, customers):
    moves(club, customers[0], 180, NOON)
    told = LoyaltyWords.values([outgoing(n, customer) for n, customer in enumerate(customers)], now=NOON)
    links = {name: told[0].pop(name).rpartition("/")[0] for name in ("page_url", "how_it_works_url")}
    assert links == {"page_url": f"{settings.BASE_URL}/m", "how_it_works_url": f"{settings.BASE_URL}/club"}
    assert told[0] == {
        "programme": "Club", "points": "180 Club_points", "tier": "Silver", "tier_until": "December 31, 2027",
        "tier_missing": "100 Club_points", "next_tier": "Gold", "next_tier_missing": "320 Club_points",
    }  # fmt: skip
    assert (told[1]["tier"], "next_tier" in told[1]) == ("Gold", False)
    assert (told[2]["next_tier_missing"], "tier" in told[2]) == ("60 Club_points", False)
    assert 4 not in told, "she left"


def test_the_words_take_the_same_statements_for_many(club, customers, django_assert_num_queries):
    few, many = [outgoing(0, customers[0])], [outgoing(n, customer) for n, customer in enumerate(customers)]
    LoyaltyWords.values(few, now=NOON)
    with django_assert_num_queries(10):
        LoyaltyWords.values(few, now=NOON)
    with django_assert_num_queries(10):
        LoyaltyWords.values(many, now=NOON)


def test_who_is_no_member_hears_nothing_without_orders(programme, customers):
    programme(joining="request")
    assert InvitationWords.values([outgoing(0, customers[0])], now=NOON) == {}


def test_a_tier_lost_is_told_to_segments(club, customers):
    keep(at("2028-01-01 00:00"))
    rule = {"key": "loyalty_tier_moved", "args": {"tiers": ["club.gold"], "move": "down", "window": "last", "days": 7}}
    found = members(rule, at("2028-01-02 00:00"))
    assert [one.reference for one in found] == ["c2"]
