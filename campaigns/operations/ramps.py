"""Opening a campaign to more customers, by a click."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.planning import locked
from campaigns.plans import Plan, Ramp, running_plan
from campaigns.selection import TOO_LATE
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused
from retention.work import operations as work
from retention.work.querysets import shop_zone

JOB = "campaigns.reach"


class NotWider(Refused):
    code = "campaigns.not_wider"
    sentence = _("“%(name)s” is open that far already.")


@transaction.atomic
def widen(*, campaign_id: int, ramp: Ramp | None, now: dt.datetime, by: Actor) -> Campaign:
    """Open it to more customers, or to everyone (None). Who was held back is asked again, unless it is too late.

    A campaign of one date has no "too late": whoever waits gets it when it is opened to her.

    Raises:
        NotWider: it is open that far already, or opened by the other measure.
        NoSuchCampaign, CampaignArchived
    """
    reached = Reach.objects.select_for_update(no_key=True).filter(campaign_id=campaign_id).first()
    campaign = locked(campaign_id)
    wanted = ramp.model_dump(exclude_none=True) if ramp else None
    if reached is None or reached.ramp is None or not _is_wider(reached.ramp, wanted):
        raise NotWider(name=campaign.name)
    before, reached.ramp = reached.ramp, wanted
    reached.save(update_fields=["ramp"])
    ask_again(campaign, running_plan(campaign), now=now)
    record(verb="campaigns.widen", by=by, now=now, subject=campaign, before={"ramp": before}, after={"ramp": wanted})
    work.nudge(JOB)
    return campaign


def ask_again(campaign: Campaign, plan: Plan, *, now: dt.datetime) -> None:
    """Those who were held back are due once more, or too late."""
    held = Touch.objects.filter(campaign=campaign, state=Touch.State.HELD)
    if plan.of.last_due_at(plan.cleaned_args(), shop_zone()) is None:
        too_late = held.filter(due_at__lt=now - plan.lateness)
        too_late.update(state=Touch.State.SKIPPED, reason=TOO_LATE, ended_at=now)
    held.update(state=Touch.State.DUE, next_at=now)


def _is_wider(before: dict[str, int], after: dict[str, int] | None) -> bool:
    if after is None:
        return True
    [(kind, count)] = before.items()
    return after.get(kind, 0) > count
