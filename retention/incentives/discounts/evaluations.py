"""What comes of a basket and its offers: what was applied, what was not and why, by offer, line and unit."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from retention.incentives.baskets import Basket
from retention.incentives.carts import Cart
from retention.refusals import Refusal

#: Units that are alike: how many, and what comes off each or what each costs in the end.
Alike = tuple[int, int]


@dataclass(frozen=True)
class Applied:
    """What one offer took off: for each line of the basket, in its order, and off the shipping; and what it gives.

    `units` are those of each line that it took something off; their sum is the line's.
    """

    key: Hashable
    lines: tuple[int, ...]
    shipping_minor: int
    units: tuple[tuple[Alike, ...], ...] = ()
    benefits: tuple[Mapping[str, Any], ...] = ()
    #: What it worked on.
    before: Cart | None = field(default=None, compare=False, repr=False)

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
    """A basket after its offers, `applied` in the order in which they worked."""

    basket: Basket
    applied: tuple[Applied, ...]
    not_applied: tuple[NotApplied, ...]
    #: What the units of each line cost in the end, the dearest first.
    units: tuple[tuple[Alike, ...], ...]

    @property
    def discount_minor(self) -> int:
        return sum([one.discount_minor for one in self.applied])

    @property
    def total_minor(self) -> int:
        return self.basket.total_minor - self.discount_minor

    def as_json(self) -> dict[str, Any]:
        """What is told to the shop and kept with a redemption; amounts in minor units of the basket's currency."""
        off = [sum([one.lines[at] for one in self.applied]) for at in range(len(self.basket.lines))]
        off_shipping = sum([one.shipping_minor for one in self.applied])
        return {
            "currency": self.basket.currency,
            "lines": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "amount_minor": line.amount_minor,
                    "discount_minor": taken,
                    "total_minor": line.amount_minor - taken,
                    "units": [{"quantity": count, "total_minor": left} for count, left in units],
                }
                for line, taken, units in zip(self.basket.lines, off, self.units, strict=True)
            ],
            "shipping": {
                "amount_minor": self.basket.shipping_minor,
                "discount_minor": off_shipping,
                "total_minor": self.basket.shipping_minor - off_shipping,
            },
            "goods_minor": self.basket.goods_minor,
            "discount_minor": self.discount_minor,
            "total_minor": self.total_minor,
            "offers": [
                {
                    "key": one.key,
                    "discount_minor": one.discount_minor,
                    "lines": list(one.lines),
                    "shipping_minor": one.shipping_minor,
                    "benefits": [dict(benefit) for benefit in one.benefits],
                }
                for one in self.applied
            ],
        }
