"""The parts of a plan that are lists: steps, hours of the week and variants; a script draws each over a JSON field."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.segments.models import Segment


class PartsWidget(forms.Textarea):
    """The list as JSON in a textarea; `plan.js` puts its editor in the place of it."""

    def __init__(self, kind: str) -> None:
        super().__init__({"rows": 12, "class": "plan-json"})
        self.kind = kind

    def render(self, name, value, attrs=None, renderer=None):
        context = self.get_context(name, value, attrs)
        return render_to_string("campaigns/parts.html", {**context, "kind": self.kind})


class PartsField(forms.CharField):
    """A list of mappings, as JSON text."""

    def __init__(self, kind: str, **options: Any) -> None:
        super().__init__(widget=PartsWidget(kind), required=False, **options)

    def clean(self, value: Any) -> list[dict[str, Any]]:
        try:
            rows = json.loads(super().clean(value) or "[]")
        except ValueError:
            raise ValidationError(_("This cannot be read.")) from None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValidationError(_("This cannot be read."))
        return rows


def choices(used: dict[str, set[int]]) -> dict[str, Any]:
    """What steps may name, as the script lists it; what is archived only where it is used already."""
    incentives = Incentive.objects.filter(Q(archived_at=None) | Q(pk__in=used["incentives"])).order_by("name")
    templates = Template.objects.filter(Q(archived_at=None) | Q(pk__in=used["templates"])).order_by("name")
    segments = Segment.objects.filter(Q(archived_at=None) | Q(pk__in=used["segments"])).order_by("name")
    return {
        "incentives": [[pk, name] for pk, name in incentives.values_list("pk", "name")],
        "templates": [[pk, name, channel] for pk, name, channel in templates.values_list("pk", "name", "channel")],
        "segments": [[pk, name] for pk, name in segments.values_list("pk", "name")],
        "weekdays": [str(name) for name in WEEKDAYS_ABBR.values()],
    }
