"""What the invented people did beside buying: signed up, looked, filled carts, reviewed, complained, opened mails."""

import datetime as dt
from collections.abc import Iterator, Sequence
from random import Random

from retention.demoshop.baskets import Basket
from retention.demoshop.catalogue import Catalogue, Item
from retention.demoshop.crowd import Person

_COMPLAINTS = ("It came too late.", "It skips.", "Not what I ordered.", "Nobody answered.", "One is missing.")


def activity_rows(
    person: Person, orders: Sequence[Basket], goods: Catalogue, *, now: dt.datetime, seed: int
) -> Iterator[dict]:
    """One person's activities before `now`, as `ingest("activities", …)` reads them."""
    rng = Random(f"happened {seed} {person.reference}")
    found = [_row("signed_up", person.signed_up_at, properties={"source": person.source})]
    for order in orders:
        found += _around(order, rng)
    if rng.random() < (0.1 if orders else 0.3):
        found += _abandoned_cart(person, goods, rng, now)
    if rng.random() < 0.25:
        found += _browsed(person, goods, rng, now)
    number = 0
    for row in sorted(found, key=lambda row: row["occurred_at"]):
        if person.signed_up_at <= row["occurred_at"] <= now:
            number += 1
            yield row | {"customer": person.reference, "reference": f"{person.reference}:{number}"}


def _row(kind: str, at: dt.datetime, *, item: Item | None = None, order: str = "", properties=None) -> dict:
    return {
        "kind": kind,
        "occurred_at": at.replace(microsecond=0),
        "product": item.sku if item else "",
        "order_reference": order,
        "properties": properties or {},
    }


def _around(order: Basket, rng: Random) -> list[dict]:
    """What led to an order and what came of it."""
    found = []
    at = order.placed_at
    for line in order.lines[:3]:
        if rng.random() < 0.6:
            found.append(_row("viewed_product", at - dt.timedelta(minutes=rng.randrange(20, 3000)), item=line.item))
        if rng.random() < 0.4:
            found.append(_row("added_to_cart", at - dt.timedelta(minutes=rng.randrange(4, 20)), item=line.item))
    if rng.random() < 0.5:
        found.append(_row("checkout_started", at - dt.timedelta(minutes=3)))
    later = at + dt.timedelta(days=rng.randrange(5, 25), minutes=rng.randrange(900))
    if rng.random() < 0.05:
        rating = rng.choices((5, 4, 3, 2, 1), (50, 28, 11, 6, 5))[0]
        found.append(
            _row("reviewed", later, item=order.lines[0].item, order=order.reference, properties={"rating": rating})
        )
    if rng.random() < 0.007:
        found.append(_row("complaint", later, order=order.reference, properties={"text": rng.choice(_COMPLAINTS)}))
    if rng.random() < 0.2:
        found.append(_row("mail_opened", later + dt.timedelta(hours=5)))
        if rng.random() < 0.3:
            found.append(_row("mail_clicked", later + dt.timedelta(hours=5, minutes=1)))
    return found


def _abandoned_cart(person: Person, goods: Catalogue, rng: Random, now: dt.datetime) -> list[dict]:
    """A cart within the last 120 days that no order followed."""
    at = now - dt.timedelta(hours=rng.uniform(1, 24 * 120))
    shelf = goods.by_genre[rng.choice(person.taste)]
    picked = rng.sample(shelf, rng.randint(1, 3))
    lines = [{"sku": item.sku, "quantity": 1} for item in picked]
    restore = f"https://shop.example.com/cart/{person.reference.lower()}"
    return [
        *(_row("viewed_product", at - dt.timedelta(minutes=9 - n), item=item) for n, item in enumerate(picked)),
        *(_row("added_to_cart", at - dt.timedelta(minutes=5 - n), item=item) for n, item in enumerate(picked)),
        _row("cart_updated", at, properties={"lines": lines, "restore_url": restore}),
    ]


def _browsed(person: Person, goods: Catalogue, rng: Random, now: dt.datetime) -> list[dict]:
    at = now - dt.timedelta(hours=rng.uniform(1, 24 * 60))
    shelf = goods.by_genre[rng.choice((*person.taste, "Merch"))]
    return [
        _row("viewed_product", at + dt.timedelta(minutes=minute), item=rng.choice(shelf))
        for minute in range(rng.randint(1, 5))
    ]
