"""Counting the board once an hour, and whenever somebody asks for it."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from functools import partial

from django.db import transaction

from campaigns.boards import counting, expiries
from campaigns.boards.models import Board, BoardLine
from retention.actors import Actor
from retention.audit.operations import record
from retention.work.operations import RunTakenOver, describe, nudge
from retention.work.querysets import shop_zone

log = logging.getLogger(__name__)

JOB = "campaigns.board"
#: It is counted anew so often by itself.
STALE_AFTER = dt.timedelta(hours=1)
#: Days gone by stay on the calendar for so long, as they were foreseen last.
KEPT = dt.timedelta(days=400)


@transaction.atomic
def ask_board(*, now: dt.datetime, by: Actor) -> Board:
    """Let the board be counted anew at once, in the background; asking twice is asking once."""
    board, _is_new = Board.objects.select_for_update().get_or_create(pk=1)
    if board.asked_at is None:
        board.asked_at = now
        board.save(update_fields=["asked_at"])
        record(verb="campaigns.ask_board", by=by, now=now, subject=board)
    nudge(JOB)
    return board


def is_due(*, now: dt.datetime) -> bool:
    """Whether somebody waits for it or it is an hour old."""
    board = Board.objects.filter(pk=1).first()
    return (
        board is None or board.asked_at is not None or not board.computed_at or board.computed_at <= now - STALE_AFTER
    )


def count_board(*, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Count the days ahead and put them in the place of what was counted before; how many lines there are.

    A campaign that cannot be counted is named on the board; the others are there.
    """
    began, zone = time.monotonic(), shop_zone()
    days, campaigns, failed = counting.Days.ahead(now, zone), counting.running(), []
    total = len(campaigns) + 2
    with counting.scratch():
        for number, campaign in enumerate(campaigns):
            step = partial(progress, number, total)
            step()
            try:
                counting.foresee(campaign, days, zone=zone, now=now, progress=step)
            except RunTakenOver:
                raise
            except Exception as error:
                log.error("campaign %s cannot be counted: %s", campaign.pk, describe(error))
                counting.forget(campaign)
                failed.append(campaign.pk)
        counted = [one for one in campaigns if one.pk not in failed]
        found = counting.lines(counted, days, now=now)
        progress(total - 1, total)
        overlaps = counting.overlaps()
    found += expiries.lines(days)
    with transaction.atomic():
        board, _is_new = Board.objects.select_for_update().get_or_create(pk=1)
        if board.asked_at is not None and board.asked_at <= now:
            board.asked_at = None
        board.computed_at, board.days, board.failed = now, overlaps, failed
        board.computed_ms = round(1000 * (time.monotonic() - began))
        board.save()
        BoardLine.objects.filter(on__gte=days.days[0]).delete()
        BoardLine.objects.filter(on__lt=days.days[0] - KEPT).delete()
        BoardLine.objects.bulk_create(found, batch_size=1_000)
    progress(total, total)
    return len(found)
