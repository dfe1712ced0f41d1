"""What ends by itself in the days ahead: campaigns begin and end, coupons and value expire, holds run out."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from campaigns.boards.counting import Days
from campaigns.boards.models import BoardLine
from campaigns.models import Campaign
from campaigns.plans import Plan, plan_of, running_plan

# An end belongs to the last day on which it can be used: it comes during that day, or at the midnight after it.
_COUPONS = """
    SELECT d.on_, i.id, i.name, count(*) FROM incentives_code c
    JOIN incentives_incentive i ON i.id = c.incentive_id
    JOIN {days} ON c.expires_at > d.starts AND c.expires_at <= d.ends
    WHERE c.expires_at > %s AND c.expires_at <= %s AND c.state = 'given' AND NOT c.is_card AND NOT c.is_public
      AND NOT EXISTS (SELECT FROM incentives_use u JOIN incentives_redemption r ON r.id = u.redemption_id
                      WHERE u.code_id = c.id AND r.ended_at IS NULL)
    GROUP BY 1, 2, 3
"""
_VALUE = """
    SELECT d.on_, unit.key, count(DISTINCT lot.account_id), sum(lot.remaining)::bigint
    FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id
    JOIN ledger_unit unit ON unit.id = account.unit_id
    JOIN {days} ON lot.expires_at > d.starts AND lot.expires_at <= d.ends
    WHERE lot.remaining > 0 AND lot.expires_at > %s AND lot.expires_at <= %s GROUP BY 1, 2
"""
_HOLDS = """
    SELECT d.on_, unit.key, count(*), sum(hold.amount - hold.captured)::bigint
    FROM ledger_hold hold JOIN ledger_account account ON account.id = hold.account_id
    JOIN ledger_unit unit ON unit.id = account.unit_id
    JOIN {days} ON hold.expires_at > d.starts AND hold.expires_at <= d.ends
    WHERE hold.state = 'open' AND hold.expires_at > %s AND hold.expires_at <= %s GROUP BY 1, 2
"""
_CHECKOUTS = """
    SELECT d.on_, '', count(*), NULL::bigint FROM incentives_redemption r
    JOIN {days} ON r.held_until > d.starts AND r.held_until <= d.ends
    WHERE r.state = 'held' AND r.held_until > %s AND r.held_until <= %s GROUP BY 1
"""
_OUTBOX = """
    SELECT d.on_, template.name, count(*) FROM messaging_delivery m
    JOIN messaging_template template ON template.id = m.template_id
    JOIN {days} ON greatest(m.not_before, %s) >= d.starts AND greatest(m.not_before, %s) < d.ends
    WHERE m.state IN ('queued', 'held') AND m.origin <> 'campaigns.touch' AND NOT m.is_ghost GROUP BY 1, 2
"""


def lines(days: Days) -> list[BoardLine]:
    """Every end and every begin but campaigns' touches."""
    return [*_campaigns(days), *_coupons(days), *_value(days), *_outbox(days)]


def _campaigns(days: Days) -> Iterator[BoardLine]:
    """Begins and ends as planned; one that is not approved yet is there too, so that somebody sees to it."""
    states = Campaign.State
    ahead = Campaign.objects.filter(archived_at=None, version__isnull=False).exclude(state=states.ENDED)
    for campaign in ahead.select_related("version", "approved_version"):
        plan: Plan = running_plan(campaign) if campaign.launched_at else plan_of(campaign)
        for kind, at in ((BoardLine.Kind.STARTS, plan.starts_at), (BoardLine.Kind.ENDS, plan.ends_at)):
            for on, starts, ends in zip(days.days, days.starts, days.ends, strict=True):
                if at is not None and starts <= at < ends:
                    yield BoardLine(on=on, kind=kind, campaign=campaign)


def _coupons(days: Days) -> Iterator[BoardLine]:
    for on, incentive_id, name, count in _rows(
        _COUPONS.format(days=Days.SQL), [*days.params, days.starts[0], days.until]
    ):
        yield BoardLine(on=on, kind=BoardLine.Kind.COUPONS, incentive_id=incentive_id, label=name, heads=count)


def _value(days: Days) -> Iterator[BoardLine]:
    """The unit's key is the label."""
    within = [*days.params, days.starts[0], days.until]
    for kind, statement in (
        (BoardLine.Kind.VALUE, _VALUE),
        (BoardLine.Kind.HOLDS, _HOLDS),
        (BoardLine.Kind.HOLDS, _CHECKOUTS),
    ):
        for on, key, count, amount in _rows(statement.format(days=Days.SQL), within):
            yield BoardLine(on=on, kind=kind, label=key, heads=count, amount=amount)


def _outbox(days: Days) -> Iterator[BoardLine]:
    """Messages of others than campaigns."""
    first = days.starts[0]
    for on, name, count in _rows(_OUTBOX.format(days=Days.SQL), [*days.params, first, first]):
        yield BoardLine(on=on, kind=BoardLine.Kind.OUTBOX, label=name, heads=count)


def _rows(statement: str, params: list) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
