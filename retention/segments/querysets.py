"""Reads: who a rule means, how many they are, and why one customer is in or not."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext

from retention.customers.models import Customer
from retention.segments import rules, values
from retention.segments.models import Segment

#: PostgreSQL's word for a statement that ran into its limit.
QUERY_CANCELED = "57014"
#: Conditions that are relative to now change without a new fact: who is in is looked at so often…
PASS_AFTER = dt.timedelta(minutes=15)
#: …and no more often than keeps the looking below a three-hundredth of the time.
PASS_FACTOR = dt.timedelta(milliseconds=300)
RETRY_AFTER = dt.timedelta(minutes=10)
#: Of all customers: where the conditions beside a count leave fewer, it counts theirs alone. Twice as many lose by it.
FEW = 0.1


def live_customers() -> QuerySet[Customer]:
    """Those whom a segment may hold: neither merged into another nor erased."""
    return Customer.objects.filter(merged_into__isnull=True, erased_at__isnull=True)


def members(rule: Any, now: dt.datetime, *, of: int | None = None, among: Q | None = None) -> QuerySet[Customer]:
    """The customers whom the rule means, as one SQL statement; an empty rule is nobody. Only those `among`, if told.

    Raises:
        forms.ValidationError: the rule is not valid (any more), by JSON pointer.
    """
    if among is None:
        return live_customers().filter(rules.q(rule, now, of=of, where=_are_few))
    return live_customers().filter(among, rules.q(rule, now, of=of, among=among))


def _are_few(customers: QuerySet[Customer]) -> bool:
    """Whether fetching their facts one customer after the other beats grouping everybody's, as the planner guesses."""
    left, all_ = (
        json.loads(asked.order_by().values("pk").explain(format="json"))[0]["Plan"]["Plan Rows"]
        for asked in (customers, Customer.objects.all())
    )
    return left < FEW * all_


def size(rule: Any, now: dt.datetime) -> int:
    return members(rule, now).count()


class TooSlow(Exception):
    """A read took longer than it was allowed to."""


