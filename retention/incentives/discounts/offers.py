"""One offer at a cart: whether it holds, and the cart after it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from retention import money
from retention.incentives.carts import Cart, difference
from retention.incentives.parts import WrongCurrency
from retention.incentives.rules import IncentiveRule
from retention.incentives.rules.effects.base import FreeProductMissing, SetIncomplete, TierNotReached, TooFewForTier
from retention.incentives.sharing import cut
from retention.refusals import Refusal, Refused

#: Refusals of effects that a fuller basket could lift.
NEAR_MISSES = frozenset(one.code for one in (SetIncomplete, TierNotReached, TooFewForTier, FreeProductMissing))


class AmountMissing(Refused):
    code = "incentives.amount_missing"
    sentence = _("This offer has an amount for each customer, and this code has none.")


class CeilingReached(Refused):
    code = "incentives.ceiling_reached"
    sentence = _("The discounts of this order come to as much as they may already.")


@dataclass(frozen=True)
class Offer:
    """A rule to be applied, under a key of the caller's; its grant's terms are folded in (`with_terms`).

    `is_automatic` is one that nobody typed.
    """

    key: Hashable
    rule: IncentiveRule
    is_automatic: bool = False


class Missed(NamedTuple):
    """Why an offer does nothing for this cart."""

    reasons: tuple[Refusal, ...]
    is_near_miss: bool = False
    #: A condition failed; else its effects did nothing.
    is_by_condition: bool = False


def missed_from_the_start(rule: IncentiveRule, cart: Cart) -> Missed | None:
    """Why it could hold for no cart that comes of this first one; None where it could."""
    currency = cart.basket.currency
    if rule.is_missing_amount:
        return Missed((AmountMissing().as_refusal(),))
    if rule.currencies is not None and currency not in rule.currencies:
        return Missed((WrongCurrency(currency=currency).as_refusal(),))
    return _conditions(rule, cart, "initial")


def attempt(rule: IncentiveRule, cart: Cart, most_minor: int | None = None) -> Cart | Missed:
    """The cart after this offer, or why it does nothing; `most_minor` is what is left below the ceiling.

    An offer that gives benefits alone leaves the very same cart.
    """
    missed = _conditions(rule, cart, "before")
    if missed is not None:
        return missed
    is_initial = rule.stacking.base == "initial"
    after, gives, reasons = cart, False, []
    for effect in rule.effects:
        taken = effect.work(after, is_initial=is_initial)
        if isinstance(taken, Refusal):
            reasons.append(taken)
            continue
        gives = gives or taken.gives
        if taken.takes or taken.shipping_minor:
            after = after.less(taken.takes, taken.shipping_minor)
    if most_minor is not None and cart.total_minor - after.total_minor > most_minor:
        after = _cut_to(most_minor, cart, after)
        reasons.append(CeilingReached().as_refusal())
    if not gives and after.total_minor == cart.total_minor:
        return Missed(tuple(reasons), bool(reasons) and all(reason.code in NEAR_MISSES for reason in reasons))
    return _conditions(rule, after, "after") or after


def hints(rule: IncentiveRule, cart: Cart) -> list[Refusal]:
    """What an offer that works on this cart would do more for a fuller one."""
    is_initial, found = rule.stacking.base == "initial", []
    for effect in rule.effects:
        taken = effect.work(cart, is_initial=is_initial)
        if isinstance(taken, Refusal):
            continue
        if (hint := effect.hint(cart, is_initial=is_initial)) is not None:
            found.append(hint)
        cart = cart.less(taken.takes, taken.shipping_minor)
    return found


def _conditions(rule: IncentiveRule, cart: Cart, meaning: str) -> Missed | None:
    failed = [
        (condition, refusal)
        for condition in rule.asked.get(meaning, ())
        if (refusal := condition.refusal(cart)) is not None
    ]
    if not failed:
        return None
    is_near = meaning != "after" and all(condition.is_near_miss for condition, _refusal in failed)
    return Missed(tuple(refusal for _condition, refusal in failed), is_near, is_by_condition=True)


def _cut_to(most_minor: int, before: Cart, after: Cart) -> Cart:
    """So much of what was taken off between two carts, goods and shipping in the same proportion."""
    takes = [take for line in difference(before, after) for take in line]
    shipping = before.shipping_minor - after.shipping_minor
    goods = sum([take[3] for take in takes])
    off_goods, off_shipping = money.split(most_minor, [goods, shipping])
    return before.less(cut(takes, off_goods), off_shipping)
