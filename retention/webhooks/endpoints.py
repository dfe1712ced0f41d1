"""Webhooks over HTTP: what can be told, to whom it is told, and what became of it."""

import hashlib
import uuid
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Status

from retention import clock
from retention.doors.endpoints import Page, Router, actor, idempotency_key, page, request_hash
from retention.doors.idempotency import KeyReused
from retention.webhooks import operations, schemas
from retention.webhooks.catalogue import TEST, kinds
from retention.webhooks.models import Endpoint, Notice
from retention.webhooks.operations import NoSuchNotice, UnknownKinds, endpoint_of

router = Router("Webhooks")
READ, WRITE = "webhooks:read", "webhooks:write"
Cursor = Annotated[str | None, Query(max_length=40)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("webhooks/events/", scope=READ, response=list[schemas.WebhookEventOut])
def list_event_kinds(request: HttpRequest):
    """Everything that an endpoint can be told of, with a body of each."""
    return schemas.events_out()


@router.get("webhooks/endpoints/", scope=READ, response=Page[schemas.EndpointOut])
def list_endpoints(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50):
    return page(Endpoint.objects.filter(archived_at=None), cursor, limit, shape=schemas.endpoint_out)


@router.post("webhooks/endpoints/", scope=WRITE, response={201: schemas.EndpointWithSecretOut}, idempotent="own")
def create_endpoint(request: HttpRequest, body: schemas.EndpointIn):
    """Make an endpoint. It is on at once, and is told of what happens from now on."""
    made_of = request_hash(request).hex()
    made = operations.create_endpoint(
        name=body.name, url=body.url, of=body.events, now=clock.now(), by=actor(request), made_by=_source(request),
        made_of=made_of,
    )  # fmt: skip
    if made.made_of != made_of:
        raise KeyReused()
    return Status(201, schemas.endpoint_with_secret_out(made))


@router.get("webhooks/endpoints/{uuid:id}/", scope=READ, response=schemas.EndpointOut)
def get_endpoint(request: HttpRequest, id: uuid.UUID):
    return schemas.endpoint_out(endpoint_of(id))


@router.put("webhooks/endpoints/{uuid:id}/", scope=WRITE, response=schemas.EndpointOut)
def change_endpoint(request: HttpRequest, id: uuid.UUID, body: schemas.EndpointIn):
    """Save all of it. New events are told from now on."""
    saved = operations.save_endpoint(
        endpoint_id=endpoint_of(id).pk, name=body.name, url=body.url, of=body.events, now=clock.now(),
        by=actor(request),
    )  # fmt: skip
    return schemas.endpoint_out(saved)


@router.post(
    "webhooks/endpoints/{uuid:id}/rotate/", scope=WRITE, response=schemas.EndpointWithSecretOut, idempotent="own"
)
def rotate_endpoint_secret(request: HttpRequest, id: uuid.UUID):
    """Replace the secret; the one before signs too for a day."""
    rotated = operations.rotate_secret(
        endpoint_id=endpoint_of(id).pk, now=clock.now(), by=actor(request), rotated_by=_source(request)
    )
    return schemas.endpoint_with_secret_out(rotated)


@router.post("webhooks/endpoints/{uuid:id}/test/", scope=WRITE, response={201: schemas.NoticeOut})
def send_test_event(request: HttpRequest, id: uuid.UUID):
    """Send `webhooks.test`, to see whether it arrives."""
    notice = operations.send_test(endpoint_id=endpoint_of(id).pk, now=clock.now(), by=actor(request))
    return Status(201, schemas.notice_out(notice))


@router.post("webhooks/endpoints/{uuid:id}/off/", scope=WRITE, response=schemas.EndpointOut)
def switch_endpoint_off(request: HttpRequest, id: uuid.UUID):
    """Nothing is sent until it is switched on; what waits, waits."""
    off = operations.switch_off(endpoint_id=endpoint_of(id).pk, now=clock.now(), by=actor(request))
    return schemas.endpoint_out(off)


@router.post("webhooks/endpoints/{uuid:id}/on/", scope=WRITE, response=schemas.EndpointOut)
def switch_endpoint_on(request: HttpRequest, id: uuid.UUID, body: schemas.SwitchOnIn):
    """From now on, or also with what happened meanwhile."""
    on = operations.switch_on(
        endpoint_id=endpoint_of(id).pk, with_meanwhile=body.with_meanwhile, now=clock.now(), by=actor(request)
    )
    return schemas.endpoint_out(on)


@router.post("webhooks/endpoints/{uuid:id}/replay/", scope=WRITE, response=schemas.ReplayedOut)
def replay_given_up(request: HttpRequest, id: uuid.UUID, body: schemas.GivenUpIn):
    """Send again all that was given up of what happened in this time."""
    count = operations.replay_given_up(
        endpoint_id=endpoint_of(id).pk, since=body.since, until=body.until, now=clock.now(), by=actor(request)
    )
    return {"replayed": count}


@router.post("webhooks/endpoints/{uuid:id}/archive/", scope=WRITE, response=schemas.EndpointOut)
def archive_endpoint(request: HttpRequest, id: uuid.UUID):
    """For good; what it was told can still be read for a while."""
    gone = operations.archive_endpoint(endpoint_id=endpoint_of(id).pk, now=clock.now(), by=actor(request))
    return schemas.endpoint_out(gone)


@router.get("webhooks/notices/", scope=READ, response=Page[schemas.NoticeOut])
def list_notices(
    request: HttpRequest,
    endpoint: uuid.UUID | None = None,
    state: Literal["waiting", "delivered", "given_up"] | None = None,
    type: Annotated[str | None, Query(max_length=60)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
):
    """What was told, is being told or was given up, the latest first."""
    if type is not None and type not in {*kinds(), TEST}:
        raise UnknownKinds(kinds=type)
    told = {"endpoint__public_id": endpoint, "state": state, "kind": type}
    found = Notice.objects.filter(**{name: value for name, value in told.items() if value is not None})
    return page(found.select_related("endpoint"), cursor, limit, newest_first=True, shape=schemas.notice_out)


@router.get("webhooks/notices/{uuid:id}/", scope=READ, response=schemas.NoticeWithAttemptsOut)
def get_notice(request: HttpRequest, id: uuid.UUID):
    """One notice with its body and every try."""
    return schemas.notice_with_attempts_out(_notice(id))


@router.post("webhooks/notices/{uuid:id}/replay/", scope=WRITE, response=schemas.NoticeOut)
def replay_notice(request: HttpRequest, id: uuid.UUID):
    """Send it once more under the same id."""
    return schemas.notice_out(operations.replay(notice_id=_notice(id).pk, now=clock.now(), by=actor(request)))


def _notice(public_id: uuid.UUID) -> Notice:
    rows = Notice.objects.select_related("endpoint", "customer__merged_into")
    notice = rows.filter(public_id=public_id).first()
    if notice is None:
        raise NoSuchNotice
    return notice


def _source(request: HttpRequest) -> str:
    """The request by its key and its caller; the answer is made again from what they made."""
    return f"{request.auth.pk}:{hashlib.sha256(idempotency_key(request).encode()).hexdigest()}"
