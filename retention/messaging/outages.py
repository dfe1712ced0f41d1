"""Which channels rest because their providers fail, since when, and how many messages wait for them."""

from __future__ import annotations

from dataclasses import dataclass

from retention.messaging.models import Delivery, Outage
from retention.refusals import Refusal

#: Nobody counts further.
CAP = 100_000


@dataclass(frozen=True)
class Trouble:
    """A channel's outage with what it holds up."""

    outage: Outage
    waiting: int

    @property
    def reason(self) -> str:
        """Why, in words."""
        return str(Refusal(self.outage.reason)) if self.outage.reason else ""


def troubles() -> list[Trouble]:
    """Of every channel that fails now; of those that work, nothing."""
    return [Trouble(outage, waiting(outage.channel)) for outage in Outage.objects.filter(failures__gt=0)]


def waiting(channel: str) -> int:
    """How many messages of the channel wait to leave, counted to `CAP`."""
    found = Delivery.objects.filter(channel=channel, state__in=["queued", "held"])
    return found.order_by().values("pk")[:CAP].count()
