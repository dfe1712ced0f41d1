"""Setting value aside: authorised, then captured whole or in part, or released."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction

from retention.actors import Actor
from retention.ledger.models import Entry, Hold
from retention.ledger.operations.transfers import Transfer, as_refused, refusal, transfer_one


@transaction.atomic
def hold(
    *,
    account_id: int,
    amount: int,
    source: str,
    expires_at: dt.datetime,
    now: dt.datetime,
    origin: str = "",
    origin_id: int | None = None,
) -> Hold:
    """Set an amount of an account aside until `expires_at`; the same source again returns the same hold.

    Raises:
        NotEnough, Frozen, SourceReused
    """
    if amount <= 0 or expires_at <= now:
        raise ValueError("a hold sets something aside, for a while")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hold_id, outcome, available FROM ledger_hold_v1(%s, %s, %s, %s, %s, %s, %s)",
            [now, account_id, amount, source, origin, origin_id, expires_at],
        )
        hold_id, outcome, available = cursor.fetchone()
    if outcome not in ("done", "repeated"):
        raise as_refused(refusal(outcome, available))
    return Hold.objects.get(pk=hold_id)


def capture(*, hold_id: int, amount: int, to_id: int, source: str, now: dt.datetime, by: Actor, **words: object) -> int:
    """Spend what was set aside, whole or in part; the rest becomes free. Returns the entry's id.

    What was set aside may be spent though it has expired since. `words`: see `Transfer`.

    Raises:
        HoldGone: it ran out, was released or used, or is smaller than `amount`.
        SourceReused
    """
    held = Hold.objects.get(pk=hold_id)
    wish = Transfer(
        source=source, from_id=held.account_id, to_id=to_id, amount=amount, verb=Entry.Verb.SPEND, hold_id=hold_id,
        **{"origin": held.origin, "origin_id": held.origin_id, **words},  # type: ignore[arg-type]
    )  # fmt: skip
    return transfer_one(wish=wish, now=now, by=by)


@transaction.atomic
def release(*, hold_ids: Sequence[int], now: dt.datetime) -> int:
    """What these holds set aside becomes free; those that have ended stay as they are. Returns how many were open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_release_v1(%s, %s)", [now, list(hold_ids)])
        return cursor.fetchone()[0]


def release_run_out(*, now: dt.datetime, chunk: int = 1_000) -> int:
    """Release every hold that has run out; how many."""
    done = 0
    while ids := list(
        Hold.objects.filter(state=Hold.State.OPEN, expires_at__lte=now).order_by("expires_at").values_list("pk")[:chunk]
    ):
        done += release(hold_ids=[pk for (pk,) in ids], now=now)
    return done
