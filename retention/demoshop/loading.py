"""Filling the demo shop with its facts, by the same way in as everybody's imports, stage by stage."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db import connection, transaction

from retention import clock
from retention.actors import Actor
from retention.demoshop.baskets import Basket, baskets, order_row, return_row
from retention.demoshop.catalogue import Catalogue, catalogue
from retention.demoshop.crowd import Person, buyer, consent_rows, subscribers
from retention.demoshop.happenings import activity_rows
from retention.demoshop.histories import chosen, histories
from retention.shop.models import Shop
from retention.work.ingest import ingest
from retention.work.models import Watermark

SEED = 1
#: Kinds of facts in the order in which they build on each other; each is one stage, whole or not at all.
STAGES = ("customers", "consents", "products", "orders", "returns", "activities")
#: One visitor who never bought for so many buyers.
BUYERS_PER_SUBSCRIBER = 10
_BEGAN, _SIZE = "demoshop:began", "demoshop:size"
_LOCK = "SELECT pg_advisory_lock(hashtext('retention.demoshop'))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('retention.demoshop'))"

Progress = Callable[[str, int, int], None]


class LoadFailed(Exception):
    """The demo shop's own facts were refused: its generators and the imports no longer fit."""


@dataclass(frozen=True)
class World:
    """Everything that was made up for one seed, one size and one instant; the same every time."""

    seed: int
    buyers: int
    now: dt.datetime
    zone: str

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(clock.zone(self.zone)).date()

    @cached_property
    def goods(self) -> Catalogue:
        return catalogue(seed=self.seed, today=self.today)

    @cached_property
    def people(self) -> list[tuple[Person, list[Basket]]]:
        """Everyone with her orders; subscribers have none."""
        zone = clock.zone(self.zone)
        found = []
        for number, history in histories(today=self.today, buyers=self.buyers).items():
            person = buyer(number, history, self.goods.genres, zone, self.seed)
            found.append((person, baskets(person, history, self.goods, zone, self.seed)))
        count = self.buyers // BUYERS_PER_SUBSCRIBER
        for person in subscribers(count, self.goods.genres, self.now, self.seed):
            found.append((person, []))
        return found

    def rows(self, stage: str) -> Iterator[list[Mapping]]:
        """The rows of one kind, one list for each person (or product)."""
        if stage == "products":
            yield from ([item.row()] for item in self.goods.items)
            return
        for person, orders in self.people:
            match stage:
                case "customers":
                    yield [person.row()]
                case "consents":
                    yield list(consent_rows(person, is_buyer=bool(orders), now=self.now, seed=self.seed))
                case "orders":
                    yield [order_row(order, seed=self.seed, now=self.now) for order in orders]
                case "returns":
                    rows = (return_row(order, seed=self.seed, now=self.now) for order in orders)
                    yield [row for row in rows if row]
                case "activities":
                    yield list(activity_rows(person, orders, self.goods, now=self.now, seed=self.seed))


@dataclass(frozen=True)
class Loaded:
    """Rows that were brought in by stage; empty where everything had been there before."""

    rows: dict[str, int]


def is_loaded() -> bool:
    return Watermark.objects.filter(pk=_mark(STAGES[-1])).exists()


def load(*, now: dt.datetime, by: Actor, seed: int = SEED, buyers: int | None = None, progress: Progress) -> Loaded:
    """Bring in what is missing. A load that was killed goes on with the stage it died in.

    It then keeps the instant, seed and size it began with, so that its parts fit together. `progress` is called with
    (stage, done, total).

    Raises:
        LoadFailed: rows were refused, and that stage was left undone.
    """
    with _alone():
        world = _world(now, seed, buyers)
        return Loaded({stage: _stage(world, stage, by, progress) for stage in STAGES if not _is_done(stage)})


def _stage(world: World, stage: str, by: Actor, progress: Progress) -> int:
    total = len(world.goods.items) if stage == "products" else len(world.people)
    count = 0

    def counted() -> Iterator[Mapping]:
        nonlocal count
        for done, rows in enumerate(world.rows(stage), start=1):
            count += len(rows)
            yield from rows
            if not done % 200 or done == total:
                progress(stage, done, total)

    with transaction.atomic():
        result = ingest(stage, counted(), now=world.now, by=by)
        if result.refused:
            raise LoadFailed(f"{stage}: {result.refused_rows} rows refused, first {result.refused[0]}")
        Watermark.objects.create(key=_mark(stage), at=world.now)
    return count


def _world(now: dt.datetime, seed: int, buyers: int | None) -> World:
    size = len(chosen(buyers))
    began, _created = Watermark.objects.get_or_create(key=_BEGAN, defaults={"at": now, "mark": seed})
    sized, _created = Watermark.objects.get_or_create(key=_SIZE, defaults={"mark": size})
    return World(seed=began.mark, buyers=sized.mark, now=began.at, zone=Shop.objects.get().time_zone)


def _mark(stage: str) -> str:
    return f"demoshop:{stage}"


def _is_done(stage: str) -> bool:
    return Watermark.objects.filter(pk=_mark(stage)).exists()


class _alone:
    """Two loads at once take turns: the second finds everything done."""

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK)

    def __exit__(self, *_error: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_UNLOCK)
