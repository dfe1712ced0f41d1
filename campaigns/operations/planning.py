"""A campaign's plan: created, saved as versions, copied. It runs when it is approved and launched (`life`)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.plans import Plan, plan_of
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.messaging.models import Template
from retention.refusals import Refused


class NoSuchCampaign(Refused):
    code = "campaigns.no_such_campaign"
    sentence = _("There is no such campaign.")
    status = 404


class CampaignEnded(Refused):
    code = "campaigns.campaign_ended"
    sentence = _("“%(name)s” has ended. Copy it to run it again.")


class CampaignArchived(Refused):
    code = "campaigns.archived"
    sentence = _("“%(name)s” is archived. Copy it to run it again.")


class NoSuchTemplate(Refused):
    code = "campaigns.no_such_template"
    sentence = _("There is no template %(id)s.")
    status = 422


class OneMessageAChannel(Refused):
    code = "campaigns.one_message_a_channel"
    sentence = _("Step “%(step)s” has two messages for one channel.")
    status = 422


@transaction.atomic
def create_campaign(*, plan: Plan, now: dt.datetime, by: Actor, why: str = "") -> Campaign:
    """A new draft.

    Raises:
        NoSuchTemplate, OneMessageAChannel
    """
    campaign = Campaign.objects.create(name=plan.name, occasion=plan.occasion)
    _write(campaign, plan, edited=None, now=now, by=by, why=why)
    record(verb="campaigns.create", by=by, now=now, subject=campaign, after={"version": 1})
    return campaign


@transaction.atomic
def save_campaign(
    *, campaign_id: int, plan: Plan, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> Campaign:
    """The campaign's next version. One that was launched goes on as approved until this version is approved too.

    A version that ends a test has the next experiment's number, whatever the plan says.

    Raises:
        EditedMeanwhile: someone saved after version number `edited` was read.
        NoSuchCampaign, CampaignEnded, CampaignArchived, NoSuchTemplate, OneMessageAChannel
    """
    campaign = locked(campaign_id)
    if campaign.state == Campaign.State.ENDED:
        raise CampaignEnded(name=campaign.name)
    if campaign.state in (Campaign.State.APPROVED, Campaign.State.REVIEW):
        campaign.state = Campaign.State.DRAFT
    _write(campaign, _drawn_anew(plan, plan_of(campaign)), edited=edited, now=now, by=by, why=why)
    record(
        verb="campaigns.save",
        by=by,
        now=now,
        subject=campaign,
        before={"version": edited},
        after={"version": campaign.version.number},
    )
    return campaign


@transaction.atomic
def clone(*, campaign_id: int, now: dt.datetime, by: Actor) -> Campaign:
    """A new draft with the plan as last saved, and without its dates.

    Raises:
        NoSuchCampaign
    """
    original = Campaign.objects.select_related("version").filter(pk=campaign_id).first()
    if original is None or original.version is None:
        raise NoSuchCampaign
    plan = plan_of(original)
    name = str(_("%(name)s (copy)")) % {"name": plan.name[:110]}
    return create_campaign(
        plan=plan.model_copy(update={"name": name, "starts_at": None, "ends_at": None}), now=now, by=by
    )


def locked(campaign_id: int) -> Campaign:
    """The campaign, held for this transaction, with its versions.

    Raises:
        NoSuchCampaign, CampaignArchived
    """
    campaign = (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("version", "approved_version")
        .filter(pk=campaign_id)
        .first()
    )
    if campaign is None or campaign.version is None:
        raise NoSuchCampaign
    if campaign.archived_at is not None:
        raise CampaignArchived(name=campaign.name)
    return campaign


def _write(campaign: Campaign, plan: Plan, *, edited: int | None, now: dt.datetime, by: Actor, why: str) -> None:
    """The plan into the version that runs, and into the columns that lists and forms show."""
    _check_messages(plan)
    campaign.version = save_version(of=campaign, data=plan.as_json(), edited=edited, by=by, now=now, why=why)
    campaign.name, campaign.playbook, campaign.occasion = plan.name, plan.playbook, plan.occasion
    campaign.audience_id, campaign.excluded_id = plan.audience, plan.excluded
    campaign.countries, campaign.occasion_args = list(plan.countries), plan.occasion_args
    campaign.lateness_hours, campaign.priority = plan.lateness_hours, plan.priority
    campaign.starts_at, campaign.ends_at = plan.starts_at, plan.ends_at
    campaign.save()


def _drawn_anew(plan: Plan, before: Plan) -> Plan:
    """A plan that keeps no variant of a test has ended it: the next number, so that the next draw is another one."""
    tested = {variant.key for variant in before.variants}
    if not tested or tested & {variant.key for variant in plan.variants}:
        return plan
    return plan.model_copy(update={"experiment": max(plan.experiment, before.experiment + 1)})


def _check_messages(plan: Plan) -> None:
    channels = dict(Template.objects.filter(pk__in=plan.templates).values_list("pk", "channel"))
    if gone := plan.templates - set(channels):
        raise NoSuchTemplate(id=min(gone))
    for variant in ("", *(arm.key for arm in plan.variants)):
        for index, planned in enumerate(plan.steps):
            step = plan.step_for(index, variant)
            if len({channels[pk] for pk in step.messages}) < len(step.messages):
                raise OneMessageAChannel(step=planned.key)
