"""What the API answers of campaigns."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ninja import Schema
from pydantic import Field

from campaigns.models import Campaign, Touch
from campaigns.reasons import reason_text


class CampaignOut(Schema):
    id: int
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
    id: int
    campaign: int
    campaign_name: str
    occasion: str
    state: str = Field(description="due, waiting, done or skipped.")
    reason: str = Field(description="Stable code of why it was skipped; empty where it was not.")
    reason_text: str
    due_at: dt.datetime
    enlisted_at: dt.datetime


def campaign_out(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.pk,
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
    return {**campaign_out(campaign), "plan": campaign.version.data}


def touch_out(touch: Touch) -> dict[str, Any]:
    return {
        "id": touch.pk,
        "campaign": touch.campaign_id,
        "campaign_name": touch.campaign.name,
        "occasion": touch.occasion,
        "state": touch.state,
        "reason": touch.reason,
        "reason_text": reason_text(touch.reason),
        "due_at": touch.due_at,
        "enlisted_at": touch.enlisted_at,
    }
