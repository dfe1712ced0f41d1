"""The ledger's own step of the night: what has expired goes."""

from retention.actors import Actor
from retention.ledger.operations.night import expiring, keep_night
from retention.registries import NightStep, nights


@nights.register
class Expire(NightStep):
    key = "ledger.expire"
    order = 40

    @classmethod
    def run(cls, *, now, progress):
        return keep_night(now=now, by=Actor.job("ledger.night"), progress=progress).expired

    @classmethod
    def preview(cls, *, now):
        return expiring(now=now)[0]
