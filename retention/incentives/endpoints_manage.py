"""The HTTP endpoints that manage what is given: incentives, their codes, and pictures of codes."""

import hashlib
import uuid

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Query, Status
from pydantic import ValidationError as RuleError

from retention import clock
from retention.doors.endpoints import Page, Router, actor, idempotency_key, page
from retention.incentives import operations
from retention.incentives import schemas_manage as schemas
from retention.incentives.decisions import NoSuchCode
from retention.incentives.models import Code, CodeBatch, Incentive
from retention.incentives.operations.life import NoSuchIncentive
from retention.incentives.pictures import CONTENT_TYPES, PICTURES
from retention.incentives.public_door import trying_codes
from retention.incentives.querysets import code_of, codes_of, incentives, used_of
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rule_of
from retention.refusals import Refused

router = Router("Incentives")
READ, WRITE = "incentives:read", "incentives:write"


class NoSuchBatch(Refused):
    code = "incentives.no_such_batch"
    sentence = _("There is no such batch of codes.")
    status = 404


@router.get("incentives/", scope=READ, response=Page[schemas.IncentiveOut])
def list_incentives(request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """All that are not archived, the oldest first."""
    found = page(incentives(), cursor, limit)
    used = used_of(incentive.pk for incentive in found["items"])
    return {**found, "items": [schemas.incentive_out(one, used[one.pk]) for one in found["items"]]}


@router.post("incentives/", scope=WRITE, response={201: schemas.IncentiveOut})
def create_incentive(request: HttpRequest, body: schemas.IncentiveIn):
    """Write a new incentive as a draft; `go-live` makes it an offer."""
    incentive = operations.create_incentive(rule=body.rule, now=clock.now(), by=actor(request), why=body.why)
    return Status(201, _shown(incentive.pk))


@router.get("incentives/{uuid:id}/", scope=READ, response=schemas.IncentiveOut)
def get_incentive(request: HttpRequest, id: uuid.UUID):
    return _shown(_found(id).pk)


@router.patch("incentives/{uuid:id}/", scope=WRITE, response=schemas.IncentiveOut)
def change_incentive(request: HttpRequest, id: uuid.UUID, body: schemas.IncentiveChanges):
    """Save a new version. Codes that are out keep theirs; a later end reaches them all the same."""
    incentive = _found(id)
    changes = body.model_dump(exclude={"edited", "why"}, exclude_none=True, mode="json")
    try:
        rule = IncentiveRule.model_validate({**rule_of(incentive.version_id).model_dump(mode="json"), **changes})
    except RuleError as error:
        raise ValidationError([found["msg"] for found in error.errors()]) from None
    operations.save_incentive(
        incentive_id=incentive.pk, rule=rule, edited=body.edited, now=clock.now(), by=actor(request), why=body.why
    )
    return _shown(incentive.pk)


@router.post("incentives/{uuid:id}/go-live/", scope=WRITE, response=schemas.IncentiveOut)
def go_live(request: HttpRequest, id: uuid.UUID):
    """A draft becomes an offer: it can be granted, and its public code works."""
    incentive = _found(id)
    operations.go_live(incentive_id=incentive.pk, now=clock.now(), by=actor(request))
    return _shown(incentive.pk)


@router.post("incentives/{uuid:id}/stop/", scope=WRITE, response=schemas.IncentiveOut)
def stop_incentive(request: HttpRequest, id: uuid.UUID, body: schemas.WhyIn):
    """Stop the offer everywhere at once: nothing is granted or redeemed after this answer."""
    incentive = _found(id)
    operations.stop(incentive_id=incentive.pk, now=clock.now(), by=actor(request), why=body.why)
    return _shown(incentive.pk)


@router.post("incentives/{uuid:id}/resume/", scope=WRITE, response=schemas.IncentiveOut)
def resume_incentive(request: HttpRequest, id: uuid.UUID, body: schemas.WhyIn):
    """Let a stopped offer work again, with everything that was out before."""
    incentive = _found(id)
    operations.resume(incentive_id=incentive.pk, now=clock.now(), by=actor(request), why=body.why)
    return _shown(incentive.pk)


@router.post("incentives/{uuid:id}/codes/", scope=WRITE, response={202: schemas.BatchOut})
def generate_codes(request: HttpRequest, id: uuid.UUID, body: schemas.CodesIn):
    """Ask for unique codes. A few are there at once; of many, the batch tells how far it has come."""
    batch = operations.generate_codes(
        incentive_id=_found(id).pk,
        count=body.count,
        purpose=body.purpose,
        expires_at=body.expires_at,
        source=f"api:{hashlib.sha256(_source(request).encode()).hexdigest()}",
        now=clock.now(),
        by=actor(request),
    )
    return Status(202, schemas.batch_out(batch))


@router.get("incentives/{uuid:id}/batches/{uuid:batch_id}/", scope=READ, response=schemas.BatchOut)
def get_batch(request: HttpRequest, id: uuid.UUID, batch_id: uuid.UUID):
    """How far a batch of codes has come."""
    batch = CodeBatch.objects.filter(incentive__public_id=id, public_id=batch_id).first()
    if batch is None:
        raise NoSuchBatch
    return schemas.batch_out(batch)


@router.get("incentives/{uuid:id}/codes/", scope=READ, response=Page[schemas.CodeOut])
def list_codes(request: HttpRequest, id: uuid.UUID, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """The incentive's codes, the newest first."""
    return page(codes_of(_found(id)), cursor, limit, newest_first=True, shape=schemas.code_out)


@router.get("codes/{code}/", scope=READ, response=schemas.CodeOut)
def get_code(request: HttpRequest, code: str):
    """One code as it stands, however it is typed."""
    return schemas.code_out(_code(request, code))


def _drawn(ending: str) -> dict:
    """How the document says that the answer is a picture."""
    return {"responses": {200: {"description": "OK", "content": {CONTENT_TYPES[ending]: {}}}}}


@router.get("codes/{code}/qr.svg", scope=READ, response={200: None}, openapi_extra=_drawn("svg"))
def get_qr_svg(request: HttpRequest, code: str):
    """The code as a QR picture."""
    return _picture(request, code, "qr", "svg")


@router.get("codes/{code}/qr.png", scope=READ, response={200: None}, openapi_extra=_drawn("png"))
def get_qr_png(request: HttpRequest, code: str):
    """The code as a QR picture."""
    return _picture(request, code, "qr", "png")


@router.get("codes/{code}/barcode.svg", scope=READ, response={200: None}, openapi_extra=_drawn("svg"))
def get_barcode_svg(request: HttpRequest, code: str):
    """The code as a Code 128 barcode, with its text below."""
    return _picture(request, code, "barcode", "svg")


@router.get("codes/{code}/barcode.png", scope=READ, response={200: None}, openapi_extra=_drawn("png"))
def get_barcode_png(request: HttpRequest, code: str):
    """The code as a Code 128 barcode."""
    return _picture(request, code, "barcode", "png")


def _picture(request: HttpRequest, typed: str, shape: str, ending: str) -> HttpResponse:
    return HttpResponse(PICTURES[shape, ending](_code(request, typed).code), content_type=CONTENT_TYPES[ending])


def _code(request: HttpRequest, typed: str) -> Code:
    with trying_codes(request, now=clock.now()):
        found = code_of(typed)
        if found is None:
            raise NoSuchCode
        return found


def _source(request: HttpRequest) -> str:
    return f"{request.auth.pk}:{idempotency_key(request)}"


def _found(public_id: uuid.UUID) -> Incentive:
    incentive = incentives().filter(public_id=public_id).first()
    if incentive is None:
        raise NoSuchIncentive
    return incentive


def _shown(incentive_id: int) -> dict:
    incentive = incentives().get(pk=incentive_id)
    return schemas.incentive_out(incentive, used_of([incentive_id])[incentive_id])
