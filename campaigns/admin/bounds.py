"""Fields of the campaign form that are not the row's own: hours, steps, goal, limits, the test; to and from a plan."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns.admin.parts import PartsField
from campaigns.plans import Plan
from retention.segments.models import Segment


def _count(label: Any, *, help_text: Any = "", most: int = 2**31 - 1, least: int = 1) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=most,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class BoundsForm(forms.Form):
    """Each field is one of the plan's; empty ones bound nothing."""

    windows = PartsField("windows", label=_("Hours"))
    steps = PartsField("steps", label=_("Steps"))
    starts_low_step = _count(
        _("Those used to discounts begin at step"),
        help_text=_("Full-price buyers begin at the first one. Empty: everyone does."),
        most=20,
        least=2,
    )
    starts_low_percent = _count(
        _("Used to discounts from so many percent off"),
        help_text=_("Of what all her orders would have cost."),
        most=100,
    )
    goal_kind = forms.ChoiceField(
        label=_("Goal"),
        choices=[("order", _("She orders")), ("activity", _("She does something")), ("redemption", _("She uses it"))],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    goal_activity = forms.CharField(
        label=_("Activity"),
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Its key, such as trial_converted."),
    )
    goal_days = _count(
        _("Within so many days"), help_text=_("After the occasion; later ones are not counted as won."), most=3660
    )
    exits_on_goal = forms.BooleanField(
        label=_("Nothing more once she did"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Asked before each step, and again when a message leaves."),
    )
    exits_segment = forms.ModelChoiceField(
        Segment.objects.all(),
        label=_("Nothing more once she is in"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    limit_touches = _count(_("Customers in all"))
    limit_touches_a_day = _count(_("Customers a day"), help_text=_("The others wait for the next day of the shop."))
    limit_per_customer = _count(_("Times for each customer"))
    re_entry_days = _count(
        _("Again after so many days"), help_text=_("Counted from the end of the last time."), most=3660
    )
    cool_down_days = _count(
        _("Cool-down, days"),
        help_text=_("Nobody to whom any campaign gave something within them, so that people do not learn to wait."),
        most=3660,
    )
    ramp_percent = _count(_("Open at first to percent"), help_text=_("Widened by a click on this page."), most=99)
    ramp_first = _count(_("or to the first customers"))
    variants = PartsField("variants", label=_("Variants"))
    holdout_percent = _count(
        _("Hold out, percent"),
        help_text=_("They get nothing, so that you see what the campaign earned."),
        most=50,
        least=0,
    )
    ignores_global_holdout = forms.BooleanField(
        label=_("Also for those whom the shop holds out"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    experiment = _count(_("Number of the test"), help_text=_("Another number draws the variants anew."), most=10_000)


def initial_of(plan: Plan | None) -> dict[str, Any]:
    """What the fields show of a plan; None: a new campaign."""
    if plan is None:
        return {
            "steps": "[]",
            "windows": "[]",
            "variants": "[]",
            "goal_kind": "order",
            "goal_days": 30,
            "experiment": 1,
        }
    data, low, ramp = plan.as_json(), plan.starts_low, plan.ramp
    return {
        **{name: json.dumps(data[name]) for name in ("steps", "windows", "variants")},
        "starts_low_step": low and plan.index_of(low.others_at) + 1,
        "starts_low_percent": low and low.below_percent,
        "goal_kind": plan.goal.kind,
        "goal_activity": plan.goal.activity or "",
        "goal_days": plan.goal.days,
        "exits_on_goal": plan.exits.on_goal,
        "exits_segment": plan.exits.segment,
        **{f"limit_{name}": value for name, value in plan.limits},
        "re_entry_days": plan.re_entry and plan.re_entry.days,
        "cool_down_days": plan.cool_down_days,
        "ramp_percent": ramp and ramp.percent,
        "ramp_first": ramp and ramp.first,
        "holdout_percent": plan.holdout_percent or None,
        "ignores_global_holdout": plan.ignores_global_holdout,
        "experiment": plan.experiment,
    }


def parts_of(data: dict[str, Any]) -> dict[str, Any]:
    """The cleaned fields as parts of a plan's JSON."""
    ramp = {"percent": data["ramp_percent"], "first": data["ramp_first"]}
    segment = data["exits_segment"]
    return {
        "steps": data["steps"],
        "windows": data["windows"],
        "variants": data["variants"],
        "starts_low": _starts_low(data),
        "goal": {
            "kind": data["goal_kind"] or "order",
            "activity": (data["goal_activity"] or None) if data["goal_kind"] == "activity" else None,
            "days": data["goal_days"] or 30,
        },
        "exits": {"on_goal": data["exits_on_goal"], "segment": segment and segment.pk},
        "limits": {name: data[f"limit_{name}"] for name in ("touches", "touches_a_day", "per_customer")},
        "re_entry": {"days": data["re_entry_days"]} if data["re_entry_days"] else None,
        "cool_down_days": data["cool_down_days"],
        "ramp": ramp if any(ramp.values()) else None,
        "holdout_percent": data["holdout_percent"] or 0,
        "ignores_global_holdout": data["ignores_global_holdout"],
        "experiment": data["experiment"] or 1,
    }


def _starts_low(data: dict[str, Any]) -> dict[str, Any] | None:
    place = data["starts_low_step"]
    if not place:
        return None
    key = data["steps"][place - 1].get("key", f"step-{place}") if place <= len(data["steps"]) else f"step-{place}"
    return {"others_at": key, "below_percent": data["starts_low_percent"] or 10}
