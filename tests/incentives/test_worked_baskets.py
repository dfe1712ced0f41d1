"""Every worked basket through the pure engine: each line's price, shipping, what each offer takes, gives or refuses."""

import pytest

from retention.incentives.baskets import Basket, Line, Shopper
from retention.incentives.discounts import Offer, evaluate
from retention.incentives.proration import returned
from retention.incentives.rules import IncentiveRule, Stacking, with_terms
from tests.incentives.worked import WORKED, WorkedBasket, WorkedOffer, in_minor

#: Segments by name, and the numbers that stand for them here.
SEGMENTS = {name: number for number, name in enumerate(("vip", "staff", "lapsed", "hunters", "members"), start=1)}


@pytest.mark.parametrize("name", WORKED)
def test_the_file_adds_up(name):
    case = WORKED[name]
    gross = sum(case.minor(line.price) * line.quantity for line in case.lines) + case.minor(case.shipping)
    assert sum(case.paid) + case.paid_shipping == case.minor(case.total)
    assert gross - sum(case.minor(offer.takes) for offer in case.applied.values()) == case.minor(case.total)


@pytest.mark.parametrize("name", WORKED)
def test_worked_by_hand(name):
    case = WORKED[name]
    basket = basket_of(case)
    offers = [offer_of(key, offer) for key, offer in case.offers.items()]
    evaluation = evaluate(offers, basket, Stacking.model_validate(in_minor(case.policy)))
    told = evaluation.as_json()
    assert [line["total_minor"] for line in told["lines"]] == case.paid
    for line, worked in zip(told["lines"], case.lines, strict=True):
        if worked.units is not None:
            units = [unit["total_minor"] for unit in line["units"] for _ in range(unit["quantity"])]
            assert units == [case.minor(price) for price in worked.units]
    assert told["shipping"]["total_minor"] == case.paid_shipping
    assert told["total_minor"] == case.minor(case.total)
    applied = {one.key: one for one in evaluation.applied}
    assert {key: one.discount_minor for key, one in applied.items()} == {
        key: case.minor(offer.takes) for key, offer in case.applied.items()
    }
    for key, offer in case.applied.items():
        assert [known(benefit) for benefit in applied[key].benefits] == case.benefits(offer)
        if offer.by_line is not None:
            assert list(applied[key].lines) == [case.minor(amount) for amount in offer.by_line]
    missed = {one.key: one for one in evaluation.not_applied}
    assert missed.keys() == case.refused.keys()
    for key, offer in case.refused.items():
        assert [reason.code for reason in missed[key].reasons] == [f"incentives.{code}" for code in offer.refused]
        assert missed[key].is_near_miss is offer.is_near_miss
        if offer.missing is not None:
            assert missed[key].reasons[0].params["missing_minor"] == case.minor(offer.missing)


@pytest.mark.parametrize("name", WORKED)
def test_the_order_of_lines_does_not_matter(name):
    case = WORKED[name]
    stacking = Stacking.model_validate(in_minor(case.policy))
    offers = [offer_of(key, offer) for key, offer in case.offers.items()]
    backwards = basket_of(case.model_copy(update={"lines": case.lines[::-1]}))
    told = evaluate(offers, backwards, stacking).as_json()
    assert [line["total_minor"] for line in told["lines"]] == case.paid[::-1]
    assert told["total_minor"] == case.minor(case.total)


@pytest.mark.parametrize("name", [name for name, case in WORKED.items() if case.returns])
def test_returned_by_hand(name):
    case = WORKED[name]
    offers = [offer_of(key, offer) for key, offer in case.offers.items()]
    effects = evaluate(offers, basket_of(case), Stacking.model_validate(in_minor(case.policy))).as_json()
    before = [0] * len(case.lines)
    for worked in case.returns:
        part = returned(effects, before, worked.quantities).as_json(effects)
        before = [had + came for had, came in zip(before, worked.units, strict=True)]
        assert part["discount_minor"] == case.minor(worked.discount)
        assert part["refund_minor"] == case.minor(worked.refund)
        assert part["shipping_discount_minor"] == case.minor(worked.shipping)
        assert part["is_last"] is (before == [line.quantity for line in case.lines])


def test_there_are_enough_of_them():
    assert len(WORKED) >= 150


def known(benefit):
    return {name: value for name, value in benefit.items() if value is not None}


def basket_of(case: WorkedBasket) -> Basket:
    shopper = case.shopper
    return Basket(
        currency=case.currency,
        lines=tuple(
            Line(
                line.sku,
                line.quantity,
                case.minor(line.price),
                line.category,
                frozenset(line.tags),
                line.discounted,
                line.low_margin,
                case.minor(line.minimum or "0"),
                line.is_unpriced,
            )
            for line in case.lines
        ),
        shipping_minor=case.minor(case.shipping),
        country=case.country,
        channel=case.channel,
        shopper=Shopper()
        if shopper is None
        else Shopper(
            None if shopper.is_guest else 7,
            True,
            shopper.orders,
            frozenset(SEGMENTS[segment] for segment in shopper.segments),
            frozenset([shopper.tier]),
        ),
        region=case.region,
        store=case.store,
        payment_method=case.payment_method,
        attributes=case.attributes,
        at=case.at,
    )


def offer_of(key: str, offer: WorkedOffer) -> Offer:
    told = in_minor(offer.rule)
    for condition in told.get("conditions", ()):
        if condition["kind"] == "in_segments":
            condition["segments"] = [SEGMENTS[segment] for segment in condition["segments"]]
    rule = IncentiveRule.model_validate({"name": key, **told})
    return Offer(key, with_terms(rule, in_minor(offer.terms or {})), offer.is_automatic)
