"""Counting all that reports are sums of: by advocates first, of whose days the schemes' are sums; in short parts.

Money is of the base currency, in minor units. A friend is won once she did what the scheme asks for and it stood: not
those who were rejected, lapsed or gave everything back. What was given is counted as it was used or credited:
discounts of redeemed codes, credit and points less what was taken back, and partners' commissions.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

from django.db import connection

from retention import clock, money
from retention.customers.models import Order
from retention.ledger.models import Unit
from retention.ledger.versions import rule_of as unit_rule_of
from retention.shop.models import ExchangeRate, Shop

#: Within so many days of their first orders customers are compared.
WINDOWS = (30, 90, 180, 365)
#: An accuracy of units' worth that is more than any currency needs.
_SCALE = 10**9
_LAST_ID = 2**63 - 1
#: So many friends, or buyers, are counted in one part.
SIZE = 10_000

_EARLIEST = """
SELECT least((SELECT min(joined_at) FROM referrals_advocate), (SELECT min(visited_at) FROM referrals_visit),
             (SELECT min(since_at) FROM referrals_referral),
             (SELECT min(first_order_at) FROM customers_customerstats))
"""
# The shop's day of an instant, its month, and whether it is one that anything is told of.
# What comes while it is counted may be older than all that was there.
_DAY = "(%(days)s::date[])[greatest(1, width_bucket({at}, %(starts)s::timestamptz[]))]"
_MONTH = f"date_trunc('month', {_DAY}::timestamp)::date"

# What is left of an order.
_LEFT = """(bought.base_minor - coalesce((
        SELECT sum(back.base_minor) FROM customers_return back WHERE back.order_id = bought.id), 0)::bigint)"""
# Reading alone takes no transaction id, so others wait for a part only while its result is written.
_ADVOCATE_DAYS = f"""
WITH brought AS MATERIALIZED (
    SELECT id, scheme_id, advocate_id, friend_id, friend_grant_id, advocate_grant_id, order_id, since_at, state,
           visit_id IS NULL AS is_typed, {_DAY.format(at="claimed_at")} AS day,
           qualified_at IS NOT NULL AND state IN ('hold', 'review', 'approved', 'rewarded') AS is_won
    FROM referrals_referral WHERE advocate_id > %(after)s AND advocate_id <= %(last)s
), given AS (
    SELECT id AS referral_id, friend_grant_id AS grant_id FROM brought WHERE friend_grant_id IS NOT NULL
    UNION ALL SELECT id, advocate_grant_id FROM brought WHERE advocate_grant_id IS NOT NULL
), moved AS (
    -- What friends have paid since they came, less what came back; and what each referral cost, as used or credited.
    SELECT brought.id AS referral_id, bought.placed_at AS at, {_LEFT} AS spend, 0::numeric AS reward
    FROM brought JOIN customers_order bought ON bought.customer_id = brought.friend_id
     AND bought.placed_at >= brought.since_at AND bought.placed_at <= %(now)s
    WHERE bought.state = ANY(%(bought)s)
  UNION ALL
    SELECT given.referral_id, redemption.redeemed_at, 0,
           redemption.base_minor::numeric * (used.discount_minor - used.given_back_minor) / redemption.discount_minor
    FROM given
    JOIN incentives_code code ON code.grant_id = given.grant_id
    JOIN incentives_use used ON used.code_id = code.id
    JOIN incentives_redemption redemption ON redemption.id = used.redemption_id
    WHERE redemption.state = 'redeemed' AND redemption.discount_minor > 0
  UNION ALL
    SELECT given.referral_id, entry.effective_at, 0, (entry.amount - coalesce((
               SELECT sum(undone.amount) FROM ledger_entry undone WHERE undone.reverses_id = entry.id), 0))
           * unit.worth / %(scale)s::numeric
    FROM given
    JOIN ledger_entry entry ON entry.origin = 'incentives.grant' AND entry.origin_id = given.grant_id
     AND entry.verb = 'issue'
    JOIN unnest(%(units)s::bigint[], %(worths)s::bigint[]) AS unit (id, worth) ON unit.id = entry.unit_id
  UNION ALL
    SELECT brought.id, commission.earned_at, 0,
           (commission.amount_minor - commission.taken_back_minor)::numeric / nullif(commission.of_minor, 0)
           * commission.paid_minor * bought.base_minor / nullif(bought.total_minor, 0)
    FROM brought
    JOIN referrals_commission commission ON commission.referral_id = brought.id
    JOIN customers_order bought ON bought.id = brought.order_id
), fresh AS MATERIALIZED (
    SELECT advocate_id, scheme_id, day, month, count(state) AS friends,
           count(*) FILTER (WHERE state IS NOT NULL AND is_typed) AS typed,
           count(*) FILTER (WHERE state IS NOT NULL AND is_won) AS won,
           count(*) FILTER (WHERE state = 'rewarded') AS rewarded,
           count(*) FILTER (WHERE state = 'rejected') AS rejected,
           count(*) FILTER (WHERE state = 'reversed') AS reversed,
           count(*) FILTER (WHERE state IN ('claimed', 'pending', 'hold', 'review', 'approved')) AS open,
           sum(spend) AS spend, coalesce(sum(spend) FILTER (WHERE is_won), 0) AS won_spend, sum(reward) AS reward
    FROM (
        SELECT advocate_id, scheme_id, day, date_trunc('month', day::timestamp)::date AS month, state, is_typed, is_won,
               0 AS spend, 0::numeric AS reward
        FROM brought
      UNION ALL
        SELECT brought.advocate_id, brought.scheme_id, brought.day, {_MONTH.format(at="moved.at")}, NULL, is_typed,
               is_won, moved.spend, round(coalesce(moved.reward, 0), 6)
        FROM moved JOIN brought ON brought.id = moved.referral_id
    ) AS told GROUP BY 1, 2, 3, 4
), gone AS (
    DELETE FROM referrals_advocateday kept WHERE kept.advocate_id > %(after)s AND kept.advocate_id <= %(last)s
    AND NOT EXISTS (SELECT FROM fresh
                    WHERE (fresh.advocate_id, fresh.day, fresh.month) = (kept.advocate_id, kept.day, kept.month))
)
MERGE INTO referrals_advocateday AS kept USING fresh
ON kept.advocate_id > %(after)s AND kept.advocate_id <= %(last)s
   AND (kept.advocate_id, kept.day, kept.month) = (fresh.advocate_id, fresh.day, fresh.month)
