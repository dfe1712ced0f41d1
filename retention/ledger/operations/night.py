"""What time does to value: pending lots whose event came or never will, and what expires at the shop's midnight."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max, Min

from retention.actors import Actor
from retention.bulk import batches, chunks
from retention.ledger.days import book_day, shop_zone
from retention.ledger.models import Account, Entry, Lot
from retention.ledger.operations.holds import release_run_out
from retention.ledger.operations.transfers import MOST, Transfer, transfer
from retention.ledger.versions import rule_of

#: Accounts of one transaction.
CHUNK = 20_000


@dataclass(frozen=True)
class Night:
    """What one night did."""

    released: int
    expired: int


def activate(*, event: str, now: dt.datetime) -> int:
    """What waited for this event can be spent from now on, and its life begins; how many lots. Again does nothing."""
    return activate_each(at={event: now})


@transaction.atomic
def activate_each(*, at: Mapping[str, dt.datetime]) -> int:
    """What waited for these events can be spent from an instant for each of them on; how many lots."""
    waiting = list(
        Lot.objects.select_for_update(no_key=True, of=("self",))
        .filter(pending_event__in=list(at), active_at=None, remaining__gt=0)
        .select_related("account__unit")
        .order_by("account_id", "pk")
    )
    zone = shop_zone()
    for lot in waiting:
        lot.active_at = at[lot.pending_event]
        lot.expires_at = lot.expires_at or rule_of(lot.account.unit).expires_at(lot.active_at, zone)
    Lot.objects.bulk_update(waiting, ["active_at", "expires_at"], batch_size=MOST)
    return len(waiting)


@transaction.atomic
def cancel_pending(*, event: str, reason: str, now: dt.datetime, by: Actor) -> int:
    """What waits for this event never comes: it goes back to where it came from. Returns how many lots."""
    waiting = Lot.objects.filter(pending_event=event, active_at=None, remaining__gt=0).select_related("entry")
    wishes = [
        Transfer(
            source=f"cancel:{lot.pk}:{lot.remaining}", from_id=lot.account_id, to_id=lot.entry.from_account_id,
            amount=lot.remaining, verb=Entry.Verb.TAKE_BACK, reason=reason, origin=lot.entry.origin,
            origin_id=lot.entry.origin_id, reverses_id=lot.entry_id, lot_of=lot.entry_id, policy="lot", is_partial=True,
        )
        for lot in waiting.order_by("account_id", "pk")
    ]  # fmt: skip
    return sum(len(transfer(transfers=some, now=now, by=by).entries) for some in batches(wishes, MOST))


@transaction.atomic
def move_ends(*, ends: Mapping[int, tuple[dt.datetime, dt.datetime]]) -> int:
    """Let what is left in accounts end at other instants: account → (of what had not ended by then, its new end).

    Returns how many lots moved. Again does nothing.
    """
    with connection.cursor() as cursor:
        # In the order of all who lock accounts, before any of their lots.
        cursor.execute("SELECT FROM ledger_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [sorted(ends)])
        cursor.execute(
            """
            UPDATE ledger_lot lot SET expires_at = told.ends_at
            FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS told (account, at, ends_at)
            WHERE lot.account_id = told.account AND lot.remaining > 0 AND lot.expires_at IS DISTINCT FROM told.ends_at
              AND (lot.expires_at IS NULL OR lot.expires_at > told.at)
            """,
            [list(ends), [at for at, _ends_at in ends.values()], [ends_at for _at, ends_at in ends.values()]],
        )
        return cursor.rowcount


def keep_night(*, now: dt.datetime, by: Actor, progress: Callable[[int, int], None]) -> Night:
    """Release holds that ran out, then let expire what has expired, in chunks; may stop anywhere and run again.

    What was pending until an instant needs nobody: it can be spent from that instant on.
    """
    released = release_run_out(now=now)
    due = Lot.objects.filter(remaining__gt=0, expires_at__lte=now)
    ends = due.aggregate(low=Min("account_id"), high=Max("account_id"))
    if ends["low"] is None:
        return Night(released, 0)
    day, expired = book_day(now), 0
    for low, high in chunks(ends["low"], ends["high"], CHUNK):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT lots FROM ledger_expire_v1(%s, %s, %s, %s, %s)", [now, day, by.name, low, high])
            expired += cursor.fetchone()[0]
        progress(min(high, ends["high"]) - ends["low"], ends["high"] - ends["low"])
    return Night(released, expired)


def expiring(*, now: dt.datetime) -> tuple[int, int]:
    """How many lots `keep_night` would let expire at `now`, and how many accounts have some held."""
    due = Lot.objects.filter(remaining__gt=0, expires_at__lte=now)
    held = Account.objects.filter(held__gt=0, lots__in=due).distinct()
    return due.count(), held.count()
