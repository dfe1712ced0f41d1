"""Who the stored members of a segment are beside everyone: country, age, spend, interests; overlap and growth."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retention.segments import phrases
from retention.segments.arguments import shop_day
from retention.segments.conditions.lifecycle import stage_pairs
from retention.segments.models import Segment, SegmentSize
from retention.segments.querysets import TooSlow, within_ms

LIMIT_MS = 8000
MOST = 10
#: Days of growth that are drawn.
MOST_DAYS = 365
_LIVE = "c.merged_into_id IS NULL AND c.erased_at IS NULL"
#: Both counts by one scan: of the members, and of everyone.
_BY = f"""
    SELECT {{label}} AS label, count(m.customer_id), count(*)
    FROM customers_customer c {{join}}
    LEFT JOIN segments_membership m ON m.customer_id = c.id AND m.segment_id = %(segment)s
    WHERE {_LIVE} GROUP BY 1 ORDER BY {{order}} LIMIT {MOST}
"""  # noqa: S608
_AGE = "width_bucket(%(year)s - c.birth_year, ARRAY[18, 25, 35, 45, 55, 65])"
_AGES = ("< 18", "18–24", "25–34", "35–44", "45–54", "55–64", "65 +")
#: A fifth of those who bought, each, by what they spent.
_SPEND = """
    WITH fifths AS (SELECT customer_id, ntile(5) OVER (ORDER BY spend_minor, customer_id) AS fifth
                    FROM customers_customerstats WHERE orders > 0)
"""
_EACH_INTEREST = "CROSS JOIN unnest(c.interests) AS i (interest)"
_STAGE = (
    "LEFT JOIN customers_customerstage cs ON cs.customer_id = c.id LEFT JOIN customers_stage s ON s.id = cs.stage_id"
)
_OVERLAP = """
    SELECT s.name, s.id, count(*) FROM segments_membership mine
    JOIN segments_membership other ON other.customer_id = mine.customer_id AND other.segment_id <> mine.segment_id
    JOIN segments_segment s ON s.id = other.segment_id AND s.archived_at IS NULL
    WHERE mine.segment_id = %(segment)s GROUP BY s.id ORDER BY 3 DESC LIMIT 20
"""


@dataclass(frozen=True)
class Share:
    """One line: how many members and how many of everyone are so, and the two shares in per cent."""

    label: str
    inside: int
    everyone: int
    inside_share: float
    everyone_share: float


@dataclass(frozen=True)
class Dimension:
    """One question with its lines; None where the database took too long."""

    label: Promise
    shares: tuple[Share, ...] | None


@dataclass(frozen=True)
class Overlap:
    """How many members are in another segment too, and their share of the members."""

    name: str
    segment_id: int
    both: int
    share: float


@dataclass(frozen=True)
class Growth:
    """How many were in it at the end of each day, the oldest first, as a line in a box of `WIDE` × `HIGH`."""

    days: tuple[tuple[dt.date, int], ...]

    WIDE: ClassVar = 300
    HIGH: ClassVar = 60

    @property
    def most(self) -> int:
        return max((size for _day, size in self.days), default=0)

    @property
    def line(self) -> str:
        """Points of an SVG line: days by the calendar, so that one without a look is a stretch; 0 at the bottom."""
        first, most = self.days[0][0], self.most or 1
        span = (self.days[-1][0] - first).days or 1
        points = ((self.WIDE * (day - first).days / span, self.HIGH * (1 - size / most)) for day, size in self.days)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


@dataclass(frozen=True)
class Composition:
    """Everything the page shows."""

    dimensions: tuple[Dimension, ...]
    overlaps: tuple[Overlap, ...] | None
    growth: Growth


def composition(segment: Segment, now: dt.datetime) -> Composition:
    """By the members of the last refresh, in a bounded time for each question."""
    params = {"segment": segment.pk, "year": shop_day(now).year}
    members, everyone = _totals(params)
    names, stages = phrases.locale().territories, dict(stage_pairs())

    def dimension(label: Promise, sql: str, said) -> Dimension:
        rows = _asked(sql, params)
        if rows is None:
            return Dimension(label, None)
        lines = (
            Share(said(key), inside, both, _percent(inside, members), _percent(both, everyone))
            for key, inside, both in rows
        )
        return Dimension(label, tuple(lines))

    unknown = str(_("unknown"))
    newest = SegmentSize.objects.filter(segment=segment).order_by("-on").values_list("on", "size")
    spend = _SPEND + _BY.format(
        label="f.fifth", join="LEFT JOIN fifths f ON f.customer_id = c.id", order="1 DESC NULLS LAST"
    )
    return Composition(
        dimensions=(
            dimension(
                _("Country"), _BY.format(label="c.country", join="", order="3 DESC"),
                lambda code: names.get(code, code) or unknown,
            ),
            dimension(
                _("Age"), _BY.format(label=_AGE, join="", order="1 NULLS LAST"),
                lambda band: unknown if band is None else _AGES[band],
            ),
            dimension(_("Spend"), spend, lambda fifth: str(_("bought nothing") if fifth is None else FIFTHS[fifth])),
            dimension(
                _("Stage"), _BY.format(label="s.key", join=_STAGE, order="min(s.position) NULLS LAST"),
                lambda key: stages.get(key, key) or str(_("in none")),
            ),
            dimension(
                _("Interests"), _BY.format(label="i.interest", join=_EACH_INTEREST, order="3 DESC"), str,
            ),
        ),
        overlaps=_overlaps(params, members),
        growth=Growth(tuple(newest[:MOST_DAYS][::-1])),
    )  # fmt: skip


FIFTHS = {
    5: _("top fifth of buyers"),
    4: _("second fifth"),
    3: _("middle fifth"),
    2: _("fourth fifth"),
    1: _("lowest fifth"),
}


def _totals(params: dict[str, int]) -> tuple[int, int]:
    sql = f"""
        SELECT count(m.customer_id), count(*) FROM customers_customer c
        LEFT JOIN segments_membership m ON m.customer_id = c.id AND m.segment_id = %(segment)s WHERE {_LIVE}
    """  # noqa: S608
    rows = _asked(sql, params)
    return rows[0] if rows else (0, 0)


def _overlaps(params: dict[str, int], members: int) -> tuple[Overlap, ...] | None:
    rows = _asked(_OVERLAP, params)
    if rows is None:
        return None
    return tuple(Overlap(name, pk, both, _percent(both, members)) for name, pk, both in rows)


def _asked(sql: str, params: dict[str, int]) -> list[tuple] | None:
    try:
        with within_ms(LIMIT_MS) as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()
    except TooSlow:
        return None


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
