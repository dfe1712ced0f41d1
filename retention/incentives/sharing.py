"""Amounts shared over lines and their units, to the last minor unit: the one place that rounds discounts.

Units are told as piles, `(line, price left, how many of them)`, and what is taken of them as takes, a pile with the
amount that comes off all its units together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from retention import money

#: Place of the line, what a unit of it costs now, how many such units.
Pile = tuple[int, int, int]
#: A pile, and what comes off its units together.
Take = tuple[int, int, int, int]


def percent_of(amount_minor: int, basis_points: int) -> int:
    """Hundredths of a percent of an amount that is not negative, to the nearest minor unit, halves up."""
    return (amount_minor * basis_points + 5_000) // 10_000


def share(total: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """Share `total` over lines in proportion to `weights`, none above its room; what one cannot take, others do.

    The shares sum to `total`, or to all the room there is (of lines with a weight).
    """
    shares = [0] * len(weights)
    open_lines = [at for at, weight in enumerate(weights) if weight and rooms[at]]
    left = min(total, sum([rooms[at] for at in open_lines]))
    while left:
        parts = money.split(left, [weights[at] for at in open_lines])
        full = [at for at, part in zip(open_lines, parts, strict=True) if part > rooms[at]]
        if not full:
            for at, part in zip(open_lines, parts, strict=True):
                shares[at] = part
            break
        # Lines that would go below their minimum price stay at it, and the rest is shared anew over the others.
        for at in full:
            shares[at] = rooms[at]
            left -= rooms[at]
        open_lines = [at for at in open_lines if not shares[at]]
    return shares


def amount_takes(total: int, piles: Iterable[Pile], floors: Sequence[int], *, by_quantity: bool = False) -> list[Take]:
    """`total` off these units, by what they cost or by how many there are.

    What a line or unit at its floor cannot give, the others do.
    """
    piles = sorted(piles)
    weights = [count if by_quantity else left * count for _at, left, count in piles]
    rooms = [max(0, left - floors[at]) * count for at, left, count in piles]
    parts = _spread(total, piles, weights, rooms)
    return [(*pile, off) for pile, off in zip(piles, parts, strict=True) if off]


def percent_takes(
    basis_points: int, piles: Iterable[Pile], floors: Sequence[int], prices: Sequence[int] | None = None
) -> list[Take]:
    """A percentage of all these units together, rounded once.

    It is taken of what they cost now, or of `prices` by line where those are told. What would go below a floor is not
    taken at all.
    """
    piles = sorted(piles)
    weights = [(left if prices is None else prices[at]) * count for at, left, count in piles]
    takes: list[Take] = []
    parts = _spread(percent_of(sum(weights), basis_points), piles, weights)
    for (at, left, count), part in zip(piles, parts, strict=True):
        if off := min(part, max(0, left - floors[at]) * count):
            takes.append((at, left, count, off))
    return takes


def cut(takes: Sequence[Take], most: int) -> list[Take]:
    """The takes, or where they come to more than `most`, that much of them in the same proportion."""
    offs = [take[3] for take in takes]
    if sum(offs) <= most:
        return list(takes)
    parts = _spread(most, takes, offs)
    return [(*take[:3], off) for take, off in zip(takes, parts, strict=True) if off]


def _spread(
    total: int, piles: Sequence[Sequence[int]], weights: Sequence[int], rooms: Sequence[int] | None = None
) -> list[int]:
    """The part of each pile: shared over lines first, then over the units of each line."""
    lines: dict[int, list[int]] = {}
    for place, pile in enumerate(piles):
        lines.setdefault(pile[0], []).append(place)
    if len(lines) == len(piles):
        return _parts(total, weights, rooms)
    parts = [0] * len(piles)
    sums = [sum([weights[place] for place in line]) for line in lines.values()]
    rooms_of_lines = rooms and [sum([rooms[place] for place in line]) for line in lines.values()]
    for line, part in zip(lines.values(), _parts(total, sums, rooms_of_lines), strict=True):
        if len(line) == 1:
            parts[line[0]] = part
            continue
        within = _parts(part, [weights[place] for place in line], rooms and [rooms[place] for place in line])
        for place, off in zip(line, within, strict=True):
            parts[place] = off
    return parts


def _parts(total: int, weights: Sequence[int], rooms: Sequence[int] | None) -> list[int]:
    return money.split(total, weights) if rooms is None else share(total, weights, rooms)
