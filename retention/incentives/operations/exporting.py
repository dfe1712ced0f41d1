"""Codes on their way out as a file: streamed as PostgreSQL reads them, however many there are."""

import datetime as dt
from collections.abc import Iterator

from django.db import connection
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.models import CodeBatch, Incentive
from retention.incentives.operations.life import NoSuchIncentive
from retention.refusals import Refused

#: Bytes that are handed on together.
BLOCK = 2**16
#: Nothing in it is typed by a stranger: a code is letters and digits by constraint, so no cell is a formula.
_COPY = """
    COPY (
        SELECT code, state, batch_id AS batch, given_at, starts_at, expires_at
        FROM incentives_code WHERE incentive_id = %s AND (%s::bigint IS NULL OR batch_id = %s) ORDER BY id
    ) TO STDOUT (FORMAT csv, HEADER true)
"""


class NoSuchBatch(Refused):
    code = "incentives.no_such_batch"
    sentence = _("There is no such batch of codes of this offer.")
    status = 404


def export_codes(*, incentive_id: int, now: dt.datetime, by: Actor, batch_id: int | None = None) -> Iterator[bytes]:
    """The codes of an incentive, or of one batch, as blocks of a CSV file: a line each, oldest first, times in UTC.

    That they were taken out is audited at once; the rows are read as the blocks are asked for.

    Raises:
        NoSuchIncentive, NoSuchBatch
    """
    incentive = Incentive.objects.filter(pk=incentive_id).first()
    if incentive is None:
        raise NoSuchIncentive
    if batch_id is not None and not CodeBatch.objects.filter(pk=batch_id, incentive=incentive).exists():
        raise NoSuchBatch
    record(verb="incentives.export_codes", by=by, now=now, subject=incentive, after={"batch": batch_id})
    return _blocks(incentive_id, batch_id)


def _blocks(incentive_id: int, batch_id: int | None) -> Iterator[bytes]:
    held = bytearray()
    with connection.cursor() as cursor, cursor.copy(_COPY, [incentive_id, batch_id, batch_id]) as copy:
        for line in copy:
            held += line
            if len(held) >= BLOCK:
                yield bytes(held)
                held.clear()
    if held:
        yield bytes(held)
