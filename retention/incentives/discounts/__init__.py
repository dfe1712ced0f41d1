"""The discount engine: a basket and offers in; effects on each line, unit and the shipping, and reasons out. Pure.

How amounts are rounded and shared, everywhere:

* A percentage is taken of all goods in scope together and rounded once, to the nearest minor unit, halves up.
* The discount is shared over the lines in proportion to what they cost, by largest remainder, so that the shares sum
  exactly to it; among equal remainders the heavier line is first. An amount may be shared by quantity instead. Lines
  are put in an order of their own before: the basket's order changes nothing.
* A line's share is shared over its units the same way. Where it does not go up in units that are alike, as many of
  them as there are odd minor units bear one more: 2.00 off three units is 0.67, 0.67 and 0.66.
* No unit goes below its product's minimum price. What a percentage cannot take off it is not taken; what an amount
  cannot take off it comes off the others, as far as they have room.
* A cap cuts what an effect takes off, in proportion. The shop's ceiling cuts the offer that would pass it the same
  way, goods against shipping first. A share of the basket as a ceiling is rounded down.
* Effects of one offer work one after the other. So do offers, the higher priority first; among equals those that take
  an amount off the whole after the others, then as they were told. Each sees what those before it left, unless its
  percentages are of the first prices.
* Money back is a percentage of what is paid in the end, rounded once in the same way.
* What an offer is worth is what it takes off and gives in money of the basket's currency; the best deal is the allowed
  combination worth most, then the one with more benefits besides, then the one whose first offer has the higher
  priority.
* All amounts of an offer name the basket's currency, or the offer is not for that basket.
"""

from __future__ import annotations

from collections.abc import Iterable

from retention.incentives.baskets import Basket
from retention.incentives.carts import Cart, difference
from retention.incentives.discounts.combining import EXACT, Combining, Deal
from retention.incentives.discounts.evaluations import Applied, Evaluation, NotApplied
from retention.incentives.discounts.offers import Offer
from retention.incentives.rules import Stacking

__all__ = ["EXACT", "Applied", "Evaluation", "NotApplied", "Offer", "evaluate"]

DEFAULT = Stacking()


def evaluate(offers: Iterable[Offer], basket: Basket, stacking: Stacking = DEFAULT) -> Evaluation:
    """What these offers do to the basket, under the shop's policy for several in one order.

    Limits, codes and dates are not the engine's business: it is told what holds otherwise. An offer that does nothing
    is not applied, and says why.
    """
    offers = list(offers)
    start = Cart.of(basket)
    combining = Combining(offers, start, stacking)
    deal = combining.deal()
    end = deal.end
    return Evaluation(
        basket,
        tuple(_applied(deal)),
        tuple(
            NotApplied(offers[at].key, missed.reasons, missed.is_near_miss)
            for at, missed in sorted(combining.missed.items())
        ),
        end.in_basket_order([tuple((count, left) for left, count in units) for units in end.units]),
    )


def _applied(deal: Deal) -> Iterable[Applied]:
    before = deal.start
    for candidate, after in deal.steps:
        takes = difference(before, after)
        yield Applied(
            candidate.offer.key,
            after.in_basket_order([sum([off for _at, _left, _count, off in line]) for line in takes]),
            before.shipping_minor - after.shipping_minor,
            after.in_basket_order(
                [tuple([(count, off // count) for _at, _left, count, off in line]) for line in takes]
            ),
            tuple(candidate.benefits(deal.end)),
            before,
        )
        before = after
