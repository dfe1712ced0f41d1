"""A campaign's life: approved, launched, paused, resumed, ended, archived."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.planning import CampaignEnded, locked
from campaigns.plans import Plan, plan_of, running_plan
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.marks import safe_mark
from retention.messaging.models import Template
from retention.refusals import Refused
from retention.work import operations as work
from retention.work.querysets import shop_zone

JOB = "campaigns.reach"
ENDED = "campaigns.ended"


class NothingToApprove(Refused):
    code = "campaigns.nothing_to_approve"
    sentence = _("Version %(version)s is approved already.")


class ApprovedMeanwhile(Refused):
    code = "campaigns.saved_meanwhile"
    sentence = _("You looked at version %(looked_at)s, but version %(newest)s was saved since. Look at it first.")


class NotApproved(Refused):
    code = "campaigns.not_approved"
    sentence = _("A marketing lead must approve version %(version)s first.")


class NotPaused(Refused):
    code = "campaigns.not_paused"
    sentence = _("Only a paused campaign can be resumed; “%(name)s” is %(state)s.")


class NotLive(Refused):
    code = "campaigns.not_live"
    sentence = _("Only a live campaign can be paused; “%(name)s” is %(state)s.")


class AlreadyLaunched(Refused):
    code = "campaigns.already_launched"
    sentence = _("“%(name)s” was launched before.")


class NeverLaunched(Refused):
    code = "campaigns.never_launched"
    sentence = _("“%(name)s” was never launched. Archive it instead.")


class StillRunning(Refused):
    code = "campaigns.still_running"
    sentence = _("“%(name)s” is %(state)s. End it first.")


class DateHasPassed(Refused):
    code = "campaigns.date_has_passed"
    sentence = _("Its date, %(date)s, has passed. Choose another one.")


class IncentiveNotUsable(Refused):
    code = "campaigns.incentive_not_usable"
    sentence = _("The incentive “%(name)s” is stopped or archived. Resume it, or choose another one.")


class TemplateNotUsable(Refused):
    code = "campaigns.template_not_usable"
    sentence = _("The template “%(name)s” has no words yet or is archived. Choose another one.")


@transaction.atomic
def approve(*, campaign_id: int, version: int, now: dt.datetime, by: Actor) -> Campaign:
    """The version that the approver looked at may run; where the campaign is live, it runs from now on.

    Raises:
        ApprovedMeanwhile: another version was saved since she looked.
        NothingToApprove: it is approved already.
        NoSuchCampaign, CampaignEnded, CampaignArchived
    """
    # In the order in which a look takes them.
    reached = Reach.objects.select_for_update(no_key=True).filter(campaign_id=campaign_id).first()
    campaign = locked(campaign_id)
    if campaign.state == Campaign.State.ENDED:
        raise CampaignEnded(name=campaign.name)
    if campaign.version.number != version:
        raise ApprovedMeanwhile(looked_at=version, newest=campaign.version.number)
    if campaign.approved_version_id == campaign.version_id and campaign.state != Campaign.State.DRAFT:
        raise NothingToApprove(version=version)
    before = campaign.approved_version and campaign.approved_version.number
    if reached is not None:
        _look_back(reached, running_plan(campaign), plan_of(campaign))
    campaign.approved_version, campaign.approved_by_id = campaign.version, by.staff_id
    if campaign.state == Campaign.State.DRAFT:
        campaign.state = Campaign.State.APPROVED
    else:
        _check_ready(plan_of(campaign), now=now, by=by)
    campaign.save()
    record(
        verb="campaigns.approve",
        by=by,
        now=now,
        subject=campaign,
        before={"version": before},
        after={"version": version},
    )
    return campaign


@transaction.atomic
def launch(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """The approved version goes live; its incentives that are drafts go live with it.

    Raises:
        NotApproved: the newest version is not approved.
        AlreadyLaunched: it is live or paused.
        DateHasPassed: its end or its one date lies behind.
        IncentiveNotUsable, TemplateNotUsable: a step could not be taken.
        NoSuchCampaign, CampaignEnded, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state == Campaign.State.ENDED:
        raise CampaignEnded(name=campaign.name)
    if campaign.launched_at is not None:
        raise AlreadyLaunched(name=campaign.name)
    if campaign.state != Campaign.State.APPROVED:
        raise NotApproved(version=campaign.version.number)
    plan = running_plan(campaign)
    _check_ready(plan, now=now, by=by)
    opens_at = max(now, plan.starts_at or now)
    Reach.objects.create(
        campaign=campaign,
        opens_at=opens_at,
        at=plan.of.opens_at(plan.cleaned_args(), opens_at),
        mark=safe_mark(),
    )
    campaign.state, campaign.launched_at = Campaign.State.LIVE, now
    campaign.save()
    record(
        verb="campaigns.launch", by=by, now=now, subject=campaign, after={"version": campaign.approved_version.number}
    )
    work.nudge(JOB)
    return campaign


