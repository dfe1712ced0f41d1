"""RFM: the grid's truth table, the tie rule, and one statement that agrees with the pure rules and tells each move."""

import datetime as dt
from itertools import product

import pytest

from retention.customers import rfm
from retention.customers.jobs import ComputeRfm
from retention.customers.models import Customer, CustomerStats, Rfm, RfmChange
from retention.customers.operations import Scored, compute_rfm, count_rfm_changes
from retention.customers.rfm import GRID, GROUPS, worth

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
#: Recency, frequency, money → the group, written by hand.
TRUTH = {
    "555": "champions", "545": "champions", "554": "champions", "444": "loyal", "445": "champions", "533": "loyal",
    "511": "recent", "411": "recent", "512": "promising", "521": "promising", "422": "promising", "433": "loyal",
    "311": "about_to_sleep", "322": "needs_attention", "333": "needs_attention", "344": "loyal", "355": "loyal",
    "211": "hibernating", "222": "about_to_sleep", "233": "at_risk", "255": "at_risk", "244": "at_risk",
    "111": "lost", "122": "lost", "112": "lost", "133": "hibernating", "144": "at_risk", "155": "at_risk",
}  # fmt: skip


def group_of(recency: int, frequency: int, monetary: int) -> str:
    return GRID[5 - recency][worth(frequency, monetary) - 1]


def recency_score(better: int, buyers: int) -> int:
    """By how many of the buyers bought later than she."""
    return 5 - 5 * better // buyers


def amount_score(worse: int, buyers: int) -> int:
    """Frequency or money, by how many of the buyers have less than she."""
    return 1 + 5 * worse // buyers


def test_the_grid_is_what_the_table_says():
    assert {scores: group_of(*map(int, scores)) for scores in TRUTH} == TRUTH


def test_every_group_is_in_the_grid_and_every_cell_is_a_group():
    assert {group for row in GRID for group in row} == set(GROUPS)
    assert [len(row) for row in GRID] == [5] * 5
    assert [worth(*pair) for pair in ((1, 1), (1, 2), (5, 1), (4, 5), (5, 5))] == [1, 2, 3, 5, 5]


@pytest.mark.parametrize("buyers", [1, 2, 3, 5, 7, 100])
def test_scores_are_fifths_and_ties_are_equal(buyers):
    assert all(1 <= score(rank, buyers) <= 5 for score in (recency_score, amount_score) for rank in range(buyers))
    assert (recency_score(0, buyers), amount_score(0, buyers)) == (5, 1)
    if buyers % 5 == 0:
        fifth = buyers // 5
        assert [recency_score(at, buyers) for at in range(0, buyers, fifth)] == [5, 4, 3, 2, 1]
        assert [amount_score(at, buyers) for at in range(0, buyers, fifth)] == [1, 2, 3, 4, 5]


def buyer(days: float, orders: int, spend: int, **more) -> int:
    customer = Customer.objects.create(recorded_at=NOW, **more)
    at = NOW - dt.timedelta(days=days)
    CustomerStats.objects.create(
        customer=customer, orders=orders, spend_minor=spend, last_order_at=at, first_order_at=at - dt.timedelta(days=9)
    )
    return customer.pk


def stored() -> dict[int, tuple]:
    rows = Rfm.objects.values_list("customer_id", "recency", "frequency", "monetary", "group", "previous_group")
    return {pk: rest for pk, *rest in rows}


@pytest.mark.django_db
def test_the_statement_agrees_with_the_pure_rules():
    facts = {buyer(days, orders, spend): (days, orders, spend)
             for days, orders, spend in product((0, 3, 3, 90), (1, 1, 2, 8), (500, 2_000, 2_000))}  # fmt: skip
    Customer.objects.create(recorded_at=NOW)
    buyer(1, 3, 100, merged_into_id=next(iter(facts)))
    gone = buyer(1, 3, 100, erased_at=NOW)
    CustomerStats.objects.create(customer=Customer.objects.create(recorded_at=NOW))
    assert count_rfm_changes(now=NOW) == len(facts) == 48
    assert compute_rfm(now=NOW).changed == 48
    expected = {}
    for pk, (days, orders, spend) in facts.items():
        later = sum(other[0] < days for other in facts.values())
        fewer, less = (sum(other[at] < mine for other in facts.values()) for at, mine in ((1, orders), (2, spend)))
        scores = recency_score(later, 48), amount_score(fewer, 48), amount_score(less, 48)
        expected[pk] = [*scores, group_of(*scores), ""]
    assert stored() == expected
    assert gone not in stored()
    assert not RfmChange.objects.exists()  # Nobody came from anywhere.
    assert count_rfm_changes(now=NOW) == 0


@pytest.mark.django_db
def test_a_move_keeps_the_group_before_and_is_told_once():
    best, *_others = [buyer(days, 6 - days, 1000 * (6 - days)) for days in range(1, 6)]
    compute_rfm(now=NOW)
    assert stored()[best] == [5, 5, 5, "champions", ""]
    later = NOW + dt.timedelta(days=1)
    CustomerStats.objects.filter(pk=best).update(last_order_at=NOW - dt.timedelta(days=300))
    assert ComputeRfm.preview(now=later) == {"due": 5}
    assert ComputeRfm.run(now=later, progress=lambda *_: None) == {"due": 5, "touched": 5}
    assert stored()[best] == [1, 5, 5, "at_risk", "champions"]
    moves = {
        pk: (before, after) for pk, before, after in RfmChange.objects.values_list("customer_id", "before", "after")
    }
    assert moves[best] == ("champions", "at_risk")
    assert set(RfmChange.objects.values_list("at", flat=True)) == {later}
    assert compute_rfm(now=later) == Scored(0, 0)
    CustomerStats.objects.filter(pk=best).update(orders=0)
    compute_rfm(now=later)
    assert best not in stored()
    assert RfmChange.objects.filter(customer=best).order_by("-id").values_list("before", "after")[0] == ("at_risk", "")


@pytest.mark.django_db
def test_where_all_are_equal_doubt_speaks_for_who_was_here_lately():
    only = [buyer(1, 1, 100) for _one in range(3)]
    compute_rfm(now=NOW)
    assert [stored()[pk] for pk in only] == [[5, 1, 1, rfm.RECENT, ""]] * 3
