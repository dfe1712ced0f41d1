"""How many may still be touched: kept counts, moved by one guarded statement each, so that no race goes beyond them."""

from __future__ import annotations

from django.db import connection

from campaigns.models import Quota

#: The period of what a ramp has let in.
RAMP = "ramp"
#: The period of all touches.
IN_ALL = ""


def take(*, campaign_id: int, period: str, wanted: int, limit: int) -> int:
    """Take up to `wanted` of what the limit leaves; how many that were."""
    if wanted <= 0:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_quota (campaign_id, period, taken) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING",
            [campaign_id, period],
        )
        cursor.execute(
            """
            UPDATE campaigns_quota SET taken = taken + least(%s, %s - taken)
            WHERE campaign_id = %s AND period = %s AND taken < %s RETURNING new.taken - old.taken
            """,
            [wanted, limit, campaign_id, period, limit],
        )
        row = cursor.fetchone()
    return row[0] if row else 0


def give_back(*, campaign_id: int, period: str, count: int) -> None:
    """Of what was taken and not used."""
    if count > 0:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE campaigns_quota SET taken = greatest(0, taken - %s) WHERE campaign_id = %s AND period = %s",
                [count, campaign_id, period],
            )


def is_full(*, campaign_id: int, period: str, limit: int) -> bool:
    return Quota.objects.filter(campaign_id=campaign_id, period=period, taken__gte=limit).exists()
