"""Whether a campaign may run: put up for review, approved by another person, sent back; and when nobody is asked."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignPolicy, Reach
from campaigns.operations.forecasting import forecast
from campaigns.operations.planning import CampaignEnded, locked
from campaigns.operations.ramps import ask_again
from campaigns.operations.readiness import check_ready, look_back, ramp_of
from campaigns.plans import plan_of, running_plan
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused


class NothingToApprove(Refused):
    code = "campaigns.nothing_to_approve"
    sentence = _("Version %(version)s is approved already.")


class ApprovedMeanwhile(Refused):
    code = "campaigns.saved_meanwhile"
    sentence = _("You looked at version %(looked_at)s, but version %(newest)s was saved since. Look at it first.")


class NotADraft(Refused):
    code = "campaigns.not_a_draft"
    sentence = _("Only a draft is put up for review; “%(name)s” is %(state)s.")


class NotInReview(Refused):
    code = "campaigns.not_in_review"
    sentence = _("“%(name)s” is not in review.")


class OwnWork(Refused):
    code = "campaigns.own_work"
    sentence = _("You saved this version yourself. Another person must approve it.")


class NoReason(Refused):
    code = "campaigns.no_reason"
    sentence = _("Say in a few words why it is sent back.")
    status = 422


@transaction.atomic
def save_policy(
    *, approval_above_minor: int, currency: str, is_one_person_shop: bool, now: dt.datetime, by: Actor
) -> CampaignPolicy:
    """Whose approval campaigns need from now on."""
    before = CampaignPolicy.objects.select_for_update().filter(pk=1).first()
    said = {
        "approval_above_minor": approval_above_minor,
        "currency": currency,
        "is_one_person_shop": is_one_person_shop,
    }
    policy, _is_new = CampaignPolicy.objects.update_or_create(pk=1, defaults=said)
    record(
        verb="campaigns.save_policy",
        by=by,
        now=now,
        subject=policy,
        before=_policy_words(before) if before else None,
        after=_policy_words(policy),
    )
    return policy


def _policy_words(policy: CampaignPolicy) -> dict[str, object]:
    return {
        "approval_above_minor": policy.approval_above_minor,
        "currency": policy.currency,
        "is_one_person_shop": policy.is_one_person_shop,
    }


@transaction.atomic
def submit(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """A draft is done, as its author sees it: a lead shall look.

    Raises:
        NotADraft, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state != Campaign.State.DRAFT:
        raise NotADraft(name=campaign.name, state=campaign.get_state_display())
    campaign.state, campaign.submitted_by_id, campaign.review_note = Campaign.State.REVIEW, by.staff_id, ""
    campaign.save(update_fields=["state", "submitted_by", "review_note"])
    record(verb="campaigns.submit", by=by, now=now, subject=campaign, after={"version": campaign.version.number})
    return campaign


@transaction.atomic
def reject(*, campaign_id: int, reason: str, now: dt.datetime, by: Actor) -> Campaign:
    """Back to its author, with the reason; it is a draft again.

    Raises:
        NotInReview, NoReason, NoSuchCampaign, CampaignArchived
    """
    campaign = locked(campaign_id)
    if campaign.state != Campaign.State.REVIEW:
        raise NotInReview(name=campaign.name)
    if not reason.strip():
        raise NoReason
    campaign.state, campaign.review_note = Campaign.State.DRAFT, reason.strip()[:300]
    campaign.save(update_fields=["state", "review_note"])
    after = {"version": campaign.version.number, "reason": campaign.review_note}
    record(verb="campaigns.reject", by=by, now=now, subject=campaign, after=after)
    return campaign


@transaction.atomic
def approve(*, campaign_id: int, version: int, now: dt.datetime, by: Actor) -> Campaign:
    """The version that the approver looked at may run; where the campaign is live, it runs from now on.

    Raises:
        ApprovedMeanwhile: another version was saved since she looked.
        NothingToApprove: it is approved already.
        OwnWork: she saved it herself, in a shop of several people, and it may cost more than the policy lets pass.
        DateHasPassed, IncentiveNotUsable, TemplateNotUsable: a live campaign could not run it.
        NoSuchCampaign, CampaignEnded, CampaignArchived
    """
    is_refused = _is_own(campaign_id, by) and needs_another(campaign_id, now=now)
    # In the order in which a look takes them.
    reached = Reach.objects.select_for_update(no_key=True).filter(campaign_id=campaign_id).first()
    campaign = locked(campaign_id)
    if campaign.state == Campaign.State.ENDED:
        raise CampaignEnded(name=campaign.name)
    if campaign.version.number != version:
        raise ApprovedMeanwhile(looked_at=version, newest=campaign.version.number)
    is_new = campaign.state in (Campaign.State.DRAFT, Campaign.State.REVIEW)
    if campaign.approved_version_id == campaign.version_id and not is_new:
        raise NothingToApprove(version=version)
    if is_refused:
        raise OwnWork
    return let_run(campaign, reached, now=now, by=by)


def let_run(campaign: Campaign, reached: Reach | None, *, now: dt.datetime, by: Actor) -> Campaign:
    """Its newest version is the one that runs; called with both rows locked."""
    before = campaign.approved_version and campaign.approved_version.number
    plan = plan_of(campaign)
    if reached is not None:
        _pass_on(reached, campaign, now)
    campaign.approved_version, campaign.approved_by_id, campaign.review_note = campaign.version, by.staff_id, ""
    if campaign.state in (Campaign.State.DRAFT, Campaign.State.REVIEW):
        campaign.state = Campaign.State.APPROVED
    else:
        check_ready(plan, now=now, by=by)
    campaign.save()
    record(
        verb="campaigns.approve",
        by=by,
        now=now,
        subject=campaign,
        before={"version": before},
        after={"version": campaign.version.number},
    )
    return campaign


def _pass_on(reached: Reach, campaign: Campaign, now: dt.datetime) -> None:
    """The reach of a launched campaign follows the plan: the hour may have moved, and so may the ramp."""
    before, after = running_plan(campaign), plan_of(campaign)
    look_back(reached, before, after)
    if before.ramp != after.ramp:
        reached.ramp = ramp_of(after)
        reached.save(update_fields=["ramp"])
        ask_again(campaign, after, now=now)


def _is_own(campaign_id: int, by: Actor) -> bool:
    mine = Campaign.objects.filter(pk=campaign_id, version__by=by.staff_id)
    return by.staff_id is not None and mine.exists()


def needs_another(campaign_id: int, *, now: dt.datetime) -> bool:
    """Whether the newest version needs the approval of somebody who did not save it.

    A shop that never said so keeps to the rights alone: whoever may approve may approve her own work.
    """
    policy = CampaignPolicy.objects.filter(pk=1).first()
    return policy is not None and not policy.is_one_person_shop and not is_cheap(campaign_id, now=now)


def is_cheap(campaign_id: int, *, now: dt.datetime) -> bool:
    """Whether all that the newest version may cost in a month is known, and no more than what needs no approval."""
    policy = CampaignPolicy.objects.filter(pk=1, approval_above_minor__gt=0).first()
    campaign = Campaign.objects.select_related("version").filter(pk=campaign_id, version__isnull=False).first()
    if policy is None or campaign is None:
        return False
    plan = plan_of(campaign)
    if not plan.incentives:
        return True
    cost = forecast(campaign=campaign, plan=plan, now=now)
    return (
        cost.cost_minor is not None
        and cost.currency == policy.currency
        and cost.cost_minor <= policy.approval_above_minor
    )
