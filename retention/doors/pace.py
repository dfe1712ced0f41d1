"""How many requests a key may make in a minute, counted in Valkey; open when Valkey is away."""

import logging
import threading

import redis
from django.conf import settings

from retention import clock
from retention.doors.problems import TooManyRequests

logger = logging.getLogger(__name__)

WINDOW = 60
#: How long a process goes without asking after Valkey failed it, so that an outage costs no request its time.
_PAUSE = 2.0
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)


class Pace:
    """A limit per caller and minute, never exceeded by all processes together.

    A process takes leave for a hundredth of the limit at a time by one atomic INCRBY, and spends it from memory:
    one round trip per hundred requests. What it took and did not use is lost with the minute, so that a caller
    spread over many processes may be stopped a few per cent early, never late.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leave: dict[str, tuple[int, int]] = {}
        self._paused_until = 0.0

    def spend(self, caller: str, limit: int, seconds: float) -> None:
        """Count one request of a caller at this instant (epoch seconds).

        Raises:
            TooManyRequests: the minute's limit is reached; carries Retry-After.
        """
        window = int(seconds) // WINDOW
        with self._lock:
            in_window, left = self._leave.get(caller, (window, 0))
            if in_window != window or left <= 0:
                left = self._take(caller, window, limit)
            if left > 0:
                self._leave[caller] = (window, left - 1)
                return
        wait = WINDOW - int(seconds) % WINDOW
        refused = TooManyRequests(limit=limit, seconds=wait)
        refused.headers = {"Retry-After": str(wait)}
        raise refused

    def _take(self, caller: str, window: int, limit: int) -> int:
        """Leave for some more requests; 0 when the minute has none left."""
        chunk = max(1, limit // 100)
        if clock.ticks() < self._paused_until:
            return chunk
        name = f"pace:{caller}:{window}"
        try:
            taken, _done = _client.pipeline(transaction=True).incrby(name, chunk).expire(name, 2 * WINDOW).execute()
        except redis.RedisError:
            logger.warning("the pace of API keys is not counted: Valkey does not answer")
            self._paused_until = clock.ticks() + _PAUSE
            return chunk
        return max(0, min(chunk, limit - (taken - chunk)))


pace = Pace()