WHEN MATCHED AND (kept.friends, kept.typed, kept.won, kept.rewarded, kept.rejected, kept.reversed, kept.open,
                  kept.spend_minor, kept.won_spend_minor, kept.reward_minor)
              <> (fresh.friends, fresh.typed, fresh.won, fresh.rewarded, fresh.rejected, fresh.reversed, fresh.open,
                  fresh.spend, fresh.won_spend, fresh.reward) THEN
    UPDATE SET friends = fresh.friends, typed = fresh.typed, won = fresh.won, rewarded = fresh.rewarded,
        rejected = fresh.rejected, reversed = fresh.reversed, open = fresh.open, spend_minor = fresh.spend,
        won_spend_minor = fresh.won_spend, reward_minor = fresh.reward
WHEN NOT MATCHED THEN INSERT (advocate_id, scheme_id, day, month, friends, typed, won, rewarded, rejected, reversed,
                              open, spend_minor, won_spend_minor, reward_minor)
    VALUES (fresh.advocate_id, fresh.scheme_id, fresh.day, fresh.month, fresh.friends, fresh.typed, fresh.won,
            fresh.rewarded, fresh.rejected, fresh.reversed, fresh.open, fresh.spend, fresh.won_spend, fresh.reward)
"""  # noqa: S608
# Who came before and comes again was invited once. Visits are deleted when they are old; that they invited stays.
_SCHEME_DAYS = f"""
MERGE INTO referrals_schemeday AS kept USING (
    SELECT scheme_id, day, month, sum(advocates) AS advocates, sum(invitations) AS invitations,
           sum(friends) AS friends, sum(won) AS won, sum(rewarded) AS rewarded, sum(rejected) AS rejected,
           sum(reversed) AS reversed, sum(open) AS open, sum(spend) AS spend, sum(won_spend) AS won_spend,
           sum(reward) AS reward
    FROM (
        SELECT scheme_id, {_DAY.format(at="joined_at")} AS day, {_MONTH.format(at="joined_at")} AS month,
               count(*) AS advocates, 0 AS invitations, 0 AS friends, 0 AS won, 0 AS rewarded, 0 AS rejected,
               0 AS reversed, 0 AS open, 0 AS spend, 0 AS won_spend, 0 AS reward
        FROM referrals_advocate GROUP BY 1, 2, 3
      UNION ALL
        SELECT advocate.scheme_id, {_DAY.format(at="first.at")}, {_MONTH.format(at="first.at")}, 0, count(*),
               0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM (SELECT advocate_id, min(visited_at) AS at FROM referrals_visit
              GROUP BY advocate_id, coalesce(visitor_key, id::text)) first
        JOIN referrals_advocate advocate ON advocate.id = first.advocate_id GROUP BY 1, 2, 3
      UNION ALL
        SELECT scheme_id, day, month, 0, typed, friends, won, rewarded, rejected, reversed, open, spend_minor,
               won_spend_minor, reward_minor
        FROM referrals_advocateday
    ) AS told GROUP BY 1, 2, 3
) AS fresh ON (kept.scheme_id, kept.day, kept.month) = (fresh.scheme_id, fresh.day, fresh.month)
WHEN MATCHED THEN UPDATE SET
    advocates = fresh.advocates, invitations = greatest(kept.invitations, fresh.invitations), friends = fresh.friends,
    won = fresh.won, rewarded = fresh.rewarded, rejected = fresh.rejected, reversed = fresh.reversed,
    open = fresh.open, spend_minor = fresh.spend, won_spend_minor = fresh.won_spend, reward_minor = fresh.reward
