"""The room's scheduled work: making codes that were asked for, and proving the counters."""

import datetime as dt

from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from retention.incentives.models import CodeBatch, Redemption
from retention.incentives.operations.brought import JOB as JOIN
from retention.incentives.operations.brought import count_guests_to_join, join_guests
from retention.incentives.operations.code_batches import JOB, fill_batch
from retention.incentives.operations.following import JOB as FOLLOW
from retention.incentives.operations.following import count_orders_to_follow, follow_orders
from retention.incentives.operations.leaks import fast_offers, watch_leaks
from retention.incentives.operations.near_limits import untold_limits, watch_limits
from retention.incentives.operations.pools import expiring_pools, low_pools, watch_expiring_pools, watch_pools
from retention.incentives.operations.reconcile import differences, reconcile
from retention.incentives.operations.redemptions import release_expired
from retention.registries import DueJob, jobs


@jobs.register
class MakeCodes(DueJob):
    """Goes on with every batch that is not complete, however it was left."""

    key = JOB
    label = _("Make the codes that were asked for")
    queue = "bulk"
    order = 35

    @classmethod
    def run(cls, *, now, progress):
        waiting = CodeBatch.objects.filter(state=CodeBatch.State.WAITING).order_by("pk").values_list("pk", flat=True)
        return {"due": sum(fill_batch(batch_id=pk, now=now, progress=progress) for pk in list(waiting))}

    @classmethod
    def preview(cls, *, now):
        waiting = CodeBatch.objects.filter(state=CodeBatch.State.WAITING)
        return {"due": waiting.aggregate(left=Sum(F("wanted") - F("made")))["left"] or 0}


@jobs.register
class ReleaseHolds(DueJob):
    key = "incentives.release_holds"
    label = _("Release what checkouts held and did not redeem")
    order = 30

    @classmethod
    def run(cls, *, now, progress):
        return {"due": release_expired(now=now)}

    @classmethod
    def preview(cls, *, now):
        over = Redemption.objects.filter(state=Redemption.State.HELD, held_until__lte=now)
        return {"due": over.count()}


@jobs.register
class WatchPools(DueJob):
    key = "incentives.watch_pools"
    label = _("Tell of pools of codes that run low")
    order = 90
    woken_by = frozenset({"codes"})

    @classmethod
    def run(cls, *, now, progress):
        return {"due": len(watch_pools(now=now))}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(low_pools(now=now))}


@jobs.register
class WatchExpiringPools(DueJob):
    key = "incentives.watch_expiring_pools"
    label = _("Tell of pools of codes that soon expire")
    at = dt.time(6, 10)
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": len(watch_expiring_pools(now=now))}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(expiring_pools(now=now))}


@jobs.register
class WatchLimits(DueJob):
    key = "incentives.watch_limits"
    label = _("Tell of limits and budgets at 50, 80 and 100 %")
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": watch_limits(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(untold_limits())}


@jobs.register
class WatchLimitsOfEach(DueJob):
    key = "incentives.watch_limits_of_each"
    label = _("Tell of what single codes and customers spent at 50, 80 and 100 %")
    at = dt.time(6, 20)
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": watch_limits(now=now, of_each=True)}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(untold_limits(of_each=True))}


@jobs.register
class FollowOrders(DueJob):
    key = FOLLOW
    label = _("Undo what was redeemed for orders that were cancelled or came back")
    order = 25
    woken_by = frozenset({"orders", "returns"})

    @classmethod
    def run(cls, *, now, progress):
        return follow_orders(now=now, progress=progress).as_dict()

    @classmethod
    def preview(cls, *, now):
        return {"due": count_orders_to_follow(now=now)}


@jobs.register
class JoinGuests(DueJob):
    key = JOIN
    label = _("Give guests who became known what their orders brought")
    order = 26
    woken_by = frozenset({"orders", "customers"})

    @classmethod
    def run(cls, *, now, progress):
        return {"due": join_guests(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": count_guests_to_join()}


@jobs.register
class WatchLeaks(DueJob):
    key = "incentives.watch_leaks"
    label = _("Tell of offers and codes that may have leaked")
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": len(watch_leaks(now=now))}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(fast_offers(now=now))}


@jobs.register
class ReconcileCounters(DueJob):
    key = "incentives.reconcile"
    label = _("Compare the counters of incentives with the facts")
    queue = "bulk"
    at = dt.time(3, 50)
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": len(reconcile(now=now))}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(differences())}
