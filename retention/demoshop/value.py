"""What the demo shop's customers hold: gift cards, store credit and points, given over the past year."""

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.incentives.operations import gift_cards
from retention.incentives.rules import IncentiveRule

DAY = dt.timedelta(days=1)
SEED = 7
ORIGIN = "demoshop.value"
#: Name, effect, so many customers, so many days ago.
GIVEN: tuple[tuple[str, dict[str, Any], int, int], ...] = (
    ("Points for a new account", {"kind": "points", "points": 250}, 160, 358),
    ("Record Store Day points", {"kind": "points", "points": 500}, 240, 210),
    ("Points for a review", {"kind": "points", "points": 100}, 120, 24),
    ("Store credit for a late parcel", {"kind": "store_credit", "amounts": {"USD": 750}}, 60, 75),
    ("Summer store cash", {"kind": "store_credit", "amounts": {"USD": 1_500}, "days": 30}, 40, 22),
)
#: What sold gift cards are worth, in cents, and how many of each.
CARDS = {2_500: 14, 5_000: 9, 10_000: 4}
CARD_YEARS = 3


def give_value(*, now: dt.datetime, by: Actor) -> None:
    """Through the doors that everybody uses, under older dates; the same customers every time."""
    buyers = list(Customer.objects.filter(orders__isnull=False).order_by("pk").distinct().values_list("pk", flat=True))
    draw = random.Random(SEED)  # noqa: S311
    for name, effect, count, days_ago in GIVEN:
        _give(name, effect, sorted(draw.sample(buyers, min(count, len(buyers)))), now - days_ago * DAY, by)
    _sell_cards(buyers, draw, now, by)


def _give(name: str, effect: dict[str, Any], customers: Sequence[int], at: dt.datetime, by: Actor) -> Incentive:
    rule = IncentiveRule.model_validate({"name": name, "effects": [effect]})
    incentive = incentives.create_incentive(rule=rule, now=at, by=by, why="Demo.")
    incentives.go_live(incentive_id=incentive.pk, now=at, by=by)
    incentives.grant(
        incentive_id=incentive.pk,
        sources=[f"demoshop:{incentive.pk}:{customer}" for customer in customers],
        customer_ids=customers,
        origin=ORIGIN,
        origin_ids=[None] * len(customers),
        now=at,
        by=by,
        is_given=True,
    )
    return incentive


def _sell_cards(buyers: Sequence[int], draw: random.Random, now: dt.datetime, by: Actor) -> None:
    """One a week; of the last ones one waits on a shelf, and one was reported stolen."""
    amounts = [amount for amount, count in CARDS.items() for _ in range(count)]
    draw.shuffle(amounts)
    sold = []
    for week, amount in enumerate(reversed(amounts)):
        at = now - (7 * (len(amounts) - week)) * DAY
        sold.append(
            gift_cards.create_card(
                amount_minor=amount,
                currency="USD",
                source=f"demoshop:card:{week}",
                customer_id=draw.choice(buyers) if buyers and week < len(amounts) - 1 else None,
                expires_at=at + CARD_YEARS * 365 * DAY,
                is_active=week < len(amounts) - 1,
                now=at,
                by=by,
            )
        )
    gift_cards.block_card(card_id=sold[-2].pk, reason="Reported stolen.", now=now - DAY, by=by)
