"""Each check strikes for its own facts, as rows tell them, and for nothing beside; points add up; hard ones end it."""

import pytest

from referrals import operations
from referrals.checking import judge
from referrals.evidence import facts_of
from referrals.models import Referral
from referrals.rules import SchemeRule
from retention.customers.models import KnownVisitor
from retention.incentives import persons
from retention.incentives.models import Redemption
from tests.referrals.conftest import BY, days

pytestmark = pytest.mark.django_db


@pytest.fixture
def bring(scheme, advocate, customer, now):
    """A function that brings friends of Anna in a scheme without checks; their referrals."""
    made = scheme(checks=[])
    anna = customer("anna", now - days(400), email="anna.meyer@example.com", phone="+4915112345678")
    (code,) = advocate(made, anna)

    def claim(name, *, at=None, profile=(), **how):
        friend = customer(name, at or now, **dict(profile))
        return operations.refer(
            code=code, friend_id=friend.pk, source=name, now=at or now, by=BY, **how
        ).referral  # fmt: skip

    claim.anna, claim.code = anna, code
    return claim


def struck(referral, **check):
    """What one check says of it: the code and parameters, or None."""
    rule = SchemeRule.model_validate({"names": {"en": "F"}, "friend_incentive": 1, "checks": [check]})
    verdict = judge(facts_of([referral.pk])[referral.pk], rule.checks)
    return (
        (verdict.reasons[0].code.removeprefix("referrals."), dict(verdict.reasons[0].params)) if verdict.score else None
    )


def test_herself_by_her_row_and_by_her_phone(bring, now):
    own = operations.refer(code=bring.code, friend_id=bring.anna.pk, source="own", now=now, by=BY).referral
    assert struck(own, kind="self") == ("self_referral", {})
    assert struck(bring("twin", profile={"phone": "+4915112345678"}), kind="self") == ("same_person", {"what": "phone"})
    assert struck(bring("friend", profile={"phone": "+4915187654321"}), kind="self") is None


def test_an_existing_customer_by_orders_and_by_time(bring, order, now):
    late = bring("late", profile={"signed_up_at": now - days(9)})
    assert struck(late, kind="existing") == ("existing_customer", {"orders": 0, "days": 8})
    assert struck(late, kind="existing", known_days=30) is None
    bought = bring("bought")
    assert struck(bought, kind="existing") is None
    order(bought.friend, now - days(3))
    assert struck(bought, kind="existing") == ("existing_customer", {"orders": 1, "days": 2})
    new = bring("new")
    order(new.friend, now + days(1))
    assert struck(new, kind="existing") is None


def test_one_device_and_one_network(bring, scheme, customer, advocate, now):
    first = bring("first", device="phone of one", network="192.0.2.1")
    other = bring("other", device="another", network="192.0.2.1")
    assert (struck(first, kind="device"), struck(other, kind="device")) == (None, None)
    again = bring("again", device="phone of one", network="192.0.2.1")
    assert struck(again, kind="device") == ("same_device", {})
    assert struck(again, kind="network", most=1) == ("same_network", {"others": 2})
    assert struck(again, kind="network", most=2) is None
    assert struck(bring("none"), kind="device") is None


def test_the_advocates_own_device_as_she_told_it_or_came_by_it(bring, now):
    operations.open_advocates(
        scheme_id=Referral.scheme.field.related_model.objects.get().pk, customer_ids=[bring.anna.pk],
        device="annas phone", network="2001:db8::1", now=now, by=BY,
    )  # fmt: skip
    mine = bring("mine", device="annas phone", network="2001:db8::ffff")
    assert struck(mine, kind="device") == ("same_device", {})
    assert struck(mine, kind="network", most=0) == ("same_network", {"others": 1})  # one household is one /64
    operations.record_visit(code=bring.code, visitor_key="annas", device="annas laptop", now=now - days(2))
    KnownVisitor.objects.create(visitor_key="annas", customer=bring.anna, joined_at=now)
    assert struck(bring("laptop", device="annas laptop"), kind="device") == ("same_device", {})


def test_one_address_however_it_is_written_and_wherever_it_was_told(bring, order, now):
    home = {"address": "1 Main Street", "postcode": "10115", "city": "Berlin"}
    first = bring("first", profile=home)
    assert struck(first, kind="address") is None
    second = bring("second")
    order(second.friend, now, address="1, MAIN STREET ", postcode="10115", city="berlin")
    assert struck(second, kind="address") == ("same_address", {})
    third = bring("third", profile={**home, "address": "2 Main Street"})
    assert struck(third, kind="address") is None


