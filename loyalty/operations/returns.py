"""What becomes of what an order earned: less where some of it came back or was not paid with money after all, and when
it can be spent.

An order is weighed again as it stands, by its own version and in the tier of then, without caps of other facts; where
that is less, the difference is taken back by the version's policy. What it earned never grows again. Members are
locked as in earning, so two returns at once, or the same one twice, take back no more than what went.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.earning import State, earn
from loyalty.facts import OrderFact
from loyalty.models import Programme
from loyalty.operations.due import rules_by_time
from loyalty.operations.earning_rows import source_of
from loyalty.reading import orders
from loyalty.rules.pending import AfterDays, UntilEvent, activity_event, days_after, fulfilled_event
from loyalty.versions import rules_of
from retention import clock
from retention.actors import Actor
from retention.bulk import batches
from retention.incentives.facts import shop_currency
from retention.ledger import operations as ledger
from retention.ledger.days import shop_zone
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.work.models import Watermark

JOB = "loyalty.follow"
#: Orders of one transaction.
CHUNK = 1_000

# Orders that changed, of which the shop may have taken goods out or written other prices; and orders of what was earned
# a moment ago: whichever of a return and its earning comes last is seen here.
_CAME_BACK = """
SELECT e.order_id FROM customers_order o JOIN loyalty_earning e ON e.order_id = o.id
WHERE o.xid >= %(since)s::text::xid8 AND o.xid < %(until)s::text::xid8 AND e.amount > 0
UNION
SELECT e.order_id FROM loyalty_earning e JOIN customers_order o ON o.id = e.order_id
WHERE e.xid >= %(since)s::text::xid8 AND e.xid < %(until)s::text::xid8 AND e.amount > 0
  AND o.state IN ('cancelled', 'returned', 'partially_returned')
UNION
-- What was paid with a balance or a gift card, told only after the order was weighed.
SELECT e.order_id FROM incentives_redemption r JOIN customers_order o ON o.reference = r.order_reference
JOIN loyalty_earning e ON e.order_id = o.id AND e.amount > 0
WHERE r.xid >= %(since)s::text::xid8 AND r.xid < %(until)s::text::xid8 AND r.state = 'redeemed'
  AND EXISTS (SELECT FROM incentives_tender t WHERE t.redemption_id = r.id)
UNION
SELECT e.order_id FROM loyalty_earning e JOIN customers_order o ON o.id = e.order_id
JOIN incentives_redemption r ON r.order_reference = o.reference AND r.state = 'redeemed'
WHERE e.xid >= %(since)s::text::xid8 AND e.xid < %(until)s::text::xid8 AND e.amount > 0
  AND EXISTS (SELECT FROM incentives_tender t WHERE t.redemption_id = r.id)
ORDER BY 1
"""
_FULFILLED = """
SELECT e.order_id, e.version_id, o.fulfilled_at FROM customers_order o JOIN loyalty_earning e ON e.order_id = o.id
WHERE o.xid >= %(since)s::text::xid8 AND o.xid < %(until)s::text::xid8 AND o.fulfilled_at IS NOT NULL
  AND e.version_id = ANY(%(versions)s)
UNION
SELECT e.order_id, e.version_id, o.fulfilled_at FROM loyalty_earning e JOIN customers_order o ON o.id = e.order_id
WHERE e.xid >= %(since)s::text::xid8 AND e.xid < %(until)s::text::xid8 AND o.fulfilled_at IS NOT NULL
  AND e.version_id = ANY(%(versions)s)
"""
# What somebody did, and what she had done already when something of hers was written down only now.
_DONE = """
SELECT customer_id, kind FROM customers_activity
WHERE xid >= %(since)s::text::xid8 AND xid < %(until)s::text::xid8 AND kind = ANY(%(kinds)s)
  AND customer_id IS NOT NULL
