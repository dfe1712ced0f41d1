"""What each tender pays of an order, line by line, and what of it comes back with returns. Pure.

Tenders pay in the order given, each what it may: a restricted gift card only its own lines, a unit no more than its
share of the order. What one pays is split over what is left of the lines (and of the shipping) in proportion, so that
no line is paid twice and a returned line knows who paid for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention import money
from retention.ledger.units import UnitRule
from retention.refusals import Refused


class TenderOtherCurrency(Refused):
    code = "incentives.tender_other_currency"
    sentence = _("%(name)s cannot pay in %(currency)s.")


class TenderNotForThese(Refused):
    code = "incentives.tender_not_for_these"
    sentence = _("Nothing in this basket may be paid with %(name)s.")


class TenderEmpty(Refused):
    code = "incentives.tender_empty"
    sentence = _("Nothing is left on %(name)s.")


class TenderTooSmall(Refused):
    code = "incentives.tender_too_small"
    sentence = _("%(name)s can pay %(available)s of this order, not %(wanted)s.")


@dataclass(frozen=True)
class Purse:
    """What may be paid with: a gift card, or what a customer has in a unit.

    Attributes:
        name: as it is told in refusals: a code's last symbols, or the unit's name.
        available: in the unit's smallest part.
        products, categories: all that it may pay for; both empty: everything, the shipping too.
    """

    account_id: int
    name: str
    unit_key: str
    rule: UnitRule
    available: int
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    @property
    def is_restricted(self) -> bool:
        return bool(self.products or self.categories)

    def pays_for(self, sku: str, category: str) -> bool:
        if not self.rule.pays_for(sku, category):
            return False
        below = (category == path or category.startswith(path + "/") for path in self.categories)
        return not self.is_restricted or sku in self.products or any(below)


@dataclass(frozen=True)
class Bill:
    """What an order costs after its discounts, in minor units of its currency."""

    currency: str
    #: (product, category, amount) of each line.
    lines: tuple[tuple[str, str, int], ...]
    shipping_minor: int

    @property
    def total_minor(self) -> int:
        return sum(amount for _sku, _category, amount in self.lines) + self.shipping_minor


@dataclass(frozen=True)
class Paid:
    """What one tender pays: `amount` in its unit, worth `minor` in the order's currency, over the lines."""

    purse: Purse
    amount: int
    minor: int
    lines: tuple[int, ...]
    shipping_minor: int


def pay(bill: Bill, tenders: Sequence[tuple[Purse, int | None]]) -> list[Paid]:
    """What each of these pays, in their order.

    Args:
        tenders: purse and how much of its unit to take; None: as much as it can pay.

    Raises:
        TenderOtherCurrency, TenderNotForThese, TenderEmpty
        TenderTooSmall: it cannot pay the amount that was asked for.
    """
    left = [amount for _sku, _category, amount in bill.lines]
    left_shipping = bill.shipping_minor
    taken: dict[int, int] = {}
    shares: dict[str, int] = {}
    paid = []
    for purse, wanted in tenders:
        if not purse.rule.is_payable_in(bill.currency):
            raise TenderOtherCurrency(name=purse.name, currency=bill.currency)
        weights = [
            amount if purse.pays_for(sku, category) else 0
            for (sku, category, _amount), amount in zip(bill.lines, left, strict=True)
        ]
        weights.append(0 if purse.is_restricted else left_shipping)
        share = bill.total_minor * purse.rule.most_basis_points // 10_000 - shares.get(purse.unit_key, 0)
        available = purse.available - taken.get(purse.account_id, 0)
        amount, minor = _most(purse, available, min(sum(weights), share), bill, wanted)
        parts = money.split(minor, weights)
        left = [had - part for had, part in zip(left, parts, strict=False)]
        left_shipping -= parts[-1]
        taken[purse.account_id] = taken.get(purse.account_id, 0) + amount
        shares[purse.unit_key] = shares.get(purse.unit_key, 0) + minor
        if amount:
            paid.append(Paid(purse, amount, minor, tuple(parts[:-1]), parts[-1]))
    return paid


def _most(purse: Purse, available: int, room: int, bill: Bill, wanted: int | None) -> tuple[int, int]:
    """How much it pays, in its unit and in minor units; nothing where the order is paid already."""
    has_none = not any(purse.pays_for(sku, category) for sku, category, _amount in bill.lines)
    if bill.total_minor and has_none and (purse.is_restricted or not bill.shipping_minor):
        raise TenderNotForThese(name=purse.name)
    if available <= 0:
        raise TenderEmpty(name=purse.name)
    currency = bill.currency
    minor = min(room, purse.rule.in_minor(available, currency))
    amount = min(available, purse.rule.for_minor(minor, currency)) if minor > 0 else 0
    if wanted is None:
        return amount, max(0, minor)
    if wanted > amount:
        show = purse.rule.show
        raise TenderTooSmall(name=purse.name, available=show(amount), wanted=show(wanted))
    return wanted, purse.rule.in_minor(wanted, currency)


@dataclass(frozen=True)
class GivenBack:
    """What comes back of one tender with a return."""

    amount: int
    minor: int


def give_back(
    *, amount: int, minor: int, lines: Sequence[int], bought: Sequence[int], before: Sequence[int],
    after: Sequence[int], is_last: bool,
) -> GivenBack:  # fmt: skip
    """What a tender of `amount`, worth `minor`, gives back when returns grow from `before` to `after`.

    Args:
        lines: what it paid of each line, in minor units.
        bought, before, after: units of each line.

    Over any sequence of returns the parts sum exactly to the whole; shipping comes back with the last unit.
    """
    had = _minor_of(lines, bought, before)
    has = minor if is_last else _minor_of(lines, bought, after)
    return GivenBack(_rounded(amount * has, minor) - _rounded(amount * had, minor), has - had)


def share_of(amount: int, before: int, after: int, whole: int) -> int:
    """What of an amount goes back when so much of a whole came back before, and so much by now."""
    return _rounded(amount * after, whole) - _rounded(amount * before, whole) if whole else 0


def bill_of(effects: Mapping[str, Any], categories: Sequence[str]) -> Bill:
    """What is left to pay after an evaluation's discounts; `categories` are those of its lines."""
    return Bill(
        currency=effects["currency"],
        lines=tuple(
            (line["sku"], category, line["total_minor"])
            for line, category in zip(effects["lines"], categories, strict=True)
        ),
        shipping_minor=effects["shipping"]["total_minor"],
    )


def as_json(paid: Sequence[Paid], codes: Sequence[str | None]) -> list[dict[str, Any]]:
    """What is told to the shop and kept with the redemption."""
    return [
        {
            "code": code,
            "unit": one.purse.unit_key,
            "amount": one.amount,
            "amount_minor": one.minor,
            "lines": list(one.lines),
            "shipping_minor": one.shipping_minor,
        }
        for one, code in zip(paid, codes, strict=True)
    ]


def _minor_of(lines: Sequence[int], bought: Sequence[int], units: Sequence[int]) -> int:
    return sum(_rounded(paid * n, of) for paid, n, of in zip(lines, units, bought, strict=True))


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator) if denominator else 0
