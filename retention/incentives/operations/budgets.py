"""Budgets of campaigns and agents, the shop's policy at the checkout, and what grants count in a budget."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.incentives.models import Budget, CheckoutPolicy, Counter, Grant
from retention.incentives.operations.late_limits import count_before_budget, count_before_policy
from retention.incentives.policy import Policy
from retention.incentives.rules import BudgetLimit, BudgetLimits, period
from retention.incentives.versions import limits_of, policy_of
from retention.refusals import Refusal, Refused
from retention.shop.models import Shop

#: Grants are counted in all of these, so that a limit may be set at any time.
PERIODS = ("life", "day", "month", "week")


class NoSuchBudget(Refused):
    code = "incentives.no_such_budget"
    sentence = _("There is no such budget.")
    status = 404


class BudgetIssued(Refused):
    code = "incentives.budget_issued"
    sentence = _("A limit of grants is reached: %(limit)s.")


@transaction.atomic
def save_budget(
    *,
    origin: str,
    origin_id: int,
    name: str,
    limits: BudgetLimits,
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    why: str = "",
) -> Budget:
    """Make the budget of a campaign or an agent, or save new limits of it.

    What was used of it before, in the period that is running, counts. `edited` is the number of the
    version that was read before (None: there was none).

    Raises:
        EditedMeanwhile: someone saved after that version was read.
    """
    budget, _made = Budget.objects.get_or_create(
        origin=origin, origin_id=origin_id, archived_at=None, defaults={"name": name}
    )
    budget = Budget.objects.select_for_update(no_key=True).get(pk=budget.pk)
    before = limits_of(budget.version_id) if budget.version_id else BudgetLimits()
    budget.version = save_version(
        of=budget, data=limits.model_dump(mode="json"), edited=edited, by=by, now=now, why=why
    )
    budget.name = name
    Budget.objects.filter(pk=budget.pk).update(version=budget.version, name=name)
    if limits != before:
        of_uses = [limit for limit in limits.limits if not limit.issued]
        count_before_budget(budget_id=budget.pk, version=budget.version, limits=of_uses, now=now)
    record(
        verb="incentives.save_budget",
        by=by,
        now=now,
        subject=budget,
        before={"version": edited},
        after={"version": budget.version.number},
    )
    return budget


@transaction.atomic
def save_policy(*, policy: Policy, edited: int | None, now: dt.datetime, by: Actor, why: str = "") -> CheckoutPolicy:
    """Save how offers meet at the shop's checkout and what one customer may use of all; it holds at once.

    What she used before, in the period that is running, counts.

    Raises:
        EditedMeanwhile: someone saved after version `edited` was read (None: there was none).
    """
    row, _made = CheckoutPolicy.objects.get_or_create(pk=1)
    row = CheckoutPolicy.objects.select_for_update(no_key=True).get(pk=row.pk)
    before = policy_of(row.version_id) if row.version_id else Policy()
    row.version = save_version(of=row, data=policy.model_dump(mode="json"), edited=edited, by=by, now=now, why=why)
    CheckoutPolicy.objects.filter(pk=row.pk).update(version=row.version)
    if policy.allowance != before.allowance:
        count_before_policy(version=row.version, limits=policy.allowance, now=now)
    record(
        verb="incentives.save_policy",
        by=by,
        now=now,
        subject=row,
        before={"version": edited},
        after={"version": row.version.number},
    )
    return row


@dataclass(frozen=True)
class Room:
    """How many grants more a budget allows, up to what was asked for, and why not all; on the shop's day `today`."""

    count: int
    reason: Refusal | None
    today: dt.date


def room_in_budget(*, budget_id: int, count: int, now: dt.datetime) -> Room:
    """How many of `count` grants the budget allows now; its rows are locked, so that grants under it take turns.

    Raises:
        NoSuchBudget: there is none of this id, or it was archived.
    """
    budget = Budget.objects.filter(pk=budget_id, archived_at=None).first()
    if budget is None:
        raise NoSuchBudget
    zone = Shop.objects.values_list("time_zone", flat=True).get()
    today = now.astimezone(ZoneInfo(zone)).date()
    kept = _locked(budget_id, today)
    room, reason = count, None
    for limit in limits_of(budget.version_id).limits if budget.version_id else ():
        if not limit.issued:
            continue
        used = _issued_since(budget_id, limit, now) if limit.is_rolling else kept[period(limit.within, today)]
        if limit.issued - used < room:
            room, reason = max(0, limit.issued - used), BudgetIssued(limit=limit.sentence()).as_refusal()
    return Room(room, reason, today)


def count_in_budget(*, budget_id: int, today: dt.date, count: int) -> None:
    """So many grants of a day more, or less where it is negative, in every period that the budget counts."""
    _locked(budget_id, today)
    _rows(budget_id, today).update(issued=F("issued") + count)


def _locked(budget_id: int, today: dt.date) -> dict[str, int]:
    """What was given in each of the day's periods; the rows are made where they are missing, locked in one order."""
    Counter.objects.bulk_create(
        [
            Counter(
                incentive_id=0, scope=Counter.Scope.BUDGET_ISSUE, subject_id=budget_id, period=period(within, today)
            )
            for within in PERIODS
        ],
        ignore_conflicts=True,
    )
    rows = _rows(budget_id, today).order_by("period").select_for_update(no_key=True)
    return {row.period: row.issued for row in rows}


def _rows(budget_id: int, today: dt.date) -> QuerySet[Counter]:
    return Counter.objects.filter(
        incentive_id=0,
        scope=Counter.Scope.BUDGET_ISSUE,
        subject_id=budget_id,
        period__in=[period(within, today) for within in PERIODS],
        currency="",
    )


def _issued_since(budget_id: int, limit: BudgetLimit, now: dt.datetime) -> int:
    since = limit.since(now)
    return Grant.objects.filter(budget_id=budget_id, state=Grant.State.ACTIVE, granted_at__gt=since).count()
