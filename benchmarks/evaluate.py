"""The discount engine alone: evaluations a second on one core, ten lines, with 5 offers that all hold and with 50.

The floor is the same discounts written out by hand for these very offers: no rules to read, no conditions but the ones
that matter, no search for the best combination, no reasons. Both must come to the same cent. Seconds are the process's
own on its core, so that neighbours on the machine cost it little.
"""

from benchmarks import harness  # isort: skip, sets Django up

import time
from collections.abc import Callable
from functools import partial

from retention import money
from retention.incentives.baskets import Basket, Line, Shopper
from retention.incentives.discounts import Offer, evaluate
from retention.incentives.rules import IncentiveRule

ROUNDS = 7
LINES = tuple(
    Line(f"SKU{n}", 1 + n % 3, 999 + 333 * n, "Shoes/Running" if n % 2 else "Hats", frozenset({"new"}), n % 5 == 4)
    for n in range(10)
)
BASKET = Basket("EUR", LINES, 490, country="DE", channel="web", shopper=Shopper(1, True, 3))


def rule(effect: dict, *conditions: dict) -> IncentiveRule:
    return IncentiveRule.model_validate({"name": "Offer", "effects": [effect], "conditions": conditions})


def minimum(minor: int) -> dict:
    return {"kind": "minimum_amount", "amounts": {"EUR": minor}}


SHOES = {"on": "lines", "categories": ["Shoes"], "without_discounted": True}
HOLD = [
    rule({"kind": "percent", "basis_points": 2_000, "scope": SHOES}, minimum(5_000)),
    rule({"kind": "percent", "basis_points": 500}, {"kind": "in_countries", "countries": ["DE", "AT"]}),
    rule({"kind": "percent", "basis_points": 10_000, "scope": {"units": 1, "pick": "cheapest"}}, minimum(9_000)),
    rule({"kind": "free_shipping"}, minimum(4_000)),
    rule({"kind": "amount", "amounts": {"EUR": 1_000}}, minimum(6_000)),
]
#: Nine in ten live offers are for somebody else, somewhere else, or for more.
OTHERS = [
    rule(
        {"kind": "percent", "basis_points": 1_000 + n},
        [
            {"kind": "first_order"},
            {"kind": "in_countries", "countries": ["US"]},
            {"kind": "in_channels", "channels": ["app"]},
            {"kind": "has_products", "products": [f"X{n}"]},
            minimum(1_000_000),
        ][n % 5],
    )
    for n in range(45)
]


def by_hand() -> int:
    left = [line.amount_minor for line in LINES]
    goods = sum(left)
    if goods >= 9_000:
        shoes = [
            amount if line.category.startswith("Shoes/") and not line.is_discounted else 0
            for amount, line in zip(left, LINES, strict=True)
        ]
        for weights, points in ((shoes, 2_000), (None, 500)):
            weights = weights or left
            off = money.split((sum(weights) * points + 5_000) // 10_000, weights)
            left = [amount - part for amount, part in zip(left, off, strict=True)]
        at = min(range(10), key=lambda n: left[n] // LINES[n].quantity)
        left[at] -= left[at] // LINES[at].quantity
        off = money.split(1_000, left)
        left = [amount - part for amount, part in zip(left, off, strict=True)]
    return goods - sum(left) + BASKET.shipping_minor


def repeated(evaluation: Callable[[], object]) -> int:
    count = harness.size(2_000, least=200)
    for _ in range(count):
        evaluation()
    return count


def main() -> None:
    wanted = by_hand()
    for rules in (HOLD, HOLD + OTHERS):
        offers = [Offer(key, one) for key, one in enumerate(rules)]
        evaluation = evaluate(offers, BASKET)
        if evaluation.discount_minor != wanted or len(evaluation.applied) != len(HOLD):
            raise SystemExit(f"{evaluation.discount_minor} by the engine, {wanted} by hand")
        harness.compare(
            f"evaluate-{len(rules)}-offers",
            ours=partial(repeated, partial(evaluate, offers, BASKET)),
            floor=partial(repeated, by_hand),
            rounds=ROUNDS,
            unit="evaluations",
            clock=time.process_time,
        )


if __name__ == "__main__":
    main()
