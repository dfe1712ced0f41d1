"""What helps at once against an alert of this room: the dialog of the button that stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from retention.work.models import Alert

#: Kind of alert → (words, the action of the incentive's page, the right that it takes).
_REMEDIES = {
    "incentives.leak": (_("Stop"), "stop", "incentives.stop_incentive"),
    "incentives.pool_low": (_("Generate more"), "generate_codes", "incentives.change_incentive"),
    "incentives.pool_expiring": (_("Generate more"), "generate_codes", "incentives.change_incentive"),
}


@dataclass(frozen=True)
class Remedy:
    """A button that opens the dialog at `url`."""

    label: Any
    url: str
    is_stop: bool


def remedy_of(alert: Alert, user: Any) -> Remedy | None:
    """The button for this alert, where there is one and this person may press it. Subjects begin with the incentive."""
    if alert.kind not in _REMEDIES:
        return None
    label, action, right = _REMEDIES[alert.kind]
    if not user.has_perm(right):
        return None
    incentive_id = alert.subject.partition(":")[0]
    return Remedy(label, reverse(f"admin:incentives_incentive_{action}", args=[incentive_id]), action == "stop")
