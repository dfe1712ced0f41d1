"""Counting all that reports are sums of: costs and spend are reckoned once for each referral, then summed by day.

Money is of the base currency, in minor units. A friend is won once she did what the scheme asks for and it stood: not
those who were rejected, lapsed or gave everything back. What was given is counted as it was used or credited:
discounts of redeemed codes, credit and points less what was taken back, and partners' commissions.
"""

from __future__ import annotations

import datetime as dt
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

_EARLIEST = """
SELECT least((SELECT min(joined_at) FROM referrals_advocate), (SELECT min(visited_at) FROM referrals_visit),
             (SELECT min(since_at) FROM referrals_referral),
             (SELECT min(first_order_at) FROM customers_customerstats))
"""
# The shop's day of an instant, its month, and whether it is one that anything is told of.
_DAY = "(%(days)s::date[])[width_bucket({at}, %(starts)s::timestamptz[])]"
_MONTH = f"date_trunc('month', {_DAY}::timestamp)::date"

_BACK = "back AS (SELECT order_id, sum(base_minor)::bigint AS minor FROM customers_return GROUP BY order_id)"
_BROUGHT = f"""
CREATE TEMP TABLE brought ON COMMIT DROP AS
SELECT id, scheme_id, advocate_id, friend_id, friend_grant_id, advocate_grant_id, order_id, since_at, state,
       visit_id IS NULL AS is_typed, {_DAY.format(at="claimed_at")} AS day,
       qualified_at IS NOT NULL AND state IN ('hold', 'review', 'approved', 'rewarded') AS is_won
FROM referrals_referral
"""  # noqa: S608
# What friends have paid since they came, less what came back; and what each referral cost, as used or credited.
_MOVED = f"""
CREATE TEMP TABLE moved ON COMMIT DROP AS
WITH {_BACK}, given AS (
    SELECT id AS referral_id, friend_grant_id AS grant_id FROM brought WHERE friend_grant_id IS NOT NULL
    UNION ALL SELECT id, advocate_grant_id FROM brought WHERE advocate_grant_id IS NOT NULL
), each AS (
    SELECT brought.id AS referral_id, bought.placed_at AS at, bought.base_minor - coalesce(back.minor, 0) AS spend,
           0::numeric AS reward
    FROM brought JOIN customers_order bought ON bought.customer_id = brought.friend_id
     AND bought.placed_at >= brought.since_at AND bought.placed_at <= %(now)s
    LEFT JOIN back ON back.order_id = bought.id
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
)
SELECT referral_id, {_MONTH.format(at="at")} AS month, sum(spend) AS spend, sum(round(coalesce(reward, 0), 6)) AS reward
FROM each GROUP BY 1, 2
"""  # noqa: S608
_ADVOCATE_DAYS = """
MERGE INTO referrals_advocateday AS kept USING (
    SELECT advocate_id, scheme_id, day, count(*) AS friends, count(*) FILTER (WHERE is_won) AS won,
           coalesce(sum(hers.spend), 0) AS spend, coalesce(sum(hers.spend) FILTER (WHERE is_won), 0) AS won_spend,
           coalesce(sum(hers.reward), 0) AS reward
    FROM brought
    LEFT JOIN (SELECT referral_id, sum(spend) AS spend, sum(reward) AS reward FROM moved GROUP BY 1) hers
      ON hers.referral_id = brought.id
    GROUP BY 1, 2, 3
) AS fresh ON (kept.advocate_id, kept.day) = (fresh.advocate_id, fresh.day)
WHEN MATCHED AND (kept.friends, kept.won, kept.spend_minor, kept.won_spend_minor, kept.reward_minor)
              <> (fresh.friends, fresh.won, fresh.spend, fresh.won_spend, fresh.reward) THEN
    UPDATE SET friends = fresh.friends, won = fresh.won, spend_minor = fresh.spend, won_spend_minor = fresh.won_spend,
        reward_minor = fresh.reward
WHEN NOT MATCHED THEN INSERT (advocate_id, scheme_id, day, friends, won, spend_minor, won_spend_minor, reward_minor)
    VALUES (fresh.advocate_id, fresh.scheme_id, fresh.day, fresh.friends, fresh.won, fresh.spend, fresh.won_spend,
            fresh.reward)
WHEN NOT MATCHED BY SOURCE THEN DELETE
"""
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
        SELECT scheme_id, day, date_trunc('month', day::timestamp)::date, 0, count(*) FILTER (WHERE is_typed),
               count(*), count(*) FILTER (WHERE is_won), count(*) FILTER (WHERE state = 'rewarded'),
               count(*) FILTER (WHERE state = 'rejected'), count(*) FILTER (WHERE state = 'reversed'),
               count(*) FILTER (WHERE state IN ('claimed', 'pending', 'hold', 'review', 'approved')), 0, 0, 0
        FROM brought GROUP BY 1, 2
      UNION ALL
        SELECT brought.scheme_id, brought.day, moved.month, 0, 0, 0, 0, 0, 0, 0, 0, sum(spend),
               coalesce(sum(spend) FILTER (WHERE is_won), 0), sum(reward)
        FROM moved JOIN brought ON brought.id = moved.referral_id GROUP BY 1, 2, 3
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
INSERT INTO referrals_worthday (scheme_id, is_brought, within, day, customers, total, squares, cubes)
WITH {_BACK}, referred AS (
    SELECT brought.friend_id, array_agg(brought.scheme_id) FILTER (
               WHERE brought.state NOT IN ('rejected', 'claimed') AND scheme.state <> 'draft') AS schemes
    FROM brought JOIN referrals_scheme scheme ON scheme.id = brought.scheme_id GROUP BY brought.friend_id
), cohort AS (
    SELECT stats.customer_id, stats.first_order_at, {_DAY.format(at="stats.first_order_at")} AS day,
           referred.friend_id IS NULL AS is_other, referred.schemes
    FROM customers_customerstats stats
    JOIN customers_customer customer ON customer.id = stats.customer_id AND customer.merged_into_id IS NULL
    LEFT JOIN referred ON referred.friend_id = stats.customer_id
    WHERE stats.first_order_at IS NOT NULL AND (referred.friend_id IS NULL OR referred.schemes IS NOT NULL)
), paid AS (
    SELECT cohort.customer_id, {{sums}}
    FROM cohort
    JOIN customers_order bought ON bought.customer_id = cohort.customer_id AND bought.state = ANY(%(bought)s)
     AND bought.placed_at >= cohort.first_order_at
     AND bought.placed_at < cohort.first_order_at + interval '{{most}} days'
    LEFT JOIN back ON back.order_id = bought.id
    GROUP BY cohort.customer_id
)
SELECT whose.scheme_id, NOT cohort.is_other, window_.days, cohort.day, count(*), coalesce(sum(window_.minor), 0),
       coalesce(sum(window_.minor ^ 2), 0), coalesce(sum(window_.minor ^ 3), 0)
