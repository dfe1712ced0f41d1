"""One call to one endpoint, without the database: so that many can be made side by side in threads."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from retention.messaging import outside
from retention.refusals import Refused
from retention.webhooks.schedule import asked_for

#: So much of an answer is kept.
KEPT = 500


class Unreachable(Refused):
    code = "webhooks.unreachable"
    sentence = _("There was no connection.")


class NoAnswer(Refused):
    code = "webhooks.no_answer"
    sentence = _("No answer came in time.")


class NotOutside(Refused):
    code = "webhooks.not_outside"
    sentence = _("The address does not lead into the open internet.")


@dataclass(frozen=True)
class Outcome:
    """What came of a call: the status, or our code of why there was none.

    Attributes:
        answer: the beginning of what was answered.
        retry_after: the time that it asked for.
    """

    milliseconds: int
    status: int | None = None
    why: str = ""
    answer: str = ""
    retry_after: dt.timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def call(url: str, body: str, headers: Mapping[str, str]) -> Outcome:
    """POST it; whatever happens is an outcome."""
    began = time.monotonic()

    def took() -> int:
        return int((time.monotonic() - began) * 1000)

    try:
        answer = outside.post(url, body=body.encode(), headers=headers)
    except outside.Unreachable:
        return Outcome(took(), why=Unreachable.code)
    except outside.NoAnswer:
        return Outcome(took(), why=NoAnswer.code)
    except ValueError:  # `NotOutside` is one, and so is an address that cannot be read
        return Outcome(took(), why=NotOutside.code)
    words = answer.body[: KEPT * 4].decode(errors="replace").replace("\x00", "")[:KEPT]
    return Outcome(took(), answer.status, answer=words, retry_after=asked_for(answer.status, answer.retry_after))
