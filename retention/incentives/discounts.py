"""The discount engine: a basket and offers in; effects on each line and the shipping, totals and reasons out. Pure.

How amounts are rounded and shared, everywhere:

* A percentage is taken of all goods in scope together and rounded once, to the nearest minor unit, halves up.
* The discount is shared over the lines in proportion to what they cost, by largest remainder, so that the shares sum
  exactly to it. Lines are put in an order of their own first: the basket's order changes nothing.
* No line goes below its minimum price. What a percentage cannot take off such a line is not taken; what an amount
  cannot take off it comes off the other lines, as far as they have room.
* A cap is applied last and shared in the proportion of what it cuts.
* Later offers see what earlier ones left.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention import money
from retention.incentives.baskets import Basket, Line
from retention.incentives.cart_conditions import WrongCurrency
from retention.incentives.rules import AmountOff, FreeShipping, IncentiveRule, PercentOff
from retention.refusals import Refusal, Refused


class NothingInScope(Refused):
    code = "incentives.nothing_in_scope"
    sentence = _("Nothing in the basket is what this offer is for.")


class AtMinimumPrice(Refused):
    code = "incentives.at_minimum_price"
    sentence = _("The products that this offer is for are at their lowest price already.")


class NoEffect(Refused):
    code = "incentives.no_effect"
    sentence = _("This offer takes less than the smallest coin off this basket.")


class NoShippingToPay(Refused):
    code = "incentives.no_shipping_to_pay"
    sentence = _("There is no shipping to pay for.")


class AmountMissing(Refused):
    code = "incentives.amount_missing"
    sentence = _("This offer has an amount for each customer, and this code has none.")


@dataclass(frozen=True)
class Applied:
    """What one offer took off: for each line of the basket, in its order, and off the shipping."""

    key: Hashable
    lines: tuple[int, ...]
    shipping_minor: int

    @property
    def discount_minor(self) -> int:
        return sum(self.lines) + self.shipping_minor


@dataclass(frozen=True)
class NotApplied:
    """Why one offer did not hold: every reason, the first being the one to tell."""

    key: Hashable
    reasons: tuple[Refusal, ...]
    #: A fuller basket would do: worth telling the shopper what is missing.
    is_near_miss: bool = False


@dataclass(frozen=True)
class Evaluation:
    """A basket after its offers."""

    basket: Basket
    applied: tuple[Applied, ...]
    not_applied: tuple[NotApplied, ...]

    @property
    def discount_minor(self) -> int:
        return sum(one.discount_minor for one in self.applied)

    @property
    def total_minor(self) -> int:
        return self.basket.total_minor - self.discount_minor

    def as_json(self) -> dict[str, Any]:
        """What is told to the shop and kept with a redemption; amounts in minor units of the basket's currency."""
        off = [sum(one.lines[at] for one in self.applied) for at in range(len(self.basket.lines))]
        off_shipping = sum(one.shipping_minor for one in self.applied)
        return {
            "currency": self.basket.currency,
            "lines": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "amount_minor": line.amount_minor,
                    "discount_minor": taken,
                    "total_minor": line.amount_minor - taken,
                }
                for line, taken in zip(self.basket.lines, off, strict=True)
            ],
            "shipping": {
                "amount_minor": self.basket.shipping_minor,
                "discount_minor": off_shipping,
                "total_minor": self.basket.shipping_minor - off_shipping,
            },
            "goods_minor": self.basket.goods_minor,
            "discount_minor": self.discount_minor,
            "total_minor": self.total_minor,
        }


@dataclass
class _Left:
    """What is left of the basket while offers are applied, its lines in canonical order."""

    basket: Basket
    #: Canonical place → place in the basket.
    places: list[int]
    lines: list[Line]
    amounts: list[int]
    rooms: list[int]
    shipping: int

    @classmethod
    def of(cls, basket: Basket) -> _Left:
        places = sorted(range(len(basket.lines)), key=[_canonical(line) for line in basket.lines].__getitem__)
        lines = [basket.lines[at] for at in places]
        return cls(
            basket,
            places,
            lines,
            [line.amount_minor for line in lines],
            [line.room_minor for line in lines],
            basket.shipping_minor,
        )

    def take(self, lines: Sequence[int], shipping: int) -> None:
        self.amounts = [left - off for left, off in zip(self.amounts, lines, strict=True)]
        self.rooms = [left - off for left, off in zip(self.rooms, lines, strict=True)]
        self.shipping -= shipping

    def in_basket_order(self, lines: Sequence[int]) -> tuple[int, ...]:
        ordered = [0] * len(lines)
        for at, place in enumerate(self.places):
            ordered[place] = lines[at]
        return tuple(ordered)


