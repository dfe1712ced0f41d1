"""What the top of an incentive's page says."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from retention.incentives.baskets import amount_text
from retention.incentives.models import Code, Incentive
from retention.incentives.querysets import used_of
from retention.incentives.remedies import remedy_of
from retention.incentives.rules import sentence
from retention.incentives.versions import rule_of
from retention.work.models import Alert

TONES = {"draft": "info", "live": "success", "stopped": "danger"}


def overview_of(incentive: Incentive, user: Any) -> dict[str, Any]:
    """Its sentence, open alerts, limits with used and left, its newest codes: nothing that counts rows."""
    rule, used = rule_of(incentive.version_id), used_of([incentive.pk])[incentive.pk]
    meters = [_meter(_("Uses"), used["redeemed"], rule.limits.total)]
    if rule.codes.kind == "unique":
        meters.append(_meter(_("Given"), used["issued"], rule.limits.issued))
    budget = rule.limits.money
    if budget:
        spent = used["spent_minor"].pop(budget.currency, 0)
        meters.append(
            {
                **_meter(_("Budget"), spent, budget.amount_minor),
                "used": amount_text(spent, budget.currency),
                "limit": amount_text(budget.amount_minor, budget.currency),
                "left": amount_text(budget.amount_minor - spent, budget.currency),
            }
        )
    for currency, minor in used["spent_minor"].items():
        meters.append({"label": _("Discounts"), "used": amount_text(minor, currency), "limit": None})
    return {
        "incentive": incentive,
        "tone": TONES[incentive.state],
        "sentence": sentence(rule),
        "alerts": [(alert, remedy_of(alert, user)) for alert in _alerts_of(incentive)],
        "meters": meters,
        "codes": Code.objects.filter(incentive=incentive).select_related("version")[:10],
        "codes_url": f"{reverse('admin:incentives_code_changelist')}?incentive__id__exact={incentive.pk}",
    }


def _alerts_of(incentive: Incentive) -> QuerySet[Alert]:
    page = reverse("admin:incentives_incentive_change", args=[incentive.pk])
    return Alert.objects.filter(resolved_at=None, url=page)


def _meter(label: Any, used: int, limit: int | None) -> dict[str, Any]:
    meter: dict[str, Any] = {"label": label, "used": f"{used:,}", "limit": None}
    if limit:
        left = max(0, limit - used)
        meter |= {"limit": f"{limit:,}", "left": f"{left:,}", "share": min(100, 100 * used // limit)}
    return meter
