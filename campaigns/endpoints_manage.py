"""The HTTP endpoints of a campaign's life before and while it runs: copied, reviewed, opened further, counted."""

import uuid

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Status

from campaigns import operations, schemas
from campaigns import schemas_manage as manage
from campaigns.endpoints import LAUNCH, READ, WRITE, found, shown
from campaigns.plans import Ramp, plan_of
from retention import clock
from retention.doors.endpoints import Router, actor

router = Router("Campaigns")
APPROVE = "campaigns:approve"


@router.post("campaigns/{uuid:id}/copy/", scope=WRITE, response={201: schemas.CampaignWithPlanOut})
def copy_campaign(request: HttpRequest, id: uuid.UUID):
    """A new draft with this plan, without its dates."""
    copied = operations.clone(campaign_id=found(id).pk, now=clock.now(), by=actor(request))
    return Status(201, shown(copied.pk))


@router.post("campaigns/{uuid:id}/submit/", scope=WRITE, response=schemas.CampaignWithPlanOut)
def submit_campaign(request: HttpRequest, id: uuid.UUID):
    """Put a draft up for review."""
    pk = found(id).pk
    operations.submit(campaign_id=pk, now=clock.now(), by=actor(request))
    return shown(pk)


@router.post("campaigns/{uuid:id}/approve/", scope=APPROVE, response=schemas.CampaignWithPlanOut)
def approve_campaign(request: HttpRequest, id: uuid.UUID, body: manage.ApprovalIn):
    """Let the version that was looked at run; a live campaign runs it from now on."""
    pk = found(id).pk
    operations.approve(campaign_id=pk, version=body.version, now=clock.now(), by=actor(request))
    return shown(pk)


@router.post("campaigns/{uuid:id}/reject/", scope=APPROVE, response=schemas.CampaignWithPlanOut)
def reject_campaign(request: HttpRequest, id: uuid.UUID, body: manage.RejectionIn):
    """Send a campaign in review back to its author, with the reason."""
    pk = found(id).pk
    operations.reject(campaign_id=pk, reason=body.reason, now=clock.now(), by=actor(request))
    return shown(pk)


@router.post("campaigns/{uuid:id}/widen/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def widen_campaign(request: HttpRequest, id: uuid.UUID, body: manage.WideningIn):
    """Open a campaign to more customers; who was held back is asked again, unless it is too late."""
    wanted = body.model_dump(exclude_none=True)
    if len(wanted) > 1:
        raise ValidationError({"first": _("Say a share or a number, not both.")})
    pk = found(id).pk
    ramp = Ramp(**wanted) if wanted else None
    operations.widen(campaign_id=pk, ramp=ramp, now=clock.now(), by=actor(request))
    return shown(pk)


@router.get("campaigns/{uuid:id}/forecast/", scope=READ, response=manage.ForecastOut)
def forecast_campaign(request: HttpRequest, id: uuid.UUID):
    """Whom the plan as last saved would reach in a month, and what it costs at most. Changes nothing."""
    campaign = found(id)
    plan = plan_of(campaign)
    return manage.forecast_out(plan, operations.forecast(campaign=campaign, plan=plan, now=clock.now()))
