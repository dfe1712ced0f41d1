"""Which facts a programme has not looked at yet, and by which of its versions each of them counts."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from loyalty.models import Programme
from loyalty.operations.programmes import watermark_of
from loyalty.rules import ProgrammeRule
from loyalty.versions import rules_of
from retention.audit.models import Version
from retention.customers.models import Order
from retention.ledger.days import shop_zone
from retention.work.models import Watermark

#: Orders that came back whole, or were cancelled, before they earned never do.
EARNING_STATES = tuple(state for state in Order.BOUGHT if state != Order.State.RETURNED)

# What changed since the mark, and what those did before who joined since: facts of theirs that are in its time.
_ORDERS = """
SELECT 'order' AS kind, o.id, coalesce(o.paid_at, o.placed_at) AS at FROM customers_order o
WHERE {which} AND o.state = ANY(%(states)s) AND o.customer_id IS NOT NULL
  AND coalesce(o.paid_at, o.placed_at) >= %(launched_at)s
  AND NOT (coalesce(o.paid_at, o.placed_at) <@ ANY (%(rests)s::tstzrange[]))
  AND NOT EXISTS (SELECT FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
                  WHERE e.order_id = o.id AND m.programme_id = %(programme)s)
"""
_ACTIVITIES = """
SELECT 'activity' AS kind, a.id, a.occurred_at AS at FROM customers_activity a
WHERE {which} AND a.kind = ANY(%(kinds)s) AND a.customer_id IS NOT NULL AND a.occurred_at >= %(launched_at)s
  AND NOT (a.occurred_at <@ ANY (%(rests)s::tstzrange[]))
  AND NOT EXISTS (SELECT FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
                  WHERE e.activity_id = a.id AND m.programme_id = %(programme)s)
"""
_CHANGED = "{row}.xid >= %(since)s::text::xid8 AND {row}.xid < %(until)s::text::xid8"
_OF_NEW_MEMBERS = """
{row}.customer_id IN (SELECT m.customer_id FROM loyalty_member m WHERE m.programme_id = %(programme)s
                      AND m.xid >= %(since)s::text::xid8 AND m.xid < %(until)s::text::xid8)
"""


@dataclass(frozen=True)
class Rules:
    """A programme's rules by time: a fact counts by the version that was in force when it happened.

    `zone` is the shop's, by whose days they count.
    """

    since: tuple[dt.datetime, ...]
    versions: tuple[int, ...]
    rules: tuple[ProgrammeRule, ...]
    zone: str

    @classmethod
    def of(cls, saved: Sequence[tuple[dt.datetime, int]], zone: str) -> Rules:
        """Of every version, by number: each later one is in force from the moment it was saved."""
        rules = rules_of(pk for _at, pk in saved)
        return cls(
            tuple(at for at, _pk in saved), tuple(pk for _at, pk in saved), tuple(rules[pk] for _at, pk in saved), zone
        )

    def at(self, instant: dt.datetime) -> tuple[int, ProgrammeRule]:
        """The version and its rule; before the first, the first."""
        place = max(bisect_right(self.since, instant) - 1, 0)
        return self.versions[place], self.rules[place]

    @property
    def kinds(self) -> list[str]:
        """Every kind of activity that any of them listens to."""
        return sorted(set[str]().union(*(rule.activities for rule in self.rules)))


def rules_by_time(programme: Programme) -> Rules:
    found = Version.objects.filter(subject=programme._meta.label_lower, subject_id=programme.pk).order_by("number")
    return Rules.of(list(found.values_list("saved_at", "pk")), shop_zone())


def due_facts(programme: Programme, rules: Rules, until: int) -> list[tuple[str, int]]:
    """("order" | "activity", id) of what came since the programme's mark, in the order in which it happened."""
    mark = Watermark.objects.get(key=watermark_of(programme.pk)).mark
    looks_back = any(rule.joining == "request" and rule.look_back_days for rule in rules.rules)
    params: dict[str, Any] = {
        "since": mark, "until": until, "programme": programme.pk, "launched_at": programme.launched_at,
        "rests": programme.rests, "states": list(EARNING_STATES), "kinds": rules.kinds,
    }  # fmt: skip
    ways = [_CHANGED, _OF_NEW_MEMBERS] if looks_back else [_CHANGED]
    parts = [_ORDERS.format(which=way.format(row="o")) for way in ways]
    if rules.kinds:
        parts += [_ACTIVITIES.format(which=way.format(row="a")) for way in ways]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT kind, id FROM ({' UNION '.join(parts)}) AS due ORDER BY at, kind, id", params)  # noqa: S608
        return cursor.fetchall()


def ids_of(kind: str, facts: Iterable[tuple[str, int]]) -> list[int]:
    return [pk for each, pk in facts if each == kind]


def in_time(programme: Programme, instant: dt.datetime) -> bool:
    """Whether what happened then counts at all."""
    if programme.launched_at is None or instant < programme.launched_at:
        return False
    return not any(instant in rest for rest in programme.rests)
