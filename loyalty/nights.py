"""This room's steps of the night: automatic rewards, tiers, ends that move, and whatever follows from what expired."""

from loyalty.operations.expiry import slide
from loyalty.operations.milestones import due_milestones, pass_milestones
from loyalty.operations.tiers import count_ending, keep_tiers, retier
from retention.actors import Actor
from retention.registries import NightStep, nights

BY = Actor.job("ledger.night")


@nights.register
class Rewards(NightStep):
    """While what expires tonight is still there, and her old tier with it."""

    key = "loyalty.rewards"
    order = 20

    @classmethod
    def run(cls, *, now, progress):
        return pass_milestones(now=now, progress=progress)["due"]

    @classmethod
    def preview(cls, *, now):
        return due_milestones(now=now)


@nights.register
class Tiers(NightStep):
    key = "loyalty.tiers"
    order = 30

    @classmethod
    def run(cls, *, now, progress):
        return keep_tiers(now=now, by=BY, progress=progress).looked_at

    @classmethod
    def preview(cls, *, now):
        return count_ending(now=now)


@nights.register
class Ends(NightStep):
    """Whoever earned or spent in the last minute of the day has moved her ends."""

    key = "loyalty.ends"
    order = 35

    @classmethod
    def run(cls, *, now, progress):
        return slide(now=now, progress=progress)

    @classmethod
    def preview(cls, *, now):
        return 0


@nights.register
class Balance(NightStep):
    """What no longer counts in the windows of the new day, and who rises by it all."""

    key = "loyalty.balance"
    order = 50

    @classmethod
    def run(cls, *, now, progress):
        done = retier(now=now, by=BY, progress=progress)
        return done.up + done.down

    @classmethod
    def preview(cls, *, now):
        return 0