WHEN NOT MATCHED THEN INSERT (scheme_id, day, month, advocates, invitations, friends, won, rewarded, rejected,
                              reversed, open, spend_minor, won_spend_minor, reward_minor)
    VALUES (fresh.scheme_id, fresh.day, fresh.month, fresh.advocates, fresh.invitations, fresh.friends, fresh.won,
            fresh.rewarded, fresh.rejected, fresh.reversed, fresh.open, fresh.spend, fresh.won_spend, fresh.reward)
WHEN NOT MATCHED BY SOURCE AND kept.invitations = 0 THEN DELETE
WHEN NOT MATCHED BY SOURCE THEN UPDATE SET
    advocates = 0, friends = 0, won = 0, rewarded = 0, rejected = 0, reversed = 0, open = 0, spend_minor = 0,
    won_spend_minor = 0, reward_minor = 0
"""  # noqa: S608
# Everybody who ever bought and whose days are over, brought or not: the same days for all of them.
_WORTHS = f"""
WITH cohort AS MATERIALIZED (
    SELECT stats.customer_id, stats.first_order_at, {_DAY.format(at="stats.first_order_at")} AS day,
           hers.is_known, coalesce(hers.schemes, '{{{{}}}}') AS schemes
    FROM customers_customerstats stats
    JOIN customers_customer customer ON customer.id = stats.customer_id AND customer.merged_into_id IS NULL
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS is_known, array_agg(referral.scheme_id) FILTER (
                   WHERE referral.state NOT IN ('rejected', 'claimed') AND scheme.state <> 'draft') AS schemes
        FROM referrals_referral referral JOIN referrals_scheme scheme ON scheme.id = referral.scheme_id
        WHERE referral.friend_id = stats.customer_id
    ) AS hers
    WHERE stats.first_order_at >= %(from)s::timestamptz AND stats.first_order_at < %(until)s::timestamptz
      AND (NOT hers.is_known OR hers.schemes IS NOT NULL)
), paid AS (
    SELECT cohort.customer_id, {{sums}}
    FROM cohort
    JOIN customers_order bought ON bought.customer_id = cohort.customer_id AND bought.state = ANY(%(bought)s)
     AND bought.placed_at >= cohort.first_order_at
     AND bought.placed_at < cohort.first_order_at + interval '{{most}} days'
    GROUP BY cohort.customer_id
), fresh AS MATERIALIZED (
    SELECT whose.scheme_id, cohort.is_known AS is_brought, window_.days AS within, cohort.day, count(*) AS customers,
           coalesce(sum(window_.minor), 0) AS total, coalesce(sum(window_.minor ^ 2), 0) AS squares,
           coalesce(sum(window_.minor ^ 3), 0) AS cubes
    FROM cohort LEFT JOIN paid USING (customer_id)
    CROSS JOIN LATERAL (VALUES {{windows}}) AS window_ (days, minor)
    CROSS JOIN LATERAL (SELECT NULL::bigint AS scheme_id UNION ALL SELECT unnest(cohort.schemes)) AS whose
    WHERE cohort.first_order_at + window_.days * interval '1 day' <= %(now)s
    GROUP BY 1, 2, 3, 4
), gone AS (
    DELETE FROM referrals_worthday kept WHERE kept.day > %(after)s::date AND kept.day <= %(last)s::date
    AND NOT EXISTS (SELECT FROM fresh WHERE {{same}})
)
MERGE INTO referrals_worthday AS kept USING fresh
ON kept.day > %(after)s::date AND kept.day <= %(last)s::date AND {{same}}
WHEN MATCHED AND (kept.customers, kept.total, kept.squares, kept.cubes)
              <> (fresh.customers, fresh.total, fresh.squares, fresh.cubes) THEN
    UPDATE SET customers = fresh.customers, total = fresh.total, squares = fresh.squares, cubes = fresh.cubes