def test_one_card_at_two_checkouts(bring, now):
    def paid(customer, *hashes):
        Redemption.objects.create(
            source=f"s{customer.pk}", request_hash=b"", state="redeemed", redeemed_at=now, customer=customer,
            persons=[persons.email_key(customer.email), *hashes], currency="EUR", discount_minor=0, base_minor=0,
            effects={},
        )  # fmt: skip

    first, second, third = bring("first"), bring("second"), bring("third")
    for each, card in ((first, "one"), (second, "one"), (third, "two")):
        paid(each.friend, persons.payment_key(card))
    assert struck(first, kind="payment") == struck(second, kind="payment") == ("same_payment", {})
    assert struck(third, kind="payment") is None


def test_emails_like_the_advocates_or_another_friends(bring):
    assert struck(bring("plus", profile={"email": "annameyer+2@example.com"}), kind="email") == (
        "similar_email", {"percent": 95},
    )  # fmt: skip
    assert struck(bring("other", profile={"email": "bela.bartok@example.com"}), kind="email") is None
    assert struck(bring("again", profile={"email": "bela.bartok7@example.com"}), kind="email") is not None
    assert struck(bring("burn", profile={"email": "x@trashmail.com"}), kind="disposable") == ("disposable_email", {})
    shops = {"kind": "disposable", "domains": ["burn.example.com"]}
    assert struck(bring("own", profile={"email": "x@burn.example.com"}), **shops) == ("disposable_email", {})
    assert struck(bring("good"), **shops) is None


def test_too_soon_after_the_click_and_too_many_in_a_while(bring, now):
    operations.record_visit(code=bring.code, visitor_key="quick", now=now - days(1) / 86_400 * 3)
    quick = bring("quick", visitor_key="quick")
    assert struck(quick, kind="speed") == ("too_soon", {"seconds": 3})
    assert struck(quick, kind="speed", least_seconds=3) is None
    told = bring("told", visitor_key="told only with the claim")
    assert struck(told, kind="speed") is None
    for n in range(3):
        last = bring(f"f{n}", at=now + days(n / 100))
    assert struck(last, kind="speed", most=4, hours=24) == ("too_many", {"count": 5, "hours": 24})
    assert struck(last, kind="speed", most=5, hours=24) is None
    assert struck(bring("later", at=now + days(9)), kind="speed", most=1, hours=24) is None


def test_loops_of_any_length_and_chains_that_are_none(scheme, advocate, customer, refer, now):
    made = scheme(checks=[])
    people = [customer(f"p{n}", now - days(400)) for n in range(5)]
    codes = advocate(made, *people)
    chain = [refer(codes[n], people[n + 1]) for n in range(4)]
    assert [struck(each, kind="loop") for each in chain] == [None] * 4
    closing = refer(codes[4], people[0])
    assert struck(closing, kind="loop") == ("closed_loop", {"steps": 4})
    assert struck(closing, kind="loop", length=4) is None
    Referral.objects.filter(pk=chain[1].pk).update(state="rejected")
    assert struck(closing, kind="loop") is None


def test_points_add_up_and_a_hard_one_comes_first_and_ends_it(scheme, advocate, customer, refer, now):
    checks = [
        {"kind": "disposable", "points": 30},
        {"kind": "speed", "points": 20, "most": 1},
        {"kind": "email", "points": 40, "is_hard": True},
    ]
    (code,) = advocate(scheme(checks=checks, review_from=50), customer("anna", now - days(400)))
    one = refer(code, customer("one", email="one.friend@mailinator.com"))
    two = refer(code, customer("two", email="quite.another@mailinator.com"))
    three = refer(code, customer("three", email="one.friend2@mailinator.com"))
    assert [(each.state, each.score) for each in (one, two, three)] == [
        ("pending", 30), ("review", 50), ("rejected", 90),
    ]  # fmt: skip
    assert three.reasons == ["referrals.similar_email", "referrals.disposable_email", "referrals.too_many"]


def test_many_are_checked_by_as_many_statements_as_one(bring, django_assert_num_queries):
    made = [bring(f"f{n}", device=f"d{n}").pk for n in range(6)]
    with django_assert_num_queries(5):
        assert len(facts_of(made[:1])) == 1
    with django_assert_num_queries(5):
        assert len(facts_of(made)) == 6
