"""The room's scheduled work: what belongs together, and what happened to products."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from retention.recommendations import operations
from retention.recommendations.models import BoughtTogether
from retention.registries import DueJob, jobs


@jobs.register
class Compute(DueJob):
    key = "recommendations.compute"
    label = _("Count which products are bought together")
    queue = "bulk"
    at = dt.time(3, 40)
    order = 25

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.compute_together(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": BoughtTogether.objects.count()}


@jobs.register
class Watch(DueJob):
    key = "recommendations.watch"
    label = _("Notice products that came back or became cheaper")
    order = 25
    woken_by = frozenset({"products", "stock"})

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.watch_products(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": operations.count_news(now=now)}
