"""Several codes, automatic offers, holds and returns at one checkout: all or none, exact to the cent."""

import datetime as dt
import hashlib
import itertools
import random
from collections import Counter as Tally

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Counter, Redemption, Rollback, Use
from retention.incentives.operations.reconcile import differences
from retention.incentives.operations.redemptions import (
    HoldDiffers,
    HoldOver,
    NothingReturned,
    NotRedeemed,
    RolledBackBefore,
    SourceReused,
)
from retention.incentives.policy import Policy
from retention.incentives.proration import returned
from retention.incentives.rules import IncentiveRule
from retention.refusals import Refused
from retention.segments.models import Membership, Segment
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
MINUTE = dt.timedelta(minutes=1)


def checkout(buyer=None, *, lines=(("a", 1, 10000),), order="o1", **more):
    return Checkout(
        "EUR", tuple(Line(*line) for line in lines), buyer=Buyer(**(buyer or {})), order_reference=order, **more
    )


def hash_of(*parts):
    return hashlib.sha256(repr(parts).encode()).digest()


@pytest.fixture
def redeem(now):
    def use(*codes, basket=None, source=None, at=None):
        basket = basket or checkout()
        return operations.redeem(
            source=source or f"k:{basket.order_reference}",
            request_hash=hash_of(codes, basket),
            codes=codes,
            checkout=basket,
            now=at or now,
        )

    return use


@pytest.fixture
def hold(now):
    def keep(*codes, basket=None, source="h", minutes=10, at=None):
        basket = basket or checkout(order="")
        return operations.hold(
            source=source, request_hash=hash_of(codes), codes=codes, checkout=basket, minutes=minutes, now=at or now
        )

    return keep


@pytest.fixture
def capture(now):
    def redeem_held(held, *, basket=None, source="k", at=None):
        basket = basket or checkout()
        return operations.redeem_held(
            source=source,
            request_hash=hash_of("hold", basket),
            public_id=held.public_id,
            checkout=basket,
            now=at or now,
        )

    return redeem_held


@pytest.fixture
def public(offer):
    def make(text, *effects, **rule):
        effects = effects or ({"kind": "percent", "basis_points": 1000},)
        return offer(name=text, codes={"kind": "public", "text": text}, effects=list(effects), **rule)

    return make


@pytest.fixture
def automatic(offer):
    def make(name, *effects, **rule):
        effects = effects or ({"kind": "percent", "basis_points": 500},)
        return offer(name=name, codes={"kind": "automatic"}, effects=list(effects), **rule)

    return make


def amount(minor):
    return {"kind": "amount", "amounts": {"EUR": minor}}


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code, str(caught.value)
    assert "%(" not in str(caught.value)
    return caught.value.params


def kept(incentive, scope="incentive", currency="", period=""):
    return sum(
        row.redeemed + row.spent_minor
        for row in Counter.objects.filter(incentive_id=incentive.pk, scope=scope, currency=currency, period=period)
    )


def taken(redeemed):
    return {
        offer["code"] or offer["incentive"]["name"]: offer["discount_minor"] for offer in redeemed.effects["offers"]
    }


def test_several_codes_and_an_automatic_offer_are_one_redemption(public, automatic, redeem):
    ten, five, cart = public("TEN"), public("FIVER", amount(500)), automatic("Cart")
    redeemed = redeem("ten", "FIVER")
    assert taken(redeemed) == {"TEN": 1000, "FIVER": 500, "Cart": 450}
    assert redeemed.effects["discount_minor"] == 1950
    row = Redemption.objects.get()
    assert (row.state, row.discount_minor) == ("redeemed", 1950)
    assert list(row.uses.values_list("incentive_id", "code__code", "discount_minor")) == [
        (ten.pk, "TEN", 1000),
        (five.pk, "FIVER", 500),
        (cart.pk, None, 450),
    ]
    assert [kept(one) for one in (ten, five, cart)] == [1, 1, 1]
    assert kept(cart, currency="EUR") == 450
    assert differences() == []


