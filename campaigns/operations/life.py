"""A campaign's life: launched or scheduled, paused, resumed, ended, archived. `review` says whether it may run."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.planning import CampaignEnded, locked
from campaigns.operations.readiness import check_ready, ramp_of, turn
from campaigns.operations.review import is_cheap, let_run
from campaigns.plans import running_plan
from retention.actors import Actor
from retention.audit.operations import record
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.work import operations as work
from retention.work.querysets import shop_zone

JOB = "campaigns.reach"
ENDED = "campaigns.ended"


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


@transaction.atomic
def launch(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """The approved version goes live, at once or when it starts; its incentives that are drafts go live with it.

    What costs so little that the shop's policy lets it pass needs no approval: launching it is enough.

    Raises:
        NotApproved: the newest version is not approved.
        AlreadyLaunched: it is live or paused.
        DateHasPassed: its end or its one date lies behind.
        IncentiveNotUsable, TemplateNotUsable: a step could not be taken.
        NoSuchCampaign, CampaignEnded, CampaignArchived
    """
    needs_nobody = is_cheap(campaign_id, now=now)
    campaign = locked(campaign_id)
    if campaign.state == Campaign.State.ENDED:
        raise CampaignEnded(name=campaign.name)
    if campaign.launched_at is not None:
        raise AlreadyLaunched(name=campaign.name)
    if campaign.state != Campaign.State.APPROVED:
        if not needs_nobody:
            raise NotApproved(version=campaign.version.number)
        let_run(campaign, None, now=now, by=by)
    plan = running_plan(campaign)
    check_ready(plan, now=now, by=by)
    opens_at = max(now, plan.starts_at or now)
    Reach.objects.create(
        campaign=campaign,
        opens_at=opens_at,
        at=plan.of.opens_at(plan.cleaned_args(), opens_at),
        mark=safe_mark(),
        ramp=ramp_of(plan),
    )
    campaign.state = Campaign.State.LIVE if opens_at <= now else Campaign.State.SCHEDULED
    campaign.launched_at = now
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
    if campaign.state not in (Campaign.State.LIVE, Campaign.State.SCHEDULED):
        raise NotLive(name=campaign.name, state=campaign.get_state_display())
    return turn(campaign, Campaign.State.PAUSED, "campaigns.pause", now=now, by=by)


@transaction.atomic
def resume(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """It goes on; what fell due meanwhile is caught up, unless it is too late.

    Raises:
        NotPaused, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state != Campaign.State.PAUSED:
        raise NotPaused(name=campaign.name, state=campaign.get_state_display())
    has_started = Reach.objects.filter(campaign=campaign, opens_at__lte=now).exists()
    state = Campaign.State.LIVE if has_started else Campaign.State.SCHEDULED
    turn(campaign, state, "campaigns.resume", now=now, by=by)
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
    Touch.objects.filter(campaign=campaign, state__in=[Touch.State.DUE, Touch.State.HELD]).update(
        state=Touch.State.SKIPPED, reason=ENDED, next_at=None, ended_at=now
    )
    campaign.stopped_at = now
    campaign.save(update_fields=["stopped_at"])
    return turn(campaign, Campaign.State.ENDED, "campaigns.end", now=now, by=by)


@transaction.atomic
def finish(*, campaign_id: int, now: dt.datetime, by: Actor) -> bool:
    """End a live campaign by itself if nothing can fall due any more and nobody has a step before her.

    What is in the outbox still leaves. Returns whether it ended.
    """
    campaign = locked(campaign_id)
    plan = running_plan(campaign)
    over_at = plan.over_at(shop_zone())
    if campaign.state != Campaign.State.LIVE or over_at is None or min(now, campaign.reach.at) < over_at:
        return False
    if Touch.objects.filter(campaign=campaign, state__in=[Touch.State.DUE, Touch.State.HELD]).exists():
        return False
    turn(campaign, Campaign.State.ENDED, "campaigns.finish", now=now, by=by)
    return True


@transaction.atomic
def archive(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """Out of sight; its touches stay.

    Raises:
        StillRunning, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state in (Campaign.State.SCHEDULED, Campaign.State.LIVE, Campaign.State.PAUSED):
        raise StillRunning(name=campaign.name, state=campaign.get_state_display())
    campaign.archived_at = now
    campaign.save(update_fields=["archived_at"])
    record(verb="campaigns.archive", by=by, now=now, subject=campaign)
    return campaign
