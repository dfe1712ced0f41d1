"""What becomes of a touch when its message was sent, or ended unsent."""

import datetime as dt
from typing import Any

from django.db import connection

from campaigns.goals import ORIGIN
from campaigns.models import Touch
from retention.registries import DeliveryOutcome, outcomes


@outcomes.register
class TouchOutcome(DeliveryOutcome):
    """Sent after the last step: done. Not sent by any channel: no further steps, for the message's reason.

    Who had an earlier step's message is done; whom nothing reached is skipped.
    """

    key = ORIGIN
    group = "campaigns.campaign"

    @classmethod
    def sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        ids = [delivery.origin_id for delivery in deliveries]
        waiting = Touch.objects.filter(pk__in=ids, state=Touch.State.WAITING)
        waiting.update(state=Touch.State.DONE, ended_at=now)

    # Nobody can say whether it arrived; the coupon counts as given, and so does the touch.
    unknown = sent

    @classmethod
    def not_sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_touch t SET next_at = NULL, ended_at = %s,
                       state = CASE WHEN EXISTS (
                           SELECT FROM messaging_delivery e WHERE e.origin = d.origin AND e.origin_id = d.origin_id
                           AND e.state IN ('sent', 'withheld', 'unknown')) THEN 'done' ELSE 'skipped' END,
                       reason = left(coalesce(nullif(d.reason, ''), 'messaging.not_sent'), 60),
                       xid = pg_current_xact_id()
                FROM messaging_delivery d WHERE d.id = ANY(%s) AND t.id = d.origin_id AND t.state IN ('due', 'waiting')
                -- The same step by another channel may still reach her, or has.
                AND NOT EXISTS (
                    SELECT FROM messaging_delivery o
                    WHERE o.origin = d.origin AND o.origin_id = d.origin_id AND o.step = d.step AND o.id <> d.id
                    AND o.state NOT IN ('failed', 'suppressed', 'bounced'))
                """,
                [now, [delivery.id for delivery in deliveries]],
            )
