"""Writing down who did what a campaign is for, as the facts come in: by their marks, so that none is passed over."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from django.db import connection, transaction

from campaigns.goals import convert, done
from campaigns.plans import plan_of_version
from retention.marks import safe_mark
from retention.work.models import Watermark

JOB = "campaigns.conversions"
MOST = 5_000
#: Redemptions are found by their time; those that commit late come within this.
_OVERLAP = dt.timedelta(hours=1)

#: Touches of customers of whom something came since, by kind of goal.
_CANDIDATES = {
    "order": """
        SELECT t.id, t.version_id FROM customers_order f JOIN campaigns_touch t ON t.customer_id = f.customer_id
        WHERE f.xid >= %(since)s::text::xid8 AND f.xid < %(until)s::text::xid8 AND f.placed_at > t.due_at
    """,
    "activity": """
        SELECT t.id, t.version_id FROM customers_activity f JOIN campaigns_touch t ON t.customer_id = f.customer_id
        JOIN audit_version v ON v.id = t.version_id AND v.data #>> '{goal,activity}' = f.kind
        WHERE f.xid >= %(since)s::text::xid8 AND f.xid < %(until)s::text::xid8 AND f.occurred_at > t.due_at
    """,
    "redemption": """
        SELECT t.id, t.version_id FROM incentives_redemption r JOIN incentives_use u ON u.redemption_id = r.id
        JOIN incentives_code k ON k.id = u.code_id JOIN incentives_grant g ON g.id = k.grant_id
        JOIN campaigns_touch t ON t.id = g.origin_id
        WHERE g.origin = 'campaigns.touch' AND r.redeemed_at >= %(lately)s AND r.state = 'redeemed'
    """,
}


def write_conversions(*, now: dt.datetime) -> int:
    """Convert the touches whose customers did it, as far as it came since the last run; how many.

    Running it again finds them converted already. A run that dies looks at the same facts once more.
    """
    until, written = safe_mark(), 0
    for version_id, ids in _candidates(until, now):
        goal = plan_of_version(version_id).goal
        for start in range(0, len(ids), MOST):
            with transaction.atomic():
                written += convert(goal, done(goal, ids[start : start + MOST], now))
    Watermark.objects.update_or_create(key=JOB, defaults={"mark": until, "at": now})
    return written


def count_candidates(*, now: dt.datetime) -> int:
    """How many touches `write_conversions` would look at."""
    return sum(len(ids) for _version_id, ids in _candidates(safe_mark(), now))


def _candidates(until: int, now: dt.datetime) -> Iterator[tuple[int, list[int]]]:
    """(version, touches that began and have not converted) of whom something came that may be the goal."""
    before = Watermark.objects.filter(key=JOB).first()
    since = before.mark if before and before.mark else 0
    lately = (before.at if before and before.at else now) - _OVERLAP
    for kind, found in _CANDIDATES.items():
        by_version: dict[int, list[int]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT DISTINCT f.version_id, f.id FROM ({found}) f
                JOIN campaigns_touch t ON t.id = f.id JOIN audit_version v ON v.id = f.version_id
                WHERE t.begun_at IS NOT NULL AND t.converted_at IS NULL
                AND coalesce(v.data #>> '{{goal,kind}}', 'order') = %(kind)s
                ORDER BY 1, 2
                """,  # noqa: S608
                {"since": since, "until": until, "lately": lately, "kind": kind},
            )
            for version_id, touch_id in cursor.fetchall():
                by_version[version_id].append(touch_id)
        yield from by_version.items()
