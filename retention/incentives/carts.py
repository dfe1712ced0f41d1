"""A basket while offers work on it: what each unit and the shipping cost still. Values, never changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from retention.incentives.baskets import Basket, Line
from retention.incentives.scopes import Scope
from retention.incentives.sharing import Pile, Take

#: What units of one line cost now, and how many of them, the dearest first.
Units = tuple[tuple[int, int], ...]
_T = TypeVar("_T")


class Goods:
    """What stays the same: the lines in an order of their own, so that the basket's order changes nothing."""

    def __init__(self, basket: Basket) -> None:
        self.basket = basket
        order = sorted(range(len(basket.lines)), key=[_canonical(line) for line in basket.lines].__getitem__)
        self.lines = [basket.lines[at] for at in order]
        #: Place in the basket → place here.
        self.places = sorted(range(len(order)), key=order.__getitem__)
        self.prices = [line.unit_price_minor for line in self.lines]
        #: What a unit of each line costs at the least.
        self.floors = [line.floor_minor for line in self.lines]
        self._in_scope: dict[int, tuple[Scope, list[int]]] = {}

    def in_scope(self, scope: Scope) -> list[int]:
        """The places of the lines that a scope means; asked often, found out once."""
        known = self._in_scope.get(id(scope))
        if known is None:
            places = list(range(len(self.lines)))
            if not scope.is_everything:
                places = [at for at in places if scope.holds(self.lines[at], self.basket.currency)]
            # The scope is kept with its answer: while it lives nothing else gets its id.
            known = self._in_scope[id(scope)] = (scope, places)
        return known[1]


class Cart:
    """The goods with what they cost now; each offer makes another cart of it."""

    __slots__ = ("goods", "goods_minor", "shipping_minor", "total_minor", "units")

    def __init__(self, goods: Goods, units: Sequence[Units], goods_minor: int, shipping_minor: int) -> None:
        self.goods = goods
        self.units = units
        #: What all goods cost now, and the shipping.
        self.goods_minor, self.shipping_minor = goods_minor, shipping_minor
        self.total_minor = goods_minor + shipping_minor

    @classmethod
    def of(cls, basket: Basket) -> Cart:
        goods = Goods(basket)
        units = [((line.unit_price_minor, line.quantity),) for line in goods.lines]
        return cls(goods, units, basket.goods_minor, basket.shipping_minor)

    @property
    def basket(self) -> Basket:
        return self.goods.basket

    @property
    def room_minor(self) -> int:
        """The most that could come off: goods down to their floors, and the shipping."""
        floors = self.goods.floors
        rooms = [max(0, left - floors[at]) * count for at, units in enumerate(self.units) for left, count in units]
        return sum(rooms) + self.shipping_minor

    def piles(self, scope: Scope) -> list[Pile]:
        """The units that a scope means and that cost something, line by line; of some, only those which it picks."""
        piles = [(at, *units) for at in self.goods.in_scope(scope) for units in self.units[at] if units[0]]
        if scope.units is None and scope.units_each is None:
            return piles
        return self._picked(piles, scope)

    def _picked(self, piles: list[Pile], scope: Scope) -> list[Pile]:
        piles.sort(key=lambda pile: pile[1], reverse=scope.pick == "dearest")
        each: dict[str, int] = {}
        left_to_pick, picked = scope.units, []
        for at, left, count in piles:
            if scope.units_each is not None:
                sku = self.goods.lines[at].sku
                count = min(count, scope.units_each - each.get(sku, 0))
                each[sku] = each.get(sku, 0) + count
            if left_to_pick is not None:
                count = min(count, left_to_pick)
                left_to_pick -= count
            if count:
                picked.append((at, left, count))
        return picked

    def less(self, takes: Sequence[Take], shipping_minor: int = 0) -> Cart:
        """The cart after this was taken off; what does not go up in a pile's units comes off its first ones."""
        units = list(self.units)
        changed: dict[int, dict[int, int]] = {}
        for at, left, count, off in takes:
            if units[at] == ((left, count),) and at not in changed:
                # As nearly always: the whole line was alike, and all of it changes.
                each, more = divmod(off, count)
                some, rest = (left - each, count - more), (left - each - 1, more)
                units[at] = (some, rest) if more else (some,)
                continue
            counts = changed.get(at)
            if counts is None:
                counts = changed[at] = dict(units[at])
            counts[left] -= count
            each, more = divmod(off, count)
            counts[left - each] = counts.get(left - each, 0) + count - more
            if more:
                counts[left - each - 1] = counts.get(left - each - 1, 0) + more
        for at, counts in changed.items():
            units[at] = tuple(sorted([pair for pair in counts.items() if pair[1]], reverse=True))
        goods_minor = self.goods_minor - sum([take[3] for take in takes])
        return Cart(self.goods, units, goods_minor, self.shipping_minor - shipping_minor)

    def dearest_minor(self, scope: Scope, units: int | None) -> int:
        """What so many units in scope cost at the most, all of them where no number is told."""
        piles = [(left, count) for at in self.goods.in_scope(scope) for left, count in self.units[at]]
        if units is None:
            return sum([left * count for left, count in piles])
        cost = 0
        for left, count in sorted(piles, reverse=True):
            count = min(count, units)
            cost, units = cost + left * count, units - count
        return cost

    def in_basket_order(self, values: Sequence[_T]) -> tuple[_T, ...]:
        return tuple([values[at] for at in self.goods.places])


def difference(before: Cart, after: Cart) -> list[list[Take]]:
    """What was taken off the units of each line between two carts, in the goods' order.

    Units of one line are alike, so they are told apart by nothing but their price: the cheapest before is the cheapest
    after.
    """
    return [
        _line_difference(at, old, new) if old != new else []
        for at, (old, new) in enumerate(zip(before.units, after.units, strict=True))
    ]


def _line_difference(at: int, old: Units, new: Units) -> list[Take]:
    if len(old) == 1:
        ((left, _all),) = old
        return [(at, left, count, (left - now) * count) for now, count in new if now != left]
    takes, rest = [], [list(units) for units in new]
    for left, count in old:
        while count:
            now, there = rest[0]
            both = min(count, there)
            if now != left:
                takes.append((at, left, both, (left - now) * both))
            count -= both
            rest[0][1] -= both
            if not rest[0][1]:
                rest.pop(0)
    return takes


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
