"""What the API answers of campaigns."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from ninja import Schema
from pydantic import Field

from campaigns.models import Campaign, Touch
from campaigns.plans import Plan
from campaigns.reasons import reason_text
from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.segments.models import Segment


class CampaignOut(Schema):
    id: uuid.UUID
    name: str
    playbook: str
    state: str = Field(description="draft, approved, live, paused or ended.")
    occasion: str
    version: int = Field(description="The newest one.")
    approved_version: int | None = Field(description="The one that runs.")
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    launched_at: dt.datetime | None


class CampaignWithPlanOut(CampaignOut):
    plan: dict[str, Any] = Field(description="As last saved.")


class TouchOut(Schema):
    campaign: uuid.UUID
    campaign_name: str
    occasion: str
    state: str = Field(description="due, waiting, done or skipped.")
    reason: str = Field(description="Stable code of why it was skipped; empty where it was not.")
    reason_text: str
    due_at: dt.datetime
    enlisted_at: dt.datetime


def campaign_out(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.public_id,
        "name": campaign.name,
        "playbook": campaign.playbook,
        "state": campaign.state,
        "occasion": campaign.occasion,
        "version": campaign.version.number,
        "approved_version": campaign.approved_version and campaign.approved_version.number,
        "starts_at": campaign.starts_at,
        "ends_at": campaign.ends_at,
        "launched_at": campaign.launched_at,
    }


def campaign_with_plan_out(campaign: Campaign) -> dict[str, Any]:
    return {**campaign_out(campaign), "plan": _plan_out(campaign.version.data)}


def _plan_out(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan as kept, but with the ids by which the API knows what it names."""
    whole = Plan.model_validate(plan)
    segments = Segment.objects.in_bulk(whole.segments)
    incentives = Incentive.objects.in_bulk(whole.incentives)
    templates = Template.objects.in_bulk(whole.templates)
    steps = [
        {
            **step,
            "incentive": _public_id(incentives.get(step["incentive"])),
            "messages": [_public_id(templates.get(pk)) for pk in step["messages"]],
        }
        for step in plan["steps"]
    ]
    audience, excluded = (_public_id(segments.get(plan[name])) for name in ("audience", "excluded"))
    return {**plan, "audience": audience, "excluded": excluded, "steps": steps}


def _public_id(row: Segment | Incentive | Template | None) -> str | None:
    return str(row.public_id) if row else None


def touch_out(touch: Touch) -> dict[str, Any]:
    return {
        "campaign": touch.campaign.public_id,
        "campaign_name": touch.campaign.name,
        "occasion": touch.occasion,
        "state": touch.state,
        "reason": touch.reason,
        "reason_text": reason_text(touch.reason),
        "due_at": touch.due_at,
        "enlisted_at": touch.enlisted_at,
    }