FROM cohort LEFT JOIN paid USING (customer_id)
CROSS JOIN LATERAL (VALUES {{windows}}) AS window_ (days, minor)
CROSS JOIN LATERAL (
    SELECT NULL::bigint AS scheme_id UNION ALL SELECT DISTINCT id FROM unnest(cohort.schemes) AS one (id)
) AS whose
WHERE cohort.first_order_at + window_.days * interval '1 day' <= %(now)s
GROUP BY 1, 2, 3, 4
""".format(  # noqa: S608
    sums=", ".join(
        f"(sum(bought.base_minor - coalesce(back.minor, 0)) FILTER (WHERE bought.placed_at < cohort.first_order_at"
        f" + interval '{days} days'))::float8 AS in_{days}"
        for days in WINDOWS
    ),
    windows=", ".join(f"({days}, paid.in_{days})" for days in WINDOWS),
    most=max(WINDOWS),
)


def count_totals(*, now: dt.datetime) -> None:
    """Count all of them anew, within the transaction of the caller; rows that are as they were are not touched."""
    with connection.cursor() as cursor:
        cursor.execute(_EARLIEST)
        (earliest,) = cursor.fetchone()
        params = _params(earliest or now, now)
        cursor.execute(_BROUGHT, params)
        cursor.execute("ANALYZE brought")
        cursor.execute(_MOVED, params)
        cursor.execute("ANALYZE moved")
        cursor.execute(_ADVOCATE_DAYS)
        cursor.execute(_SCHEME_DAYS, params)
        cursor.execute("DELETE FROM referrals_worthday")
        cursor.execute(_WORTHS, params)
        cursor.execute("DROP TABLE brought, moved")


def _params(earliest: dt.datetime, now: dt.datetime) -> dict[str, Any]:
    zone = Shop.objects.get().time_zone
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
