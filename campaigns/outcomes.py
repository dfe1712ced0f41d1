"""What becomes of a touch when its message was sent, or ended unsent."""

import datetime as dt
from typing import Any

from django.db import connection

from campaigns.models import Touch
from campaigns.operations.stepping import ORIGIN
from retention.registries import DeliveryOutcome, outcomes


@outcomes.register
class TouchOutcome(DeliveryOutcome):
    """Sent after the last step: done. Not sent: skipped with the message's reason, and no further steps."""

    key = ORIGIN

    @classmethod
    def sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        ids = [delivery.origin_id for delivery in deliveries]
        waiting = Touch.objects.filter(pk__in=ids, state=Touch.State.WAITING)
        waiting.update(state=Touch.State.DONE)

    @classmethod
    def not_sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        reasons = [(delivery.reason or "messaging.failed")[:60] for delivery in deliveries]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE campaigns_touch t SET state = 'skipped', reason = r.reason, next_at = NULL,"
                " xid = pg_current_xact_id() FROM unnest(%s::bigint[], %s::text[]) AS r (id, reason)"
                " WHERE t.id = r.id AND t.state IN ('due', 'waiting')",
                [[delivery.origin_id for delivery in deliveries], reasons],
            )
