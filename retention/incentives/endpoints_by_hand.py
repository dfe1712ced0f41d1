"""The HTTP endpoints of what people carry out: the work-list, and tickets at a door."""

import uuid
from typing import Literal

from django.http import HttpRequest
from ninja import Query

from retention import clock
from retention.doors.endpoints import Page, Router, actor, page
from retention.incentives import operations
from retention.incentives import schemas_manage as schemas
from retention.incentives.models import Fulfilment, Ticket
from retention.incentives.operations.by_hand import NoSuchTicket
from retention.incentives.querysets import code_of

router = Router("Incentives")
READ, WRITE, CHECK_IN = "incentives:read", "incentives:write", "incentives:check_in"


@router.get("fulfilments/", scope=READ, response=Page[schemas.FulfilmentOut])
def list_fulfilments(
    request: HttpRequest,
    state: Literal["open", "done", "cancelled"] = "open",
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
):
    """The work-list, the oldest first."""
    rows = Fulfilment.objects.filter(state=state).select_related("grant__customer")
    return page(rows, cursor, limit, shape=schemas.fulfilment_out)


@router.post("fulfilments/{uuid:id}/done/", scope=WRITE, response=schemas.FulfilmentOut)
def finish_fulfilment(request: HttpRequest, id: uuid.UUID, body: schemas.SettleIn):
    """Somebody did it; its grant counts as used."""
    return _settled(request, id, Fulfilment.State.DONE, body)


@router.post("fulfilments/{uuid:id}/cancel/", scope=WRITE, response=schemas.FulfilmentOut)
def cancel_fulfilment(request: HttpRequest, id: uuid.UUID, body: schemas.SettleIn):
    """It will not be done."""
    return _settled(request, id, Fulfilment.State.CANCELLED, body)


@router.get("tickets/{code}/", scope=CHECK_IN, response=schemas.TicketOut)
def get_ticket(request: HttpRequest, code: str):
    """A ticket by its code, however it is typed."""
    known = code_of(code)
    found = known and Ticket.objects.select_related("grant__customer", "grant__code").filter(grant__code=known).first()
    if not found:
        raise NoSuchTicket
    return schemas.ticket_out(found)


@router.post("tickets/{code}/check-in/", scope=CHECK_IN, response=schemas.TicketOut)
def check_in(request: HttpRequest, code: str):
    """Let its holder in, once. The second time is refused with `incentives.checked_in_before` and the instant."""
    return schemas.ticket_out(operations.check_in(code=code, now=clock.now(), by=actor(request)))


def _settled(request: HttpRequest, public_id: uuid.UUID, state: str, body: schemas.SettleIn):
    settled = operations.settle_fulfilment(
        public_id=public_id, state=state, note=body.note, now=clock.now(), by=actor(request)
    )
    return schemas.fulfilment_out(settled)
