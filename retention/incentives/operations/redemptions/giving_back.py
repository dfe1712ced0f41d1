"""Taking uses off the counters that they moved: for holds that end, and for what is rolled back."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from retention.audit.models import Version
from retention.incentives.counting import Ask, Counted, asks, is_own, moves, striped
from retention.incentives.models import Code, Redemption, Use
from retention.incentives.operations.redemptions.writing import counter_arrays
from retention.incentives.rules import BudgetLimits
from retention.incentives.versions import limits_of, policy_of, rule_of


def give_back(
    redemption: Redemption, uses: Sequence[Use], *, money: Mapping[int, int], is_use_over: Mapping[int, bool]
) -> None:
    """Take money, and of some the use as well, off every counter that these uses moved, in the order of all.

    Args:
        redemption: locked by the caller.
        money: by the use's id, what of its discount comes back.
        is_use_over: by the use's id, whether it may be used again.
    """
    moved: list[list[tuple[Ask, int]]] = []
    again = sorted(use.code_id for use in uses if use.code_id is not None and is_use_over[use.pk])
    for use in uses:
        asked: list[tuple[Ask, int]] = []
        for ask in [ask for counted in counted_by(use, redemption) for ask in asks(counted)]:
            amount = money[use.pk] if ask.key.currency else int(is_use_over[use.pk])
            if use.stripe is not None and is_own(ask.key):
                ask = Ask(striped(ask.key, use.stripe))
            asked.append((ask, amount))
        moved.append(asked)
        use.given_back_minor += money[use.pk]
        use.is_counted = use.is_counted and not is_use_over[use.pk]
    for code_id in again:
        # One by one, by rising id, as redemptions lock them.
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE incentives_code SET state = CASE WHEN given_at IS NULL THEN 'reserved' ELSE 'given' END"
                " WHERE id = %s AND state = %s",
                [code_id, Code.State.REDEEMED],
            )
    if back := moves(moved):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count_back_v1(%s, %s, %s, %s, %s, %s)", counter_arrays(back)[:-1])
    Use.objects.bulk_update(uses, ["given_back_minor", "is_counted"])


def counted_by(use: Use, redemption: Redemption) -> list[Counted]:
    """Under which limits a use was counted: those that it was decided by, and those that began later."""
    own = Counted(
        rule=rule_of(use.version_id),
        incentive_id=use.incentive_id,
        code_id=use.code_id,
        customer_id=redemption.customer_id,
        persons=redemption.persons,
        currency=redemption.currency,
        now=use.used_at,
        today=use.used_on,
        budget_id=use.budget_id,
        budget=limits_of(use.budget_version_id) if use.budget_version_id else BudgetLimits(),
        allowance=policy_of(redemption.policy_id).allowance if redemption.policy_id else (),
    )
    if not use.counted_by:
        return [own]
    later = Version.objects.filter(pk__in=use.counted_by).values_list("pk", "subject")
    return [own, *[own._replace(**_limits_of(pk, subject)) for pk, subject in later]]


def _limits_of(version_id: int, subject: str) -> dict[str, Any]:
    match subject:
        case "incentives.incentive":
            return {"rule": rule_of(version_id)}
        case "incentives.budget":
            return {"budget": limits_of(version_id)}
    return {"allowance": policy_of(version_id).allowance}