@contextmanager
def within_ms(limit: int) -> Iterator[CursorWrapper]:
    """A cursor whose statements the database gives up after so many milliseconds.

    Raises:
        TooSlow
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit)])
            yield cursor
            # A surrounding transaction would keep the limit.
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == QUERY_CANCELED:
            raise TooSlow from None
        raise


@dataclass(frozen=True)
class Preview:
    """How many a rule means and a few of them; both None where counting took longer than allowed."""

    size: int | None
    sample: tuple[Customer, ...] | None


def preview(rule: Any, now: dt.datetime, *, of: int | None = None, most: int = 10, limit_ms: int = 5000) -> Preview:
    """Size and the first customers by one scan, given up after `limit_ms`.

    Raises:
        forms.ValidationError: the rule is not valid.
    """
    sql, params = members(rule, now, of=of).order_by().values("pk").query.sql_with_params()
    statement = f"""
        WITH members (id) AS MATERIALIZED ({sql})
        SELECT (SELECT count(*) FROM members), ARRAY(SELECT id FROM members ORDER BY id LIMIT %s)
    """  # noqa: S608
    try:
        with within_ms(limit_ms) as cursor:
            cursor.execute(statement, [*params, most])
            count, ids = cursor.fetchone()
    except TooSlow:
        return Preview(None, None)
    found = Customer.objects.in_bulk(ids)
    return Preview(count, tuple(found[pk] for pk in ids if pk in found))


@dataclass(frozen=True)
class Explained:
    """One node of a rule for one customer.

    Attributes:
        kind: `whole`, `live`, `all`, `any`, `not`, `condition` or `segment`.
        path: its JSON pointer in the rule; empty at the root and for what is not in the rule.
        hers: what the condition looks at, as it is with her; empty where it cannot be told simply.
    """

    sentence: str
    is_met: bool
    kind: str
    path: str = ""
    parts: tuple[Explained, ...] = ()
    hers: str = ""


def explain(rule: Any, customer_id: int, now: dt.datetime, *, of: int | None = None) -> Explained:
    """Why this customer is in or not: the whole first, then condition by condition; one query.

    Raises:
        forms.ValidationError: the rule is not valid.
        Customer.DoesNotExist: there is no such customer.
    """
    node = rules.parse(rule, of=of)
    asked = list(rules.leaves(node))
    her = Customer.objects.filter(pk=customer_id)
    # Each condition asks for her alone in a WHERE of its own, so that its subqueries are planned for one customer.
    answers = {
        "live": Exists(live_customers().filter(pk=customer_id)),
        **{f"answer{at}": Exists(her.filter(rules.q(leaf, now))) for at, leaf in enumerate(asked)},
    }
    looked_at = [values.expressions_of(leaf, now) for leaf in asked]
    for at, expressions in enumerate(looked_at):
        answers |= {f"value{at}_{number}": each for number, each in enumerate(expressions.values())}
    row = her.values(**answers).get()
    met = {}
    for at, leaf in enumerate(asked):
        hers = {name: row[f"value{at}_{number}"] for number, name in enumerate(looked_at[at])}
        met[id(leaf)] = row[f"answer{at}"], values.told(leaf, hers)
    told = _explained(node, met)
    live = Explained(gettext("is a customer of her own, neither merged nor erased"), row["live"], "live")
    return Explained(rules.sentence(node), row["live"] and told.is_met, "whole", "", (live, told))


def _explained(node: rules.Node, met: dict[int, tuple[bool, str]]) -> Explained:
    words = rules.phrase(node)
    if isinstance(node, rules.Leaf):
        if node.written_out is None:
            is_met, hers = met[id(node)]
            return Explained(words, is_met, "condition", node.path, hers=hers)
        inner = _explained(node.written_out, met)
        return Explained(words, inner.is_met, "segment", node.path, (inner,))
    if isinstance(node, rules.Not):
        inner = _explained(node.part, met)
        return Explained(words, not inner.is_met, "not", node.path, (inner,))
    parts = tuple(_explained(part, met) for part in node.parts)
    is_met = bool(parts) and (all if node.is_all else any)(part.is_met for part in parts)
    return Explained(words, is_met, "all" if node.is_all else "any", node.path, parts)


def live_segments() -> QuerySet[Segment]:
    return Segment.objects.filter(archived_at=None)


def users_of(segments: Iterable[Segment]) -> dict[int, list[str]]:
    """Segment id → what is built on it: live segments that name it, and rows of higher rooms that point at it.

    Higher rooms are found by their foreign keys, so that nothing here knows them.
    """
    ids = {str(segment.public_id): segment.pk for segment in segments}
    users: dict[int, list[str]] = {pk: [] for pk in ids.values()}
    for other in live_segments():
        text = str(other.rule)
        for public_id, pk in ids.items():
            if public_id in text:
                users[pk].append(f"{other._meta.verbose_name} “{other}”")
    for relation in Segment._meta.related_objects:
        if relation.related_model._meta.app_label == Segment._meta.app_label:
            continue
        pointing = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": users})
        for row in pointing:
            if getattr(row, "archived_at", None) is not None:
                continue
            users[getattr(row, relation.field.attname)].append(f"{row._meta.verbose_name} “{row}”")
    return users


def segments_to_refresh(now: dt.datetime) -> QuerySet[Segment]:
    """Live segments for which everybody is to be looked at; those never tried first.

    They were saved since, or move with time and were looked at a while ago; the longer a look takes, the longer the
    while. One that failed is tried again later.
    """
    pause = Greatest(Value(PASS_AFTER), ExpressionWrapper(F("whole_ms") * PASS_FACTOR, DurationField()))
    again = ExpressionWrapper(F("whole_at") + pause, DateTimeField())
    moved = Q(is_time_relative=True) & Q(LessThanOrEqual(again, Value(now)))
    stale = Q(mark=None) | Q(size=None) | Q(xid__gte=F("mark")) | moved
    due = Q(tried_at=None) | Q(error="") & stale | ~Q(error="") & Q(tried_at__lte=now - RETRY_AFTER)
    return live_segments().filter(due).order_by(F("tried_at").asc(nulls_first=True), "pk")


def segments_to_follow(newest: int) -> QuerySet[Segment]:
    """Live segments that have not looked at the newest fact, whose transaction is told."""
    return live_segments().filter(error="", mark__lte=newest).order_by("computed_at", "pk")


def find_customer(text: str) -> Customer | None:
    """The customer of this email, reference or public id, live ones first."""
    text = text.strip()
    if not text or len(text) > 254 or not rules.is_storable(text):
        return None
    asked = Q(email_normal=text.lower()) | Q(reference=text)
    try:
        asked |= Q(public_id=uuid.UUID(text))
    except ValueError:
        pass  # Not a public id: the other two are asked.
    return Customer.objects.filter(asked).order_by(F("merged_into").asc(nulls_first=True), "pk").first()
