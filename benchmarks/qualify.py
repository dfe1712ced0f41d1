"""Which of a thousand live offers fit a basket, beside evaluating a single one: a shopper must not wait for choice.

Seven hundred public codes and three hundred automatic offers, with the conditions that marketers set: minimum, country,
first order, channel; one in four fits. Ours is the time of one question in full, reading included; the floor is the
statements that read the offers' rows. The goal is 50 ms at the median.
"""

import statistics
import time

from benchmarks import harness

from retention import clock  # isort: skip
from retention.actors import Actor  # isort: skip
from retention.customers.models import Customer  # isort: skip
from retention.incentives import operations  # isort: skip
from retention.incentives.baskets import Line  # isort: skip
from retention.incentives.checkouts import Buyer, Checkout  # isort: skip
from retention.incentives.facts import read_facts  # isort: skip
from retention.incentives.qualifying import TOLD, _live  # isort: skip
from retention.incentives.rules import IncentiveRule  # isort: skip
from retention.shop.models import Shop  # isort: skip

OFFERS = 1_000
QUESTIONS = 20
BY = Actor.command("bench")
CONDITIONS = [
    [{"kind": "minimum_amount", "amounts": {"EUR": 2000}}],
    [{"kind": "in_countries", "countries": ["FR", "ES"]}],
    [{"kind": "minimum_amount", "amounts": {"EUR": 90000}}],
    [{"kind": "in_channels", "channels": ["app"]}, {"kind": "first_order"}],
]


def main() -> None:
    with harness.database():
        now = clock.now()
        Shop.objects.create(name="Bench", time_zone="UTC", currency="EUR")
        Customer.objects.create(reference="anna", email="anna@example.com", recorded_at=now)
        offers = harness.size(OFFERS)
        for number in range(offers):
            _offer(number, now)
        harness.settle()
        lines = tuple(Line(f"SKU{n}", 2, 1999, "Shoes") for n in range(10))
        checkout = Checkout("EUR", lines, 490, "DE", "web", buyer=Buyer("anna"), order_reference="o")
        times: list[float] = []

        def ours() -> int:
            for _question in range(QUESTIONS):
                begun = time.perf_counter()
                found = operations.qualify(checkout=checkout, now=now)
                times.append((time.perf_counter() - begun) * 1000)
                if len(found.offers) != TOLD or len(found.near_misses) != TOLD:
                    raise SystemExit(f"{len(found.offers)} offers fit")
            return QUESTIONS

        def floor() -> int:
            for _question in range(QUESTIONS):
                _live(read_facts(checkout, codes=(), now=now, with_automatic=False), now)
            return QUESTIONS

        harness.compare("qualify", ours=ours, floor=floor, rounds=5, unit="questions")
        print(f"  median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms, of {offers:,} live offers")


def _offer(number: int, now) -> None:
    is_automatic = number % 10 < 3
    rule = {
        "name": f"Offer {number}",
        "effects": [{"kind": "percent", "basis_points": 500 + number}],
        "conditions": CONDITIONS[number % 4],
        "limits": {"total": 10**6, "per_customer": 5},
        "codes": {"kind": "automatic"} if is_automatic else {"kind": "public", "text": f"OFFER{number}"},
    }
    incentive = operations.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    operations.go_live(incentive_id=incentive.pk, now=now, by=BY)


if __name__ == "__main__":
    main()
