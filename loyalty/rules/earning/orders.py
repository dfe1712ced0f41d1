"""Earning for orders: by what was paid, by the units bought, or for each order.

Everything is reckoned exactly, in the shop's base currency at the rate of the order's day, and rounded once: down, at
the end of each rule. So a part of an order that came back leaves what the rest would have earned by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar, Literal

from loyalty.facts import Line, OrderFact
from loyalty.rules.earning.base import OfOrders
from loyalty.rules.parts import Amount, Goods, Minor
from loyalty.sentences import Teller
from retention.incentives.parts import Units


class OrderRule(OfOrders):
    """For orders of which at least so much was paid in the base currency.

    An order of which nothing was paid with what counts earns nothing.
    """

    about: ClassVar[str] = "order"

    from_minor: Minor | None = None

    def takes(self, line: Line) -> bool:
        """Whether it is about this line."""
        return True

    def worth(self, fact: OrderFact, lines: Sequence[Line]) -> Fraction:
        """What the order earns by these of its lines, before tiers, caps and rounding; 0 for nothing."""
        raise NotImplementedError

    def _is_enough(self, fact: OrderFact) -> bool:
        if fact.uncounted_minor and fact.uncounted_minor >= fact.total_minor:
            return False
        return self.from_minor is None or paid(fact, fact.lines, with_shipping=True) >= self.from_minor


class PerAmount(OrderRule):
    """So much for every so much that was paid: 1 for every 1.00, or 10.00 for every whole 50.00.

    Attributes:
        amount, per_minor: so much for so much of the base currency.
        is_whole: what is short of the next `per_minor` earns nothing.
        of: "paid" is after all discounts, "before" is what the goods cost without any.
        with_shipping, with_tax: whether those count.
    """

    kind: Literal["per_amount"] = "per_amount"
    amount: Amount
    per_minor: Minor
    is_whole: bool = False
    of: Literal["paid", "before"] = "paid"
    with_shipping: bool = False
    with_tax: bool = True
    goods: Goods = Goods()

    def takes(self, line: Line) -> bool:
        return self.goods.holds(line.sku, line.category, line.tags)

    def worth(self, fact: OrderFact, lines: Sequence[Line]) -> Fraction:
        if not self._is_enough(fact):
            return Fraction(0)
        basis = paid(
            fact,
            lines,
            is_before=self.of == "before",
            with_shipping=self.with_shipping and self.goods.is_everything,
            with_tax=self.with_tax,
        )
        if self.is_whole:
            return Fraction(self.amount * (basis // self.per_minor))
        return Fraction(self.amount * basis, self.per_minor)

    def what(self, teller: Teller) -> str:
        goods = "" if self.goods.is_everything else teller.say("basis_goods", what=self.goods.sentence(teller))
        said = teller.say(
            "per_amount_full" if self.is_whole else "per_amount",
            n=teller.amount(self.amount),
            per=teller.money(self.per_minor),
            basis=teller.say(f"basis_{self.of}"),
            goods=goods,
        )
        more = [teller.say("with_shipping")] if self.with_shipping else []
        more += [] if self.with_tax else [teller.say("without_tax")]
        return ", ".join([said, *more, *_bounds(self, teller)])


class PerUnit(OrderRule):
    """So much for each unit of some goods, at most for so many of one order."""

    kind: Literal["per_unit"] = "per_unit"
    amount: Amount
    goods: Goods
    most_units: Units | None = None

    def takes(self, line: Line) -> bool:
        return self.goods.holds(line.sku, line.category, line.tags)

    def worth(self, fact: OrderFact, lines: Sequence[Line]) -> Fraction:
        if not self._is_enough(fact):
            return Fraction(0)
        units = sum(line.kept for line in lines)
        return Fraction(self.amount * min(units, self.most_units or units))

    def what(self, teller: Teller) -> str:
        parts = [teller.say("per_unit", n=teller.amount(self.amount), what=self.goods.sentence(teller))]
        if self.most_units:
            parts.append(teller.say("most_units", self.most_units))
        return ", ".join([*parts, *_bounds(self, teller)])


class PerOrder(OrderRule):
    """So much for each order of which anything was kept."""

    kind: Literal["per_order"] = "per_order"
    amount: Amount

    def worth(self, fact: OrderFact, lines: Sequence[Line]) -> Fraction:
        is_kept = any(line.kept for line in lines) and self._is_enough(fact)
        return Fraction(self.amount if is_kept else 0)

    def what(self, teller: Teller) -> str:
        return ", ".join([teller.say("per_order", n=teller.amount(self.amount)), *_bounds(self, teller)])


def _bounds(rule: OrderRule, teller: Teller) -> list[str]:
    words = []
    if rule.from_minor:
        words.append(teller.say("from_order", least=teller.money(rule.from_minor)))
    return [*words, *rule.ways(teller)]


def paid(
    fact: OrderFact,
    lines: Sequence[Line],
    *,
    is_before: bool = False,
    with_shipping: bool = False,
    with_tax: bool = True,
) -> Fraction | int:
    """What was paid for what was kept of these lines, in minor units of the base currency, exactly.

    A discount of the whole order is shared out over its lines by what they cost; tax, what was refunded without a line,
    and what was paid with something that does not count, over the whole. Most orders take no fraction.
    """
    minor: Fraction | int
    if is_before:
        minor = sum([line.kept * line.unit_price_minor for line in lines])
    else:
        minor = sum([line.total_minor if line.kept == line.quantity else _kept(line) for line in lines])
        goods = sum([line.total_minor for line in fact.lines])
        if fact.discount_minor and goods:
            minor *= Fraction(max(goods - fact.discount_minor, 0), goods)
    if with_shipping and any(line.kept for line in fact.lines):
        minor += fact.shipping_minor
    total = fact.total_minor
    for out in (0 if with_tax else fact.tax_minor, fact.refunded_minor, fact.uncounted_minor):
        if out and total:
            minor *= Fraction(max(total - out, 0), total)
    return minor * fact.rate


def _kept(line: Line) -> Fraction:
    return Fraction(line.total_minor * line.kept, line.quantity)
