"""The room's scheduled work: the night of the books, and their proof."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from retention.ledger.models import Hold
from retention.ledger.operations.holds import release_run_out
from retention.ledger.operations.proofs import differences, prove
from retention.registries import DueJob, jobs, nights


@jobs.register
class Night(DueJob):
    """At the shop's midnight, one step after another: automatic rewards, tiers, what expires, and what follows.

    What was pending until now can be spent already: it needs nobody.
    """

    key = "ledger.night"
    label = _("The night of the books: rewards, tiers, and what expires in accounts and gift cards")
    queue = "bulk"
    at = dt.time(0, 0)
    order = 15

    @classmethod
    def run(cls, *, now, progress):
        did = {step.key: step.run(now=now, progress=progress) for step in cls._steps()}
        return {"due": sum(did.values()), "steps": did}

    @classmethod
    def preview(cls, *, now):
        due = {step.key: step.preview(now=now) for step in cls._steps()}
        return {"due": sum(due.values()), "steps": due}

    @staticmethod
    def _steps():
        return sorted(nights, key=lambda step: (step.order, step.key))


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
