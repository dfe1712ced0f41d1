"""The room's HTTP endpoints: segments, their members, a preview of any rule, and why one customer is in or not."""

import uuid

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Status

from retention import clock
from retention.customers.querysets import NoSuchCustomer
from retention.doors.endpoints import Page, Router, actor, page
from retention.refusals import Refused
from retention.segments import operations, rules, schemas
from retention.segments.catalogue import catalogue
from retention.segments.models import Membership, Segment
from retention.segments.querysets import explain, find_customer, live_segments, preview

router = Router("Segments")
READ, WRITE = "segments:read", "segments:write"


class NoSuchSegment(Refused):
    code = "segments.no_such_segment"
    sentence = _("There is no such segment.")
    status = 404


@router.get("segments/", scope=READ, response=Page[schemas.SegmentOut])
def list_segments(request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """All that are not archived, the oldest first."""
    return page(live_segments().select_related("version"), cursor, limit, shape=_shown)


@router.post("segments/", scope=WRITE, response={201: schemas.SegmentOut})
def create_segment(request: HttpRequest, body: schemas.SegmentIn):
    """A new segment. Its members are there after the next refresh, within a minute or two."""
    made = operations.create_segment(
        name=body.name, rule=body.rule, about=body.about, why=body.why, now=clock.now(), by=actor(request)
    )
    return Status(201, _shown(_found(made.public_id)))


@router.post("segments/preview/", scope=READ, response=schemas.PreviewOut, idempotent=False)
def preview_segment(request: HttpRequest, body: schemas.PreviewIn):
    """How many customers a rule means now, ten of them, and the rule in words. Writes nothing."""
    try:
        node = rules.parse(body.rule)
        found = preview(node, clock.now())
    except forms.ValidationError as invalid:
        raise rules.under_rule(invalid) from None
    sample = None if found.sample is None else [customer.public_id for customer in found.sample]
    return {"size": found.size, "sample": sample, "sentence": rules.sentence(node)}


@router.get("segment-conditions/", scope=READ, response=list[schemas.ConditionGroupOut])
def list_conditions(request: HttpRequest):
    """What rules are made of: every condition with its arguments."""
    return catalogue()["groups"]


@router.get("segments/{uuid:id}/", scope=READ, response=schemas.SegmentOut)
def get_segment(request: HttpRequest, id: uuid.UUID):
    return _shown(_found(id))


@router.patch("segments/{uuid:id}/", scope=WRITE, response=schemas.SegmentOut)
def change_segment(request: HttpRequest, id: uuid.UUID, body: schemas.SegmentChanges):
    """Save a new version."""
    segment = _found(id)
    changes = body.model_dump(exclude={"edited", "why"}, exclude_none=True)
    whole = {"name": segment.name, "about": segment.about, "rule": segment.rule, **changes}
    operations.save_segment(
        segment_id=segment.pk, edited=body.edited, why=body.why, now=clock.now(), by=actor(request), **whole
    )
    return _shown(_found(id))


@router.post("segments/{uuid:id}/archive/", scope=WRITE, response=schemas.SegmentOut)
def archive_segment(request: HttpRequest, id: uuid.UUID):
    """Put it away; refused while a campaign or another segment is built on it."""
    operations.archive_segment(segment_id=_found(id).pk, now=clock.now(), by=actor(request))
    return _shown(_found(id))


@router.get("segments/{uuid:id}/members/", scope=READ, response=Page[schemas.MemberOut])
def list_members(request: HttpRequest, id: uuid.UUID, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """Who was in at the last refresh, `computed_at`."""
    stored = Membership.objects.filter(
        segment=_found(id), customer__merged_into=None, customer__erased_at=None
    ).select_related("customer")
    return page(stored, cursor, limit, shape=schemas.member_out)


@router.post("segments/{uuid:id}/explain/", scope=READ, response=schemas.ExplainedOut, idempotent=False)
def explain_member(request: HttpRequest, id: uuid.UUID, body: schemas.ExplainIn):
    """Why a customer is in or not at this moment, condition by condition."""
    segment, customer = _found(id), find_customer(body.customer)
    if customer is None:
        raise NoSuchCustomer
    try:
        return schemas.explained_out(explain(segment.rule, customer.pk, clock.now(), of=segment.pk))
    except forms.ValidationError as invalid:
        raise rules.under_rule(invalid) from None


def _found(public_id: uuid.UUID) -> Segment:
    segment = Segment.objects.select_related("version").filter(public_id=public_id).first()
    if segment is None:
        raise NoSuchSegment
    return segment


def _shown(segment: Segment) -> dict:
    try:
        said = rules.sentence(segment.rule, of=segment.pk)
    except forms.ValidationError:
        said = None
    return schemas.segment_out(segment, said)
