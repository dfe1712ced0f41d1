"""What the API answers of campaigns."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from ninja import Schema
from pydantic import Field

from campaigns.models import Campaign, Touch
from campaigns.reasons import reason_text
from campaigns.schemas_manage import plan_out


class CampaignOut(Schema):
    id: uuid.UUID
    name: str
    playbook: str
    state: str = Field(description="draft, review, approved, scheduled, live, paused or ended.")
    occasion: str
    version: int = Field(description="The newest one.")
    approved_version: int | None = Field(description="The one that runs.")
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    launched_at: dt.datetime | None
    review_note: str = Field(description="Why it was sent back; empty where it was not.")


class CampaignWithPlanOut(CampaignOut):
    plan: dict[str, Any] = Field(description="As last saved.")


class TouchOut(Schema):
    campaign: uuid.UUID
    campaign_name: str
    occasion: str
    state: str = Field(description="due, held, waiting, done or skipped.")
    reason: str = Field(description="Stable code of why it was skipped; empty where it was not.")
    reason_text: str
    due_at: dt.datetime
    enlisted_at: dt.datetime
    variant: str = Field(description="Of the test; empty where there is none.")
    is_held_out: bool = Field(description="Nothing was given to her, and nothing was sent.")
    converted_at: dt.datetime | None


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
        "review_note": campaign.review_note,
    }


def campaign_with_plan_out(campaign: Campaign) -> dict[str, Any]:
    return {**campaign_out(campaign), "plan": plan_out(campaign.version.data)}


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
        "variant": touch.variant,
        "is_held_out": touch.is_ghost,
        "converted_at": touch.converted_at,
    }
