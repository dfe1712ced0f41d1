"""Storing who is in: by looking at everybody, or only at those with new facts; who came and left is told with it."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django import forms
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from retention.marks import safe_mark
from retention.refusals import Refused
from retention.segments import following, rules
from retention.segments.arguments import shop_day
from retention.segments.models import Segment, SegmentSize
from retention.segments.querysets import live_customers, members

logger = logging.getLogger(__name__)
#: With more changed customers than this, one look at everybody is quicker than one at each.
MOST_CHANGED = 20_000
#: One statement: what is stored becomes what is meant, within `scope`, and each difference is told.
_REPLACE = """
    WITH meant (id) AS MATERIALIZED ({members}),
    leaving AS (
        DELETE FROM segments_membership AS stored WHERE stored.segment_id = %s {scope}
            AND NOT EXISTS (SELECT 1 FROM meant WHERE meant.id = stored.customer_id)
        RETURNING customer_id
    ),
    entering AS (
        INSERT INTO segments_membership (segment_id, customer_id, entered_at)
        SELECT %s, meant.id, %s FROM meant
        WHERE NOT EXISTS (SELECT 1 FROM segments_membership s WHERE s.segment_id = %s AND s.customer_id = meant.id)
        ON CONFLICT DO NOTHING
        RETURNING customer_id
    ),
    told AS (
        INSERT INTO segments_membershipchange (segment_id, customer_id, has_entered, at)
        SELECT %s, customer_id, has_entered, %s FROM (
            SELECT customer_id, true FROM entering UNION ALL SELECT customer_id, false FROM leaving
        ) AS moved (customer_id, has_entered) WHERE %s
    )
    SELECT (SELECT count(*) FROM meant), (SELECT count(*) FROM entering), (SELECT count(*) FROM leaving)
