"""One customer and one campaign, with everything that more than one question about them reads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from campaigns.goals import ORIGIN
from campaigns.models import Campaign, Reach, Touch
from campaigns.plans import Plan, plan_of, running_plan
from campaigns.selection import Selection
from retention.customers.models import Customer
from retention.messaging.models import Delivery
from retention.work.querysets import shop_zone

#: More touches of one campaign than these nobody reads.
MOST = 10


@dataclass(frozen=True)
class Case:
    """`days`: how far before and after now occasions are looked for."""

    campaign: Campaign
    customer: Customer
    now: dt.datetime
    days: int

    @cached_property
    def plan(self) -> Plan:
        """What her touch follows; without one what runs, or what was saved last where nothing runs."""
        if self.touch is not None:
            return Plan.model_validate(self.touch.version.data)
        return self.running

    @cached_property
    def running(self) -> Plan:
        """What runs, whatever version her touch follows; what was saved last where nothing runs."""
        return running_plan(self.campaign) if self.campaign.launched_at else plan_of(self.campaign)

    @cached_property
    def zone(self) -> str:
        return shop_zone()

    @cached_property
    def reached(self) -> Reach | None:
        return Reach.objects.filter(campaign=self.campaign).first()

    @cached_property
    def touches(self) -> list[Touch]:
        """Newest first."""
        mine = Touch.objects.filter(campaign=self.campaign, customer=self.customer).select_related("version")
        return list(mine.order_by("-due_at", "-id")[:MOST])

    @property
    def touch(self) -> Touch | None:
        return self.touches[0] if self.touches else None

    @cached_property
    def deliveries(self) -> list[Delivery]:
        """Of all her touches, in the order in which they were queued."""
        mine = Delivery.objects.filter(origin=ORIGIN, origin_id__in=[touch.pk for touch in self.touches])
        return list(mine.filter(customer=self.customer).select_related("template").order_by("id"))

    @property
    def opens_at(self) -> dt.datetime:
        """Nobody is touched as of an earlier instant."""
        return self.reached.opens_at if self.reached else max(self.now, self.plan.starts_at or self.now)

    @cached_property
    def selection(self) -> Selection:
        return Selection.of(self.campaign, self.plan, shop_zone=self.zone, now=self.now, opens_at=self.opens_at)
