"""Whether a plan could be carried out now; turning states; how a running campaign's reach follows a new plan."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Reach
from campaigns.plans import Plan
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.refusals import Refused
from retention.work.querysets import shop_zone


class DateHasPassed(Refused):
    code = "campaigns.date_has_passed"
    sentence = _("Its date, %(date)s, has passed. Choose another one.")


class IncentiveNotUsable(Refused):
    code = "campaigns.incentive_not_usable"
    sentence = _("The incentive “%(name)s” is stopped or archived. Resume it, or choose another one.")


class TemplateNotUsable(Refused):
    code = "campaigns.template_not_usable"
    sentence = _("The template “%(name)s” has no words yet or is archived. Choose another one.")


def ramp_of(plan: Plan) -> dict[str, int] | None:
    """How far a plan is opened at first."""
    return plan.ramp.model_dump(exclude_none=True) if plan.ramp else None


def look_back(reached: Reach, before: Plan, after: Plan) -> None:
    """Where the hour moved, today's new one may lie behind: a day is looked at again, and nobody touched twice."""
    if (before.occasion, before.cleaned_args()) == (after.occasion, after.cleaned_args()):
        return
    opens_at = after.of.opens_at(after.cleaned_args(), reached.opens_at)
    reached.at = min(reached.at, max(opens_at, reached.at - dt.timedelta(days=1)))
    reached.position, reached.is_revived = 0, False
    if reached.phase == Reach.Phase.LATE:
        reached.phase = Reach.Phase.FRESH
    reached.save()


def check_ready(plan: Plan, *, now: dt.datetime, by: Actor) -> None:
    """Refuse a plan whose date has passed or whose steps could not be taken; its draft incentives go live."""
    last = plan.of.last_due_at(plan.cleaned_args(), shop_zone())
    for end_at in (plan.ends_at, last):
        if end_at is not None and end_at < now:
            raise DateHasPassed(date=f"{end_at:%Y-%m-%d %H:%M} UTC")
    for template in Template.objects.filter(pk__in=plan.templates):
        if template.version_id is None or template.archived_at is not None:
            raise TemplateNotUsable(name=template.name)
    for incentive in Incentive.objects.filter(pk__in=plan.incentives):
        if incentive.state == Incentive.State.STOPPED or incentive.archived_at is not None:
            raise IncentiveNotUsable(name=incentive.name)
        if incentive.state == Incentive.State.DRAFT:
            incentives.go_live(incentive_id=incentive.pk, now=now, by=by)


def turn(campaign: Campaign, state: str, verb: str, *, now: dt.datetime, by: Actor) -> Campaign:
    """Into another state, and into the audit."""
    before, campaign.state = campaign.state, state
    campaign.save(update_fields=["state"])
    record(verb=verb, by=by, now=now, subject=campaign, before={"state": before}, after={"state": state})
    return campaign


def start_if_due(campaign: Campaign, reached: Reach, *, now: dt.datetime, by: Actor) -> None:
    """A scheduled campaign whose start has come is live from now on; called with its rows locked."""
    if campaign.state == Campaign.State.SCHEDULED and reached.opens_at <= now:
        turn(campaign, Campaign.State.LIVE, "campaigns.start", now=now, by=by)
