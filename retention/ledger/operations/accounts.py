"""Accounts: opened in sets, frozen and thawed, and moved with a customer who turns out to be another one."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.ledger.days import book_day
from retention.ledger.models import Account, Unit
from retention.refusals import Refused

_ACCOUNTS_OF = """
SELECT origin_id, id FROM ledger_account
WHERE unit_id = %(unit)s AND origin = %(origin)s AND origin_id = ANY(%(ids)s)
"""
_OPEN_OF = """
INSERT INTO ledger_account AS account (unit_id, kind, customer_id, purpose, origin, origin_id, balance, held,
       may_be_negative, is_frozen, opened_at)
SELECT %(unit)s, %(kind)s, NULL, '', %(origin)s, wanted.id, 0, 0, %(may_be_negative)s, false, %(now)s
FROM unnest(%(ids)s::bigint[]) wanted (id) ORDER BY wanted.id
ON CONFLICT (origin, origin_id, unit_id) WHERE NOT origin = '' DO NOTHING
RETURNING account.origin_id, account.id
"""


class NoSuchAccount(Refused):
    code = "ledger.no_such_account"
    sentence = _("There is no such account.")
    status = 404


def open_customer_accounts(*, unit: Unit, customer_ids: Sequence[int], now: dt.datetime) -> dict[int, int]:
    """Customer → her account in this unit; opened where there was none."""
    wanted = list(dict.fromkeys(customer_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_accounts_v1(%s, %s::bigint[], %s::bigint[])", [now, [unit.pk] * len(wanted), wanted]
        )
        return dict(zip(wanted, cursor.fetchone()[0], strict=True))


def open_accounts_of(
    *, kind: str, unit: Unit, origin: str, origin_ids: Sequence[int], now: dt.datetime
) -> dict[int, int]:
    """Owner's number → its account in this unit, for gift cards and partners; opened where there was none."""
    wanted = list(dict.fromkeys(origin_ids))
    params: dict[str, Any] = {
        "unit": unit.pk, "kind": kind, "origin": origin, "may_be_negative": unit.may_be_negative, "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS_OF, {**params, "ids": wanted})
        found = dict(cursor.fetchall())
        if missing := [pk for pk in wanted if pk not in found]:
            cursor.execute(_OPEN_OF, {**params, "ids": missing})
            found.update(cursor.fetchall())
        if len(found) < len(wanted):
            # Another call opened some of them a moment ago.
            cursor.execute(_ACCOUNTS_OF, {**params, "ids": wanted})
            found.update(cursor.fetchall())
    return found


def shop_account(unit: Unit, purpose: str) -> int:
    """The shop's own account of a purpose in this unit."""
    return Account.objects.values_list("pk", flat=True).get(unit=unit, purpose=purpose)


@transaction.atomic
def freeze(*, account_id: int, is_frozen: bool, now: dt.datetime, by: Actor, reason: str) -> Account:
    """Let nothing be spent from an account, or let it be again. Once this commits, no spending of it commits.

    Raises:
        NoSuchAccount
    """
    account = Account.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None or account.kind == Account.Kind.SYSTEM:
        raise NoSuchAccount
    if account.is_frozen != is_frozen:
        account.is_frozen = is_frozen
        Account.objects.filter(pk=account.pk).update(is_frozen=is_frozen)
        record(
            verb="ledger.freeze" if is_frozen else "ledger.thaw",
            by=by, now=now, subject=account, customer_id=account.customer_id, after={"reason": reason},
        )  # fmt: skip
    return account


@transaction.atomic
def merge_accounts(*, customer_id: int, into_id: int, now: dt.datetime, by: Actor) -> int:
    """Move everything that one customer has to another, by entries; lots keep their ends. Returns how many entries.

    Doing it again moves nothing.
    """
    if customer_id == into_id:
        raise ValueError("a customer cannot be merged into herself")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_merge_v1(%s, %s, %s, %s, %s)", [now, book_day(now), by.name, customer_id, into_id]
        )
        moved = cursor.fetchone()[0]
    if moved:
        record(verb="ledger.merge", by=by, now=now, customer_id=into_id, after={"from": customer_id, "entries": moved})
    return moved
