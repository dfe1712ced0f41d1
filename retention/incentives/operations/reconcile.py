"""Proving that the kept counters say what the facts say."""

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from retention.work.operations import raise_alert, resolve_alert

ALERT = "incentives.counters"

_DIFFERENCES = """
WITH counted AS (
    SELECT incentive_id, 'incentive' AS scope, 0::bigint AS subject_id, '' AS currency, count(*) AS count
    FROM incentives_redemption WHERE NOT is_use_given_back GROUP BY incentive_id
    UNION ALL
    SELECT incentive_id, 'customer', customer_id, '', count(*) FROM incentives_redemption
    WHERE NOT is_use_given_back AND customer_id IS NOT NULL GROUP BY incentive_id, customer_id
    UNION ALL
    SELECT incentive_id, 'email', email_key, '', count(*) FROM incentives_redemption
    WHERE NOT is_use_given_back AND email_key IS NOT NULL GROUP BY incentive_id, email_key
), coded AS (
    SELECT incentive_id, code_id AS subject_id, count(*) AS count FROM incentives_redemption
    WHERE NOT is_use_given_back GROUP BY incentive_id, code_id
), paid AS (
    SELECT incentive_id, currency, sum(discount_minor) AS spent FROM incentives_redemption
    WHERE rolled_back_at IS NULL GROUP BY incentive_id, currency
), issued AS (
    SELECT incentive_id, count(*) AS count FROM incentives_grant WHERE state = 'active' GROUP BY incentive_id
), issued_each AS (
    SELECT g.incentive_id, g.customer_id, count(*) AS count
    FROM incentives_grant g
    JOIN incentives_incentive incentive ON incentive.id = g.incentive_id
    JOIN audit_version version ON version.id = incentive.version_id
    WHERE g.state = 'active' AND g.customer_id IS NOT NULL
      AND (version.data #>> '{limits,issued_per_customer}') IS NOT NULL
    GROUP BY g.incentive_id, g.customer_id
)
SELECT coalesce(f.incentive_id, c.incentive_id) AS incentive_id, coalesce(f.scope, c.scope) || ' redeemed' AS what,
       coalesce(f.subject_id, c.subject_id) AS subject_id, coalesce(c.redeemed, 0) AS kept,
       coalesce(f.count, 0) AS facts
FROM counted f
FULL JOIN (SELECT * FROM incentives_counter WHERE scope IN ('incentive', 'customer', 'email') AND currency = '') c
  ON (c.incentive_id, c.scope, c.subject_id) = (f.incentive_id, f.scope, f.subject_id)
WHERE coalesce(c.redeemed, 0) <> coalesce(f.count, 0)
UNION ALL
SELECT c.incentive_id, 'code redeemed', c.subject_id, c.redeemed, coalesce(f.count, 0)
FROM incentives_counter c LEFT JOIN coded f ON (f.incentive_id, f.subject_id) = (c.incentive_id, c.subject_id)
WHERE c.scope = 'code' AND c.currency = '' AND c.redeemed <> coalesce(f.count, 0)
UNION ALL
SELECT coalesce(f.incentive_id, c.incentive_id), 'spent ' || coalesce(f.currency, c.currency), 0,
       coalesce(c.spent_minor, 0), coalesce(f.spent, 0)
FROM paid f
FULL JOIN (SELECT * FROM incentives_counter WHERE scope = 'incentive' AND currency <> '') c
  ON (c.incentive_id, c.currency) = (f.incentive_id, f.currency)
WHERE coalesce(c.spent_minor, 0) <> coalesce(f.spent, 0)
UNION ALL
SELECT coalesce(f.incentive_id, c.incentive_id), 'issued', 0, coalesce(c.issued, 0), coalesce(f.count, 0)
FROM issued f
FULL JOIN (SELECT * FROM incentives_counter WHERE scope = 'issue') c ON c.incentive_id = f.incentive_id
WHERE coalesce(c.issued, 0) <> coalesce(f.count, 0)
UNION ALL
SELECT f.incentive_id, 'issued to a customer', f.customer_id, coalesce(c.issued, 0), f.count
FROM issued_each f
LEFT JOIN incentives_counter c
  ON c.incentive_id = f.incentive_id AND c.scope = 'customer' AND c.subject_id = f.customer_id AND c.currency = ''
WHERE coalesce(c.issued, 0) <> f.count
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Difference:
    """A counter that does not say what the facts say."""

    incentive_id: int
    what: str
    subject_id: int
    kept: int
    facts: int


def differences() -> list[Difference]:
    """Every counter that is off. One statement, so one instant: facts and counters are committed together."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        rows = cursor.fetchall()
    return [
        Difference(incentive_id, what, subject_id, int(kept), int(facts))
        for incentive_id, what, subject_id, kept, facts in rows
    ]


def reconcile(*, now: dt.datetime) -> list[Difference]:
    """Compare counters with facts and raise an alert for what is off; resolve it when nothing is."""
    found = differences()
    if not found:
        resolve_alert(kind=ALERT, now=now)
        return found
    first = found[0]
    raise_alert(
        kind=ALERT,
        level="urgent",
        text=f"{len(found)} counters of incentives differ from the facts. The first: incentive {first.incentive_id},"
        f" {first.what}: kept {first.kept}, facts say {first.facts}.",
        now=now,
    )
    return found
