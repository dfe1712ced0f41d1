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

    # Nobody can say whether it arrived; the coupon counts as given, and so does the touch.
    unknown = sent

    @classmethod
    def not_sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE campaigns_touch t SET state = 'skipped', next_at = NULL, xid = pg_current_xact_id(),
                       reason = left(coalesce(nullif(d.reason, ''), 'messaging.not_sent'), 60)
                FROM messaging_delivery d WHERE d.id = ANY(%s) AND t.id = d.origin_id AND t.state IN ('due', 'waiting')
                """,
                [[delivery.id for delivery in deliveries]],
            )
