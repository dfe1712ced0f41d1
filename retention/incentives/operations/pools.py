"""Pools of codes that run low: told once, and taken back when they are filled again."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from retention.incentives.rules import WARN_BELOW
from retention.work.models import Alert
from retention.work.operations import raise_alert, resolve_alert

ALERT = "incentives.pool_low"

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


def watch_pools(*, now: dt.datetime) -> list[LowPool]:
    """Raise an alert for each pool that runs low, and resolve those of pools that do not any more."""
    low = low_pools(now=now)
    for pool in low:
        raise_alert(
            kind=ALERT,
            subject=str(pool.incentive_id),
            level=Alert.Level.WARNING if pool.left else Alert.Level.URGENT,
            text=pool.sentence(),
            url=f"/{settings.CONSOLE_PATH}incentives/incentive/{pool.incentive_id}/change/",
            now=now,
        )
    still = [str(pool.incentive_id) for pool in low]
    for alert in Alert.objects.filter(kind=ALERT, resolved_at=None).exclude(subject__in=still):
        resolve_alert(kind=ALERT, subject=alert.subject, now=now)
    return low
