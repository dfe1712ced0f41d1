"""The form of an incentive: one rule."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from retention.incentives.forms.parts import Editor, PartField
from retention.incentives.forms.suggestions import segment_pairs
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule, sentence
from retention.incentives.versions import rule_of


def _name_segments(data: Any) -> None:
    """Conditions about segments carry the names that sentences call them by."""
    conditions = data.get("conditions") if isinstance(data, dict) else None
    asking = [one for one in conditions or () if isinstance(one, dict) and one.get("kind") == "in_segments"]
    if asking:
        names = dict(segment_pairs())
        for one in asking:
            one["names"] = [names[pk] for pk in one.get("segments") or () if pk in names]


RULE = Editor(
    IncentiveRule,
    key="incentive",
    sections=(
        (_("What is given"), ("name", "effects")),
        (_("Only when"), ("conditions",)),
        (_("Limits"), ("limits",)),
        (_("Codes and dates"), ("codes", "validity")),
    ),
    says=sentence,
    blank={"name": "", "effects": [{"kind": "percent"}], "codes": {"kind": "public"}},
    mend=_name_segments,
)


class RuleForm(forms.ModelForm):
    """Everything of a rule, in one field that the builder draws."""

    rule = PartField(RULE, label=_("Rule"))

    class Meta:
        model = Incentive
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        version_id = instance.version_id if instance is not None else None
        start = {"rule": RULE.typed(rule_of(version_id) if version_id else None)}
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)
        if "rule" in self.fields:
            self.fields["rule"].widget.row_id = instance.pk if instance is not None else None
