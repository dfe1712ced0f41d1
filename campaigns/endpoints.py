"""The room's HTTP endpoints: campaigns and their plans, their buttons, and what reached one customer."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Status

from campaigns import operations, schemas
from campaigns import schemas_manage as manage
from campaigns.models import Campaign, Touch
from retention import clock
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, page

router = Router("Campaigns")
READ, WRITE, LAUNCH = "campaigns:read", "campaigns:write", "campaigns:launch"


def _campaigns():
    return Campaign.objects.select_related("version", "approved_version").filter(version__isnull=False)


def found(public_id: uuid.UUID) -> Campaign:
    """The campaign that the API knows by this id."""
    campaign = _campaigns().filter(public_id=public_id).first()
    if campaign is None:
        raise operations.NoSuchCampaign
    return campaign


def shown(pk: int) -> dict[str, Any]:
    """One campaign as it is now."""
    return schemas.campaign_with_plan_out(_campaigns().get(pk=pk))


def _turned(id: uuid.UUID, turn: Callable[..., Campaign], request: HttpRequest) -> dict[str, Any]:
    turn(campaign_id=found(id).pk, now=clock.now(), by=actor(request))
    return schemas.campaign_with_plan_out(found(id))


@router.get("campaigns/", scope=READ, response=Page[schemas.CampaignOut])
def list_campaigns(
    request: HttpRequest,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
):
    """Campaigns that are not archived, in the order in which they were made."""
    return page(_campaigns().filter(archived_at=None), cursor, limit, shape=schemas.campaign_out)


@router.post("campaigns/", scope=WRITE, response={201: schemas.CampaignWithPlanOut})
def create_campaign(request: HttpRequest, body: manage.CampaignIn):
    """Write a new campaign as a draft. Nobody is touched before it is approved and launched."""
    plan = manage.read_plan(body.plan)
    campaign = operations.create_campaign(plan=plan, now=clock.now(), by=actor(request), why=body.why)
    return Status(201, shown(campaign.pk))


@router.get("campaigns/{uuid:id}/", scope=READ, response=schemas.CampaignWithPlanOut)
def get_campaign(request: HttpRequest, id: uuid.UUID):
    """One campaign with its plan."""
    return schemas.campaign_with_plan_out(found(id))


@router.put("campaigns/{uuid:id}/", scope=WRITE, response=schemas.CampaignWithPlanOut)
def change_campaign(request: HttpRequest, id: uuid.UUID, body: manage.CampaignChanges):
    """Save the whole plan as the next version. A launched campaign goes on as approved until this one is, too."""
    pk = found(id).pk
    operations.save_campaign(
        campaign_id=pk,
        plan=manage.read_plan(body.plan),
        edited=body.edited,
        now=clock.now(),
        by=actor(request),
        why=body.why,
    )
    return shown(pk)


@router.post("campaigns/{uuid:id}/launch/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def launch_campaign(request: HttpRequest, id: uuid.UUID):
    """Put an approved campaign live."""
    return _turned(id, operations.launch, request)


@router.post("campaigns/{uuid:id}/pause/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def pause_campaign(request: HttpRequest, id: uuid.UUID):
    """Hold a live campaign: nobody is touched and nothing of it is sent until it is resumed."""
    return _turned(id, operations.pause, request)


@router.post("campaigns/{uuid:id}/resume/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def resume_campaign(request: HttpRequest, id: uuid.UUID):
    """Let a paused campaign go on; what fell due meanwhile is caught up, unless it is too late."""
    return _turned(id, operations.resume, request)


@router.post("campaigns/{uuid:id}/end/", scope=LAUNCH, response=schemas.CampaignWithPlanOut)
def end_campaign(request: HttpRequest, id: uuid.UUID):
    """End a campaign for good; what waits in the outbox is not sent."""
    return _turned(id, operations.end, request)


@router.get("customers/{uuid:id}/touches/", scope=READ, response=Page[schemas.TouchOut])
def list_touches(
    request: HttpRequest,
    id: uuid.UUID,
    cursor: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
):
    """What campaigns did for one customer, and why they did not, newest first."""
    touches = Touch.objects.filter(customer=known_as(id)).select_related("campaign")
    return page(touches, cursor, limit, newest_first=True, shape=schemas.touch_out)
