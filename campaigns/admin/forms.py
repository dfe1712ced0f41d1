"""The campaign's form: one set of fields for each occasion, of which only the chosen one's are shown and read."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as PlanError
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns import occasions as _occasions  # noqa: F401  the registry must be full before the form is made
from campaigns.admin.bounds import BoundsForm, initial_of, parts_of
from campaigns.admin.parts import choices
from campaigns.models import Campaign, Holiday
from campaigns.occasions.fields import ProductField
from campaigns.plans import Plan, plan_of
from retention import registries
from retention.customers.models import OrderLine, Product

_WIDGETS = (
    (forms.BooleanField, UnfoldBooleanSwitchWidget),
    (forms.TimeField, UnfoldAdminSingleTimeWidget),
    (forms.DateField, UnfoldAdminSingleDateWidget),
    (forms.IntegerField, UnfoldAdminIntegerFieldWidget),
    (forms.ChoiceField, UnfoldAdminSelectWidget),
)


def field_name(occasion: str, argument: str) -> str:
    return f"arg__{occasion}__{argument}"


def argument_fields() -> dict[str, tuple[str, str]]:
    """Form field → (occasion, argument), of every occasion."""
    return {
        field_name(occasion.key, argument): (occasion.key, argument)
        for occasion in registries.occasions
        for argument in occasion.form_class().fields
    }


def conditional_fields() -> dict[str, str]:
    """Which occasion shows which field, as the theme wants it."""
    return {name: f"occasion == '{occasion}'" for name, (occasion, _argument) in argument_fields().items()}


def _drawn(field: forms.Field) -> forms.Field:
    """An occasion's field as the console draws it; the occasion's own form checks it."""
    if isinstance(field, forms.JSONField):
        return forms.MultipleChoiceField(
            label=field.label,
            help_text=field.help_text,
            required=False,
            choices=_holiday_choices,
            widget=UnfoldAdminSelect2MultipleWidget,
        )
    if isinstance(field, ProductField):
        # Any foreign key to products tells the picker where to search.
        look = {"class": "unfold-admin-autocomplete"}
        picker = AutocompleteSelect(OrderLine._meta.get_field("product"), admin.site, attrs=look)
        products = Product.objects.all()
        words = {"label": capfirst(str(field.label)), "help_text": field.help_text}
        return forms.ModelChoiceField(products, required=False, widget=picker, **words)
    drawn = field.__class__.__new__(field.__class__)
    drawn.__dict__.update(field.__dict__)
    drawn.required = False
    drawn.label = capfirst(str(field.label))
    drawn.widget = next(
        (widget() for kind, widget in _WIDGETS if isinstance(field, kind)), UnfoldAdminTextInputWidget()
    )
    if isinstance(field, forms.ChoiceField):
        drawn.widget.choices = field.choices
    return drawn


def _holiday_choices() -> list[tuple[str, str]]:
    rows = Holiday.objects.filter(is_observed=True).order_by("key").values_list("key", flat=True).distinct()
    return [(key, key.replace("-", " ").capitalize()) for key in rows]


def _occasion_choices() -> list[tuple[str, str]]:
    return [(occasion.key, occasion.label) for occasion in registries.occasions]


class CampaignForm(BoundsForm, forms.ModelForm):
    """Reads as a plan: `plan()` after it is valid."""

    occasion = forms.ChoiceField(label=_("Occasion"), choices=_occasion_choices, widget=UnfoldAdminSelectWidget)
    countries = forms.CharField(
        label=_("Countries"),
        required=False,
        max_length=800,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Of the customer, as ISO codes: DE, KR, US. Empty: all."),
    )

    class Meta:
        model = Campaign
        fields = (
            "name", "audience", "excluded", "countries", "occasion", "lateness_hours", "priority", "starts_at",
            "ends_at",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "audience" not in self.fields:  # who may only look gets no fields of the model
            return
        for name in ("audience", "excluded"):
            self.fields[name].queryset = self.fields[name].queryset.filter(
                Q(archived_at=None) | Q(pk=getattr(self.instance, f"{name}_id"))
            )
        self.initial["countries"] = ", ".join(self.instance.countries)
        plan = plan_of(self.instance) if self.instance.version_id else None
        self.initial |= initial_of(plan)
        used = {name: getattr(plan, name) if plan else set() for name in ("incentives", "templates", "segments")}
        self.fields["steps"].widget.attrs["choices"] = choices(used)
        exits = self.fields["exits_segment"]
        exits.queryset = exits.queryset.filter(Q(archived_at=None) | Q(pk__in=used["segments"]))
        for name, (occasion, argument) in argument_fields().items():
            given = self.instance.occasion_args if self.instance.occasion == occasion else {}
            if argument in given:
                self.initial[name] = given[argument]
                if isinstance(self.fields[name], forms.ModelChoiceField):
                    self.initial[name] = Product.objects.filter(sku=given[argument]).first()

    def clean_countries(self) -> list[str]:
        return [word.strip().upper() for word in self.cleaned_data["countries"].split(",") if word.strip()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        occasion = registries.occasions[cleaned["occasion"]] if cleaned.get("occasion") else None
        if occasion is None:
            return cleaned
        cleaned["occasion_args"] = given = self._given(occasion.key)
        try:
            occasion.clean(given)
        except ValidationError as error:
            for argument, errors in error.error_dict.items():
                name = field_name(occasion.key, argument)
                self.add_error(name if name in self.fields else None, errors)
        return cleaned

    def _given(self, occasion: str) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, (its, argument) in argument_fields().items():
            value = self.cleaned_data.get(name)
            if its != occasion or value in (None, ""):
                continue
            if isinstance(value, Product):
                value = value.sku
            if isinstance(value, dt.time):
                value = f"{value:%H:%M}"
            given[argument] = value.isoformat() if isinstance(value, dt.date) else value
        return given

    def plan(self) -> Plan:
        """The form as a plan.

        Raises:
            ValidationError: what does not fit together.
        """
        data = self.cleaned_data
        try:
            return Plan.model_validate(
                {
                    "name": data["name"],
                    "playbook": self.instance.playbook,
                    "audience": data["audience"] and data["audience"].pk,
                    "excluded": data["excluded"] and data["excluded"].pk,
                    "countries": data["countries"],
                    "occasion": data["occasion"],
                    "occasion_args": data["occasion_args"],
                    "lateness_hours": data["lateness_hours"],
                    "priority": data["priority"],
                    "starts_at": data["starts_at"],
                    "ends_at": data["ends_at"],
                    **parts_of(data),
                }
            )
        except PlanError as error:
            raise ValidationError(list(dict.fromkeys(_words(row) for row in error.errors()))) from None


#: Where a part of the plan stands in the form.
_PLACES = {
    "steps": _("Step %(n)s"),
    "windows": _("Hours %(n)s"),
    "variants": _("Variant %(n)s"),
    "ramp": _("Opening"),
    "goal": _("Goal"),
    "starts_low": _("Those used to discounts"),
}


def _words(row: Any) -> str:
    loc = row["loc"]
    message = row["msg"].removeprefix("Value error, ")
    if loc == ("steps",):
        return str(_("Add at least one step."))
    if not loc:
        return f"{message[:1].upper()}{message[1:]}."
    place = str(_PLACES.get(loc[0], loc[0])) % {"n": loc[1] + 1 if len(loc) > 1 and isinstance(loc[1], int) else ""}
    return f"{place.strip()}: {message}."


for _name, (_occasion, _argument) in argument_fields().items():
    CampaignForm.declared_fields[_name] = _drawn(registries.occasions[_occasion].form_class().fields[_argument])
