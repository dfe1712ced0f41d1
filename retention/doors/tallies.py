"""Rough tallies of what comes often, by day, in Valkey: they may be lost, and nothing is decided by them."""

import datetime as dt
import logging

import redis
from django.conf import settings

logger = logging.getLogger(__name__)
#: Kept of a day's tally: what comes most often.
MOST = 1_000
_KEPT_FOR = dt.timedelta(days=32)
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)


def tally(name: str, members: list[str], day: dt.date) -> None:
    """Each of these once more."""
    key = _key(name, day)
    pipeline = _client.pipeline(transaction=False)
    for member in members:
        pipeline.zincrby(key, 1, member)
    pipeline.zremrangebyrank(key, 0, -MOST - 1).expire(key, _KEPT_FOR)
    try:
        pipeline.execute()
    except redis.RedisError:
        logger.warning("the tally %s is not kept: Valkey does not answer", name)


def tallied(name: str, *, until: dt.date, days: int) -> list[tuple[str, int]]:
    """What came most often in so many days up to and with `until`."""
    keys = [_key(name, until - dt.timedelta(days=back)) for back in range(days)]
    try:
        found = _client.zunion(keys, withscores=True)
    except redis.RedisError:
        logger.warning("the tally %s cannot be read: Valkey does not answer", name)
        return []
    return [(member.decode(), int(times)) for member, times in sorted(found, key=lambda pair: (-pair[1], pair[0]))]


def _key(name: str, day: dt.date) -> str:
    return f"tally:{name}:{day}"
