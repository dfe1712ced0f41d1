"""What accounts hold, now and as of any instant, and what of it waits, is held or expires."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from retention.ledger.models import Account, Entry, Unit


@dataclass(frozen=True)
class Balance:
    """One account at an instant, in the unit's smallest part.

    Attributes:
        amount: everything, what waits and what is held included; negative where it is owed.
        available: what could be spent.
        expires_next_at, expires_next: when some of it ends, and how much then.
    """

    account_id: int
    unit: Unit
    amount: int
    available: int
    pending: int
    held: int
    expires_next_at: dt.datetime | None
    expires_next: int


_BALANCES = """
SELECT account.id, account.unit_id, account.balance, account.held, ledger_available_v1(account.id, %(now)s),
       coalesce((SELECT sum(lot.remaining) FROM ledger_lot lot
                 WHERE lot.account_id = account.id AND lot.remaining > 0
                   AND (lot.active_at IS NULL OR lot.active_at > %(now)s)), 0),
       next.expires_at, coalesce(next.amount, 0)
FROM ledger_account account
LEFT JOIN LATERAL (
    SELECT lot.expires_at, sum(lot.remaining) AS amount FROM ledger_lot lot
    WHERE lot.account_id = account.id AND lot.remaining > 0 AND lot.expires_at > %(now)s
    GROUP BY lot.expires_at ORDER BY lot.expires_at LIMIT 1
) next ON true
WHERE account.id = ANY(%(accounts)s)
ORDER BY account.id
"""


def accounts_of(customer_id: int) -> QuerySet[Account]:
    return Account.objects.filter(customer_id=customer_id).select_related("unit").order_by("unit__key")


def balances(account_ids: Sequence[int], *, now: dt.datetime) -> list[Balance]:
    """What these accounts hold now, by account."""
    units = {unit.pk: unit for unit in Unit.objects.all()}
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"now": now, "accounts": list(account_ids)})
        rows = cursor.fetchall()
    return [
        Balance(
            account_id=pk,
            unit=units[unit_id],
            amount=amount,
            held=held,
            available=int(available),
            pending=int(pending),
            expires_next_at=ends_at,
            expires_next=int(ends),
        )
        for pk, unit_id, amount, held, available, pending, ends_at, ends in rows
    ]


def balances_of(customer_id: int, *, now: dt.datetime) -> list[Balance]:
    """What a customer has, unit by unit."""
    by_account = {each.account_id: each for each in balances(list(_ids(accounts_of(customer_id))), now=now)}
    return [by_account[account.pk] for account in accounts_of(customer_id)]


def balances_as_of(account_ids: Iterable[int], *, at: dt.datetime) -> dict[int, int]:
    """Account → what it held at an instant: the sum of the entries that count by then."""
    ids = list(account_ids)
    credited = _sums("to_account_id", ids, at)
    debited = _sums("from_account_id", ids, at)
    return {pk: credited.get(pk, 0) - debited.get(pk, 0) for pk in ids}


def entries_among(account_ids: Iterable[int]) -> QuerySet[Entry]:
    """What moved these accounts, the latest first."""
    ids = list(account_ids)
    return Entry.objects.filter(Q(from_account__in=ids) | Q(to_account__in=ids)).order_by("-id")


def _ids(accounts: QuerySet[Account]) -> Iterable[int]:
    return accounts.values_list("pk", flat=True)


def _sums(side: str, ids: list[int], at: dt.datetime) -> dict[int, int]:
    rows = Entry.objects.filter(**{f"{side}__in": ids}, effective_at__lte=at).order_by().values_list(side)
    return dict(rows.annotate(sum=Sum("amount")))
