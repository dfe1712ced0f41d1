"""A real purchase as an order: invented lines that add up exactly to its items and its amount."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

from retention.demoshop.catalogue import Catalogue, Item
from retention.demoshop.crowd import Person
from retention.demoshop.histories import Purchase

#: What one unit was worth in dollars on every day; invented and flat, so that the dollars stay those of the data set.
RATES = {"EUR": "1.25", "KRW": "0.001"}
#: Dollar cents × (numerator / denominator) are that currency's minor units.
_MINOR_PER_CENT = {"USD": (1, 1), "EUR": (4, 5), "KRW": (10, 1)}
_DISCOUNTS = (5, 10, 10, 15, 20)
_PAYMENTS = ("card", "card", "card", "paypal", "bank transfer")


@dataclass(frozen=True, slots=True)
class Line:
    """One line in the order's currency; `total = quantity × unit − discount`."""

    item: Item
    quantity: int
    unit: int
    discount: int

    @property
    def total(self) -> int:
        return self.quantity * self.unit - self.discount


@dataclass(frozen=True, slots=True)
class Basket:
    """A purchase with its lines; `total` is in minor units of `currency`."""

    purchase: Purchase
    person: Person
    currency: str
    placed_at: dt.datetime
    lines: tuple[Line, ...]

    @property
    def reference(self) -> str:
        return f"SB-{100_000 + self.purchase.number}"

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)


def baskets(person: Person, history: Sequence[Purchase], goods: Catalogue, zone: ZoneInfo, seed: int) -> list[Basket]:
    """The orders of one person, oldest first."""
    found = []
    for purchase in history:
        rng = Random(seed * 1_000_003 + purchase.number)
        hour = dt.time(rng.randrange(7, 22), rng.randrange(60), rng.randrange(60))
        currency = _currency(person, purchase, rng)
        discount = rng.choice(_DISCOUNTS) if rng.random() < 0.16 else 0
        found.append(
            Basket(
                purchase=purchase,
                person=person,
                currency=currency,
                placed_at=dt.datetime.combine(purchase.on, hour, zone).astimezone(dt.UTC),
                lines=tuple(_lines(purchase, currency, discount, person, goods, rng)),
            )
        )
    return found


def order_row(basket: Basket, *, seed: int, now: dt.datetime) -> dict:
    """As `ingest("orders", …)` reads it."""
    rng = Random(f"order {seed} {basket.purchase.number}")
    person = basket.person
    shipped_at = basket.placed_at + dt.timedelta(days=rng.randrange(1, 5), minutes=rng.randrange(600))
    is_shipped = shipped_at < now
    in_store = rng.random() < 0.12
    total = basket.total
    return {
        "reference": basket.reference,
        "customer": person.reference,
        "email": person.email,
        "state": "fulfilled" if is_shipped else "paid",
        "currency": basket.currency,
        "total_minor": total,
        "channel": "store" if in_store else rng.choice(("web", "web", "app")),
        "store": person.city.name if in_store else "",
        "payment_method": rng.choice(_PAYMENTS) if total else "free of charge",
        "address": person.address,
        "city": person.city.name,
        "region": person.city.region,
        "postcode": person.postcode,
        "country": person.city.country,
        "codes": ["HELLO10"] if any(line.discount for line in basket.lines) else [],
        "placed_at": basket.placed_at,
        "paid_at": basket.placed_at + dt.timedelta(minutes=2),
        "fulfilled_at": shipped_at if is_shipped else None,
        "lines": [
            {
                "sku": line.item.sku,
                "quantity": line.quantity,
                "unit_price_minor": line.unit,
                "discount_minor": line.discount,
            }
            for line in basket.lines
        ],
    }


def return_row(basket: Basket, *, seed: int, now: dt.datetime) -> dict | None:
    """A return of one line, for one order in sixty that is old enough; as `ingest("returns", …)` reads it."""
    rng = Random(f"return {seed} {basket.purchase.number}")
    occurred_at = basket.placed_at + dt.timedelta(days=rng.randrange(7, 30), minutes=rng.randrange(600))
    if rng.random() > 1 / 60 or occurred_at >= now or not basket.total:
        return None
    position = rng.randrange(len(basket.lines))
    line = basket.lines[position]
    quantity = rng.randint(1, min(line.quantity, 2))
    return {
        "reference": f"R-{basket.reference}",
        "order_reference": basket.reference,
        "reason": rng.choice(("defective", "wrong item", "changed mind", "changed mind", "late")),
        "amount_minor": line.total * quantity // line.quantity,
        "occurred_at": occurred_at,
        "lines": [{"position": position + 1, "sku": line.item.sku, "quantity": quantity}],
    }


def _currency(person: Person, purchase: Purchase, rng: Random) -> str:
    """The shop sells in dollars; some Koreans pay in won, some Europeans in euro where the cents allow it exactly."""
    wish = {"KR": "KRW", "DE": "EUR", "FR": "EUR"}.get(person.city.country, "USD")
    if wish == "USD" or rng.random() > 0.4 or (wish == "EUR" and purchase.cents % 5):
        return "USD"
    return wish


def _lines(purchase: Purchase, currency: str, discount: int, person: Person, goods: Catalogue, rng: Random):
    up, down = _MINOR_PER_CENT[currency]
    for quantity, total in _parts(purchase.items, purchase.cents * up // down, rng):
        each = total // quantity
        genre = rng.choice(person.taste) if rng.random() < 0.75 else rng.choice(goods.genres)
        if rng.random() < 0.06:
            genre = "Merch"
        item = goods.near(genre, each * down // up, rng)
        # A discounted line shows the price before: rounded up, so that price less discount is what was paid.
        unit = -(-each * 100 // (100 - discount)) if discount and each else each
        yield Line(item, quantity, unit, quantity * unit - total)


def _parts(items: int, total: int, rng: Random) -> list[tuple[int, int]]:
    """Split into lines of (quantity, total), every total a whole multiple of its quantity, sums exact."""
    if items == 1 or total == 0:
        return [(items, total)]
    count = min(items, rng.randint(1, 4) if items < 6 else rng.randint(3, 8))
    if count == 1 and total % items == 0:
        return [(items, total)]
    count = max(count, 2)
    quantities = [1] * count
    for _ in range(items - count):
        # The last line keeps one piece: it takes the remainder whatever it is.
        quantities[rng.randrange(count - 1)] += 1
    mean = total // items
    units = [max(1, round(mean * rng.uniform(0.75, 1.2))) for _ in quantities[:-1]]
    rest = total - sum(quantity * unit for quantity, unit in zip(quantities, units, strict=False))
    if rest < mean // 2:
        units = [mean] * len(units)
        rest = total - mean * (items - 1)
    return [(quantity, quantity * unit) for quantity, unit in zip(quantities, units, strict=False)] + [(1, rest)]