@transaction.atomic
def pause(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """Nobody is touched and nothing of it is sent until it is resumed. Waits for the chunk under way.

    Raises:
        NotLive, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state != Campaign.State.LIVE:
        raise NotLive(name=campaign.name, state=campaign.get_state_display())
    return _turn(campaign, Campaign.State.PAUSED, "campaigns.pause", now=now, by=by)


@transaction.atomic
def resume(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """It goes on; what fell due meanwhile is caught up, unless it is too late.

    Raises:
        NotPaused, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state != Campaign.State.PAUSED:
        raise NotPaused(name=campaign.name, state=campaign.get_state_display())
    _turn(campaign, Campaign.State.LIVE, "campaigns.resume", now=now, by=by)
    work.nudge(JOB)
    return campaign


@transaction.atomic
def end(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """It is over for good: no more touches, no more steps, what waits in the outbox is not sent.

    Raises:
        NeverLaunched, CampaignEnded, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state == Campaign.State.ENDED:
        raise CampaignEnded(name=campaign.name)
    if campaign.launched_at is None:
        raise NeverLaunched(name=campaign.name)
    Touch.objects.filter(campaign=campaign, state=Touch.State.DUE).update(
        state=Touch.State.SKIPPED, reason=ENDED, next_at=None
    )
    campaign.stopped_at = now
    campaign.save(update_fields=["stopped_at"])
    return _turn(campaign, Campaign.State.ENDED, "campaigns.end", now=now, by=by)


@transaction.atomic
def finish(*, campaign_id: int, now: dt.datetime, by: Actor) -> bool:
    """End a live campaign by itself if nothing can fall due any more and nobody has a step before her.

    What is in the outbox still leaves. Returns whether it ended.
    """
    campaign = locked(campaign_id)
    plan = running_plan(campaign)
    last = plan.of.last_due_at(plan.cleaned_args(), shop_zone())
    ends = [at for at in (plan.ends_at, last and last + plan.lateness) if at]
    if campaign.state != Campaign.State.LIVE or not ends or now < min(ends) or campaign.reach.at < min(ends):
        return False
    if Touch.objects.filter(campaign=campaign, state=Touch.State.DUE).exists():
        return False
    _turn(campaign, Campaign.State.ENDED, "campaigns.finish", now=now, by=by)
    return True


@transaction.atomic
def archive(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """Out of sight; its touches stay.

    Raises:
        StillRunning, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state in (Campaign.State.LIVE, Campaign.State.PAUSED):
        raise StillRunning(name=campaign.name, state=campaign.get_state_display())
    campaign.archived_at = now
    campaign.save(update_fields=["archived_at"])
    record(verb="campaigns.archive", by=by, now=now, subject=campaign)
    return campaign


def _turn(campaign: Campaign, state: str, verb: str, *, now: dt.datetime, by: Actor) -> Campaign:
    before, campaign.state = campaign.state, state
    campaign.save(update_fields=["state"])
    record(verb=verb, by=by, now=now, subject=campaign, before={"state": before}, after={"state": state})
    return campaign


def _look_back(reached: Reach, before: Plan, after: Plan) -> None:
    """Where the hour moved, today's new one may lie behind: a day is looked at again, and nobody touched twice."""
    if (before.occasion, before.cleaned_args()) == (after.occasion, after.cleaned_args()):
        return
    opens_at = after.of.opens_at(after.cleaned_args(), reached.opens_at)
    reached.at = min(reached.at, max(opens_at, reached.at - dt.timedelta(days=1)))
    reached.position, reached.is_revived = 0, False
    if reached.phase == Reach.Phase.LATE:
        reached.phase = Reach.Phase.FRESH
    reached.save()


def _check_ready(plan: Plan, *, now: dt.datetime, by: Actor) -> None:
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
