"""What a sorry mail's end means: one that never left gives the agent her allowance back."""

import datetime as dt
from typing import Any

from retention.actors import Actor
from retention.messaging.models import Delivery
from retention.registries import DeliveryOutcome, outcomes
from retention.support.operations import ORIGIN, not_delivered


@outcomes.register
class CompensationMail(DeliveryOutcome):
    key = ORIGIN

    @classmethod
    def not_sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        rows = Delivery.objects.filter(origin=ORIGIN, origin_id__in=[delivery.origin_id for delivery in deliveries])
        not_delivered(why=dict(rows.values_list("origin_id", "reason")), now=now, by=Actor.job("messaging.send"))
