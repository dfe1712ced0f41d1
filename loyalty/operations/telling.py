"""What happens in this room, written as activities, so that campaigns, segments and earning rules hear of it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from retention.work.operations import facts_came


@dataclass(frozen=True, slots=True)
class Told:
    """One activity: whose, its reference (unique, such as `loyalty.tier_change:812`) and its properties."""

    customer_id: int
    reference: str
    properties: Mapping[str, Any] = field(default_factory=dict)


def tell(*, kind: str, told: Sequence[Told], now: dt.datetime) -> None:
    """Write activities of one kind by one statement; a reference that is there already stays as it is."""
    if not told:
        return
    # Thousands may say the same thing: it is written once.
    written = {id(one.properties): json.dumps(one.properties) for one in {id(t.properties): t for t in told}.values()}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_activity
                   (kind, reference, customer_id, visitor_key, properties, occurred_at, recorded_at)
            SELECT %(kind)s, each.reference, each.customer_id, '', each.properties::jsonb, %(now)s, %(now)s
            FROM unnest(%(references)s::text[], %(customers)s::bigint[], %(properties)s::text[])
                 AS each (reference, customer_id, properties)
            ORDER BY each.reference
            ON CONFLICT (reference) DO NOTHING
            """,
            {
                "kind": kind,
                "now": now,
                "references": [one.reference for one in told],
                "customers": [one.customer_id for one in told],
                "properties": [written[id(one.properties)] for one in told],
            },
        )
    facts_came("activities")