def test_an_automatic_offer_needs_no_code_and_ends_with_its_time_and_the_stop(automatic, redeem, now):
    cart = automatic("Cart", validity={"ends_at": now + dt.timedelta(hours=1)})
    assert taken(redeem()) == {"Cart": 500}
    later = checkout(order="o2")
    refused("incentives.nothing_to_redeem", lambda: redeem(basket=later, at=now + dt.timedelta(hours=1)))
    operations.stop(incentive_id=cart.pk, now=now, by=BY)
    refused("incentives.nothing_to_redeem", lambda: redeem(basket=later))
    assert Redemption.objects.count() == 1


def test_one_bad_code_and_nothing_is_used(public, redeem):
    good = public("GOOD")
    public("MUCH", conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 20000}}])
    assert refused("incentives.no_such_code", lambda: redeem("GOOD", "NOSUCH"))["typed"] == "NOSUCH"
    params = refused("incentives.below_minimum", lambda: redeem("GOOD", "MUCH"))
    assert (params["typed"], params["missing_minor"]) == ("MUCH", 10000)
    assert not Redemption.objects.exists()
    assert kept(good) == 0


def test_a_code_that_brings_nothing_is_not_used_up_and_the_answer_says_so(public, offer, grant, customers, redeem):
    public("TEN")
    grant(offer(name="Ship", effects=[{"kind": "free_shipping"}]), customers[:1], is_given=True)
    ship = Code.objects.get(customer=customers[0])
    redeemed = redeem("TEN", ship.code, basket=checkout({"reference": "c1"}))
    assert taken(redeemed) == {"TEN": 1000}
    unused = redeemed.effects["unused"]
    assert [(one["code"], [reason["code"] for reason in one["reasons"]]) for one in unused] == [
        (ship.code, ["incentives.no_shipping_to_pay"])
    ]
    ship.refresh_from_db()
    assert ship.state == "given"
    refused(
        "incentives.no_shipping_to_pay", lambda: redeem(ship.code, basket=checkout({"reference": "c1"}, order="o2"))
    )


def test_the_better_of_two_exclusive_codes_is_used_and_the_other_kept(public, redeem):
    small = public("SMALL", amount(500), stacking={"kind": "exclusive"})
    public("LARGE", amount(900), stacking={"kind": "exclusive"})
    redeemed = redeem("SMALL", "LARGE")
    assert taken(redeemed) == {"LARGE": 900}
    assert redeemed.effects["unused"][0]["code"] == "SMALL"
    assert kept(small) == 0


def test_the_shops_policy_says_how_offers_meet(public, redeem, now):
    public("ONE", amount(500), stacking={"priority": 5})
    public("TWO", amount(900))
    policy = Policy.model_validate({"stacking": {"mode": "priority", "most_offers": 1}})
    operations.save_policy(policy=policy, edited=None, now=now, by=BY)
    assert taken(redeem("ONE", "TWO")) == {"ONE": 500}


def test_one_code_typed_twice_is_used_once(public, redeem):
    incentive = public("TEN")
    assert taken(redeem("TEN", "t-e-n")) == {"TEN": 1000}
    assert kept(incentive) == 1


def test_two_codes_of_one_limited_incentive_count_both(offer, grant, customers, redeem):
    incentive = offer(codes={"kind": "unique", "is_bound": False}, limits={"total": 1}, effects=[amount(500)])
    grant(incentive, customers[:2], is_given=True)
    one, two = Code.objects.order_by("pk")
    assert refused("incentives.total_limit_reached", lambda: redeem(one.code, two.code)) == {
        "limit": 1,
        "typed": two.code,
    }
    redeem(one.code)
    assert kept(incentive) == 1


def test_an_automatic_offer_over_its_budget_leaves_the_order_to_the_others(automatic, public, redeem):
    automatic("Rich", amount(900), limits={"money": {"amount_minor": 800, "currency": "EUR"}})
    public("TEN")
    assert taken(redeem("TEN")) == {"TEN": 1000}


def test_the_same_source_answers_the_same(public, automatic, redeem):
    public("TEN", limits={"total": 1})
    automatic("Cart")
    first, again = redeem("TEN"), redeem("TEN")
    assert again.is_repeated
    assert (again.effects, again.public_id) == (first.effects, first.public_id)
    with pytest.raises(SourceReused):
        redeem("TEN", basket=checkout(lines=[("a", 2, 10000)]))


