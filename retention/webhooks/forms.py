"""The form of an endpoint: the events by room, each with the sentence that says when it is told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from retention.webhooks.catalogue import by_group, kinds
from retention.webhooks.models import Endpoint


class KindsWidget(forms.CheckboxSelectMultiple):
    """A box for each kind, by group."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> str:
        # The renderer of forms looks into apps only, and our templates lie together in one folder.
        groups = [(group, found.items()) for group, found in by_group()]
        context = {"name": name, "groups": groups, "chosen": set(value or ()), "id": (attrs or {}).get("id", name)}
        return render_to_string("webhooks/kinds.html", context)


class EndpointForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label=_("What it is told"), required=False, widget=KindsWidget, help_text=_("None: nothing is sent.")
    )

    class Meta:
        model = Endpoint
        fields = ["name", "url", "kinds"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "kinds" in self.fields:  # whoever may not change it sees no form
            self.fields["kinds"].choices = [(key, kind.label) for key, kind in kinds().items()]
