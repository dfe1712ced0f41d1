"""What came out of a replay, as plain values: by week and in all, in money, and what could not be known."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from campaigns.backtests.replaying import Week
from campaigns.models import Campaign
from campaigns.operations.forecasting import Forecast, average_shipping, cost_of_one, price
from campaigns.plans import Plan
from campaigns.selection import zones_in_use
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of
from retention.registries import Window
from retention.shop.models import Shop

SAMPLE = 10
#: Other campaigns that are named.
NAMED = 5

#: Tables that hold what is so now, not what was so then → what that does to the replay. Found in what was asked.
HINDSIGHT = {
    "customers_customerstats": _(
        "Totals and last orders are today's: who ordered since then no longer counts as silent then."
    ),
    "segments_membership": _("Who is in a segment is today's; who was in it then is not replayed."),
    "customers_customerstage": _("Lifecycle stages are today's."),
    "customers_rfm": _("RFM groups are today's."),
    "incentives_code": _("Coupons are as they stand today: those used or expired since do not count."),
    "ledger_lot": _("Balances are today's: what was spent or expired since does not count."),
}
#: So in every replay.
ALWAYS = {
    "profile": _("Profiles, countries and addresses are today's."),
    "guards": _("Caps on frequency, quiet hours, suppressions and bounces are not replayed."),
    "bounds": _("Branches, hours, holdouts, cool-downs, limits of touches and opening by and by are not replayed."),
}


_SAMPLE = "SELECT DISTINCT customer_id FROM replayed WHERE reason = '' ORDER BY 1 LIMIT %s"
#: Of the lines whose product has a known cost in the order's currency; how much those are of all.
_MARGIN = """
    SELECT sum(line.total_minor - line.quantity * p.unit_cost_minor) FILTER (WHERE has_cost)::bigint,
           coalesce(sum(line.total_minor) FILTER (WHERE has_cost), 0)::bigint,
           coalesce(sum(line.total_minor), 0)::bigint
    FROM (SELECT DISTINCT order_id FROM replayed WHERE order_id IS NOT NULL) r
    JOIN customers_order o ON o.id = r.order_id AND o.currency = %s
    JOIN customers_orderline line ON line.order_id = o.id
    JOIN customers_product p ON p.id = line.product_id
    CROSS JOIN LATERAL (SELECT p.unit_cost_minor IS NOT NULL AND p.currency = o.currency) k (has_cost)
"""


def of_replay(campaign: Campaign, plan: Plan, periods: list[Week], asked: list[str]) -> dict[str, Any]:
    """Everything that the page shows, read from `replayed`."""
    shop, week = Shop.objects.get(), periods[-1]
    window = Window(week.since, week.until, shop.time_zone, zones_in_use())
    occasion = plan.of.past_sql(plan.cleaned_args(), window, week.since)
    heads, customers, shared = _row("count(*), count(DISTINCT customer_id), count(*) FILTER (WHERE is_shared)")
    found: dict[str, Any] = {
        "currency": shop.currency,
        "goal_days": plan.goal.days,
        # Who is found by her last order ordered nothing since, or she would not be found.
        "is_blind_to_orders": occasion is not None and "last_order_at" in occasion[0],
        "heads": heads,
        "customers": customers,
        "skipped": dict(_rows("SELECT reason, count(*) FROM replayed WHERE reason <> '' GROUP BY 1 ORDER BY 1")),
        "weeks": _weeks(periods),
        "sample": [pk for (pk,) in _rows(_SAMPLE, SAMPLE)],
        "shared": shared,
        "shared_with": _shared_with(campaign),
        "notes": [*ALWAYS, *(table for table in HINDSIGHT if any(table in text for text in asked))],
    }
    return {**found, **_cost(plan, heads), **_natural(plan, shop.currency)}


def _weeks(periods: list[Week]) -> list[dict[str, Any]]:
    counted = {
        week: rest
        for week, *rest in _rows(
            "SELECT week, count(*) FILTER (WHERE reason = ''), count(*) FILTER (WHERE reason <> ''), count(order_id),"
            " coalesce(sum(base_minor), 0)::bigint FROM replayed GROUP BY 1"
        )
    }
    names = ("heads", "skipped", "bought", "bought_minor")
    return [
        {"first": week.first.isoformat(), **dict(zip(names, counted.get(number, (0, 0, 0, 0)), strict=True))}
        for number, week in enumerate(periods)
    ]


def _shared_with(campaign: Campaign) -> list[dict[str, Any]]:
    rows = _rows(
        "SELECT t.campaign_id, count(DISTINCT (r.customer_id, r.occasion)) FROM replayed r"
        " JOIN campaigns_touch t ON t.customer_id = r.customer_id AND t.campaign_id <> %s AND t.state <> 'skipped'"
        " AND NOT t.is_ghost AND t.due_at > r.due_at - interval '1 day' AND t.due_at < r.due_at + interval '1 day'"
        " WHERE r.is_shared GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s",
        campaign.pk,
        NAMED,
    )
    return [{"campaign": pk, "heads": count} for pk, count in rows]


def _cost(plan: Plan, heads: int) -> dict[str, Any]:
    """At most, as the dry run counts it."""
    found = Forecast(days=0, is_ahead=False, heads=heads)
    price(found, plan)
    return {"cost_minor": found.cost_minor, "cost_words": str(found.cost_words)}


def _natural(plan: Plan, currency: str) -> dict[str, Any]:
    """Who ordered anyway: how much, what the offer would have taken off it, what it earned where costs are known."""
    bought, bought_minor = _row("count(order_id), coalesce(sum(base_minor), 0)::bigint")
    ((margin, known, everything),) = _rows(_MARGIN, currency)
    return {
        "bought": bought,
        "bought_minor": bought_minor,
        "given_away_minor": _given_away(plan, currency),
        "margin_minor": margin,
        "margin_of_percent": 100 * known // everything if everything else 0,
    }


def _given_away(plan: Plan, currency: str) -> int | None:
    """What the first offer would have taken off the orders that came anyway; None where it cannot be said."""
    first = next((step.incentive for step in plan.steps if step.incentive), None)
    if first is None:
        return 0
    rule = rule_of(Incentive.objects.get(pk=first).version_id)
    shipping, total = average_shipping(currency), 0
    # By amount, not by order: a discount is a function of it, and amounts are far fewer.
    for base, count in _rows("SELECT base_minor, count(*) FROM replayed WHERE order_id IS NOT NULL GROUP BY 1"):
        one, _words = cost_of_one(rule, currency, base, shipping)
        if one is None:
            return None
        total += min(one, base) * count
    return total


def _row(columns: str) -> tuple:
    return _rows(f"SELECT {columns} FROM replayed WHERE reason = ''")[0]  # noqa: S608


def _rows(statement: str, *params: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return cursor.fetchall()