WHEN NOT MATCHED THEN INSERT (scheme_id, is_brought, within, day, customers, total, squares, cubes)
    VALUES (fresh.scheme_id, fresh.is_brought, fresh.within, fresh.day, fresh.customers, fresh.total, fresh.squares,
            fresh.cubes)
""".format(  # noqa: S608
    sums=", ".join(
        f"(sum({_LEFT}) FILTER (WHERE bought.placed_at < cohort.first_order_at + interval '{days} days'))::float8"
        f" AS in_{days}"
        for days in WINDOWS
    ),
    windows=", ".join(f"({days}, paid.in_{days})" for days in WINDOWS),
    most=max(WINDOWS),
    # No scheme is one too; numbers from 1 on are hashed, where IS NOT DISTINCT FROM compares each with each.
    same="(coalesce(kept.scheme_id, 0), kept.is_brought, kept.within, kept.day)"
    " = (coalesce(fresh.scheme_id, 0), fresh.is_brought, fresh.within, fresh.day)",
)
_BOUNDS = """
SELECT max(key) FROM (
    SELECT key, (sum(count(*)) OVER (ORDER BY key) - 1)::bigint / %(size)s AS part FROM ({keys}) AS all_ GROUP BY key
) AS parts GROUP BY part ORDER BY 1
"""
_ADVOCATES = _BOUNDS.format(keys="SELECT advocate_id AS key FROM referrals_referral")
_FIRST_DAYS = _BOUNDS.format(
    keys=f"""SELECT {_DAY.format(at="first_order_at")} AS key FROM customers_customerstats
             WHERE first_order_at IS NOT NULL"""  # noqa: S608
)

Part = tuple[str, dict[str, Any]]


def parts(*, now: dt.datetime, size: int = SIZE) -> list[Part]:
    """The statements that together count all of them anew, each a transaction of its own, in this order.

    Rows that are as they were are not touched. A part is of about `size` friends, or buyers: of a second at most.
    """
    zone = Shop.objects.get().time_zone
    params = _params(zone, now) | {"size": size}

    def ends(day: Any) -> Any:
        return day if isinstance(day, str) else clock.local_instant(day + dt.timedelta(days=1), dt.time(), zone)

    advocates = pairwise([0, *_bounds(_ADVOCATES, params), _LAST_ID])
    days = pairwise(["-infinity", *_bounds(_FIRST_DAYS, params), "infinity"])
    return [
        *((_ADVOCATE_DAYS, {**params, "after": after, "last": last}) for after, last in advocates),
        (_SCHEME_DAYS, params),
        *(
            (_WORTHS, {**params, "after": after, "last": last, "from": ends(after), "until": ends(last)})
            for after, last in days
        ),
    ]


def _bounds(statement: str, params: dict[str, Any]) -> list[Any]:
    """The last keys of all parts but of the last, which has no end: what comes meanwhile belongs to it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [key for (key,) in cursor.fetchall()][:-1]


def _params(zone: str, now: dt.datetime) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_EARLIEST)
        earliest = cursor.fetchone()[0] or now
    first, last = (at.astimezone(clock.zone(zone)).date() for at in (earliest, now))
    days = [first + dt.timedelta(days=n) for n in range(max(0, (last - first).days) + 1)]
    units, worths = unit_worths(now)
    return {
        "now": now, "days": days, "starts": [clock.local_instant(day, dt.time(), zone) for day in days],
        "units": units, "worths": worths, "scale": _SCALE, "bought": list(Order.BOUGHT),
    }  # fmt: skip


def unit_worths(now: dt.datetime) -> tuple[list[int], list[int]]:
    """Units, and what a smallest part of each is worth in the base currency's, times `_SCALE`, by the latest rates."""
    base = Shop.objects.get().currency
    latest = ExchangeRate.objects.filter(on__lte=now.date()).order_by("currency", "-on").distinct("currency")
    rates = {base: 1.0, **{rate.currency: float(rate.rate) for rate in latest}}
    found: dict[int, int] = {}
    for unit in Unit.objects.select_related("version"):
        rule = unit_rule_of(unit)
        if rule.kind == "money" and rule.currency in rates:
            # Minor units of one currency in minor units of the other: yen have no decimal places.
            digits = money.digits(base) - money.digits(rule.currency)
            found[unit.pk] = int(_SCALE * rates[rule.currency] * 10**digits)
        elif base in rule.worth:
            found[unit.pk] = _SCALE * rule.worth[base] // rule.worth_points
    return list(found), list(found.values())