UNION
SELECT a.customer_id, a.kind FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
JOIN customers_activity a ON a.customer_id = m.customer_id AND a.kind = ANY(%(kinds)s) AND a.occurred_at >= e.earned_at
WHERE e.xid >= %(since)s::text::xid8 AND e.xid < %(until)s::text::xid8
"""
_LOCK = """
SELECT id FROM loyalty_member
WHERE id IN (SELECT member_id FROM loyalty_earning WHERE order_id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE
"""
_STANDING = """
SELECT id, member_id, rule, version_id, order_id, tier, amount FROM loyalty_earning
WHERE order_id = ANY(%s) AND amount > 0 ORDER BY id
"""
_SHRINK = """
WITH less AS (
    UPDATE loyalty_earning AS earning SET amount = each.amount, xid = pg_current_xact_id()
    FROM unnest(%(ids)s::bigint[], %(amounts)s::bigint[]) AS each (id, amount)
    WHERE earning.id = each.id AND earning.amount > each.amount
    RETURNING earning.member_id, old.amount - new.amount AS difference
)
UPDATE loyalty_member AS member SET earned = member.earned - each.difference
FROM (SELECT member_id, sum(difference) AS difference FROM less GROUP BY member_id) AS each
WHERE member.id = each.member_id
"""
_ENTRIES = """
SELECT granted.source, entry.id FROM incentives_grant AS granted
JOIN ledger_entry entry
  ON entry.origin = 'incentives.grant' AND entry.origin_id = granted.id AND entry.verb = 'issue'
WHERE granted.source = ANY(%s)
"""


class SpentAlready(Refused):
    """No refusal to anybody, but why less was taken back than went."""

    code = "loyalty.spent_already"
    sentence = _("Some of what the order earned was spent before it came back.")


@dataclass(frozen=True, slots=True)
class Standing:
    """One earning of an order as it stands before it is weighed again."""

    id: int
    member_id: int
    rule: str
    version_id: int
    order_id: int
    tier: str
    amount: int


@dataclass
class Followed:
    """Orders looked at, earnings that shrank, lots whose wait began to run, and what was spent already."""

    due: int = 0
    shrunk: int = 0
    begun: int = 0
    skipped: Tally[str] = field(default_factory=Tally)

    def as_dict(self) -> dict[str, Any]:
        return {"due": self.due, "touched": self.shrunk + self.begun, "skipped": dict(self.skipped)}


def take_back_due(*, now: dt.datetime, progress: Callable[[int, int], None]) -> Followed:
    """Follow orders that came back, were fulfilled, or whose event has come, since the last look."""
    followed, marks = Followed(), _marks()
    due = _orders_that_came_back(marks)
    for done, ids in enumerate(batches(due, CHUNK), start=1):
        weigh_again(order_ids=ids, followed=followed, now=now, by=Actor.job(JOB))
        progress(min(done * CHUNK, len(due)), len(due))
    followed.begun = _begin_waits(marks, now)
    Watermark.objects.update_or_create(key=JOB, defaults={"mark": marks["until"], "at": now})
    return followed


def count_to_follow(*, now: dt.datetime) -> int:
    """How many orders `take_back_due` would weigh again."""
    return len(_orders_that_came_back(_marks()))


@transaction.atomic
def weigh_again(*, order_ids: Sequence[int], followed: Followed, now: dt.datetime, by: Actor) -> None:
    """Weigh orders as they stand, and take back what they earned too much."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [order_ids])
        cursor.execute(_STANDING, [order_ids])
        standing = [Standing(*row) for row in cursor.fetchall()]
    facts = {fact.id: fact for fact in orders(sorted({each.order_id for each in standing}), shop_currency())}
    followed.due += len(facts)
    left = dict(_weighed(standing, facts, shop_zone()))
    less = [each for each in standing if left[each.id] < each.amount]
    if not less:
        return
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"ids": [each.id for each in less], "amounts": [left[each.id] for each in less]}
        cursor.execute(_SHRINK, params)
        cursor.execute(_ENTRIES, [[source_of(each.id) for each in less]])
        entries = dict(cursor.fetchall())
    followed.shrunk += len(less)
    rules = rules_of(each.version_id for each in less)
    by_policy: dict[Any, list[ledger.Taking]] = defaultdict(list)
    for each in less:
        source = source_of(each.id)
        by_policy[rules[each.version_id].returns].append(
            ledger.Taking(entries[source], each.amount - left[each.id], f"{source}:{left[each.id]}")
        )
    for policy, takings in sorted(by_policy.items()):
        for some in batches(takings, ledger.MOST):
            taken = ledger.take_back_each(takings=some, policy=policy, reason="loyalty.returned", now=now, by=by)
            short = sum(taken.get(taking.source, 0) < taking.amount for taking in some)
            followed.skipped.update({SpentAlready.code: short} if short else {})


def _weighed(standing: Iterable[Standing], facts: dict[int, OrderFact], zone: str) -> Iterable[tuple[int, int]]:
    """(earning, what is left of it) for each of them; orders are weighed once a member, version and tier."""
    groups: dict[tuple[int, int, int, str], list[Standing]] = defaultdict(list)
    for each in standing:
        groups[each.order_id, each.member_id, each.version_id, each.tier].append(each)
    rules = rules_of(version for _order, _member, version, _tier in groups)
    for (order, _member, version, tier), earnings in groups.items():
        # What a birthday's month gave stays hers by it, whatever her birthday is said to be by now.
        month = facts[order].happened_at.astimezone(clock.zone(zone)).month
        earned = earn(facts[order], rules[version], State(zone=zone, tier=tier, birth_month=month))
        now_is = {one.rule_key: one.amount for one in earned}
        for each in earnings:
            yield each.id, min(each.amount, now_is.get(each.rule, 0))


def _begin_waits(marks: dict[str, Any], now: dt.datetime) -> int:
    """What waited for an order to be fulfilled, or for something that its owner did since, begins to run."""
    days: dict[int, int] = {}
    kinds: dict[str, list[int]] = defaultdict(list)
    for programme in Programme.objects.exclude(state=Programme.State.DRAFT):
        found = rules_by_time(programme)
        for version, rule in zip(found.versions, found.rules, strict=True):
            if isinstance(rule.pending, AfterDays) and rule.pending.since == "fulfilled":
                days[version] = rule.pending.days
            elif isinstance(rule.pending, UntilEvent) and programme.pk not in kinds[rule.pending.activity]:
                kinds[rule.pending.activity].append(programme.pk)
    at: dict[str, dt.datetime] = {}
    zone = shop_zone()
    with connection.cursor() as cursor:
        if days:
            cursor.execute(_FULFILLED, {**marks, "versions": list(days)})
            for order, version, fulfilled_at in cursor.fetchall():
                at[fulfilled_event(order, days[version])] = days_after(fulfilled_at, days[version], zone)
        if kinds:
            cursor.execute(_DONE, {**marks, "kinds": list(kinds)})
            for customer, kind in cursor.fetchall():
                at |= {activity_event(programme, kind, customer): now for programme in kinds[kind]}
    return sum(ledger.activate_each(at=dict(some)) for some in batches(at.items(), ledger.MOST))


def _orders_that_came_back(marks: dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_CAME_BACK, marks)
        return [pk for (pk,) in cursor.fetchall()]


def _marks() -> dict[str, Any]:
    mark = Watermark.objects.filter(key=JOB).values_list("mark", flat=True).first() or 0
    return {"since": mark, "until": safe_mark()}
