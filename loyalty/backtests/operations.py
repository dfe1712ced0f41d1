"""Asking for a back-test of a programme, and doing those that were asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from pydantic_core import to_jsonable_python

from loyalty.backtests.looking import check_days, look_back
from loyalty.backtests.models import BackTest
from loyalty.models import Programme
from loyalty.operations.programmes import NoSuchProgramme
from loyalty.versions import rule_of
from retention.actors import Actor
from retention.audit.operations import record
from retention.ledger.versions import rule_of as unit_rule_of
from retention.refusals import Refused
from retention.work import operations as work

Progress = Callable[[int, int], None]
JOB = "loyalty.back_test"


class BeingLookedAt(Refused):
    code = "loyalty.being_back_tested"
    sentence = _("A back-test of this programme is under way; wait for it.")


@transaction.atomic
def ask_back_test(*, programme_id: int, first: dt.date, last: dt.date, now: dt.datetime, by: Actor) -> BackTest:
    """Let the programme as last saved be tried on the shop's days from `first` to `last`, in the background.

    Raises:
        NoSuchProgramme
        BadDays: not in the past, backwards or too many.
        BeingLookedAt: one is under way.
    """
    rows = Programme.objects.select_for_update(of=("self",), no_key=True).select_related("version")
    programme = rows.filter(pk=programme_id, version__isnull=False).first()
    if programme is None or programme.version is None:
        raise NoSuchProgramme
    check_days(first, last, now)
    if BackTest.objects.filter(programme=programme, state__in=BackTest.OPEN).exists():
        raise BeingLookedAt
    made = BackTest.objects.create(
        programme=programme, version=programme.version, first=first, last=last, asked_by_id=by.staff_id, asked_at=now
    )
    after = {"first": first.isoformat(), "last": last.isoformat(), "version": programme.version.number}
    record(verb="loyalty.ask_back_test", by=by, now=now, subject=programme, after=after)
    work.nudge(JOB)
    return made


def open_back_tests() -> int:
    """How many wait to be done."""
    return BackTest.objects.filter(state__in=BackTest.OPEN).count()


def do_back_tests(*, now: dt.datetime, progress: Progress) -> int:
    """Do what waits; how many were done."""
    asked = BackTest.objects.select_related("programme__unit")
    return work.do_back_tests(asked, partial(_look, now=now), now=now, progress=progress)


def _look(back_test: BackTest, progress: Progress, *, now: dt.datetime) -> dict[str, Any]:
    found = look_back(
        rule_of(back_test.version_id),
        unit_rule_of(back_test.programme.unit),
        first=back_test.first,
        last=back_test.last,
        now=now,
        progress=progress,
    )
    figures: dict[str, Any] = to_jsonable_python(asdict(found))
    return figures
