"""What an HTTP provider's answer means for a message."""

from __future__ import annotations

from collections.abc import Callable

from retention.messaging import outside
from retention.messaging.channels.base import HandedOver, Result


def handed_over(call: Callable[[], outside.Answer], accepted: Callable[[outside.Answer], Result]) -> Result:
    """Make the call; 2xx is `accepted`, 4xx refused, busy or locked out is for later, and silence is unknown."""
    try:
        answer = call()
    except outside.NotOutside:
        return Result(HandedOver.REFUSED, "messaging.bad_address")
    except outside.Unreachable:
        return Result(HandedOver.LATER, "messaging.no_connection", is_line_down=True)
    except outside.NoAnswer:
        return Result(HandedOver.UNKNOWN, "messaging.answer_missing", is_line_down=True)
    if 200 <= answer.status <= 299:
        return accepted(answer)
    detail = str(answer.status)
    if answer.status in (401, 403, 408, 429):
        return Result(HandedOver.LATER, "messaging.sender_refused", detail, is_line_down=True)
    if answer.status >= 500:
        return Result(HandedOver.UNKNOWN, "messaging.answer_missing", detail, is_line_down=True)
    return Result(HandedOver.REFUSED, "messaging.message_refused", detail)
