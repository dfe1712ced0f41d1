"""Reads of incentives, their codes and what was used of them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retention.incentives.codes import readings
from retention.incentives.models import Code, Counter, Incentive, Redemption
from retention.refusals import Refused


class NoSuchIncentive(Refused):
    code = "incentives.no_such_incentive"
    sentence = _("There is no such incentive.")
    status = 404


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
    return Redemption.objects.prefetch_related("rollbacks")


def used_of(incentive_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What was issued, redeemed and spent (by currency) of incentives, from their counters."""
    found = {pk: {"issued": 0, "redeemed": 0, "spent_minor": {}} for pk in incentive_ids}
    rows = Counter.objects.filter(incentive_id__in=found, scope__in=["incentive", "stripe", "issue"], period="")
    for row in rows.order_by("currency", "scope"):
        used = found[row.incentive_id]
        # What was leased to a stripe counts as used in the incentive's own row; of it only what was used is.
        leased = (row.most or 0) if row.scope == Counter.Scope.STRIPE else 0
        if row.scope == Counter.Scope.ISSUE:
            used["issued"] = row.issued
        elif row.currency:
            spent = used["spent_minor"].get(row.currency, 0)
            used["spent_minor"][row.currency] = spent + row.spent_minor - leased
        else:
            used["redeemed"] += row.redeemed - leased
    return found
