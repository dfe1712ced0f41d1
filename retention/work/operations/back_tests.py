"""Doing the back-tests that were asked for."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from retention.work.models import BackTest
from retention.work.operations.runs import RunTakenOver, describe

Progress = Callable[[int, int], None]


def do_back_tests(
    asked: QuerySet[Any], look: Callable[[Any, Progress], dict[str, Any]], *, now: dt.datetime, progress: Progress
) -> int:
    """Do what waits, and anew what a run that died left; one that cannot be done says so. How many were done.

    The job of a room has one lane: nobody else is at its back-tests.

    Args:
        asked: a room's back-tests with what `look` reads of them.
        look: says of one what it found, and on the way how far it is.
    """
    done = 0
    for back_test in asked.filter(state__in=BackTest.OPEN).order_by("pk"):
        mine = asked.model.objects.filter(pk=back_test.pk)
        mine.update(state=BackTest.State.RUNNING, done=0, total=0)

        def tell(done: int, total: int, mine: QuerySet[Any] = mine) -> None:
            mine.update(done=done, total=total)
            progress(done, total)

        try:
            figures = look(back_test, tell)
        except RunTakenOver:
            raise
        except Exception as error:
            mine.update(state=BackTest.State.FAILED, error=describe(error)[:300], computed_at=now)
        else:
            mine.update(state=BackTest.State.DONE, figures=figures, computed_at=now, error="")
            done += 1
    return done
