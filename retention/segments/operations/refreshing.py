"""Storing who is in: one statement that compares the rule's customers with those stored."""

from __future__ import annotations

import datetime as dt
import logging
import time
from dataclasses import dataclass

from django import forms
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.refusals import Refused
from retention.segments.arguments import shop_day
from retention.segments.models import Membership, Segment, SegmentSize
from retention.segments.querysets import members

logger = logging.getLogger(__name__)
_REPLACE = """
    WITH meant (id) AS MATERIALIZED ({members}),
    leaving AS (
        DELETE FROM {table} AS stored WHERE stored.segment_id = %s
            AND NOT EXISTS (SELECT 1 FROM meant WHERE meant.id = stored.customer_id)
        RETURNING 1
    ),
    entering AS (
        INSERT INTO {table} (segment_id, customer_id, entered_at)
        SELECT %s, meant.id, %s FROM meant
        WHERE NOT EXISTS (SELECT 1 FROM {table} s WHERE s.segment_id = %s AND s.customer_id = meant.id)
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM meant), (SELECT count(*) FROM entering), (SELECT count(*) FROM leaving)
"""


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
    """Store whom the rule means at `now`, in one transaction; an error is kept on the segment.

    Raises:
        BeingRefreshed: another process is at it.
    """
    began = time.perf_counter()
    try:
        with transaction.atomic():
            _alone(segment_id)
            segment = Segment.objects.get(pk=segment_id, archived_at=None)
            size, entered, left = _replace_members(segment, now)
            ms = round((time.perf_counter() - began) * 1000)
            Segment.objects.filter(pk=segment_id).update(
                size=size, computed_at=now, computed_ms=ms, tried_at=now, error=""
            )
            SegmentSize.objects.update_or_create(segment=segment, on=shop_day(now), defaults={"size": size})
    except (forms.ValidationError, DatabaseError) as error:
        reason = _reason(error)
        logger.warning("segment %s could not be refreshed: %s", segment_id, reason)
        Segment.objects.filter(pk=segment_id).update(tried_at=now, error=reason)
        return Refreshed(error=reason)
    return Refreshed(size, entered, left, ms)


def _alone(segment_id: int) -> None:
    # Not the row's own lock: people save a segment while it is being refreshed.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('segments.refresh'), %s)", [segment_id])
        if not cursor.fetchone()[0]:
            raise BeingRefreshed()


def _replace_members(segment: Segment, now: dt.datetime) -> tuple[int, int, int]:
    sql, params = members(segment.rule, now, of=segment.pk).order_by().values("pk").query.sql_with_params()
    statement = _REPLACE.format(members=sql, table=connection.ops.quote_name(Membership._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, segment.pk, segment.pk, now, segment.pk])
        return cursor.fetchone()


def _reason(error: Exception) -> str:
    """A rule's errors by their place; of the database's errors the kind only, since they may quote rows."""
    if isinstance(error, forms.ValidationError):
        return "; ".join(f"{path}: {' '.join(said)}" for path, said in error.message_dict.items())[:2000]
    return type(error.__cause__ or error).__name__
