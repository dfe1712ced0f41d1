"""A sorry mail whose coupon was undone must not leave."""

import datetime as dt
from typing import Any

from retention.registries import SendGuard, Skip, guards
from retention.support.models import Compensation
from retention.support.operations import ORIGIN


@guards.register
class NotUndone(SendGuard):
    key = "support.not_undone"
    order = 20

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        ours = {delivery.origin_id: delivery.id for delivery in deliveries if delivery.origin == ORIGIN}
        undone = Compensation.objects.filter(pk__in=ours, undone_at__isnull=False).values_list("pk", flat=True)
        return {ours[compensation_id]: Skip("support.undone") for compensation_id in undone}
