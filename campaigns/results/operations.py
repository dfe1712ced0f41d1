"""Promoting the winner of a test: its plan becomes the plan, and the test is over."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.operations.planning import NoSuchCampaign, save_campaign
from campaigns.plans import Plan, plan_of
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused


class NoSuchVariant(Refused):
    code = "campaigns.no_such_variant"
    sentence = _("The plan has no variant “%(key)s”.")
    status = 404


@transaction.atomic
def promote(*, campaign_id: int, variant: str, edited: int, now: dt.datetime, by: Actor) -> Campaign:
    """Save the plan as this variant has it, without the test, as the next version; the holdout stays as large.

    The version has the next experiment's number: whoever is held out from then on, and the next test, are drawn anew.

    As with every save, it runs once it is approved; until then the test goes on.

    Raises:
        EditedMeanwhile: someone saved after version number `edited` was read.
        NoSuchVariant: the plan as last saved has none of this key.
        NoSuchCampaign, CampaignEnded, CampaignArchived
    """
    campaign = Campaign.objects.select_related("version").filter(pk=campaign_id, version__isnull=False).first()
    if campaign is None:
        raise NoSuchCampaign
    plan = plan_of(campaign)
    chosen = next((each for each in plan.variants if each.key == variant), None)
    if chosen is None:
        raise NoSuchVariant(key=variant)
    steps = [plan.step_for(place, variant) for place in range(len(plan.steps))]
    promoted = Plan.model_validate(plan.model_copy(update={"steps": tuple(steps), "variants": ()}).as_json())
    why = str(_("Promoted: %(label)s")) % {"label": chosen.label}
    saved = save_campaign(campaign_id=campaign_id, plan=promoted, edited=edited, now=now, by=by, why=why)
    record(verb="campaigns.promote", by=by, now=now, subject=saved, after={"variant": variant})
    return saved
