"""Proving that what is kept (balances, lots, holds, days) says what the entries say."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from retention.work.models import Alert
from retention.work.operations import raise_alert, resolve_alert

ALERT = "ledger.books"

_DIFFERENCES = """
WITH moved AS (
    SELECT account_id, sum(amount) AS amount, sum(greatest(amount, 0)) AS credited, sum(greatest(-amount, 0)) AS debited
    FROM (SELECT to_account_id AS account_id, amount FROM ledger_entry
          UNION ALL SELECT from_account_id, -amount FROM ledger_entry) side
    GROUP BY account_id
), kept AS (
    SELECT account_id, sum(remaining) AS remaining FROM ledger_lot WHERE remaining > 0 GROUP BY account_id
), held AS (
    SELECT account_id, sum(amount) AS amount FROM ledger_hold WHERE state = 'open' GROUP BY account_id
), drawn AS (
    SELECT lot_id, sum(amount) AS amount FROM ledger_draw GROUP BY lot_id
), days AS (
    SELECT account_id, sum(credited) AS credited, sum(debited) AS debited FROM ledger_cell GROUP BY account_id
)
SELECT 'balance' AS what, account.id, account.balance AS kept, coalesce(moved.amount, 0) AS facts
FROM ledger_account account LEFT JOIN moved ON moved.account_id = account.id
WHERE account.kind <> 'system' AND account.balance <> coalesce(moved.amount, 0)
UNION ALL
SELECT 'open lots', account.id, coalesce(kept.remaining, 0), greatest(account.balance, 0)
FROM ledger_account account LEFT JOIN kept ON kept.account_id = account.id
WHERE account.kind <> 'system' AND coalesce(kept.remaining, 0) <> greatest(account.balance, 0)
UNION ALL
SELECT 'held', account.id, account.held, coalesce(held.amount, 0)
FROM ledger_account account LEFT JOIN held ON held.account_id = account.id
WHERE account.held <> coalesce(held.amount, 0)
UNION ALL
SELECT 'lot ' || lot.id, lot.account_id, lot.remaining, lot.amount - coalesce(drawn.amount, 0)
FROM ledger_lot lot LEFT JOIN drawn ON drawn.lot_id = lot.id
WHERE lot.remaining <> lot.amount - coalesce(drawn.amount, 0)
UNION ALL
SELECT 'days', account.id, coalesce(days.credited - days.debited, 0), coalesce(moved.amount, 0)
FROM ledger_account account LEFT JOIN days ON days.account_id = account.id
LEFT JOIN moved ON moved.account_id = account.id
WHERE account.kind = 'system' AND (coalesce(days.credited, 0), coalesce(days.debited, 0))
      IS DISTINCT FROM (coalesce(moved.credited, 0), coalesce(moved.debited, 0))
ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Difference:
    """Something kept that does not say what the entries say."""

    what: str
    account_id: int
    kept: int
    facts: int


def differences() -> list[Difference]:
    """Everything that is off. One statement, so one instant."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        return [Difference(what, account, int(kept), int(facts)) for what, account, kept, facts in cursor.fetchall()]


def prove(*, now: dt.datetime) -> list[Difference]:
    """Compare what is kept with the entries; an alert for what is off, resolved when nothing is."""
    found = differences()
    if not found:
        resolve_alert(kind=ALERT, now=now)
        return found
    first = found[0]
    raise_alert(
        kind=ALERT,
        level=Alert.Level.URGENT,
        text=f"{len(found)} figures of the ledger differ from its entries. The first: {first.what} of account"
        f" {first.account_id}: kept {first.kept}, entries say {first.facts}.",
        now=now,
    )
    return found