def test_a_hold_counts_at_once_and_is_redeemed_as_it_was_held(public, hold, capture, redeem, now):
    incentive = public("LAST", limits={"total": 1})
    held = hold("LAST")
    assert (held.state, held.redeemed_at, held.held_until) == ("held", None, now + 10 * MINUTE)
    assert kept(incentive) == 1
    refused("incentives.total_limit_reached", lambda: redeem("LAST", basket=checkout(order="o2")))
    done = capture(held, at=now + 9 * MINUTE)
    assert (done.state, done.order_reference, done.redeemed_at) == ("redeemed", "o1", now + 9 * MINUTE)
    assert done.effects == held.effects
    assert capture(held, at=now + 99 * MINUTE).is_repeated
    with pytest.raises(HoldOver):
        capture(held, source="k2", at=now + 9 * MINUTE)
    assert (Redemption.objects.count(), kept(incentive)) == (1, 1)
    assert differences() == []


def test_a_hold_that_is_asked_again_is_the_same(public, hold, capture):
    public("TEN")
    held = hold("TEN")
    assert hold("TEN").public_id == held.public_id
    with pytest.raises(SourceReused):
        hold("TEN", "OTHER")
    capture(held)
    assert hold("TEN").public_id == held.public_id
    assert Redemption.objects.count() == 1


def test_a_hold_is_for_its_basket(public, hold, capture):
    public("TEN")
    held = hold("TEN")
    with pytest.raises(HoldDiffers):
        capture(held, basket=checkout(lines=[("a", 1, 9999)]))
    with pytest.raises(HoldDiffers):
        capture(held, basket=checkout({"email": "x@example.com"}, shipping_minor=1))
    assert Redemption.objects.get().state == "held"


def test_a_hold_runs_out_by_the_job(offer, grant, customers, hold, capture, now):
    incentive = offer(limits={"money": {"amount_minor": 2000, "currency": "EUR"}})
    grant(incentive, customers[:1], is_given=True)
    code = Code.objects.get()
    held = hold(code.code, basket=checkout({"reference": "c1"}, order=""))
    assert operations.release_expired(now=now + 10 * MINUTE - dt.timedelta(microseconds=1)) == 0
    with pytest.raises(HoldOver):
        capture(held, basket=checkout({"reference": "c1"}), at=now + 10 * MINUTE)
    assert operations.release_expired(now=now + 10 * MINUTE) == 1
    row = Redemption.objects.get()
    assert (row.state, row.ended_at, row.given_back_minor) == ("released", now + 10 * MINUTE, 2000)
    assert [kept(incentive), kept(incentive, currency="EUR"), kept(incentive, "person")] == [0, 0, 0]
    code.refresh_from_db()
    assert code.state == "given"
    assert differences() == []


def test_a_hold_that_ran_out_is_in_nobodys_way(public, hold, redeem, now):
    incentive = public("LAST", limits={"total": 1})
    hold("LAST")
    redeem("LAST", at=now + 10 * MINUTE)
    assert sorted(Redemption.objects.values_list("state", flat=True)) == ["redeemed", "released"]
    assert kept(incentive) == 1
    assert differences() == []


def test_a_hold_is_released_before_its_time_and_only_while_it_is_one(public, hold, capture, redeem, now):
    public("LAST", limits={"total": 1})
    held = hold("LAST")
    with pytest.raises(NotRedeemed):
        operations.roll_back(public_id=held.public_id, source="r", reason="x", now=now, by=BY)
    assert operations.release(public_id=held.public_id, now=now).state == "released"
    assert operations.release(public_id=held.public_id, now=now).state == "released"
    with pytest.raises(HoldOver):
        capture(held)
    redeemed = redeem("LAST")
    with pytest.raises(HoldOver):
        operations.release(public_id=redeemed.public_id, now=now)


def test_what_was_stopped_is_not_redeemed_from_a_hold(public, hold, capture, now):
    incentive = public("TEN")
    held = hold("TEN")
    operations.stop(incentive_id=incentive.pk, now=now, by=BY)
    refused("incentives.stopped", lambda: capture(held))
    assert Redemption.objects.get().state == "held"


