"""Whom campaigns touch in the days ahead, kept in a table of the session's, so that days and campaigns can be compared.

What nobody can foresee, such as sign-ups, is estimated from the days gone by and marked as such.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from campaigns.arms import Arms
from campaigns.boards.models import BoardLine
from campaigns.goals import ORIGIN
from campaigns.models import Campaign, Touch
from campaigns.operations.forecasting import Forecast, price
from campaigns.operations.stepping.touched import target
from campaigns.plans import Plan, Wait, running_plan
from campaigns.selection import Selection, zones_in_use
from retention import clock
from retention.customers.models import Customer

#: Days of the board, today first; and days gone by from which an estimate is made.
DAYS = ESTIMATED_FROM = 30
#: Customers of one statement, by id.
CHUNK = 250_000
#: Pairs of campaigns that a day names.
PAIRS = 3


@dataclass(frozen=True)
class Days:
    """The shop's days ahead: day `n` is from `starts[n]` until before `starts[n + 1]`."""

    days: list[dt.date]
    starts: list[dt.datetime]
    ends: list[dt.datetime]

    @classmethod
    def ahead(cls, now: dt.datetime, zone: str) -> Days:
        today = now.astimezone(clock.zone(zone)).date()
        days = [today + dt.timedelta(days=n) for n in range(DAYS + 1)]
        starts = [clock.local_instant(day, dt.time.min, zone) for day in days]
        return cls(days[:-1], starts[:-1], starts[1:])

    @property
    def until(self) -> dt.datetime:
        return self.ends[-1]

    #: A join of SQL, which has no time zones: `d.on_`, `d.starts`, `d.ends`.
    SQL = "unnest(%s::date[], %s::timestamptz[], %s::timestamptz[]) AS d (on_, starts, ends)"

    @property
    def params(self) -> list[Any]:
        return [self.days, self.starts, self.ends]


@contextmanager
def scratch() -> Iterator[None]:
    """The session's table of touches to come; it is gone afterwards, and with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.boarded")
        cursor.execute(
            "CREATE TEMP TABLE boarded"
            " (campaign_id bigint, customer_id bigint, due_at timestamptz, kind text, on_ date)"
        )
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS pg_temp.boarded")


def running() -> list[Campaign]:
    """Those that may touch somebody in the days ahead, the paused ones too: they may be resumed."""
    states = (Campaign.State.LIVE, Campaign.State.PAUSED, Campaign.State.SCHEDULED)
    found = Campaign.objects.filter(state__in=states, archived_at=None, approved_version__isnull=False)
    return list(found.select_related("approved_version", "reach").order_by("-priority", "pk"))


def foresee(campaign: Campaign, days: Days, *, zone: str, now: dt.datetime, progress: Callable[[], None]) -> None:
    """Add whom its occasion falls for, whose later steps come due, and whose messages wait in the outbox."""
    plan = running_plan(campaign)
    if plan.of.is_foreseeable:
        _occasion(campaign, plan, days, zone=zone, now=now, progress=progress)
    _waiting(campaign, days, now)


def forget(campaign: Campaign) -> None:
    """What was added of a campaign that could not be counted to the end."""
    _run("DELETE FROM boarded WHERE campaign_id = %s", [campaign.pk])


def _occasion(
    campaign: Campaign, plan: Plan, days: Days, *, zone: str, now: dt.datetime, progress: Callable[[], None]
) -> None:
    reached = getattr(campaign, "reach", None)
    opens_at = max(reached.opens_at if reached else now, plan.starts_at or now)
    since = max(now, reached.at) if reached else plan.of.opens_at(plan.cleaned_args(), opens_at)
    until = min(days.until, plan.ends_at) if plan.ends_at else days.until
    if since >= until:
        return
    selection = Selection.of(campaign, plan, shop_zone=zone, now=now, opens_at=opens_at)
    selection = selection.with_late_before(min(since, opens_at))
    ghost, ghost_params = Arms.of(campaign, plan).ghost_sql("x.customer_id")
    ids, lives_in = Customer.objects.aggregate(first=Min("pk"), last=Max("pk")), zones_in_use()
    for from_id in range(ids["first"] or 0, (ids["last"] or 0) + 1, CHUNK):
        due = selection.due(since, until, from_id=from_id, until_id=from_id + CHUNK, zones=lives_in)
        if due is None:
            break
        _run(
            f"INSERT INTO boarded SELECT %s, x.customer_id, x.due_at + %s, 'sends' FROM ({due.text}) x"  # noqa: S608
            f" WHERE x.reason = '' AND NOT ({ghost})",
            [campaign.pk, _length(plan.steps[0].wait), *due.params, *ghost_params],
        )
        progress()
    for after in _later_steps(plan):
        _run(
            "INSERT INTO boarded SELECT campaign_id, customer_id, due_at + %s, 'steps' FROM boarded"
            " WHERE campaign_id = %s AND kind = 'sends' AND due_at + %s < %s",
            [after, campaign.pk, after, days.until],
        )


def _later_steps(plan: Plan) -> list[dt.timedelta]:
    """How long after the first step each later one comes, if nobody leaves before; days of a calendar as days."""
    found, total, index = [], dt.timedelta(), target(plan, 0, plan.steps[0].then)
    while index is not None:
        total += _length(plan.steps[index].wait)
        found.append(total)
        index = target(plan, index, plan.steps[index].then)
    return found


def _length(wait: Wait) -> dt.timedelta:
    """Roughly: days of a calendar as days."""
    return dt.timedelta(days=wait.days) if wait.days is not None else wait.delay


def _waiting(campaign: Campaign, days: Days, now: dt.datetime) -> None:
    """Touches whose next step comes due, and messages in the outbox; what is late is today's."""
    _run(
        "INSERT INTO boarded SELECT t.campaign_id, t.customer_id, greatest(t.next_at, %s),"
        " CASE WHEN t.begun_at IS NULL THEN 'sends' ELSE 'steps' END"
        " FROM campaigns_touch t WHERE t.campaign_id = %s AND t.state = 'due' AND t.next_at < %s AND NOT t.is_ghost",
        [now, campaign.pk, days.until],
    )
    _run(
        "INSERT INTO boarded SELECT t.campaign_id, t.customer_id, greatest(m.not_before, %s), 'sends'"
        " FROM messaging_delivery m JOIN campaigns_touch t ON t.id = m.origin_id"
        " WHERE m.origin = %s AND m.state IN ('queued', 'held') AND t.campaign_id = %s AND m.not_before < %s"
        " AND NOT m.is_ghost",
        [now, ORIGIN, campaign.pk, days.until],
    )


