"""How often somebody may be wrong: failed tries counted in Valkey, in windows of ten minutes.

Valkey and not PostgreSQL: what a guesser does must not become writes to the database that honest shoppers wait for, and
a count that is lost with a restart costs ten minutes of protection, no fact. Without Valkey nobody is refused.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from typing import Any

import redis
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.doors.problems import ApiRefused

logger = logging.getLogger(__name__)

WINDOW = 600
#: How long a process goes without asking after Valkey failed it, so that an outage costs no request its time.
_PAUSE = 2.0
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)
_rest = {"until": 0.0}


class TooManyTries(ApiRefused):
    code = "api.too_many_tries"
    sentence = _("Too many tries failed. Try again in %(seconds)s seconds.")
    status = 429


def check_tries(limits: Mapping[str, int], seconds: float) -> None:
    """Refuse who was wrong too often.

    Args:
        limits: who, by any text that tells her from others (kept as a keyed hash only) → how many may fail a window.
        seconds: this instant, in epoch seconds.

    Raises:
        TooManyTries: carries Retry-After.
    """
    counted = _asked(lambda: _client.mget([_name(who, seconds) for who in limits])) or [0] * len(limits)
    if any(int(count or 0) >= limit for count, limit in zip(counted, limits.values(), strict=True)):
        wait = WINDOW - int(seconds) % WINDOW
        refused = TooManyTries(seconds=wait)
        refused.headers = {"Retry-After": str(wait)}
        raise refused


def count_failure(limits: Mapping[str, int], seconds: float) -> list[str]:
    """One more failed try of each of them; returns those whose last allowed one it was."""
    pipeline = _client.pipeline(transaction=False)
    for who in limits:
        pipeline.incr(_name(who, seconds)).expire(_name(who, seconds), 2 * WINDOW)
    counted = (_asked(pipeline.execute) or [])[::2]
    return [who for (who, limit), count in zip(limits.items(), counted, strict=False) if count == limit]


def _asked(ask: Callable[[], Any]) -> Any:
    """What Valkey answers; None when it does not."""
    if clock.ticks() < _rest["until"]:
        return None
    try:
        return ask()
    except redis.RedisError:
        logger.warning("failed tries are not counted: Valkey does not answer")
        _rest["until"] = clock.ticks() + _PAUSE
        return None


def _name(who: str, seconds: float) -> str:
    digest = hmac.new(settings.ADDRESS_HASH_KEY.encode(), who.encode(), hashlib.sha256).hexdigest()[:32]
    return f"tries:{digest}:{int(seconds) // WINDOW}"
