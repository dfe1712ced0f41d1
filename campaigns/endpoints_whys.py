"""Why one customer did or did not get a campaign, over HTTP: the same answers as the console's page."""

import datetime as dt
import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Schema
from pydantic import Field

from campaigns.models import Campaign
from campaigns.operations import NoSuchCampaign
from campaigns.whys import Answer, Part, why
from retention import clock
from retention.customers.querysets import NoSuchCustomer, known_as
from retention.doors.endpoints import Router

router = Router("Campaigns")
READ = "campaigns:read"


class PartOut(Schema):
    sentence: str
    is_met: bool | None = Field(description="Null where it is only worth knowing.")
    value: str = Field(description="Hers, where the condition asks for one figure.")
    parts: list["PartOut"]


class AnswerOut(Schema):
    topic: str = Field(description="What it is about: campaign, audience, occasion, touch, consent, offer, message…")
    code: str = Field(description="Stable; the reason of her touch or message where there is one.")
    sentence: str
    verdict: str = Field(description="yes: nothing in the way; no; waits; note: only worth knowing.")
    at: dt.datetime | None
    is_deciding: bool
    parts: list[PartOut]


class WhyOut(Schema):
    campaign: uuid.UUID
    customer: uuid.UUID
    as_of: dt.datetime
    answers: list[AnswerOut] = Field(description="The deciding one first, then every topic in the order of the jobs.")


@router.get("campaigns/{uuid:id}/why/", scope=READ, response=WhyOut)
def why_of_campaign(
    request: HttpRequest,
    id: uuid.UUID,
    customer: Annotated[
        uuid.UUID | None, Query(description="Public id, wanted; addresses and names stay out of addresses.")
    ] = None,
):
    """Why a customer did or did not get a campaign: one sentence a question, each with its code."""
    campaign = Campaign.objects.select_related("version", "approved_version").filter(public_id=id).first()
    if campaign is None or campaign.version is None:
        raise NoSuchCampaign
    # Asked after the campaign, so that an unknown one is always told first.
    if customer is None:
        raise NoSuchCustomer
    found = why(campaign=campaign, customer=known_as(customer), now=clock.now())
    return {
        "campaign": campaign.public_id,
        "customer": found.customer.public_id,
        "as_of": found.as_of,
        "answers": [_answer(answer) for answer in found.answers],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "topic": answer.topic,
        "code": answer.code,
        "sentence": answer.sentence,
        "verdict": str(answer.verdict),
        "at": answer.at,
        "is_deciding": answer.is_deciding,
        "parts": [_part(part) for part in answer.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "sentence": part.sentence,
        "is_met": part.is_met,
        "value": part.value,
        "parts": [_part(inner) for inner in part.parts],
    }
