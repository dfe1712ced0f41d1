"""Amounts shared over lines and their units, to the last minor unit: the one place that rounds discounts.

Units are told as cells, `(line, price left, how many of them)`, and what is taken of them as takes, a cell with the
amount that comes off all its units together.
"""

from __future__ import annotations

from collections.abc import Sequence

from retention import money

#: Place of the line, what a unit of it costs now, how many such units.
Cell = tuple[int, int, int]
#: A cell, and what comes off its units together.
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


def amount_takes(total: int, cells: Sequence[Cell], floors: Sequence[int], *, by_quantity: bool = False) -> list[Take]:
    """`total` off these units: over lines first, then over the units of each, by what they cost or by how many.

    What a line or unit at its floor cannot give, the others do.
    """
    lines = by_line(cells)
    weights = [[count if by_quantity else left * count for _at, left, count in line] for line in lines]
    rooms = [[max(0, left - floors[at]) * count for at, left, count in line] for line in lines]
    parts = share(total, [sum(line) for line in weights], [sum(line) for line in rooms])
    takes: list[Take] = []
    for line, part, line_weights, line_rooms in zip(lines, parts, weights, rooms, strict=True):
        if len(line) == 1:
            takes.append((*line[0], part))
        else:
            within = share(part, line_weights, line_rooms)
            takes += [(*cell, off) for cell, off in zip(line, within, strict=True)]
    return [take for take in takes if take[3]]


def percent_takes(
    basis_points: int, cells: Sequence[Cell], floors: Sequence[int], prices: Sequence[int] | None = None
) -> list[Take]:
    """A percentage of all these units together, rounded once, shared over lines and then over the units of each.

    It is taken of what they cost now, or of `prices` by line where those are told. What would go below a floor is not
    taken at all.
    """
    lines = by_line(cells)
    weights = [[(left if prices is None else prices[at]) * count for at, left, count in line] for line in lines]
    sums = [sum(line) for line in weights]
    takes: list[Take] = []
    parts = money.split(percent_of(sum(sums), basis_points), sums)
    for line, part, line_weights in zip(lines, parts, weights, strict=True):
        within = [part] if len(line) == 1 else money.split(part, line_weights)
        for (at, left, count), off in zip(line, within, strict=True):
            if off := min(off, max(0, left - floors[at]) * count):
                takes.append((at, left, count, off))
    return takes


def cut(takes: Sequence[Take], most: int) -> list[Take]:
    """The takes, or where they come to more than `most`, that much of them in the same proportion."""
    if sum([take[3] for take in takes]) <= most:
        return list(takes)
    lines: dict[int, list[Take]] = {}
    for take in takes:
        lines.setdefault(take[0], []).append(take)
    kept: list[Take] = []
    parts = money.split(most, [sum([take[3] for take in line]) for line in lines.values()])
    for line, part in zip(lines.values(), parts, strict=True):
        within = money.split(part, [take[3] for take in line])
        kept += [(*take[:3], off) for take, off in zip(line, within, strict=True) if off]
    return kept


def by_line(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells of each line together, lines in their own order."""
    lines: dict[int, list[Cell]] = {}
    for cell in cells:
        lines.setdefault(cell[0], []).append(cell)
    return [lines[at] for at in sorted(lines)]