def evaluate(offers: Iterable[tuple[Hashable, IncentiveRule]], basket: Basket) -> Evaluation:
    """Apply offers, named by a key of the caller's, one after the other.

    Limits, codes and dates are not the engine's business: it is told what holds otherwise.
    """
    left = _Left.of(basket)
    applied: list[Applied] = []
    not_applied: list[NotApplied] = []
    for key, rule in offers:
        failed = [(c, refusal) for c in rule.conditions if (refusal := c.refusal(basket)) is not None]
        reasons = tuple(refusal for _condition, refusal in failed) or _other_currency(rule, basket)
        if reasons:
            near = bool(failed) and all(
                condition.is_near_miss and refusal.code != WrongCurrency.code for condition, refusal in failed
            )
            not_applied.append(NotApplied(key, reasons, near and not _other_currency(rule, basket)))
            continue
        lines, shipping, reasons = _effects(rule, left)
        if not any(lines) and not shipping:
            not_applied.append(NotApplied(key, reasons))
            continue
        left.take(lines, shipping)
        applied.append(Applied(key, left.in_basket_order(lines), shipping))
    return Evaluation(basket, tuple(applied), tuple(not_applied))


def share(total: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """Share `total` over lines in proportion to `weights`, none above its room; what one cannot take, others do.

    The shares sum to `total`, or to all the room there is (of lines with a weight).
    """
    shares = [0] * len(weights)
    open_lines = [at for at, weight in enumerate(weights) if weight and rooms[at]]
    left = min(total, sum(rooms[at] for at in open_lines))
    while left:
        parts = dict(zip(open_lines, money.split(left, [weights[at] for at in open_lines]), strict=True))
        full = [at for at in open_lines if parts[at] >= rooms[at]]
        if all(parts[at] == rooms[at] for at in full):
            for at, part in parts.items():
                shares[at] = part
            return shares
        # Lines that would go below their minimum price stay at it, and the rest is shared anew over the others.
        for at in full:
            shares[at] = rooms[at]
            left -= rooms[at]
        open_lines = [at for at in open_lines if at not in full]
    return shares


def percent_of(amount_minor: int, basis_points: int) -> int:
    """Hundredths of a percent of an amount that is not negative, to the nearest minor unit, halves up."""
    return (amount_minor * basis_points + 5_000) // 10_000


def _effects(rule: IncentiveRule, left: _Left) -> tuple[list[int], int, tuple[Refusal, ...]]:
    lines, shipping = [0] * len(left.amounts), 0
    reasons: list[Refusal] = []
    for effect in rule.effects:
        if isinstance(effect, FreeShipping):
            shipping = min(left.shipping, effect.cap.get(left.basket.currency, left.shipping))
            if not shipping:
                reasons.append(NoShippingToPay().as_refusal())
            continue
        weights = [
            amount if effect.scope.holds(line) else 0 for amount, line in zip(left.amounts, left.lines, strict=True)
        ]
        lines = _percent(effect, weights, left) if isinstance(effect, PercentOff) else _amount(effect, weights, left)
        if not any(weights):
            reasons.append(NothingInScope().as_refusal())
        elif not any(lines):
            has_room = any(weight and room for weight, room in zip(weights, left.rooms, strict=True))
            reasons.append((NoEffect() if has_room else AtMinimumPrice()).as_refusal())
    return lines, shipping, tuple(reasons)


def _percent(effect: PercentOff, weights: list[int], left: _Left) -> list[int]:
    total = percent_of(sum(weights), effect.basis_points)
    parts = [min(part, room) for part, room in zip(money.split(total, weights), left.rooms, strict=True)]
    cap = effect.cap.get(left.basket.currency)
    return parts if cap is None or sum(parts) <= cap else money.split(cap, parts)


def _amount(effect: AmountOff, weights: list[int], left: _Left) -> list[int]:
    return share(effect.amounts[left.basket.currency], weights, left.rooms)


def _other_currency(rule: IncentiveRule, basket: Basket) -> tuple[Refusal, ...]:
    """Amounts, caps and budgets are in named currencies: a basket in another one never matches by accident."""
    currency = basket.currency
    if rule.limits.money and rule.limits.money.currency != currency:
        return (WrongCurrency(currency=currency).as_refusal(),)
    for effect in rule.effects:
        if isinstance(effect, AmountOff):
            if not effect.amounts:
                return (AmountMissing().as_refusal(),)
            if currency not in effect.amounts:
                return (WrongCurrency(currency=currency).as_refusal(),)
        elif effect.cap and currency not in effect.cap:
            return (WrongCurrency(currency=currency).as_refusal(),)
    return ()


def _canonical(line: Line) -> tuple:
    return (
        line.sku,
        line.unit_price_minor,
        line.quantity,
        line.minimum_price_minor,
        line.is_discounted,
        line.is_low_margin,
        line.is_unpriced,
        line.category,
        sorted(line.tags),
    )
