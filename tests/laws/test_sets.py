"""Laws of sets of units, against trying every way by hand."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from retention.incentives.sets import best_times, first_units, missing_units, most_sets

parts = st.lists(st.integers(1, 2), min_size=1, max_size=3)


@st.composite
def units(draw):
    """(parts of a set, one mask a unit): few enough to try everything."""
    asked = draw(parts)
    return asked, draw(st.lists(st.integers(1, (1 << len(asked)) - 1), max_size=7))


def can_make(masks, asked, times):
    """Whether these units, all of them, go into so many sets: each is put into every part that it fits."""
    rooms = [quantity * times for quantity in asked]

    def place(at, rooms):
        if at == len(masks):
            return True
        return any(
            rooms[part] and place(at + 1, [room - (n == part) for n, room in enumerate(rooms)])
            for part in range(len(asked))
            if masks[at] >> part & 1
        )

    return place(0, rooms)


@given(units())
def test_as_many_sets_as_can_be_made(drawn):
    asked, masks = drawn
    size = sum(asked)
    most = max(
        times
        for times in range(len(masks) // size + 1)
        if any(can_make(chosen, asked, times) for chosen in itertools.combinations(masks, size * times))
    )
    assert most_sets([(mask, 1) for mask in masks], asked) == most
    assert (missing_units([(mask, 1) for mask in masks], asked) == 0) == (most > 0)


@given(units(), st.data())
def test_the_first_units_are_the_dearest_that_make_so_many_sets(drawn, data):
    asked, masks = drawn
    times = most_sets([(mask, 1) for mask in masks], asked)
    prices = sorted(data.draw(st.lists(st.integers(1, 99), min_size=len(masks), max_size=len(masks))), reverse=True)
    taken = first_units([(mask, 1) for mask in masks], asked, times)
    assert sum(taken) == times * sum(asked)
    best = max(
        sum(prices[at] for at in chosen)
        for chosen in itertools.combinations(range(len(masks)), times * sum(asked))
        if can_make([masks[at] for at in chosen], asked, times)
    )
    assert sum(price for price, count in zip(prices, taken, strict=True) if count) == best


@given(units())
def test_units_that_are_alike_may_be_told_together(drawn):
    asked, masks = drawn
    together = [(mask, masks.count(mask)) for mask in sorted(set(masks))]
    assert most_sets(together, asked) == most_sets([(mask, 1) for mask in masks], asked)


@given(st.lists(st.integers(-50, 50), max_size=9).map(lambda gains: sorted(gains, reverse=True)))
def test_the_best_number_of_sets_is_found_where_each_is_worth_less_than_the_one_before(gains):
    def total(times):
        return sum(gains[:times])

    assert total(best_times(len(gains), total)) == max(total(times) for times in range(len(gains) + 1))
