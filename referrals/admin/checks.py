"""The checks of a scheme as fields of its form: each on or off, with points or as a hard no, and what it counts by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from referrals.rules import AnyCheck, Check, SchemeRule

#: kind → the class of the check, in the order of the form.
CHECKS: dict[str, type[Check]] = {each.model_fields["kind"].default: each for each in get_args(get_args(AnyCheck)[0])}
_HINTS = {
    "self": _("By her row, her email or her phone."),
    "existing": _("Had ordered before, or was known for longer than so many days."),
    "device": _("As the advocate, or as another of her friends."),
    "network": _("A household or an office shares one: more than so many others strike."),
    "address": _("The advocate's, or another friend's."),
    "payment": _("As checkouts told it."),
    "email": _("anna+1@ is anna@; anna1@ and anna2@ are nearly so. From so many percent on."),
    "disposable": _("By a list that comes with the program, and domains that you add."),
    "speed": _("Signed up within so few seconds, or more than so many friends within so many hours."),
    "loop": _("A brought B, B brought C, and now C brings A."),
}
_LABELS = {
    "known_days": _("Known for days"),
    "most": _("More than"),
    "percent": _("From percent"),
    "domains": _("Also these domains"),
    "least_seconds": _("Within seconds"),
    "hours": _("Within hours"),
    "length": _("Steps at most"),
}
_BOUNDS = {"ge": "min_value", "le": "max_value"}


def field_name(kind: str, name: str) -> str:
    return f"check__{kind}__{name}"


def rows() -> Iterator[tuple[str, ...]]:
    """The names of the fields, a row for each check."""
    for kind, cls in CHECKS.items():
        yield tuple(field_name(kind, name) for name in ("is_on", "points", "is_hard", *_own(cls)))


def fields() -> Iterator[tuple[str, forms.Field]]:
    for kind, cls in CHECKS.items():
        yield field_name(kind, "is_on"), _switch(cls.label, _HINTS[kind])
        yield field_name(kind, "points"), _whole(_("Points"), cls, "points")
        yield field_name(kind, "is_hard"), _switch(_("Hard: ends it at once"), "")
        for name in _own(cls):
            if name == "domains":
                yield (
                    field_name(kind, name),
                    forms.CharField(
                        label=_LABELS[name],
                        required=False,
                        max_length=20_000,
                        widget=UnfoldAdminTextInputWidget,
                        help_text=_("With spaces between."),
                    ),
                )
            else:
                yield field_name(kind, name), _whole(_LABELS[name], cls, name)


def initial_of(rule: SchemeRule | None) -> dict[str, Any]:
    """What the fields show; without a rule, everything as a new scheme begins with it."""
    there = {check.kind: check for check in (rule or SchemeRule(names={"en": "-"}, friend_incentive=1)).checks}
    shown: dict[str, Any] = {}
    for kind, cls in CHECKS.items():
        check = there.get(kind) or cls()
        shown[field_name(kind, "is_on")] = kind in there
        for name in ("points", "is_hard", *_own(cls)):
            value = getattr(check, name)
            shown[field_name(kind, name)] = " ".join(value) if name == "domains" else value
    return shown


def given(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checks as JSON of the rule; a number that was left out is the check's own."""
    found = []
    for kind, cls in CHECKS.items():
        if not data.get(field_name(kind, "is_on")):
            continue
        values = {name: data.get(field_name(kind, name)) for name in ("points", "is_hard", *_own(cls))}
        if "domains" in values:
            values["domains"] = (values["domains"] or "").replace(",", " ").split()
        found.append({"kind": kind, **{name: value for name, value in values.items() if value is not None}})
    return found


def _own(cls: type[Check]) -> list[str]:
    return [name for name in cls.model_fields if name not in ("kind", "points", "is_hard")]


def _switch(label: Any, hint: Any) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=hint, widget=UnfoldBooleanSwitchWidget)


def _whole(label: Any, cls: type[Check], name: str) -> forms.IntegerField:
    bounds = {
        _BOUNDS[kind]: getattr(one, kind)
        for one in cls.model_fields[name].metadata
        for kind in _BOUNDS
        if hasattr(one, kind)
    }
    return forms.IntegerField(label=label, required=False, widget=UnfoldAdminIntegerFieldWidget, **bounds)
