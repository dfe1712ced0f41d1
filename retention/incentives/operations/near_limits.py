"""Telling once, at 50, 80 and 100 %, how far the limits of live offers and budgets are used up.

Limits of money of each code and each customer are told of once a day, and once an offer: by who is furthest.

How far each was told of is a watermark, so that an alert which somebody settled does not come back at the next tick.
When a limit is raised, or what was used is given back, its alert is resolved and the next step is told again.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from retention.incentives.baskets import amount_text
from retention.incentives.bounds import Bound, used_of_budgets
from retention.incentives.models import Budget, Counter, Incentive
from retention.incentives.querysets import used_of
from retention.incentives.rules import Limits, WindowLimit
from retention.incentives.versions import rules_of
from retention.work.models import Alert, Watermark
from retention.work.operations import raise_alert, resolve_alert

ALERT = "incentives.near_limit"
_MARK = f"{ALERT}:"
#: Before whose each limit is, in what is limited.
EACH = "each "
#: Per cent → how loud.
STEPS = {100: Alert.Level.URGENT, 80: Alert.Level.WARNING, 50: Alert.Level.NOTE}


@dataclass(frozen=True)
class NearLimit:
    """One limit of a live offer or of a budget, and how much of it is used."""

    of: str
    row_id: int
    name: str
    what: str
    currency: str
    most: int
    used: int
    #: Of a limit that each has: how many are as far as the furthest one's step.
    count: int = 0

    @property
    def subject(self) -> str:
        return f"{self.of} {self.row_id}:{self.what}"

    @property
    def step(self) -> int:
        """The highest step that is reached; 0 below the first."""
        return next((step for step in STEPS if self.used * 100 >= self.most * step), 0)

    def sentence(self) -> str:
        used, most = (
            (amount_text(self.used, self.currency), amount_text(self.most, self.currency))
            if self.currency
            else (f"{self.used:,}", f"{self.most:,}")
        )
        words = {
            "total": _("“%(name)s” was used %(used)s times of %(most)s (%(percent)s %%)."),
            "issued": _("“%(name)s” was given %(used)s times of %(most)s (%(percent)s %%)."),
            "money": _("“%(name)s” has spent %(used)s of its budget of %(most)s (%(percent)s %%)."),
            f"{EACH}customer": ngettext(
                "Of “%(name)s” one customer has used %(used)s of the %(most)s that each may.",
                "Of “%(name)s” %(count)s customers have used %(step)s %% or more of the %(most)s that each may.",
                self.count,
            ),
            f"{EACH}code": ngettext(
                "Of “%(name)s” one code has spent %(used)s of the %(most)s that each may.",
                "Of “%(name)s” %(count)s codes have spent %(step)s %% or more of the %(most)s that each may.",
                self.count,
            ),
        }
        percent = min(100, 100 * self.used // self.most)
        return words[self.what] % {
            "name": self.name, "used": used, "most": most, "percent": percent, "count": self.count, "step": self.step,
        }  # fmt: skip


def limits_used() -> list[NearLimit]:
    """Every limit of every live offer, and every budget's for all time, with what is used: kept counters."""
    live = list(Incentive.objects.filter(state=Incentive.State.LIVE, archived_at=None).order_by("pk"))
    rules, used = rules_of(one.version_id for one in live), used_of(one.pk for one in live)
    found = [limit for one in live for limit in _limits_of(one, rules[one.version_id].limits, used[one.pk])]
    budgets = list(Budget.objects.filter(archived_at=None).order_by("pk"))
    bounds = used_of_budgets(budgets, today=dt.date.min)
    return found + [limit for one in budgets for limit in _limits_of_budget(one, bounds[one.pk])]


def limits_used_by_each() -> list[NearLimit]:
    """Every limit of money that each code or customer of a live offer has for all time, by who used most of it.

    Reads a counter for each of them: for once a day.
    """
    live = list(Incentive.objects.filter(state=Incentive.State.LIVE, archived_at=None).order_by("pk"))
    rules = rules_of(one.version_id for one in live)
    return [
        limit
        for one in live
        for window in rules[one.version_id].limits.windows
        if window.money and window.within == "life" and window.per != "incentive"
        for limit in _furthest(one, window)
    ]


def _furthest(incentive: Incentive, window: WindowLimit) -> Iterator[NearLimit]:
    rows = Counter.objects.filter(
        incentive_id=incentive.pk, scope=window.per, period="", currency=window.currency, spent_minor__gt=0
    )
    if used := rows.aggregate(most=Max("spent_minor"))["most"]:
        limit = NearLimit(
            "incentive", incentive.pk, incentive.name, f"{EACH}{window.per}", window.currency, window.most, used
        )
        as_far = rows.filter(spent_minor__gte=-(-window.most * limit.step // 100))
        yield replace(limit, count=as_far.count())


def _limits_of_budget(budget: Budget, bounds: Iterable[Bound]) -> Iterator[NearLimit]:
    """Limits by day, week or month begin anew by themselves: whoever watches a budget would read of them each day."""
    for bound in bounds:
        if bound.limit.within == "life" and bound.used is not None:
            what = "issued" if bound.limit.issued else "money" if bound.limit.currency else "total"
            yield NearLimit("budget", budget.pk, budget.name, what, bound.limit.currency, bound.most, bound.used)


def _limits_of(incentive: Incentive, limits: Limits, used: Mapping[str, Any]) -> Iterator[NearLimit]:
    if limits.issued:
        yield NearLimit("incentive", incentive.pk, incentive.name, "issued", "", limits.issued, used["issued"])
    if limits.money:
        spent = used["spent_minor"].get(limits.money.currency, 0)
        yield NearLimit(
            "incentive", incentive.pk, incentive.name, "money", limits.money.currency, limits.money.amount_minor, spent
        )
    if limits.total:
        yield NearLimit("incentive", incentive.pk, incentive.name, "total", "", limits.total, used["redeemed"])


def untold_limits(*, of_each: bool = False) -> list[NearLimit]:
    """Those that reached a step which nobody was told of."""
    told = _told(of_each)
    return [limit for limit in _used(of_each) if limit.step > told.get(limit.subject, 0)]


def watch_limits(*, now: dt.datetime, of_each: bool = False) -> int:
    """Raise, once a step, an alert for each limit that reached it; resolve those that fell below. Returns the first."""
    told, limits = _told(of_each), {limit.subject: limit for limit in _used(of_each)}
    raised = 0
    for subject in told.keys() | limits.keys():
        limit = limits.get(subject)
        step, before = limit.step if limit else 0, told.get(subject, 0)
        if step == before:
            continue
        if limit and step > before:
            raise_alert(
                kind=ALERT,
                subject=subject,
                level=STEPS[step],
                text=limit.sentence(),
                url=f"/{settings.CONSOLE_PATH}incentives/{limit.of}/{limit.row_id}/change/",
                now=now,
            )
            raised += 1
        else:
            resolve_alert(kind=ALERT, subject=subject, now=now)
        Watermark.objects.update_or_create(key=f"{_MARK}{subject}", defaults={"mark": step, "at": now})
    return raised


def _used(of_each: bool) -> list[NearLimit]:
    return limits_used_by_each() if of_each else limits_used()


def _told(of_each: bool) -> dict[str, int]:
    rows = Watermark.objects.filter(key__startswith=_MARK, mark__gt=0).values_list("key", "mark")
    return {key.removeprefix(_MARK): mark for key, mark in rows if (f":{EACH}" in key) == of_each}
