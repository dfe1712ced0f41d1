"""Touches whose reason has gone: she ordered before her win-back left, or used the coupon it was to remind her of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

from campaigns.models import Touch
from retention import registries


def settled(touch_ids: Iterable[int]) -> dict[int, str]:
    """Touch id → reason code, of those whose occasion has been settled since."""
    by_occasion: dict[str, list[int]] = defaultdict(list)
    for touch_id, key in Touch.objects.filter(pk__in=list(touch_ids)).values_list("pk", "version__data__occasion"):
        by_occasion[key].append(touch_id)
    found: dict[int, str] = {}
    with connection.cursor() as cursor:
        for key, ids in by_occasion.items():
            occasion = registries.occasions[key]
            if occasion.settled_sql:
                cursor.execute(occasion.settled_sql, {"touches": ids})
                found.update((pk, occasion.settled) for (pk,) in cursor.fetchall())
    return found
