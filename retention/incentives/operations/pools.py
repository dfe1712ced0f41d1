"""Pools of codes that run low or soon expire: told once, and taken back when they are filled again."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from retention.incentives.rules import WARN_BELOW
from retention.work.models import Alert
from retention.work.operations import raise_alert, resolve_alert

ALERT, EXPIRING = "incentives.pool_low", "incentives.pool_expiring"
#: So long before the codes of a pool expire, and too few would be left, it is told.
AHEAD = dt.timedelta(days=7)

_LOW = """
SELECT incentive.id, incentive.name, pool.left_over
FROM incentives_incentive incentive
JOIN audit_version version ON version.id = incentive.version_id
CROSS JOIN LATERAL (SELECT coalesce((version.data #>> '{codes,warn_below}')::int, %(default)s) AS warn_below) rule
CROSS JOIN LATERAL (
    -- No more are counted than it takes to see that there are enough.
    SELECT count(*) AS left_over FROM (
        SELECT FROM incentives_code WHERE incentive_id = incentive.id AND state = 'free' LIMIT rule.warn_below
    ) AS free
) pool
WHERE incentive.state = 'live' AND incentive.archived_at IS NULL
  AND (version.data #>> '{codes,is_from_pool}')::boolean
  AND (incentive.ends_at IS NULL OR incentive.ends_at > %(now)s)
  AND pool.left_over < rule.warn_below
ORDER BY incentive.id
"""


# A whole pool is looked at, so this is asked once a day.
_EXPIRING = """
SELECT incentive.id, incentive.name, soon.codes, soon.first, lasting.codes
FROM incentives_incentive incentive
JOIN audit_version version ON version.id = incentive.version_id
CROSS JOIN LATERAL (SELECT coalesce((version.data #>> '{codes,warn_below}')::int, %(default)s) AS warn_below) rule
CROSS JOIN LATERAL (
    SELECT count(*) AS codes, min(expires_at) AS first FROM incentives_code
    WHERE incentive_id = incentive.id AND state = 'free' AND expires_at > %(now)s AND expires_at <= %(until)s
) soon
CROSS JOIN LATERAL (
    SELECT count(*) AS codes FROM (
        SELECT FROM incentives_code
        WHERE incentive_id = incentive.id AND state = 'free' AND (expires_at IS NULL OR expires_at > %(until)s)
        LIMIT rule.warn_below
    ) AS free
) lasting
WHERE incentive.state = 'live' AND incentive.archived_at IS NULL
  AND (version.data #>> '{codes,is_from_pool}')::boolean
  -- Where the offer itself ends with its codes, nobody needs more of them.
  AND (incentive.ends_at IS NULL OR incentive.ends_at > %(until)s)
  AND soon.codes > 0 AND lasting.codes < rule.warn_below
ORDER BY incentive.id
"""


@dataclass(frozen=True)
class ExpiringPool:
    """A live incentive of whose pool too little will be left when the codes that soon expire are gone."""

    incentive_id: int
    name: str
    expiring: int
    first_at: dt.datetime
    lasting: int

    def sentence(self) -> str:
        return ngettext(
            "One code of the pool of “%(name)s” expires by %(on)s, and %(lasting)s will be left. Generate more.",
            "%(n)s codes of the pool of “%(name)s” expire from %(on)s on, and %(lasting)s will be left. Generate more.",
            self.expiring,
        ) % {"name": self.name, "n": f"{self.expiring:,}", "on": f"{self.first_at:%Y-%m-%d}", "lasting": self.lasting}


@dataclass(frozen=True)
class LowPool:
    """A live incentive whose pool has fewer codes left than its rule wants to be told of."""

    incentive_id: int
    name: str
    left: int

    def sentence(self) -> str:
        if not self.left:
            return _("The pool of “%(name)s” is empty: nobody gets a code. Generate or import more.") % {
                "name": self.name
            }
        return ngettext(
            "The pool of “%(name)s” has one code left. Generate or import more.",
            "The pool of “%(name)s” has %(left)s codes left. Generate or import more.",
            self.left,
        ) % {"name": self.name, "left": self.left}


def low_pools(*, now: dt.datetime) -> list[LowPool]:
    """Pools that run low, of incentives that still give."""
    with connection.cursor() as cursor:
        cursor.execute(_LOW, {"now": now, "default": WARN_BELOW})
        return [LowPool(*row) for row in cursor.fetchall()]


def expiring_pools(*, now: dt.datetime) -> list[ExpiringPool]:
    """Pools of incentives that still give, whose codes are about to expire."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRING, {"now": now, "until": now + AHEAD, "default": WARN_BELOW})
        return [ExpiringPool(*row) for row in cursor.fetchall()]


def watch_pools(*, now: dt.datetime) -> list[LowPool]:
    """Raise an alert for each pool that runs low, and resolve those of pools that do not any more."""
    low = low_pools(now=now)
    _tell(ALERT, {pool: Alert.Level.WARNING if pool.left else Alert.Level.URGENT for pool in low}, now)
    return low


def watch_expiring_pools(*, now: dt.datetime) -> list[ExpiringPool]:
    """Raise an alert for each pool that soon expires, and resolve those of pools that were filled."""
    expiring = expiring_pools(now=now)
    _tell(EXPIRING, dict.fromkeys(expiring, Alert.Level.WARNING), now)
    return expiring


def _tell(kind: str, pools: Mapping[LowPool | ExpiringPool, str], now: dt.datetime) -> None:
    for pool, level in pools.items():
        raise_alert(
            kind=kind,
            subject=str(pool.incentive_id),
            level=level,
            text=pool.sentence(),
            url=f"/{settings.CONSOLE_PATH}incentives/incentive/{pool.incentive_id}/change/",
            now=now,
        )
    still = [str(pool.incentive_id) for pool in pools]
    for alert in Alert.objects.filter(kind=kind, resolved_at=None).exclude(subject__in=still):
        resolve_alert(kind=kind, subject=alert.subject, now=now)
