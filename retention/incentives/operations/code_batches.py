"""Codes by the thousand: asked for as a batch, made in chunks that may stop anywhere, and moved to a newer version."""

import datetime as dt
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.decisions import NotLive
from retention.incentives.models import Code, CodeBatch, Counter, Incentive
from retention.incentives.operations.late_limits import count_before_rule
from retention.incentives.operations.life import locked
from retention.incentives.versions import rule_of
from retention.refusals import Refused
from retention.work.operations import nudge

#: Codes of one transaction.
CHUNK = 50_000
#: So many are made while the marketer waits; more in the background.
AT_ONCE = 5_000
#: Of one batch.
MOST = 5_000_000
JOB = "incentives.make_codes"


class NotUnique(Refused):
    code = "incentives.not_unique"
    sentence = _("This offer has one public code; there is nothing to generate.")


class BadCount(Refused):
    code = "incentives.bad_count"
    sentence = _("Ask for 1 to %(most)s codes at a time.")
    status = 422


class SourceOfOther(Refused):
    code = "incentives.batch_source_reused"
    sentence = _("This source came before and asked for something else.")
    status = 422


@transaction.atomic
def generate_codes(
    *,
    incentive_id: int,
    count: int,
    purpose: str,
    source: str,
    now: dt.datetime,
    by: Actor,
    expires_at: dt.datetime | None = None,
) -> CodeBatch:
    """Ask for `count` unique codes, to be handed out elsewhere or as a pool to be granted from.

    A few are there when this returns; the others are made by the job `incentives.make_codes`, and the batch
    shows how far it is.
    The same `source` again returns the same batch.

    Raises:
        NoSuchIncentive, NotLive, NotUnique, BadCount
        CodeSpaceTooSmall: the pattern has too few codes for so many to be safe from guessing.
        SourceOfOther: the source asked for something else before.
    """
    incentive = locked(incentive_id)
    before = CodeBatch.objects.filter(source=source).first()
    if before is not None:
        if (before.incentive_id, before.wanted, before.purpose) != (incentive_id, count, purpose):
            raise SourceOfOther
        return before
    if not 1 <= count <= MOST:
        raise BadCount(most=MOST)
    if incentive.state == Incentive.State.DRAFT:
        raise NotLive
    rule = rule_of(incentive.version_id)
    if rule.codes.kind != "unique":
        raise NotUnique
    rule.codes.as_pattern.check_space(count + _codes_there(incentive_id))
    given_at = now if purpose == CodeBatch.Purpose.HANDOUT else None
    batch = CodeBatch.objects.create(
        incentive=incentive,
        version_id=incentive.version_id,
        source=source,
        purpose=CodeBatch.Purpose(purpose),
        wanted=count,
        # The hours of a pooled code begin when it is given; one that is handed out elsewhere is given now.
        expires_at=min((end for end in (expires_at, rule.validity.end_of(given_at)) if end), default=None),
        by_id=by.staff_id,
        created_at=now,
    )
    record(
        verb="incentives.generate_codes",
        by=by,
        now=now,
        subject=incentive,
        after={"batch": batch.pk, "count": count, "purpose": purpose},
    )
    if count <= AT_ONCE:
        fill_batch(batch_id=batch.pk, now=now)
    else:
        nudge(JOB)
    batch.refresh_from_db()
    return batch


def fill_batch(*, batch_id: int, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> int:
    """Make what a batch still lacks, a chunk a transaction; whoever dies in between loses one chunk at the most.

    Returns how many codes this call made. Another worker at the same batch is left alone with it.
    """
    made = 0
    while True:
        with transaction.atomic():
            batch = (
                CodeBatch.objects.select_for_update(no_key=True, skip_locked=True)
                .filter(pk=batch_id, state=CodeBatch.State.WAITING)
                .first()
            )
            if batch is None:
                return made
            fresh = _make_chunk(batch, min(CHUNK, batch.wanted - batch.made))
            batch.made += fresh
            if batch.made == batch.wanted:
                batch.state, batch.ended_at = CodeBatch.State.DONE, now
            batch.save(update_fields=["made", "state", "ended_at"])
        made += fresh
        if progress is not None:
            progress(batch.made, batch.wanted)


@transaction.atomic
def apply_version_to_codes(*, incentive_id: int, now: dt.datetime, by: Actor) -> int:
    """Let the newest version hold for the codes that are out as well; otherwise they keep the one they came with.

    Their dates stay as they are. Returns how many codes changed.

    Raises:
        NoSuchIncentive
    """
    incentive = locked(incentive_id)
    changed = codes_on_older_versions(incentive).update(version_id=incentive.version_id)
    rule = rule_of(incentive.version_id)
    count_before_rule(incentive_id=incentive_id, version=incentive.version, rule=rule, now=now)
    record(
        verb="incentives.apply_version_to_codes",
        by=by,
        now=now,
        subject=incentive,
        after={"version": incentive.version.number, "codes": changed},
    )
    return changed


def codes_on_older_versions(incentive: Incentive):
    """The codes that are out and keep an older version than the newest."""
    return Code.objects.filter(incentive=incentive, state__in=Code.OUT).exclude(version_id=incentive.version_id)


def _codes_there(incentive_id: int) -> int:
    """How many codes of an incentive there may be: those of its batches and those made in place."""
    batches = CodeBatch.objects.filter(incentive_id=incentive_id).aggregate(count=Sum("wanted"))["count"] or 0
    issued = Counter.objects.get(incentive_id=incentive_id, scope=Counter.Scope.ISSUE, subject_id=0, currency="")
    return batches + issued.issued


def _make_chunk(batch: CodeBatch, count: int) -> int:
    """Make up to `count` codes; the few that met an old one are missing and come with the next chunk."""
    rule = rule_of(batch.version_id)
    is_handout = batch.purpose == CodeBatch.Purpose.HANDOUT
    with connection.cursor() as cursor:
        cursor.execute('CREATE TEMP TABLE IF NOT EXISTS fresh_codes (code text COLLATE "C") ON COMMIT DELETE ROWS')
        with cursor.copy("COPY fresh_codes (code) FROM STDIN") as copy:
            copy.write(rule.codes.as_pattern.make_block(count))
        cursor.execute(
            """
            INSERT INTO incentives_code
                   (code, incentive_id, version_id, batch_id, is_public, state, starts_at, expires_at, given_at)
            SELECT code, %s, %s, %s, false, %s, %s, %s, %s FROM fresh_codes ORDER BY code
            ON CONFLICT (code) DO NOTHING
            """,
            [
                batch.incentive_id,
                batch.version_id,
                batch.pk,
                Code.State.GIVEN if is_handout else Code.State.FREE,
                rule.validity.starts_at,
                batch.expires_at,
                batch.created_at if is_handout else None,
            ],
        )
        made = cursor.rowcount
        cursor.execute("DELETE FROM fresh_codes")
        return made
