"""The room's scheduled work: keeping stages and stored members true."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from retention.refusals import Refused
from retention.registries import DueJob, jobs
from retention.segments.following import newest_mark
from retention.segments.operations import (
    Refreshed,
    count_to_place,
    follow_segment,
    place_customers,
    prove_segment,
    refresh_segment,
)
from retention.segments.querysets import live_customers, live_segments, segments_to_follow, segments_to_refresh
from retention.work.operations import raise_alert, resolve_alert

ALERT = "segments.overlooked"


@jobs.register
class PlaceCustomers(DueJob):
    """Customers with new facts at each tick; everybody every quarter of an hour, since stages move with time."""

    key = "segments.stages"
    label = _("Put customers into their stages")
    queue = "sweeps"
    order = 28

    @classmethod
    def run(cls, *, now, progress):
        placed = place_customers(now=now)
        looked_at = live_customers().count() if placed.looked_at is None else placed.looked_at
        return {"due": looked_at, "touched": placed.moved}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_to_place(now=now)}


@jobs.register
class RefreshSegments(DueJob):
    """Customers with new facts in every segment that reads them; everybody where a segment was saved, or time moved."""

    key = "segments.refresh"
    label = _("Refresh segments")
    queue = "sweeps"
    order = 30

    @classmethod
    def run(cls, *, now, progress):
        newest = newest_mark()
        whole = list(segments_to_refresh(now).values_list("pk", flat=True))
        follow = list(segments_to_follow(newest).exclude(pk__in=whole).values_list("pk", flat=True))
        work = [(refresh_segment, pk) for pk in whole] + [(follow_segment, pk) for pk in follow]
        figures = _each(work, now, progress)
        # Nothing new to look at: what they hold is as of now.
        live_segments().filter(error="", mark__gt=newest).exclude(pk__in=whole).update(computed_at=now)
        return figures

    @classmethod
    def preview(cls, *, now):
        whole = segments_to_refresh(now)
        return {"due": whole.count() + segments_to_follow(newest_mark()).exclude(pk__in=whole.values("pk")).count()}


@jobs.register
class ProveSegments(DueJob):
    """Everybody in every segment, as the proof that nobody was overlooked; tells of whoever was."""

    key = "segments.prove"
    label = _("Prove the members of all segments")
    queue = "bulk"
    at = dt.time(3, 40)
    order = 31

    @classmethod
    def run(cls, *, now, progress):
        overlooked: dict[int, int] = {}

        def prove(*, segment_id: int, now: dt.datetime) -> Refreshed:
            proved = prove_segment(segment_id=segment_id, now=now)
            overlooked[segment_id] = proved.entered + proved.left
            return proved

        figures = _each([(prove, pk) for pk in live_segments().values_list("pk", flat=True)], now, progress)
        wrong = sum(overlooked[pk] for pk in _by_facts_alone(overlooked))
        if wrong:
            text = ngettext(
                "One customer was overlooked in a segment until tonight; she is where she belongs.",
                "%(count)s customers were overlooked in segments until tonight; they are where they belong.",
                wrong,
            )
            raise_alert(kind=ALERT, text=text % {"count": wrong}, now=now)
        else:
            resolve_alert(kind=ALERT, now=now)
        return figures

    @classmethod
    def preview(cls, *, now):
        return {"due": live_segments().count()}


def _by_facts_alone(segment_ids: Iterable[int]) -> list[int]:
    found = live_segments().filter(pk__in=list(segment_ids), is_time_relative=False)
    return list(found.values_list("pk", flat=True))


def _each(
    work: list[tuple[Callable[..., Refreshed], int]], now: dt.datetime, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    touched, skipped = 0, {}
    for done, (refresh, pk) in enumerate(work, start=1):
        try:
            refreshed = refresh(segment_id=pk, now=now)
        except Refused as refused:
            skipped[refused.code] = skipped.get(refused.code, 0) + 1
        else:
            touched += refreshed.entered + refreshed.left
            if refreshed.error:
                skipped["segments.failed"] = skipped.get("segments.failed", 0) + 1
        progress(done, len(work))
    return {"due": len(work), "touched": touched, "skipped": skipped}
