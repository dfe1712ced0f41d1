"""The form of an incentive: one rule, edited by the builder, checked whole by its classes, errors at their fields."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RuleError

from retention import money
from retention.incentives.facts import shop_currency
from retention.incentives.forms import words
from retention.incentives.forms.catalogue import fields_of, instants
from retention.incentives.forms.suggestions import segment_pairs
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rule_of
from retention.segments.conditions.places import country_pairs
from retention.shop.models import ExchangeRate

#: What a new incentive begins with.
BLANK = {"name": "", "effects": [{"kind": "percent"}], "codes": {"kind": "public"}}


class RuleWidget(forms.Textarea):
    """The rule's JSON in a textarea that the builder works on; without scripts it can still be edited."""

    incentive: Incentive | None = None

    def render(self, name, value, attrs=None, renderer=None):
        context = self.get_context(name, value, attrs)
        return render_to_string("incentives/builder.html", {**context, "builder": builder_context(self.incentive)})


class RuleForm(forms.ModelForm):
    """Everything of a rule, in one field that the builder draws."""

    rule = forms.JSONField(label=_("Rule"), widget=RuleWidget)

    class Meta:
        model = Incentive
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        said = BLANK
        if instance is not None and instance.version_id:
            said = as_typed(rule_of(instance.version_id).model_dump(mode="json", exclude_none=True))
        options["initial"] = {"rule": said, **(options.get("initial") or {})}
        super().__init__(*args, **options)
        if "rule" in self.fields:
            self.fields["rule"].widget.incentive = instance

    def clean_rule(self) -> IncentiveRule:
        try:
            return read_rule(self.cleaned_data["rule"])
        except RuleError as error:
            # The builder shows each error at its own field; without it the places are words of their own.
            found = problems_of(error, self.cleaned_data["rule"])
            raise forms.ValidationError([f"{place}: {' '.join(said)}" for place, said in found.items()]) from None


def builder_context(incentive: Incentive | None) -> dict[str, Any]:
    """What the builder's template needs beside the rule itself."""
    currency = shop_currency()
    currencies = [currency, *ExchangeRate.objects.exclude(currency=currency).order_by("currency").distinct("currency")
                  .values_list("currency", flat=True)]  # fmt: skip
    fields = {field["name"]: field for field in fields_of(IncentiveRule)}
    sections = [(title, [fields.pop(name) for name in names if name in fields]) for title, names in words.SECTIONS]
    return {
        "catalogue": {
            "sections": [{"title": str(title), "fields": inside} for title, inside in sections],
            "rest": list(fields.values()),
            "currencies": currencies,
            "digits": {one: money.digits(one) for one in currencies},
            "sets": {
                "countries": country_pairs(),
                "currencies": [(one, one) for one in currencies],
                "segments": [(str(pk), name) for pk, name in segment_pairs()],
                "weekdays": [(str(day), str(name)) for day, name in enumerate(WEEKDAYS.values(), 1)],
            },
        },
        "incentive": incentive,
        "say_url": reverse("admin:incentives_incentive_say"),
        "suggest_url": reverse("admin:incentives_incentive_suggest"),
    }


def read_rule(data: Any) -> IncentiveRule:
    """The rule of what the builder sends; times in it are by the shop's clock.

    Raises:
        pydantic.ValidationError
    """
    data = json.loads(json.dumps(data))
    for place, name in instants(fields_of(IncentiveRule), data):
        try:
            naive = dt.datetime.fromisoformat(str(place[name]))
        except ValueError:
            continue
        place[name] = (naive if naive.tzinfo else timezone.make_aware(naive)).isoformat()
    _name_segments(data)
    return IncentiveRule.model_validate(data)


def _name_segments(data: Any) -> None:
    """Conditions about segments carry the names that sentences call them by."""
    conditions = data.get("conditions") if isinstance(data, dict) else None
    asking = [one for one in conditions or () if isinstance(one, dict) and one.get("kind") == "in_segments"]
    if asking:
        names = dict(segment_pairs())
        for one in asking:
            one["names"] = [names[pk] for pk in one.get("segments") or () if pk in names]


def as_typed(data: dict[str, Any]) -> dict[str, Any]:
    """A rule's data with its instants as the shop's clock shows them."""
    for place, name in instants(fields_of(IncentiveRule), data):
        local = dt.datetime.fromisoformat(place[name]).astimezone(timezone.get_current_timezone())
        place[name] = f"{local:%Y-%m-%dT%H:%M}"
    return data


def problems_of(error: RuleError, data: Any) -> dict[str, list[str]]:
    """What is wrong with a rule, by JSON pointer into the data that was sent."""
    found: dict[str, list[str]] = {}
    for one in error.errors():
        place = _pointer(one["loc"], data)
        # A list whose one item is wrong is also called too short.
        if one["type"] != "too_short" or not any(other.startswith(f"{place}/") for other in found):
            found.setdefault(place, []).append(_sentence(one))
    return found


def _sentence(error: Mapping[str, Any]) -> str:
    said = words.PROBLEMS.get(error["type"])
    if said is not None:
        return str(said) % error.get("ctx", {})
    text = error["msg"].removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


def _pointer(loc: tuple, data: Any) -> str:
    """The place in the data: pydantic also names the kind of each variant on its way, which is no place."""
    path = ""
    for part in loc:
        if isinstance(data, dict) and part not in data and part == data.get("kind"):
            continue
        path += f"/{part}"
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
    return path
