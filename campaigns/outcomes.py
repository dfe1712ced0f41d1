"""What becomes of a touch when its message was sent, or ended unsent, and of segments that ask who was sent what."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection

from campaigns.goals import ORIGIN
from campaigns.models import Touch
from retention.registries import DeliveryOutcome, outcomes
from retention.segments.operations import look_again

#: Segments whose rule names a campaign, or the playbook that it came from, in "was sent a message of".
_ASKED_BY = """
SELECT c.id, s.id FROM campaigns_campaign c JOIN segments_segment s ON s.archived_at IS NULL
    AND jsonb_path_exists(s.rule, '$.** ? (@.key == "campaign_sent"
            && (@.args.playbooks[*] == $playbook || @.args.campaigns[*] == $campaign))',
        jsonb_build_object('playbook', nullif(c.playbook, ''), 'campaign', c.public_id::text))
WHERE c.id = ANY(%s) ORDER BY s.id
"""


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
        cls._look_again(deliveries, now)

    # Nobody can say whether it arrived; the coupon counts as given, and so does the touch.
    unknown = sent

    @staticmethod
    def _look_again(deliveries: Iterable[Any], now: dt.datetime) -> None:
        """Who had a welcome is no new customer from that moment on, though her journey goes on."""
        reached: dict[int, set[int]] = defaultdict(set)
        for delivery in deliveries:
            if delivery.group_id is not None:
                reached[delivery.group_id].add(delivery.customer_id)
        with connection.cursor() as cursor:
            cursor.execute(_ASKED_BY, [sorted(reached)])
            asked_by = cursor.fetchall()
        for campaign_id, segment_id in asked_by:
            look_again(segment_id=segment_id, customer_ids=sorted(reached[campaign_id]), now=now)

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
