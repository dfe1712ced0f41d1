"""How much of a worker one template may take: no loop, no filter and no growing text keeps it from the others."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from liquid.exceptions import LiquidError

#: Filling one part of a message takes well under a millisecond; whoever needs so much never ends.
SECONDS = 1.0
#: No text on the way may grow longer, and none may be searched for tags that is longer than the second.
LONGEST = 256_000
_LONGEST_SEARCHED = 20_000
_LARGEST_NUMBER = 10**30
_LONGEST_LIST = 10_000
#: They look for the end of something at every beginning of it.
_SEARCHING = {"strip_html", "truncatewords", "squish"}

_rendering = threading.local()


class TooMuch(LiquidError):
    """A template would take too long, or grow too large."""


@contextmanager
def in_time() -> Iterator[None]:
    """What is rendered inside ends within `SECONDS`: every filter looks at the clock."""
    before = getattr(_rendering, "until", None)
    _rendering.until = before or time.monotonic() + SECONDS
    try:
        yield
    finally:
        _rendering.until = before


def guarded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing what would take too long before it begins, and what became too large."""

    @functools.wraps(filter_)
    def within(value: Any, *args: Any, **options: Any) -> Any:
        until = getattr(_rendering, "until", None)
        if until is not None and time.monotonic() > until:
            raise TooMuch(f"it takes longer than {SECONDS:g} second", token=None)
        if isinstance(value, str):
            if len(value) > (_LONGEST_SEARCHED if name in _SEARCHING else LONGEST):
                raise TooMuch(f"the text given to “{name}” is too long", token=None)
            if name.startswith("replace") and len(args) > 1 and _grown(value, *args[:2]) > LONGEST:
                raise TooMuch(f"“{name}” would make the text too long", token=None)
        result = filter_(value, *args, **options)
        _check(name, result)
        return result

    for mark in ("with_context", "with_environment"):
        if hasattr(filter_, mark):
            setattr(within, mark, getattr(filter_, mark))
    return within


def _grown(value: str, old: Any, new: Any) -> int:
    # An empty text stands between any two symbols.
    return len(value) + (value.count(str(old)) if str(old) else len(value) + 1) * len(str(new))


def _check(name: str, result: Any) -> None:
    too_much = (
        (isinstance(result, str) and len(result) > LONGEST)
        or (isinstance(result, (list, tuple)) and len(result) > _LONGEST_LIST)
        or (isinstance(result, (int, float)) and not -_LARGEST_NUMBER < result < _LARGEST_NUMBER)
    )
    if too_much:
        raise TooMuch(f"“{name}” makes too much", token=None)