def undo(redeemed, now, source="undo", lines=None):
    return operations.roll_back(
        public_id=redeemed.public_id, source=source, reason="returned", lines=lines, now=now, by=BY
    )


def test_lines_come_back_one_after_the_other_and_the_last_gives_the_use_back(public, redeem, now):
    incentive = public("THIRDS", amount(1000), {"kind": "free_shipping"}, limits={"total": 1})
    basket = checkout(lines=[("a", 3, 1000), ("b", 1, 500)], shipping_minor=490)
    redeemed = redeem("THIRDS", basket=basket)
    assert taken(redeemed) == {"THIRDS": 1490}
    assert [line["discount_minor"] for line in redeemed.effects["lines"]] == [857, 143]
    preview = operations.preview_rollback(public_id=redeemed.public_id, lines={0: 1}, now=now)
    first = undo(redeemed, now, "r1", {0: 1})
    assert {**first.effects} == preview
    assert first.effects["lines"] == [
        {"line": 0, "sku": "a", "quantity": 1, "amount_minor": 1000, "discount_minor": 286, "refund_minor": 714}
    ]
    assert kept(incentive, currency="EUR") == 1490 - 286
    assert undo(redeemed, now, "r1", {0: 1}).pk == first.pk
    with pytest.raises(SourceReused):
        undo(redeemed, now, "r1", {0: 2})
    with pytest.raises(NothingReturned):
        undo(redeemed, now, "r2", {0: 3})
    assert undo(redeemed, now, "r2", {0: 2}).discount_minor == 857 - 286
    row = Redemption.objects.get()
    assert (row.state, row.given_back_minor, kept(incentive)) == ("redeemed", 857, 1)
    last = undo(redeemed, now, "r3", {1: 1})
    assert (last.is_last, last.discount_minor, last.effects["shipping_discount_minor"]) == (True, 143 + 490, 490)
    row.refresh_from_db()
    assert (row.state, row.ended_at, row.given_back_minor) == ("rolled_back", now, 1490)
    assert (kept(incentive), kept(incentive, currency="EUR")) == (0, 0)
    assert not Use.objects.get().is_counted
    with pytest.raises(RolledBackBefore):
        undo(redeemed, now, "r4")
    assert differences() == []


def test_the_rest_comes_back_whole_after_a_part(public, automatic, redeem, now):
    public("TEN")
    automatic("Cart")
    redeemed = redeem("TEN", basket=checkout(lines=[("a", 3, 3333), ("b", 2, 777)]))
    whole = redeemed.effects["discount_minor"]
    part = undo(redeemed, now, "r1", {0: 2})
    rest = undo(redeemed, now, "r2")
    assert part.discount_minor + rest.discount_minor == whole
    assert [line["quantity"] for line in rest.effects["lines"]] == [1, 2]
    assert Rollback.objects.count() == 2
    assert all(use.given_back_minor == use.discount_minor for use in Use.objects.all())
    assert differences() == []


def test_a_code_that_is_not_usable_again_stays_used_when_all_came_back(offer, grant, customers, redeem, now):
    grant(offer(codes={"kind": "unique", "is_usable_again": False}), customers[:1], is_given=True)
    code = Code.objects.get()
    redeemed = redeem(code.code, basket=checkout({"reference": "c1"}))
    undo(redeemed, now, lines={0: 1})
    code.refresh_from_db()
    assert code.state == "redeemed"
    assert Use.objects.get().is_counted
    assert differences() == []


OFFERS = st.lists(
    st.tuples(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), st.integers(0, 10**4)), min_size=1, max_size=3
)


@settings(max_examples=200, deadline=None)
@given(offers=OFFERS, bought=st.lists(st.integers(1, 7), min_size=3, max_size=3), seed=st.integers(0, 2**32))
def test_any_sequence_of_returns_sums_to_the_whole_and_never_takes(offers, bought, seed):
    effects = {
        "lines": [{"quantity": quantity} for quantity in bought],
        "offers": [{"lines": lines, "shipping_minor": shipping} for lines, shipping in offers],
    }
    chance = random.Random(seed)
    units = [place for place, quantity in enumerate(bought) for _unit in range(quantity)]
    chance.shuffle(units)
    before, sums = [0, 0, 0], [0] * len(offers)
    while units:
        some = Tally(units.pop() for _unit in range(chance.randint(1, len(units))))
        part = returned(effects, before, some)
        assert all(one >= 0 for one in itertools.chain.from_iterable(part.offers))
        before = [came + some[place] for place, came in enumerate(before)]
        assert part.is_last == (not units)
        sums = [had + one for had, one in zip(sums, part.of_offers, strict=True)]
    assert sums == [sum(lines) + shipping for lines, shipping in offers]