def lines(campaigns: list[Campaign], days: Days, *, now: dt.datetime) -> list[BoardLine]:
    """A line for each campaign, day and kind, with how many are touched by another campaign on that day too."""
    within = f"FROM {Days.SQL} WHERE b.due_at >= d.starts AND b.due_at < d.ends"
    _run(f"UPDATE boarded b SET on_ = d.on_ {within}", days.params)  # noqa: S608
    _run("CREATE INDEX ON boarded (on_, customer_id)", [])
    _run("ANALYZE boarded", [])
    rows = _rows(
        """
        SELECT b.campaign_id, b.on_, b.kind, count(DISTINCT b.customer_id),
               count(DISTINCT b.customer_id) FILTER (WHERE s.customer_id IS NOT NULL)
        FROM boarded b LEFT JOIN (
            SELECT on_, customer_id FROM boarded GROUP BY 1, 2 HAVING min(campaign_id) <> max(campaign_id)
        ) s ON s.on_ = b.on_ AND s.customer_id = b.customer_id
        WHERE b.on_ IS NOT NULL GROUP BY 1, 2, 3
        """
    )
    a_head = {campaign.pk: _cost_of_one(running_plan(campaign)) for campaign in campaigns}
    found = []
    for campaign_id, on, kind, heads, shared in rows:
        # The first step's line carries what the whole journey costs; a later one would count it twice.
        one = a_head[campaign_id] if kind == BoardLine.Kind.SENDS else None
        cost = None if one is None else one * heads
        line = BoardLine(on=on, kind=kind, campaign_id=campaign_id, heads=heads, shared=shared, cost_minor=cost)
        found.append(line)
    known = {(line.campaign_id, line.on) for line in found}
    for campaign in campaigns:
        # A day of which something is known is not estimated beside it.
        estimated = _estimated(campaign, days, now, a_head[campaign.pk])
        found += [line for line in estimated if (line.campaign_id, line.on) not in known]
    return found


def _cost_of_one(plan: Plan) -> int | None:
    found = Forecast(days=0, is_ahead=True, heads=1)
    price(found, plan)
    return found.cost_minor


def _estimated(campaign: Campaign, days: Days, now: dt.datetime, one: int | None) -> Iterator[BoardLine]:
    """As many a day as on the days before, where what it waits for cannot be foreseen."""
    plan = running_plan(campaign)
    if plan.of.is_foreseeable:
        return
    since = now - dt.timedelta(days=ESTIMATED_FROM)
    touched = Touch.objects.filter(campaign=campaign, enlisted_at__gt=since, enlisted_at__lte=now, is_ghost=False)
    heads = round(touched.exclude(state=Touch.State.SKIPPED).count() / ESTIMATED_FROM)
    for on, starts in zip(days.days, days.starts, strict=True):
        if heads and (plan.ends_at is None or starts < plan.ends_at):
            cost = None if one is None else one * heads
            yield BoardLine(
                on=on, kind=BoardLine.Kind.SENDS, campaign=campaign, heads=heads, cost_minor=cost, is_estimate=True
            )


def overlaps() -> dict[str, dict[str, Any]]:
    """Day → how many customers are touched, how many of them by several campaigns, and by which two the most."""
    found: dict[str, dict[str, Any]] = {}
    for on, customers, shared in _rows(
        "SELECT on_, count(*), count(*) FILTER (WHERE many) FROM (SELECT on_, customer_id,"
        " min(campaign_id) <> max(campaign_id) AS many FROM boarded WHERE on_ IS NOT NULL GROUP BY 1, 2) x GROUP BY 1"
    ):
        found[on.isoformat()] = {"customers": customers, "shared": shared, "pairs": []}
    for on, one, other, heads in _rows(
        "SELECT a.on_, a.campaign_id, b.campaign_id, count(DISTINCT a.customer_id) FROM boarded a JOIN boarded b"
        " ON b.on_ = a.on_ AND b.customer_id = a.customer_id AND b.campaign_id > a.campaign_id"
        " GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2, 3"
    ):
        pairs = found[on.isoformat()]["pairs"]
        if len(pairs) < PAIRS:
            pairs.append([one, other, heads])
    return found


def _run(statement: str, params: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def _rows(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
