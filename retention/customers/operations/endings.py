"""Consent that ends by itself: a yes with an end becomes a no there, and an event says so."""

import datetime as dt
from collections.abc import Callable

from django.db import connection, transaction

from retention.customers.addresses import address_hash_sql, hash_params
from retention.customers.models import ConsentState
from retention.work.operations import facts_came

# Whose state is being changed at this moment is left to the next look.
_END = f"""
WITH due AS (
    SELECT id FROM customers_consentstate WHERE is_given AND expires_at <= %(now)s
    ORDER BY expires_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE customers_consentstate s
    SET is_given = false, occurred_at = s.expires_at, asked_at = NULL, xid = pg_current_xact_id()
    FROM due WHERE s.id = due.id
    RETURNING s.customer_id, s.channel, s.purpose, s.address, s.expires_at
)
INSERT INTO customers_consent (customer_id, channel, purpose, event, address_hash, source, wording, occurred_at,
    recorded_at)
SELECT customer_id, channel, purpose, 'expired', {address_hash_sql("address")}, 'expiry', '', expires_at, %(now)s
FROM ended ORDER BY customer_id, channel, purpose
"""


def end_consents(*, now: dt.datetime, progress: Callable[[int, int], None], chunk: int = 5_000) -> int:
    """Turn every yes whose end has come into a no, with an event that says so; how many.

    Nobody is written to in between: whoever sends asks for the end as well.
    """
    done = 0
    while found := _end_some(now, chunk):
        done += found
        progress(done, done)
    return done


@transaction.atomic
def _end_some(now: dt.datetime, chunk: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_END, {"now": now, "most": chunk, **hash_params()})
        ended = cursor.rowcount
    if ended:
        facts_came("consents")
    return ended


def count_ended_consents(*, now: dt.datetime) -> int:
    return ConsentState.objects.filter(is_given=True, expires_at__lte=now).count()
