"""The room's scheduled work: the night of the books, and their proof."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.ledger.models import Hold
from retention.ledger.operations.holds import release_run_out
from retention.ledger.operations.night import expiring, keep_night
from retention.ledger.operations.proofs import differences, prove
from retention.registries import DueJob, jobs


@jobs.register
class Night(DueJob):
    """At the shop's midnight: what was pending until now can be spent already; then what has expired goes."""

    key = "ledger.night"
    label = _("Let expire what has expired in accounts and gift cards")
    queue = "bulk"
    at = dt.time(0, 0)
    order = 15

    @classmethod
    def run(cls, *, now, progress):
        night = keep_night(now=now, by=Actor.job(cls.key), progress=progress)
        return {"due": night.expired}

    @classmethod
    def preview(cls, *, now):
        lots, _held = expiring(now=now)
        return {"due": lots}


@jobs.register
class ReleaseHolds(DueJob):
    key = "ledger.release_holds"
    label = _("Set free what was held for too long")
    order = 15

    @classmethod
    def run(cls, *, now, progress):
        return {"due": release_run_out(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": Hold.objects.filter(state=Hold.State.OPEN, expires_at__lte=now).count()}


@jobs.register
class ProveBooks(DueJob):
    key = "ledger.prove"
    label = _("Compare balances, lots and holds with the entries")
    queue = "bulk"
    at = dt.time(4, 0)
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": len(prove(now=now))}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(differences())}
