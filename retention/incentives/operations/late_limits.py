"""Limits that begin later: what was used before them, in the period that is running, counts in them too."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from retention.audit.models import Version
from retention.incentives.counting import Ask, Key, asks, is_rolling, moves
from retention.incentives.models import Use
from retention.incentives.operations.redemptions.giving_back import counted_by
from retention.incentives.operations.redemptions.writing import counter_arrays
from retention.incentives.persons import customer_key
from retention.incentives.rules import IncentiveRule, Within
from retention.ledger.days import shop_zone

#: Uses read at a time.
CHUNK = 5_000


def count_before_rule(*, incentive_id: int, version: Version, rule: IncentiveRule, now: dt.datetime) -> int:
    """Let the limits of an incentive's new version count what was used of it before; returns how many uses."""
    windows = rule.limits.windows
    # Of a code all its uses are kept.
    counts_codes = (rule.codes.kind == "public" and rule.uses_per_code) or any(
        window.per == "code" and window.is_rolling for window in windows
    )
    return _count_before(
        Use.objects.filter(incentive_id=incentive_id).exclude(version=version),
        version,
        [*windows, *([Within(uses=1)] if counts_codes else [])],
        now,
    )


def count_before_budget(*, budget_id: int, version: Version, limits: Sequence[Within], now: dt.datetime) -> int:
    """The same for a budget's."""
    return _count_before(Use.objects.filter(budget_id=budget_id), version, limits, now)


def count_before_policy(*, version: Version, limits: Sequence[Within], now: dt.datetime) -> int:
    """The same for what one customer may use of all incentives."""
    return _count_before(Use.objects.all(), version, limits, now)


def _count_before(uses: QuerySet[Use], version: Version, limits: Sequence[Within], now: dt.datetime) -> int:
    """Within the transaction that saves them. A million uses in the period take about a minute."""
    if not limits:
        return 0
    starts = [_start(limit, now) for limit in limits]
    if None not in starts:
        uses = uses.filter(used_on__gte=min(start for start in starts if start))
    # Uses before counters, as roll-backs lock them. What commits from here on under older limits keeps to those.
    ids = list(uses.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    moved: list[list[tuple[Ask, int]]] = []
    for at in range(0, len(ids), CHUNK):
        chunk = list(Use.objects.filter(pk__in=ids[at : at + CHUNK]).select_related("redemption").order_by("pk"))
        moved += [list(_added(use, version)) for use in chunk]
        Use.objects.bulk_update(chunk, ["counted_by", "rolling_for"])
    if added := moves(moved):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count_v1(%s, %s, %s, %s, %s, %s, %s)", counter_arrays(added))
    return len(ids)


def _added(use: Use, version: Version) -> Iterator[tuple[Ask, int]]:
    """What the use moves beyond what it moved before, now that this version counts it."""
    before = _keys(ask for counted in counted_by(use, use.redemption) for ask in asks(counted))
    use.counted_by = [*(use.counted_by or ()), version.pk]
    now_counted = counted_by(use, use.redemption)
    if use.rolling_for is None and any(map(is_rolling, now_counted)):
        customer = use.redemption.customer_id
        use.rolling_for = [*use.redemption.persons, *([customer_key(customer)] if customer is not None else [])]
    for ask in (ask for counted in now_counted for ask in asks(counted)):
        if ask.key not in before:
            amount = use.discount_minor - use.given_back_minor if ask.key.currency else int(use.is_counted)
            yield ask._replace(most=None), amount


def _keys(found: Iterable[Ask]) -> set[Key]:
    return {ask.key for ask in found}


def _start(limit: Within, now: dt.datetime) -> dt.date | None:
    """The first of the shop's days that a limit looks at; None: all of them."""
    if limit.within == "life":
        return None
    zone = ZoneInfo(shop_zone())
    today = now.astimezone(zone).date()
    if limit.is_rolling:
        return limit.since(now).astimezone(zone).date()
    if limit.within == "week":
        return today - dt.timedelta(days=today.weekday())
    return today.replace(day=1) if limit.within == "month" else today
