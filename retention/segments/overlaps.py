"""What two to four segments share: how many are in exactly these of them, by the members of the last refresh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retention.segments.models import Segment
from retention.segments.querysets import TooSlow, within_ms

FEWEST, MOST = 2, 4
LIMIT_MS = 8000
_REGIONS = """
    SELECT regions, count(*) FROM (
        SELECT bit_or(1 << (s.place - 1)::int) AS regions FROM segments_membership m
        JOIN unnest(%s::bigint[]) WITH ORDINALITY AS s (id, place) ON s.id = m.segment_id
        GROUP BY m.customer_id
    ) AS each_customer GROUP BY 1
"""


@dataclass(frozen=True)
class Region:
    """Customers in exactly these of the chosen segments: one truth for each, in their order."""

    inside: tuple[bool, ...]
    size: int
    share: float


@dataclass(frozen=True)
class Shared:
    """Every combination, the most shared and largest first; `in_any` is how many are in at least one."""

    segments: tuple[Segment, ...]
    regions: tuple[Region, ...]
    in_any: int
    in_all: int


def shared(segments: Sequence[Segment]) -> Shared | None:
    """None where counting takes too long.

    Raises:
        ValueError: fewer than two or more than four segments.
    """
    if not FEWEST <= len(segments) <= MOST:
        raise ValueError("choose two to four segments")
    try:
        with within_ms(LIMIT_MS) as cursor:
            cursor.execute(_REGIONS, [[segment.pk for segment in segments]])
            sizes = dict(cursor.fetchall())
    except TooSlow:
        return None
    in_any, everything = sum(sizes.values()), 2 ** len(segments) - 1
    regions = [
        Region(
            tuple(bool(bits & 1 << at) for at in range(len(segments))),
            sizes.get(bits, 0),
            100 * sizes.get(bits, 0) / in_any if in_any else 0.0,
        )
        for bits in range(1, everything + 1)
    ]
    regions.sort(key=lambda region: (-sum(region.inside), -region.size))
    return Shared(tuple(segments), tuple(regions), in_any, sizes.get(everything, 0))
