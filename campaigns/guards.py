"""May a campaign's message leave now? Only while its campaign is live, and she has not done what it is for."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q

from campaigns.goals import ORIGIN, done
from campaigns.models import Campaign, Touch
from campaigns.operations.life import ENDED
from campaigns.plans import Plan, plan_of_version
from campaigns.selection import CONVERTED, LEFT
from campaigns.settled import settled
from retention.registries import SendGuard, Skip, guards
from retention.segments.models import Segment
from retention.segments.querysets import members

#: A paused campaign's messages are asked about again so often.
ASK_AGAIN = dt.timedelta(minutes=10)


def _touches(deliveries: Iterable[Any]) -> dict[int, int]:
    """Delivery → touch, of those that are campaigns'."""
    return {delivery.id: delivery.origin_id for delivery in deliveries if delivery.origin == ORIGIN}


@guards.register
class CampaignIsLive(SendGuard):
    key = "campaigns.live"
    order = 10

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        ours = _touches(deliveries)
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
        ours = _touches(deliveries)
        gone = settled(ours.values()) if ours else {}
        return {delivery_id: Skip(gone[touch_id]) for delivery_id, touch_id in ours.items() if touch_id in gone}


@guards.register
class StillWanted(SendGuard):
    """What the plan exits on, asked as before each step: an order a minute ago stops the mail that is leaving."""

    key = "campaigns.still_wanted"
    order = 16

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        ours = _touches(deliveries)
        if not ours:
            return {}
        by_version: dict[int, dict[int, int]] = defaultdict(dict)
        rows = Touch.objects.filter(pk__in=ours.values()).values_list("version_id", "pk", "customer_id")
        for version_id, touch_id, customer_id in rows:
            by_version[version_id][touch_id] = customer_id
        gone: dict[int, str] = {}
        for version_id, touches in by_version.items():
            gone.update(cls._gone(plan_of_version(version_id), touches, now))
        return {delivery_id: Skip(gone[touch_id]) for delivery_id, touch_id in ours.items() if touch_id in gone}

    @staticmethod
    def _gone(plan: Plan, touches: dict[int, int], now: dt.datetime) -> Iterator[tuple[int, str]]:
        """(touch, why) of those whose exit has come; touch → customer."""
        if plan.exits.segment is not None:
            segment = Segment.objects.get(pk=plan.exits.segment)
            inside = members(segment.rule, now, of=segment.pk, among=Q(pk__in=set(touches.values())))
            left = set(inside.values_list("pk", flat=True))
            yield from ((touch_id, LEFT) for touch_id, customer_id in touches.items() if customer_id in left)
        if plan.exits.on_goal:
            yield from ((row.touch_id, CONVERTED) for row in done(plan.goal, touches, now))
