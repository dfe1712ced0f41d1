"""The form of the checkout policy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from retention.incentives.forms.parts import Editor, PartField
from retention.incentives.models import CheckoutPolicy
from retention.incentives.policy import Policy
from retention.incentives.versions import policy_of

POLICY = Editor(
    Policy,
    key="policy",
    sections=(
        (_("Several offers in one order"), ("stacking",)),
        (_("What one customer may use of all offers together"), ("allowance",)),
        (_("Cancelled orders and returns"), ("follows_orders", "withdraws_by_hand")),
    ),
    says=lambda policy: capfirst(", ".join(policy.sentences())),
)


class PolicyForm(forms.ModelForm):
    policy = PartField(POLICY, label=_("Policy"))

    class Meta:
        model = CheckoutPolicy
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        version_id = instance.version_id if instance is not None else None
        start = {"policy": POLICY.typed(policy_of(version_id) if version_id else None)}
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)
