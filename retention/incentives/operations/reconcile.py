"""Proving that the kept counters say what the facts say."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from retention.work.operations import raise_alert, resolve_alert

ALERT = "incentives.counters"
#: Every counter beside what the uses and grants say.
_DIFFERENCES = (Path(__file__).parent / "reconcile.sql").read_text()


@dataclass(frozen=True)
class Difference:
    """A counter that does not say what the facts say; `incentive_id` 0 where it counts over all."""

    incentive_id: int
    what: str
    subject_id: int
    kept: int
    facts: int


def differences() -> list[Difference]:
    """Every counter that is off. One statement, so one instant: facts and counters are committed together."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES)
        rows = cursor.fetchall()
    return [
        Difference(incentive_id, what, subject_id, int(kept), int(facts))
        for incentive_id, what, subject_id, kept, facts in rows
    ]


def reconcile(*, now: dt.datetime) -> list[Difference]:
    """Compare counters with facts and raise an alert for what is off; resolve it when nothing is."""
    found = differences()
    if not found:
        resolve_alert(kind=ALERT, now=now)
        return found
    first = found[0]
    raise_alert(
        kind=ALERT,
        level="urgent",
        text=f"{len(found)} counters of incentives differ from the facts. The first: incentive {first.incentive_id},"
        f" {first.what}: kept {first.kept}, facts say {first.facts}.",
        now=now,
    )
    return found
