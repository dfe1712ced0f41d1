"""The real purchases: the published totals, per customer too, and the move to the present."""

import datetime as dt
from collections import Counter

from retention.demoshop.histories import chosen, histories, published

TODAY = dt.date(2026, 5, 12)


def test_the_totals_are_the_published_ones():
    purchases = published()

    assert len(purchases) == 69_659
    assert len({purchase.buyer for purchase in purchases}) == 23_570
    assert sum(purchase.cents for purchase in purchases) == 250_031_563
    assert sum(purchase.items for purchase in purchases) == 167_881
    assert sum(purchase.cents == 0 for purchase in purchases) == 80


def test_the_last_day_becomes_yesterday_and_every_gap_stays():
    moved = histories(today=TODAY)

    assert max(purchase.on for history in moved.values() for purchase in history) == dt.date(2026, 5, 11)
    assert {
        purchase.on - original.on
        for purchase, original in zip((p for history in moved.values() for p in history), published(), strict=True)
    } == {dt.date(2026, 5, 11) - dt.date(1998, 6, 30)}


def test_every_buyer_keeps_her_own_purchases():
    amounts = Counter[int]()
    for purchase in published():
        amounts[purchase.buyer] += purchase.cents

    moved = histories(today=TODAY)

    assert {buyer: sum(p.cents for p in history) for buyer, history in moved.items()} == dict(amounts)


def test_a_small_shop_has_early_and_late_buyers_with_whole_histories():
    some = histories(today=TODAY, buyers=300)
    everyone = histories(today=TODAY)

    assert len(some) == 300
    assert all(some[buyer] == everyone[buyer] for buyer in some)
    assert min(some) == 1
    assert max(some) > 23_400
    assert chosen(10**6) == chosen(None)
