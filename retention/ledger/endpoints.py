"""Units, balances and entries over HTTP, and corrections with a reason."""

import hashlib
import uuid

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Status
from pydantic import AwareDatetime

from retention import clock
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, idempotency_key, page
from retention.ledger import operations, schemas
from retention.ledger.models import Entry, Unit
from retention.ledger.querysets import accounts_of, balances_as_of, balances_of, entries_among
from retention.refusals import Refused

router = Router("Ledger")
READ, WRITE = "ledger:read", "ledger:write"


class NothingToAdjust(Refused):
    code = "ledger.nothing_to_adjust"
    sentence = _("An adjustment is not nought.")
    status = 422


class EndsBeforeItBegins(Refused):
    code = "ledger.ends_before_it_begins"
    sentence = _("What is given must not have expired already.")
    status = 422


@router.get("units/", scope=READ, response=list[schemas.UnitOut])
def list_units(request: HttpRequest):
    """All units of value: points, and money by purpose and currency."""
    return [schemas.unit_out(unit) for unit in Unit.objects.select_related("version")]


@router.post("units/", scope=WRITE, response={201: schemas.UnitOut})
def create_unit(request: HttpRequest, body: schemas.UnitIn):
    """Make a unit of value. Units of money make themselves when something is first given in a currency."""
    unit = operations.create_unit(key=body.key, rule=body.rule, now=clock.now(), by=actor(request), why=body.why)
    return Status(201, schemas.unit_out(unit))


@router.get("units/{key}/", scope=READ, response=schemas.UnitOut)
def get_unit(request: HttpRequest, key: str):
    return schemas.unit_out(operations.unit_of(key))


@router.put("units/{key}/", scope=WRITE, response=schemas.UnitOut)
def change_unit(request: HttpRequest, key: str, body: schemas.UnitChange):
    """Save the whole rule as the next version; what is out keeps the ends that it was given."""
    unit = operations.save_unit(
        unit_id=operations.unit_of(key).pk, rule=body.rule, edited=body.edited, now=clock.now(), by=actor(request),
        why=body.why,
    )  # fmt: skip
    return schemas.unit_out(unit)


@router.get("customers/{uuid:id}/balances/", scope=READ, response=list[schemas.BalanceOut])
def list_balances(request: HttpRequest, id: uuid.UUID):
    """What she has now, unit by unit, and what of it can be spent."""
    return [schemas.balance_out(each) for each in balances_of(known_as(id).pk, now=clock.now())]


@router.get("customers/{uuid:id}/balances-as-of/", scope=READ, response=list[schemas.PastBalanceOut])
def list_past_balances(request: HttpRequest, id: uuid.UUID, at: AwareDatetime | None = None):
    """What she had at an instant (now, if none is said), by the entries that count by then."""
    at = at or clock.now()
    accounts = list(accounts_of(known_as(id).pk))
    amounts = balances_as_of([account.pk for account in accounts], at=at)
    return [
        {"unit": account.unit.key, "currency": account.unit.currency, "amount": amounts[account.pk]}
        for account in accounts
    ]


@router.get("customers/{uuid:id}/entries/", scope=READ, response=Page[schemas.EntryOut])
def list_entries(
    request: HttpRequest,
    id: uuid.UUID,
    unit: str | None = None,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
):
    """Her statement, the latest first."""
    accounts = accounts_of(known_as(id).pk)
    mine = set(
        accounts.filter(unit__key=unit).values_list("pk", flat=True) if unit else accounts.values_list("pk", flat=True)
    )
    found = entries_among(mine).select_related("unit")
    return page(found, cursor, limit, newest_first=True, shape=lambda entry: schemas.entry_out(entry, mine))


@router.post("customers/{uuid:id}/adjustments/", scope=WRITE, response={201: schemas.EntryOut})
def adjust_balance(request: HttpRequest, id: uuid.UUID, body: schemas.AdjustmentIn):
    """Correct a balance, up or down, saying why."""
    now, customer = clock.now(), known_as(id)
    if not body.amount:
        raise NothingToAdjust
    if body.expires_at is not None and body.expires_at <= now:
        raise EndsBeforeItBegins
    unit = operations.unit_of(body.unit)
    opened = operations.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=now)
    account_id = opened[customer.pk]
    entry_id = operations.adjust(
        account_id=account_id, amount=body.amount, source=source_of(request), reason=body.reason,
        expires_at=body.expires_at, now=now, by=actor(request),
    )  # fmt: skip
    entry = Entry.objects.select_related("unit").get(pk=entry_id)
    return Status(201, schemas.entry_out(entry, {account_id}))


def source_of(request: HttpRequest) -> str:
    """The idempotency key of a request, as a source that no other key's can meet."""
    told = f"{request.auth.pk}:{idempotency_key(request)}"
    return f"api:{hashlib.sha256(told.encode()).hexdigest()}"
