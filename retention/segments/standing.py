"""Where customers stand, counted: how many are in each stage and RFM group, and how many moved between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Count, F, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import get_language

from retention.customers.models import CustomerStage, Rfm, RfmChange, Stage, StageChange
from retention.customers.rfm import GRID, GROUPS
from retention.segments.querysets import live_customers
from retention.shop.models import Shop
from retention.texts import choose

MOST_FLOWS = 12
BEST = 5


@dataclass(frozen=True)
class Flow:
    """So many moved from one place to another; empty is none."""

    before: str
    after: str
    moved: int
    share: float


@dataclass
class Place:
    """A stage or a group: how many are in it, their share in per cent, and who came and left in the days asked for."""

    key: str
    label: str | Promise
    about: str | Promise
    size: int = 0
    share: float = 0.0
    came: int = 0
    left: int = 0
    stage: Stage | None = None


@dataclass(frozen=True)
class Standing:
    """Every place with its size, and the largest flows between them; `outside` are in none."""

    places: tuple[Place, ...]
    flows: tuple[Flow, ...]
    everyone: int
    outside: int = 0


@dataclass(frozen=True)
class Cell:
    """One cell of the grid: recency × frequency-and-money."""

    recency: int
    worth: int
    group: str
    label: Promise
    size: int
    share: float
    tint: int = field(default=0)


def stages_now(*, now: dt.datetime, days: int) -> Standing:
    """Every stage in use, and what moved in the last days."""
    language = next(iter(Shop.objects.values_list("languages", flat=True)), ["en"])[0]
    stages = list(Stage.objects.filter(archived_at=None).select_related("version"))
    places = {
        stage.key: Place(stage.key, choose(stage.name, get_language() or language, language), stage.about, stage=stage)
        for stage in stages
    }
    counted = CustomerStage.objects.order_by().values_list("stage__key").annotate(size=Count("*"))
    moves = StageChange.objects.filter(at__gte=now - dt.timedelta(days=days), at__lte=now).order_by()
    flows = moves.values_list("before__key", "after__key").annotate(moved=Count("*"))
    everyone = live_customers().count()
    return _standing(places, dict(counted), flows, everyone)


def groups_now(*, now: dt.datetime, days: int) -> Standing:
    """Every RFM group, and what moved in the last days; shares are of all buyers that have scores."""
    places = {group.key: Place(group.key, group.label, group.about) for group in GROUPS.values()}
    counted = Rfm.objects.order_by().values_list("group").annotate(size=Count("*"))
    moves = RfmChange.objects.filter(at__gte=now - dt.timedelta(days=days), at__lte=now).order_by()
    flows = moves.values_list("before", "after").annotate(moved=Count("*"))
    sizes = dict(counted)
    return _standing(places, sizes, flows, sum(sizes.values()))


def _standing(places: dict[str, Place], sizes: dict[str, int], flows: QuerySet, everyone: int) -> Standing:
    found = [(before or "", after or "", moved) for before, after, moved in flows]
    for before, after, moved in found:
        if before in places:
            places[before].left += moved
        if after in places:
            places[after].came += moved
    for place in places.values():
        place.size = sizes.get(place.key, 0)
        place.share = 100 * place.size / everyone if everyone else 0.0
    largest = sorted(found, key=lambda flow: -flow[2])[:MOST_FLOWS]
    most = largest[0][2] if largest else 1
    labels = {key: str(place.label) for key, place in places.items()}
    told = (
        Flow(labels.get(before, before), labels.get(after, after), moved, 100 * moved / most)
        for before, after, moved in largest
    )
    inside = sum(place.size for place in places.values())
    return Standing(tuple(places.values()), tuple(told), everyone, max(everyone - inside, 0))


def grid_now() -> tuple[tuple[Cell, ...], ...]:
    """Five rows from recency 5 down, each from the least worth to the most; the tint tells how many, from 0 to 4."""
    worth = (F("frequency") + F("monetary") + 1) / 2
    counted = Rfm.objects.order_by().annotate(worth=worth).values_list("recency", "worth").annotate(size=Count("*"))
    sizes = {(recency, int(at)): size for recency, at, size in counted}
    everyone, most = sum(sizes.values()), max(sizes.values(), default=0)

    def cell(recency: int, at: int, group: str) -> Cell:
        size = sizes.get((recency, at), 0)
        tint = -(-4 * size // most) if most else 0
        return Cell(recency, at, group, GROUPS[group].label, size, 100 * size / everyone if everyone else 0.0, tint)

    return tuple(
        tuple(cell(BEST - row, at, group) for at, group in enumerate(groups, start=1))
        for row, groups in enumerate(GRID)
    )


def rfm_computed() -> tuple[dt.datetime | None, int]:
    """When scores last changed, and how many buyers have some."""
    newest = Rfm.objects.order_by("-computed_at").values_list("computed_at", flat=True).first()
    return newest, Rfm.objects.aggregate(count=Count("*"))["count"]


def spend_of_groups() -> dict[str, int]:
    """Group → what its customers have spent, in the base currency's minor units."""
    spent = Rfm.objects.order_by().values_list("group").annotate(spent=Sum("customer__stats__spend_minor"))
    return {group: amount or 0 for group, amount in spent}