def test_a_draft_is_looked_at_as_if_it_were_live_and_at_another_time(offer, public, now):
    public("TEN")
    draft = offer(
        name="Draft", is_live=False, validity={"starts_at": now + dt.timedelta(days=3)}, effects=[amount(300)]
    )
    draft.refresh_from_db()
    look = {"codes": ["TEN"], "checkout": checkout(), "drafts": [draft.public_id]}
    then = operations.validate(**look, now=now + dt.timedelta(days=3))
    assert then.refusal is None
    assert {one["incentive"]["name"]: one["discount_minor"] for one in then.effects["offers"]} == {
        "TEN": 1000,
        "Draft": 300,
    }
    today = operations.validate(**look, now=now)
    assert today.refusal.code == "incentives.not_started"
    assert [reason["code"] for reason in today.effects["unused"][0]["reasons"]] == ["incentives.not_started"]
    assert not Redemption.objects.exists()


def test_why_not_names_every_reason_of_every_code(public, offer, grant, customers, now):
    public("MUCH", conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 20000}}], validity={"ends_at": now})
    found = operations.validate(codes=["MUCH", "nosuch"], checkout=checkout(), now=now)
    unused = {one["code"]: [reason["code"] for reason in one["reasons"]] for one in found.effects["unused"]}
    assert unused == {
        "nosuch": ["incentives.no_such_code"],
        "MUCH": ["incentives.code_expired", "incentives.below_minimum"],
    }
    assert all(reason["detail"] for one in found.effects["unused"] for reason in one["reasons"])


def test_an_offer_for_a_segment_asks_who_is_in_it(public, redeem, customers, now):
    segment = Segment.objects.create(name="Friends")
    Membership.objects.create(segment=segment, customer=customers[0], entered_at=now)
    public("FRIEND", conditions=[{"kind": "in_segments", "segments": [segment.pk]}])
    assert taken(redeem("FRIEND", basket=checkout({"reference": "c1"}))) == {"FRIEND": 1000}
    refused("incentives.not_in_segment", lambda: redeem("FRIEND", basket=checkout({"reference": "c2"}, order="o2")))


def test_rules_that_change_keep_what_was_redeemed_under_the_old_ones(public, redeem, now):
    incentive = public("TEN", limits={"windows": [{"per": "incentive", "within": "day", "uses": 5}]})
    redeemed = redeem("TEN")
    rule = incentive.version.data | {"limits": {}}
    operations.save_incentive(
        incentive_id=incentive.pk, rule=IncentiveRule.model_validate(rule), edited=1, now=now, by=BY
    )
    assert kept(incentive, period="D2026-05-12") == 1
    undo(redeemed, now)
    assert kept(incentive, period="D2026-05-12") == 0
    assert differences() == []


def test_qualify_tells_automatic_offers_too_each_alone_and_the_best_first(automatic, public, offer, now):
    automatic("Cart")
    automatic("Poor", amount(900), limits={"money": {"amount_minor": 800, "currency": "EUR"}})
    automatic("Far", conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 11000}}])
    automatic("Used", limits={"windows": [{"per": "incentive", "within": "day", "uses": 1}]})
    public("TEN")
    operations.redeem(source="x", request_hash=b"x", codes=[], checkout=checkout(), now=now)
    found = operations.qualify(checkout=checkout(), now=now)
    assert [(one.offer.code, one.offer.incentive_name, one.evaluation.discount_minor) for one in found.offers] == [
        ("TEN", "TEN", 1000),
        (None, "Cart", 500),
    ]
    assert [(one.offer.incentive_name, one.missing) for one in found.near_misses] == [
        ("Far", "Add 10.00 EUR to get 5 % off the order")
    ]
