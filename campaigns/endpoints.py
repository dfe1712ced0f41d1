"""The room's HTTP endpoints: campaigns with their buttons, and what reached one customer."""

import uuid
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Path, Query

from campaigns import operations, schemas
from campaigns.models import Campaign, Touch
from retention import clock
from retention.customers.models import Customer
from retention.doors.endpoints import Page, Router, actor, page
from retention.refusals import Refused

router = Router("Campaigns")
READ, LAUNCH = "campaigns:read", "campaigns:launch"
CampaignId = Annotated[int, Path(ge=1, lt=2**63)]


class NoSuchCustomer(Refused):
    code = "campaigns.no_such_customer"
    sentence = _("There is no such customer.")
    status = 404


def _campaigns():
    return Campaign.objects.select_related("version", "approved_version").filter(version__isnull=False)


def _one(campaign_id: int) -> dict:
    campaign = _campaigns().filter(pk=campaign_id).first()
    if campaign is None:
        raise operations.NoSuchCampaign
    return schemas.campaign_with_plan_out(campaign)


@router.get("campaigns/", scope=READ, response=Page[schemas.CampaignOut])
def list_campaigns(
    request: HttpRequest,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
):
    """Campaigns that are not archived, in the order in which they were made."""
    return page(_campaigns().filter(archived_at=None), cursor, limit, shape=schemas.campaign_out)


@router.get("campaigns/{campaign_id}/", scope=READ, response=schemas.CampaignWithPlanOut)
def get_campaign(request: HttpRequest, campaign_id: CampaignId):
    """One campaign with its plan."""
    return _one(campaign_id)


@router.post("campaigns/{campaign_id}/launch/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def launch_campaign(request: HttpRequest, campaign_id: CampaignId):
    """Put an approved campaign live."""
    operations.launch(campaign_id=campaign_id, now=clock.now(), by=actor(request))
    return _one(campaign_id)


@router.post("campaigns/{campaign_id}/pause/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def pause_campaign(request: HttpRequest, campaign_id: CampaignId):
    """Hold a live campaign: nobody is touched and nothing of it is sent until it is resumed."""
    operations.pause(campaign_id=campaign_id, now=clock.now(), by=actor(request))
    return _one(campaign_id)


@router.post("campaigns/{campaign_id}/resume/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def resume_campaign(request: HttpRequest, campaign_id: CampaignId):
    """Let a paused campaign go on; what fell due meanwhile is caught up, unless it is too late."""
    operations.resume(campaign_id=campaign_id, now=clock.now(), by=actor(request))
    return _one(campaign_id)


@router.post("campaigns/{campaign_id}/end/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def end_campaign(request: HttpRequest, campaign_id: CampaignId):
    """End a campaign for good; what waits in the outbox is not sent."""
    operations.end(campaign_id=campaign_id, now=clock.now(), by=actor(request))
    return _one(campaign_id)


@router.get("customers/{customer_id}/touches/", scope=READ, response=Page[schemas.TouchOut])
def list_touches(
    request: HttpRequest,
    customer_id: uuid.UUID,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
):
    """What campaigns did for one customer, and why they did not, newest first."""
    customer = Customer.objects.filter(public_id=customer_id).values_list("pk", flat=True).first()
    if customer is None:
        raise NoSuchCustomer
    touches = Touch.objects.filter(customer_id=customer).select_related("campaign")
    return page(touches, cursor, limit, newest_first=True, shape=schemas.touch_out)
