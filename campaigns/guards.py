"""May a campaign's message leave now? Only while its campaign is live, and what it is about has not been settled."""

import datetime as dt
from typing import Any

from campaigns.models import Campaign, Touch
from campaigns.operations.life import ENDED
from campaigns.operations.stepping import ORIGIN
from campaigns.settled import settled
from retention.registries import SendGuard, Skip, guards

#: A paused campaign's messages are asked about again so often.
ASK_AGAIN = dt.timedelta(minutes=10)


@guards.register
class CampaignIsLive(SendGuard):
    key = "campaigns.live"
    order = 10

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        ours = {delivery.id: delivery.origin_id for delivery in deliveries if delivery.origin == ORIGIN}
        if not ours:
            return {}
        # One that ended by itself has sent all but what is in the outbox, and that may still leave.
        states = {
            touch_id: (state, stopped_at)
            for touch_id, state, stopped_at in Touch.objects.filter(pk__in=ours.values())
            .exclude(campaign__state=Campaign.State.LIVE)
            .values_list("pk", "campaign__state", "campaign__stopped_at")
        }
        found = {}
        for delivery_id, touch_id in ours.items():
            state, stopped_at = states.get(touch_id, (None, None))
            if state == Campaign.State.PAUSED:
                found[delivery_id] = Skip("campaigns.paused", until=now + ASK_AGAIN)
            elif stopped_at is not None:
                found[delivery_id] = Skip(ENDED)
        return found


@guards.register
class OccasionHolds(SendGuard):
    key = "campaigns.occasion_holds"
    order = 15

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        ours = {delivery.id: delivery.origin_id for delivery in deliveries if delivery.origin == ORIGIN}
        gone = settled(ours.values()) if ours else {}
        return {delivery_id: Skip(gone[touch_id]) for delivery_id, touch_id in ours.items() if touch_id in gone}