"""
#: The rule is asked for one customer after the other, so that each of its subqueries is planned for one.
_OF_EACH = (
    "SELECT hers.id FROM unnest(%s::bigint[]) AS changed (id) CROSS JOIN LATERAL ({members} OFFSET 0) AS hers (id)"
)


class BeingRefreshed(Refused):
    code = "segments.being_refreshed"
    sentence = _("This segment is being refreshed at this moment.")


@dataclass(frozen=True)
class Refreshed:
    """What a refresh found; with an `error` nothing changed and the members before it stay."""

    size: int = 0
    entered: int = 0
    left: int = 0
    ms: int = 0
    error: str = ""


def refresh_segment(*, segment_id: int, now: dt.datetime) -> Refreshed:
    """Store whom the rule means at `now`, looking at everybody, in one transaction; an error is kept on the segment.

    Who is in from the beginning has not come in: the first look tells of nobody.

    Raises:
        BeingRefreshed: another process is at it.
    """
    return _refresh(segment_id, now, _look_at_all)


def follow_segment(*, segment_id: int, now: dt.datetime) -> Refreshed:
    """The same, looking only at customers with facts that are new since the last time.

    The mark up to which facts were looked at moves in the same transaction, so a run that is killed loses nothing.

    Raises:
        BeingRefreshed: another process is at it.
    """
    return _refresh(segment_id, now, _look_at_changed)


def prove_segment(*, segment_id: int, now: dt.datetime) -> Refreshed:
    """Follow the segment, then look at everybody as of the same instant: what that changes had been overlooked.

    What time alone changed counts too where who is in moves with time.

    Raises:
        BeingRefreshed: another process is at it, or somebody saved it meanwhile.
    """
    return _refresh(segment_id, now, _look_twice)


def look_again(*, segment_id: int, customer_ids: Sequence[int], now: dt.datetime) -> Refreshed:
    """Store at once what the rule means of these customers, in the caller's transaction and beside any refresh.

    A rule that cannot be asked changes nothing: what the caller records is not lost with it.
    """
    segment = Segment.objects.filter(pk=segment_id, archived_at=None).exclude(size=None).first()
    if segment is None:
        return Refreshed()
    try:
        with transaction.atomic():
            _found, entered, left = _replace_among(segment, now, sorted(set(customer_ids)))
            if entered or left:
                Segment.objects.filter(pk=segment.pk).update(size=F("size") + entered - left)
    except (forms.ValidationError, DatabaseError) as error:
        logger.warning("segment %s could not be asked again: %s", segment_id, _reason(error))
        return Refreshed(error=_reason(error))
    return Refreshed(segment.size + entered - left, entered, left)


#: What was stored: (size, entered, left, is_whole).
_Looked = tuple[int, int, int, bool]


def _refresh(segment_id: int, now: dt.datetime, look: Callable[[Segment, dt.datetime], _Looked]) -> Refreshed:
    began = time.perf_counter()
    try:
        with transaction.atomic():
            if look is _look_twice:
                _as_of_one_instant()
            _alone(segment_id)
            segment = Segment.objects.get(pk=segment_id, archived_at=None)
            mark = safe_mark()
            size, entered, left, is_whole = look(segment, now)
            ms = round((time.perf_counter() - began) * 1000)
            values = {"mark": mark, "computed_at": now, "computed_ms": ms, "tried_at": now, "error": ""}
            # Meanwhile others may have looked again at some of them.
            values["size"] = size if is_whole else F("size") + entered - left
            if is_whole:
                values |= {"whole_at": now, "whole_ms": ms, "is_time_relative": _is_time_relative(segment, now)}
            Segment.objects.filter(pk=segment_id).update(**values)
            kept = [SegmentSize(segment=segment, on=shop_day(now), size=size)]
            SegmentSize.objects.bulk_create(
                kept, update_conflicts=True, unique_fields=["segment", "on"], update_fields=["size"]
            )
    except OperationalError as error:
        if look is _look_twice and getattr(error.__cause__, "sqlstate", "") == "40001":
            raise BeingRefreshed() from None
        return _failed(segment_id, now, error)
    except (forms.ValidationError, DatabaseError) as error:
        return _failed(segment_id, now, error)
    return Refreshed(size, entered, left, ms)


def _failed(segment_id: int, now: dt.datetime, error: Exception) -> Refreshed:
    reason = _reason(error)
    logger.warning("segment %s could not be refreshed: %s", segment_id, reason)
    Segment.objects.filter(pk=segment_id).update(tried_at=now, error=reason)
    return Refreshed(error=reason)


def _alone(segment_id: int) -> None:
    # Not the row's own lock: people save a segment while it is being refreshed.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('segments.refresh'), %s)", [segment_id])
        if not cursor.fetchone()[0]:
            raise BeingRefreshed()


def _as_of_one_instant() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _look_at_all(segment: Segment, now: dt.datetime) -> _Looked:
    sql, params = _members(segment, now)
    size, entered, left = _replace(segment, now, sql, list(params), scope="", among=())
    return size, entered, left, True


def _look_at_changed(segment: Segment, now: dt.datetime) -> _Looked:
    if segment.mark is None or segment.xid >= segment.mark or segment.size is None:
        return _look_at_all(segment, now)
    sql, _params = _members(segment, now, one_by_one=True)
    changed = following.changed_since(segment.mark, following.tables_of(sql), most=MOST_CHANGED)
    if changed is None:
        return _look_at_all(segment, now)
    if not changed:
        return segment.size, 0, 0, False
    _found, entered, left = _replace_among(segment, now, changed)
    return segment.size + entered - left, entered, left, False


def _look_twice(segment: Segment, now: dt.datetime) -> _Looked:
    segment.size = _look_at_changed(segment, now)[0]
    return _look_at_all(segment, now)


def _members(segment: Segment, now: dt.datetime, *, one_by_one: bool = False) -> tuple[str, tuple]:
    if one_by_one:
        meant = live_customers().filter(rules.q(segment.rule, now, of=segment.pk), pk=RawSQL("changed.id", ()))
    else:
        meant = members(segment.rule, now, of=segment.pk)
    return meant.order_by().values("pk").query.sql_with_params()


def _is_time_relative(segment: Segment, now: dt.datetime) -> bool:
    is_relative = rules.is_time_relative(rules.parse(segment.rule, of=segment.pk))
    return is_relative or not following.is_followed(following.tables_of(_members(segment, now)[0]))


def _replace(
    segment: Segment, now: dt.datetime, sql: str, params: list, *, scope: str, among: tuple
) -> tuple[int, int, int]:
    is_told = segment.size is not None
    own = [segment.pk, *among, segment.pk, now, segment.pk, segment.pk, now, is_told]
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE.format(members=sql, scope=scope), [*params, *own])
        return cursor.fetchone()


def _replace_among(segment: Segment, now: dt.datetime, customer_ids: list[int]) -> tuple[int, int, int]:
    sql, params = _members(segment, now, one_by_one=True)
    return _replace(
        segment, now, _OF_EACH.format(members=sql), [customer_ids, *params],
        scope="AND stored.customer_id = ANY(%s)", among=(customer_ids,),
    )  # fmt: skip


def _reason(error: Exception) -> str:
    """A rule's errors by their place; of the database's errors the kind only, since they may quote rows."""
    if isinstance(error, forms.ValidationError):
        return "; ".join(f"{path}: {' '.join(said)}" for path, said in error.message_dict.items())[:2000]
    return type(error.__cause__ or error).__name__
