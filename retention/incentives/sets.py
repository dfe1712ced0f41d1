"""How many whole sets units can make, and which units: three for two, a bundle of parts. Exact, whatever overlaps.

A set has parts, each of so many units. A unit may fit several parts; it is told by a mask with a bit for each part
that it fits. That so many sets can be made of the units is Hall's theorem: for each choice of parts, the units that
fit any of them must be enough for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: Which parts it fits, how many units are alike.
Fit = tuple[int, int]


def most_sets(fits: Sequence[Fit], parts: Sequence[int]) -> int:
    """How many sets there are in the units; `parts` says how many units each part of a set takes."""
    by_mask: dict[int, int] = {}
    for mask, count in fits:
        by_mask[mask] = by_mask.get(mask, 0) + count
    return min(
        sum([count for mask, count in by_mask.items() if mask & chosen]) // needed for chosen, needed in _choices(parts)
    )


def missing_units(fits: Sequence[Fit], parts: Sequence[int]) -> int:
    """How many units more would make one set."""
    short = [needed - sum([count for mask, count in fits if mask & chosen]) for chosen, needed in _choices(parts)]
    return max(0, *short)


def first_units(fits: Sequence[Fit], parts: Sequence[int], times: int) -> list[int]:
    """How many units of each pile go into `times` sets, where those told first are wanted first.

    Taking the next wanted unit whenever the sets can still be made with it finds the most wanted units there are: the
    choices of units that fit are a matroid.
    """
    room = {chosen: needed * times for chosen, needed in _choices(parts)}
    taken = []
    for mask, count in fits:
        # Units that fit these parts alone cannot be more than those parts need.
        holders = [chosen for chosen in room if mask and mask & chosen == mask]
        count = min([count, *[room[chosen] for chosen in holders]]) if holders else 0
        for chosen in holders:
            room[chosen] -= count
        taken.append(count)
    return taken


def best_times(most: int, worth: Callable[[int], int]) -> int:
    """The number of sets, up to `most`, that is worth most; each further set is worth no more than the one before."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if worth(middle) > worth(middle - 1):
            low = middle
        else:
            high = middle - 1
    return low


def _choices(parts: Sequence[int]) -> list[tuple[int, int]]:
    """Each choice of parts as a mask, with how many units they take together in one set."""
    return [
        (chosen, sum(quantity for at, quantity in enumerate(parts) if chosen >> at & 1))
        for chosen in range(1, 1 << len(parts))
    ]
