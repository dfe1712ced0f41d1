"""Putting customers into stages: everybody by one statement, or those with new facts; each change is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django import forms
from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from retention.customers.models import Stage
from retention.marks import safe_mark
from retention.segments import following, rules
from retention.segments.operations.refreshing import MOST_CHANGED
from retention.segments.querysets import PASS_AFTER, live_customers
from retention.work.models import Watermark
from retention.work.operations import raise_alert, resolve_alert

#: `at`: when everybody was last looked at, NULL where a stage was edited since; `mark`: facts before it were.
KEY = "segments.stages"
ALERT = "segments.stages"
#: Each row is written by a statement of its own kind: an upsert takes and gives back a lock for every new row.
_PLACE = """
    WITH meant (id, stage) AS ({placed}),
    moved AS MATERIALIZED (
        SELECT coalesce(m.id, s.customer_id) AS id, s.stage_id AS before, m.stage AS after
        FROM meant m FULL JOIN (SELECT * FROM customers_customerstage {scope}) s ON s.customer_id = m.id
        WHERE s.stage_id IS DISTINCT FROM m.stage
    ),
    put AS (
        INSERT INTO customers_customerstage (customer_id, stage_id, since)
        SELECT id, after, %s FROM moved WHERE before IS NULL
    ),
    turned AS (
        UPDATE customers_customerstage s SET stage_id = after, since = %s, xid = pg_current_xact_id()
        FROM moved WHERE s.customer_id = moved.id AND before IS NOT NULL AND after IS NOT NULL
    ),
    taken AS (
        DELETE FROM customers_customerstage s USING moved WHERE moved.after IS NULL AND s.customer_id = moved.id
    ),
    told AS (
        INSERT INTO customers_stagechange (customer_id, before_id, after_id, at)
        SELECT id, before, after, %s FROM moved WHERE %s
    )
    SELECT count(*) FROM moved
"""
_OF_EACH = (
    "SELECT hers.id, hers.stage FROM unnest(%s::bigint[]) AS changed (id)"
    " CROSS JOIN LATERAL ({placed} OFFSET 0) AS hers (id, stage)"
)


@dataclass(frozen=True)
class Placed:
    """How many customers were looked at by name (NULL: everybody), and how many came into another stage."""

    looked_at: int | None
    moved: int


def place_customers(*, now: dt.datetime, everybody: bool = False) -> Placed:
    """Put customers into the first stage whose rule means them: those with new facts, and everybody now and then.

    The first time tells of no change: nobody came from anywhere. The mark moves in the same transaction.
    """
    try:
        with transaction.atomic():
            alone()
            kept, _is_new = Watermark.objects.get_or_create(key=KEY)
            mark = safe_mark()
            changed = None if everybody or is_pass_due(kept, now) else _changed(kept, now)
            moved = _place(now, changed, is_told=kept.mark is not None)
            Watermark.objects.filter(key=KEY).update(mark=mark, at=now if changed is None else kept.at)
    except forms.ValidationError as invalid:
        said = "; ".join(f"{path}: {' '.join(text)}" for path, text in invalid.message_dict.items())
        text = _("Customers are put into no stage any more, since the rule of one is not valid: %(why)s")
        raise_alert(kind=ALERT, text=text % {"why": said[:500]}, now=now)
        return Placed(0, 0)
    resolve_alert(kind=ALERT, now=now)
    return Placed(None if changed is None else len(changed), moved)


def count_to_place(*, now: dt.datetime) -> int:
    """How many customers the next run would look at."""
    kept = Watermark.objects.filter(key=KEY).first() or Watermark(key=KEY)
    changed = None if is_pass_due(kept, now) else _changed(kept, now)
    return live_customers().count() if changed is None else len(changed)


def is_pass_due(kept: Watermark, now: dt.datetime) -> bool:
    """Whether everybody is to be looked at: stages move with time."""
    return kept.mark is None or kept.at is None or kept.at <= now - PASS_AFTER


def alone() -> None:
    """Stages are edited and computed one at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('segments.stages'))")


def _changed(kept: Watermark, now: dt.datetime) -> list[int] | None:
    sql, _params = _placed(now)
    return following.changed_since(kept.mark or 0, following.tables_of(sql), most=MOST_CHANGED)


def _placed(now: dt.datetime, *, one_by_one: bool = False) -> tuple[str, tuple]:
    """SQL of (customer, the first stage whose rule means her)."""
    rules_of = [(stage.pk, rules.q(stage.rule, now)) for stage in Stage.objects.filter(archived_at=None)]
    whens = [When(rule, then=Value(pk)) for pk, rule in rules_of]
    # Without stages everybody is in none; a NULL alone would be a text to PostgreSQL.
    first = Cast(Case(*whens) if whens else Value(None), BigIntegerField())
    placed = live_customers().annotate(stage=first).order_by()
    if one_by_one:
        placed = placed.filter(pk=RawSQL("changed.id", ()))
    return placed.values_list("pk", "stage").query.sql_with_params()


def _place(now: dt.datetime, changed: list[int] | None, *, is_told: bool) -> int:
    if changed == []:
        return 0
    sql, params = _placed(now, one_by_one=changed is not None)
    scope: list[list[int]] = [] if changed is None else [changed]
    if changed is not None:
        sql, params = _OF_EACH.format(placed=sql), (changed, *params)
    statement = _PLACE.format(placed=sql, scope="WHERE customer_id = ANY(%s)" if scope else "")
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, *scope, now, now, now, is_told])
        return cursor.fetchone()[0]
