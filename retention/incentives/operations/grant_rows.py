"""The statements of one grant call: a few for five thousand customers, each over whole arrays."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from retention.actors import Actor
from retention.incentives.models import Code
from retention.incentives.rules import IncentiveRule, Terms

NO_TERMS = Terms()


class ChangedMeanwhile(Exception):
    """The incentive was stopped or saved while this grant was under way."""


@dataclass(slots=True)
class Wish:
    """One grant asked for: a place in the caller's arrays; `own` are its terms, once they were found good."""

    source: str
    customer_id: int
    origin_id: int | None
    terms: Mapping[str, Any]
    own: Terms = NO_TERMS


@dataclass(frozen=True)
class Offer:
    """What grants of an incentive are given under, as it was read."""

    incentive_id: int
    state: str
    version_id: int
    rule: IncentiveRule
    now: dt.datetime
    zone: str
    currency: str
    #: Key → a unit's number, its version, and the shop's account out of which it is issued.
    units: Mapping[str, Sequence[int]]

    def ends(self, asked: dt.datetime | None, *, is_given: bool) -> dt.datetime | None:
        """Of what is granted now: as it was asked for, but never later than the rule has it."""
        ends = (asked, self.rule.validity.end_of(self.now if is_given else None))
        return min([end for end in ends if end], default=None)


def free_codes(incentive_id: int, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM incentives_code WHERE incentive_id = %s AND state = 'free'
            ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            """,
            [incentive_id, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def insert_grants(
    offer: Offer,
    fresh: list[Wish],
    *,
    origin: str,
    by: Actor,
    expires_at: dt.datetime | None,
    budget_id: int | None,
    granted_on: dt.date | None,
) -> dict[str, int]:
    terms = [json.dumps(wish.terms) for wish in fresh] if any(wish.terms for wish in fresh) else None
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO incentives_grant
                   (incentive_id, version_id, customer_id, source, origin, origin_id, state, terms,
                    granted_at, granted_by, expires_at, budget_id, granted_on)
            SELECT %(incentive)s, %(version)s, wish.customer_id, wish.source, %(origin)s, wish.origin_id, 'active',
                   coalesce(wish.terms, '{}')::jsonb, %(now)s, %(by)s, %(expires_at)s,
                   %(budget)s, %(granted_on)s
            FROM unnest(%(customers)s::bigint[], %(sources)s::text[], %(origins)s::bigint[], %(terms)s::text[])
                 AS wish (customer_id, source, origin_id, terms)
            ORDER BY wish.source -- two calls with the same sources wait for each other, and never in a circle
            ON CONFLICT (source) DO NOTHING
            RETURNING source, id
            """,
            {
                "incentive": offer.incentive_id,
                "version": offer.version_id,
                "origin": origin,
                "now": offer.now,
                "by": by.name,
                "expires_at": expires_at,
                "budget": budget_id,
                "granted_on": granted_on,
                "customers": [wish.customer_id for wish in fresh],
                "sources": [wish.source for wish in fresh],
                "origins": [wish.origin_id for wish in fresh],
                "terms": terms,
            },
        )
        made = dict(cursor.fetchall())
    if len(made) < len(fresh):
        # Another call with some of these sources committed a moment ago: begin again and find its grants.
        raise ChangedMeanwhile
    return made


def insert_codes(
    offer: Offer,
    grant_ids: list[int],
    customer_ids: list[int],
    expires_at: dt.datetime | None,
    given_at: dt.datetime | None,
) -> None:
    pattern = offer.rule.codes.as_pattern
    left = dict(zip(grant_ids, customer_ids, strict=True))
    while left:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO incentives_code
                       (code, incentive_id, version_id, grant_id, customer_id, is_public, applies_by_itself, state,
                        starts_at, expires_at, given_at)
                SELECT made.code, %(incentive)s, %(version)s, made.grant_id, made.customer_id, false, %(by_itself)s,
                       %(state)s, %(starts_at)s, %(expires_at)s, %(given_at)s
                FROM unnest(%(codes)s::text[], %(grants)s::bigint[], %(customers)s::bigint[])
                     AS made (code, grant_id, customer_id)
                ON CONFLICT (code) DO NOTHING
                RETURNING grant_id
                """,
                {
                    "incentive": offer.incentive_id,
                    "version": offer.version_id,
                    "by_itself": offer.rule.codes.applies_by_itself,
                    "state": Code.State.GIVEN if given_at else Code.State.RESERVED,
                    "starts_at": offer.rule.validity.starts_at,
                    "expires_at": expires_at,
                    "given_at": given_at,
                    "codes": pattern.make(len(left)),
                    "grants": list(left),
                    "customers": list(left.values()),
                },
            )
            for (pk,) in cursor.fetchall():
                del left[pk]


def hand_over_pooled(
    offer: Offer,
    code_ids: list[int],
    grant_ids: list[int],
    customer_ids: list[int],
    expires_at: dt.datetime | None,
    given_at: dt.datetime | None,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH handed AS (
                UPDATE incentives_code code
                SET grant_id = wish.grant_id, customer_id = wish.customer_id, version_id = %(version)s,
                    applies_by_itself = %(by_itself)s, state = %(state)s, given_at = %(given_at)s,
                    starts_at = coalesce(code.starts_at, %(starts_at)s),
                    expires_at = least(code.expires_at, %(expires_at)s)
                FROM unnest(%(codes)s::bigint[], %(grants)s::bigint[], %(customers)s::bigint[])
                     AS wish (code_id, grant_id, customer_id)
                WHERE code.id = wish.code_id
                RETURNING code.grant_id, code.expires_at
            )
            UPDATE incentives_grant AS g SET expires_at = handed.expires_at FROM handed
            WHERE g.id = handed.grant_id AND g.expires_at IS DISTINCT FROM handed.expires_at
            """,
            {
                "version": offer.version_id,
                "by_itself": offer.rule.codes.applies_by_itself,
                "state": Code.State.GIVEN if given_at else Code.State.RESERVED,
                "given_at": given_at,
                "starts_at": offer.rule.validity.starts_at,
                "expires_at": expires_at,
                "codes": code_ids,
                "grants": grant_ids,
                "customers": customer_ids,
            },
        )


def count_issued(offer: Offer, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE incentives_counter SET issued = issued + %(count)s
            WHERE incentive_id = %(incentive)s AND scope = 'issue' AND subject_id = 0 AND currency = ''
              AND NOT is_stopped AND version_id = %(version)s
              AND (%(limit)s::bigint IS NULL OR issued + %(count)s <= %(limit)s)
            """,
            {
                "count": count,
                "incentive": offer.incentive_id,
                "version": offer.version_id,
                "limit": offer.rule.limits.issued,
            },
        )
        if not cursor.rowcount:
            raise ChangedMeanwhile
