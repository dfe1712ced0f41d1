"""What comes back of a redemption's discount when lines are returned: exact over any sequence of returns. Pure.

Of a line of which `quantity` units were bought, the discount of the first n returned units together is the line's
discount × n ÷ quantity, to the nearest minor unit, halves up. Each return gives what this grew by; so the parts of any
sequence sum to the whole. What was taken off the shipping comes back with the last unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Returned:
    """What one return gives back; amounts in minor units."""

    #: Place of a line → how many of its units come back with this.
    quantities: Mapping[int, int]
    #: Offer by offer: what comes back of its discount on each line.
    offers: tuple[tuple[int, ...], ...]
    #: Offer by offer, for the shipping.
    shipping: tuple[int, ...]
    #: Nothing of the redemption is left after it.
    is_last: bool
    #: Units of each line that had come back before.
    before: tuple[int, ...] = ()

    @property
    def after(self) -> tuple[int, ...]:
        """Units of each line that have come back with it."""
        return tuple(had + self.quantities.get(place, 0) for place, had in enumerate(self.before))

    @property
    def of_offers(self) -> list[int]:
        """What comes back of each offer's discount."""
        return [sum(lines) + shipping for lines, shipping in zip(self.offers, self.shipping, strict=True)]

    @property
    def discount_minor(self) -> int:
        return sum(self.of_offers)

    def as_json(self, effects: Mapping[str, Any]) -> dict[str, Any]:
        """What the customer is owed and what of the discount goes back, by line; `effects` are the redemption's."""
        lines = []
        for place, quantity in sorted(self.quantities.items()):
            line = effects["lines"][place]
            amount = line["amount_minor"] // line["quantity"] * quantity
            discount = sum(of_lines[place] for of_lines in self.offers)
            lines.append(
                {
                    "line": place,
                    "sku": line["sku"],
                    "quantity": quantity,
                    "amount_minor": amount,
                    "discount_minor": discount,
                    "refund_minor": amount - discount,
                }
            )
        return {
            "currency": effects["currency"],
            "lines": lines,
            "shipping_discount_minor": sum(self.shipping),
            "discount_minor": self.discount_minor,
            "refund_minor": sum(line["refund_minor"] for line in lines),
            "is_last": self.is_last,
        }


def returned(effects: Mapping[str, Any], before: Sequence[int], quantities: Mapping[int, int]) -> Returned:
    """What comes back when `quantities` of the lines are returned after `before` of each were.

    Args:
        effects: of a redemption: `lines` with their quantities, `offers` with what each took off every line.
    """
    after = [had + quantities.get(place, 0) for place, had in enumerate(before)]
    bought = [line["quantity"] for line in effects["lines"]]
    is_last = after == bought
    offers = tuple(
        tuple(
            _of_first(discount, after[place], bought[place]) - _of_first(discount, before[place], bought[place])
            for place, discount in enumerate(offer["lines"])
        )
        for offer in effects["offers"]
    )
    shipping = tuple(offer["shipping_minor"] if is_last else 0 for offer in effects["offers"])
    return Returned({place: n for place, n in quantities.items() if n}, offers, shipping, is_last, tuple(before))


def paid_for(effects: Mapping[str, Any], units: Sequence[int]) -> int:
    """What was paid for so many units of each line; of an order that cost nothing, what they were worth."""
    lines = effects["lines"]
    price = "total_minor" if any(line["total_minor"] for line in lines) else "amount_minor"
    return sum(_of_first(line[price], n, line["quantity"]) for line, n in zip(lines, units, strict=True))


def _of_first(discount: int, units: int, quantity: int) -> int:
    return (2 * discount * units + quantity) // (2 * quantity)
