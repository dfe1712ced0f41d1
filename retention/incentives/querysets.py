"""Reads of incentives, their codes and what was used of them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from retention.incentives.codes import readings
from retention.incentives.models import Code, Counter, Incentive, Redemption


def incentives() -> QuerySet[Incentive]:
    """Those not archived, with their versions."""
    return Incentive.objects.filter(archived_at=None).select_related("version")


def code_of(typed: str) -> Code | None:
    """The code that a typed text means, with its incentive."""
    found = {
        code.code: code
        for code in Code.objects.filter(code__in=readings(typed)).select_related("incentive", "version", "grant")
    }
    return next((found[reading] for reading in readings(typed) if reading in found), None)


def codes_of(incentive: Incentive) -> QuerySet[Code]:
    return Code.objects.filter(incentive=incentive).select_related("incentive", "version")


def redemptions() -> QuerySet[Redemption]:
    return Redemption.objects.select_related("code__incentive")


def used_of(incentive_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What was issued, redeemed and spent (by currency) of incentives, from their counters."""
    found = {pk: {"issued": 0, "redeemed": 0, "spent_minor": {}} for pk in incentive_ids}
    rows = Counter.objects.filter(incentive_id__in=found, scope__in=["incentive", "issue"], subject_id=0)
    for row in rows.order_by("currency"):
        used = found[row.incentive_id]
        if row.scope == Counter.Scope.ISSUE:
            used["issued"] = row.issued
        elif row.currency:
            used["spent_minor"][row.currency] = row.spent_minor
        else:
            used["redeemed"] = row.redeemed
    return found
