"""The room's scheduled work: keeping stored members true."""

from django.utils.translation import gettext_lazy as _

from retention.refusals import Refused
from retention.registries import DueJob, jobs
from retention.segments.operations import refresh_segment
from retention.segments.querysets import segments_to_refresh

#: Segments of one run; the rest are due a minute later.
A_RUN = 200


@jobs.register
class RefreshSegments(DueJob):
    """Those saved since their last refresh, and each of the others once an hour."""

    key = "segments.refresh"
    label = _("Refresh segments")
    queue = "sweeps"
    order = 30

    @classmethod
    def run(cls, *, now, progress):
        due = list(segments_to_refresh(now).values_list("pk", flat=True)[:A_RUN])
        touched, skipped = 0, {}
        for done, pk in enumerate(due, start=1):
            try:
                refreshed = refresh_segment(segment_id=pk, now=now)
            except Refused as refused:
                skipped[refused.code] = skipped.get(refused.code, 0) + 1
            else:
                touched += refreshed.entered + refreshed.left
                if refreshed.error:
                    skipped["segments.failed"] = skipped.get("segments.failed", 0) + 1
            progress(done, len(due))
        return {"due": len(due), "touched": touched, "skipped": skipped}

    @classmethod
    def preview(cls, *, now):
        return {"due": min(segments_to_refresh(now).count(), A_RUN)}
