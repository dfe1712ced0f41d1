"""What other programs are told of segments: who came into one and who left it."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention.event_kinds import EventKind
from retention.registries import EventSource, events

_SAMPLE: dict[str, Any] = {
    "segment": "01920000-0000-7000-8000-000000000011", "key": "at_risk", "name": "At risk",
}  # fmt: skip


@events.register
class ChangeSource(EventSource):
    key = "segments.changes"
    group = _("Segments")
    kinds: ClassVar = {
        "segments.entered": EventKind(
            _("Came into a segment"), _("When a refresh finds a customer in who was not in before."), _SAMPLE
        ),
        "segments.left": EventKind(
            _("Left a segment"), _("When a refresh finds a customer out who was in before."), _SAMPLE
        ),
    }
    sql = """
        SELECT CASE WHEN change.has_entered THEN 'segments.entered' ELSE 'segments.left' END AS kind,
               'segments.membershipchange:' || change.id AS reference, change.customer_id, change.at AS occurred_at,
               jsonb_build_object('segment', segment.public_id, 'key', segment.key, 'name', segment.name) AS data,
               change.xid
        FROM segments_segment segment
        JOIN segments_membershipchange change ON change.segment_id = segment.id
        WHERE change.xid >= %(since)s::text::xid8 AND change.xid < %(until)s::text::xid8
    """
