"""Consent that ends by itself: a yes with an end becomes a no there, and an event says so."""

import datetime as dt
from collections.abc import Callable

from django.db import connection, transaction

from retention.customers.addresses import address_hash_sql, hash_params
from retention.customers.models import ConsentState
from retention.work.operations import facts_came

_ENDED = """
SELECT id, customer_id FROM customers_consentstate WHERE is_given AND expires_at <= %(now)s
ORDER BY expires_at LIMIT %(most)s
"""
# Customers before states, as whoever records consent takes them.
_LOCK = (
    "SELECT count(*) FROM (SELECT FROM customers_customer WHERE id = ANY(%(ids)s) ORDER BY id FOR KEY SHARE) AS held"
)
_END = f"""
WITH ended AS (
    UPDATE customers_consentstate SET is_given = false, occurred_at = expires_at, xid = pg_current_xact_id()
    WHERE id = ANY(%(ids)s) AND is_given AND expires_at <= %(now)s
    RETURNING customer_id, channel, purpose, address, expires_at
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
        cursor.execute(_ENDED, {"now": now, "most": chunk})
        if not (rows := cursor.fetchall()):
            return 0
        cursor.execute(_LOCK, {"ids": [customer for _pk, customer in rows]})
        cursor.execute(_END, {"ids": [pk for pk, _customer in rows], "now": now, **hash_params()})
        ended = cursor.rowcount
    facts_came("consents")
    return ended


def count_ended_consents(*, now: dt.datetime) -> int:
    return ConsentState.objects.filter(is_given=True, expires_at__lte=now).count()
