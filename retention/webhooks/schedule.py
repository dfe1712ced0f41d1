"""When a notice is tried again: the schedule of the Standard Webhooks specification, 75 hours in all."""

from __future__ import annotations

import datetime as dt
import random

#: After the first, second … failed try.
WAITS = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
#: Of the wait, at most; so that what failed together does not come back together.
JITTER = 0.1
#: An endpoint that asks for more time gets no more than this.
LONGEST = dt.timedelta(hours=24)
#: Statuses whose Retry-After is heard.
ASKS_FOR_TIME = frozenset({429, 503})


def wait_after(tries: int, retry_after: dt.timedelta | None = None) -> dt.timedelta | None:
    """How long to wait after so many failed tries, at least as long as was asked for; None: it is given up."""
    if tries > len(WAITS):
        return None
    wait = WAITS[tries - 1] * (1 + random.random() * JITTER)  # noqa: S311  not for secrets
    return max(wait, min(retry_after, LONGEST)) if retry_after else wait


def asked_for(status: int | None, header: str) -> dt.timedelta | None:
    """The wait that an answer's `Retry-After` asks for, in seconds; dates are not heard."""
    if status not in ASKS_FOR_TIME or not header.strip().isdecimal():
        return None
    return min(dt.timedelta(seconds=int(header.strip()[:9])), LONGEST)
