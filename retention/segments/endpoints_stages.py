"""The HTTP endpoints of stages: those of the shop with their sizes, and their rules."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any

from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Schema, Status
from pydantic import Field, StrictInt, StringConstraints

from retention import clock
from retention.customers.models import Stage
from retention.doors.endpoints import Router, actor
from retention.refusals import Refused
from retention.segments import operations
from retention.segments.schemas import About, Body, Rule, Why

router = Router("Segments")
READ, WRITE = "segments:read", "segments:write"
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
Names = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=2, max_length=12)],
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)],
    ],
    Field(description="By language; the shop's first is required.", examples=[{"en": "Loyal"}], max_length=50),
]


class NoSuchStage(Refused):
    code = "segments.no_such_stage"
    sentence = _("There is no such stage.")
    status = 404


class StageIn(Body):
    key: Key
    name: Names
    rule: Rule
    about: About = ""
    why: Why = ""


class StageChanges(Body):
    """What to change; what is absent stays."""

    edited: StrictInt = Field(description="The version you read before; refused where somebody saved since.")
    name: Names | None = None
    rule: Rule | None = None
    about: About | None = None
    why: Why = ""


class StageOrder(Body):
    keys: Annotated[list[Key], Field(max_length=200, description="Every stage in use, the first to be asked first.")]


class StageShown(Schema):
    id: uuid.UUID
    key: str
    name: dict[str, str]
    about: str
    rule: dict[str, Any]
    position: int | None
    version: int
    customers: int
    archived_at: dt.datetime | None


@router.get("stages/", scope=READ, response=list[StageShown])
def list_stages(request: HttpRequest):
    """Those in use, in the order in which they are asked: a customer is in the first whose rule means her."""
    return [_shown(stage) for stage in _stages().filter(archived_at=None)]


@router.post("stages/", scope=WRITE, response={201: StageShown})
def create_stage(request: HttpRequest, body: StageIn):
    """A new stage, after all others. Customers are put into it within a minute."""
    made = operations.create_stage(**body.model_dump(), now=clock.now(), by=actor(request))
    return Status(201, _shown(_found(made.public_id)))


@router.post("stages/order/", scope=WRITE, response=list[StageShown])
def order_stages(request: HttpRequest, body: StageOrder):
    """Put the stages in use into this order."""
    operations.order_stages(keys=body.keys, now=clock.now(), by=actor(request))
    return list_stages(request)


@router.get("stages/{uuid:id}/", scope=READ, response=StageShown)
def get_stage(request: HttpRequest, id: uuid.UUID):
    return _shown(_found(id))


@router.patch("stages/{uuid:id}/", scope=WRITE, response=StageShown)
def change_stage(request: HttpRequest, id: uuid.UUID, body: StageChanges):
    """Save a new version; the key stays."""
    stage = _found(id)
    changes = body.model_dump(exclude={"edited", "why"}, exclude_none=True)
    whole = {"name": stage.name, "about": stage.about, "rule": stage.rule, **changes}
    operations.save_stage(
        stage_id=stage.pk, edited=body.edited, why=body.why, now=clock.now(), by=actor(request), **whole
    )
    return _shown(_found(id))


@router.post("stages/{uuid:id}/archive/", scope=WRITE, response=StageShown)
def archive_stage(request: HttpRequest, id: uuid.UUID):
    """Put it away; refused while a segment asks for it."""
    operations.archive_stage(stage_id=_found(id).pk, now=clock.now(), by=actor(request))
    return _shown(_found(id))


def _stages():
    return Stage.objects.select_related("version").annotate(size=Count("customers"))


def _found(public_id: uuid.UUID) -> Stage:
    stage = _stages().filter(public_id=public_id).first()
    if stage is None:
        raise NoSuchStage
    return stage


def _shown(stage: Stage) -> dict[str, Any]:
    return {
        "id": stage.public_id,
        "key": stage.key,
        "name": stage.name,
        "about": stage.about,
        "rule": stage.rule,
        "position": stage.position,
        "version": stage.version.number if stage.version else 0,
        "customers": stage.size,  # type: ignore[attr-defined]
        "archived_at": stage.archived_at,
    }
