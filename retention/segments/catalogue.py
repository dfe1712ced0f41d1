"""The conditions as the builder in the console draws them: groups, labels, and the fields of each argument form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from retention.registries import Condition, conditions
from retention.segments.arguments import AmountField, Arguments, WordsField, currency_format
from retention.segments.conditions import activities, attributes, consent, lifecycle, orders, profile, sets, statistics
from retention.segments.conditions.places import country_pairs, zone_pairs

#: Long closed lists, sent once and named by the fields that choose from them.
SETS = {"countries": country_pairs, "zones": zone_pairs}
#: As marketers think of them; groups that other apps bring come between the last two.
FIRST = (
    profile.GROUP,
    consent.GROUP,
    orders.GROUP,
    activities.GROUP,
    statistics.GROUP,
    lifecycle.GROUP,
    attributes.GROUP,
)
LAST = (sets.GROUP,)


def catalogue() -> dict[str, Any]:
    """Everything the builder needs to ask for any condition, as JSON values."""
    groups: dict[str, list[dict[str, Any]]] = {str(group): [] for group in FIRST}
    for condition in conditions:
        groups.setdefault(str(condition.group), []).append(described(condition))
    for group in LAST:
        groups[str(group)] = groups.pop(str(group), [])
    return {
        "groups": [{"label": label, "conditions": members} for label, members in groups.items() if members],
        "sets": {name: pairs() for name, pairs in SETS.items()},
        "money": currency_format(),
    }


def described(condition: type[Condition]) -> dict[str, Any]:
    """One condition: its key, its words, and its fields in their order."""
    form = condition.form_class()
    visibility = form.visibility() if isinstance(form, Arguments) else {}
    return {
        "key": condition.key,
        "label": str(condition.label),
        "about": " ".join((condition.__doc__ or "").split()) if "__doc__" in vars(condition) else "",
        "fields": [field(name, asked, visibility) for name, asked in form.fields.items()],
    }


def field(name: str, asked: forms.Field, visibility: Mapping[str, tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": name,
        "label": str(asked.label or name),
        "help": str(asked.help_text or ""),
        "initial": asked.initial if isinstance(asked.initial, str | int | float) else None,
        "required": asked.required,
    }
    if name in visibility:
        other, choices = visibility[name]
        told["shown_if"] = [other, list(choices)]
    return {**told, **kind(asked)}


def kind(asked: forms.Field) -> dict[str, Any]:
    """How a field is asked for: its widget, and what bounds or choices it has."""
    match asked:
        case WordsField(suggest=suggest) if suggest in SETS:
            return {"kind": "words", "set": suggest}
        case WordsField(among=None):
            return {"kind": "words", "suggest": asked.suggest}
        case WordsField():
            return {"kind": "words", "choices": [[key, str(label)] for key, label in asked.pairs()]}
        case AmountField():
            return {"kind": "amount"}
        case forms.FloatField():
            return {"kind": "number", "min": asked.min_value, "max": asked.max_value, "step": "any"}
        case forms.IntegerField():
            return {"kind": "number", "min": asked.min_value, "max": asked.max_value, "step": 1}
        case forms.ModelChoiceField() | forms.ChoiceField():
            pairs = asked.widget.choices
            return {"kind": "choice", "choices": [[str(key), str(label)] for key, label in pairs if str(key)]}
        case forms.DateField():
            return {"kind": "date"}
        case _:
            return {"kind": "text"}
