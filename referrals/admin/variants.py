"""Variants of a scheme as rows of its form: another reward, or other words in the shop's first language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from referrals.rules import SchemeRule, Variant
from retention.incentives.models import Incentive
from retention.shop.models import Shop


class VariantRow(forms.Form):
    key = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,19}$", label=_("Key"), widget=UnfoldAdminTextInputWidget, help_text=_("A short word.")
    )
    weight = forms.IntegerField(label=_("Share"), min_value=1, max_value=100, widget=UnfoldAdminIntegerFieldWidget)
    friend_incentive = forms.ModelChoiceField(
        Incentive.objects.none(), label=_("The friend gets"), required=False, widget=UnfoldAdminSelectWidget
    )
    incentive = forms.ModelChoiceField(
        Incentive.objects.none(), label=_("The advocate gets"), required=False, widget=UnfoldAdminSelectWidget
    )
    text = forms.CharField(
        label=_("Text on every channel"), required=False, max_length=2_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("friend_incentive", "incentive"):
            rows = Incentive.objects.filter(archived_at=None, code_kind="unique").exclude(state="stopped")
            self.fields[name].queryset = rows.order_by("name")
        self.fields["text"].is_wide = True


def variant_rows(rule: SchemeRule) -> list[dict[str, Any]]:
    """What the form shows of each variant."""
    return [_row(variant, Shop.objects.get().default_language) for variant in rule.variants]


def variants_given(rows: Iterable[Mapping[str, Any]], stored: SchemeRule | None, language: str) -> list[dict[str, Any]]:
    """The variants as JSON. One whose row says what it said before stays as it is, levels and other languages too."""
    before = {variant.key: variant for variant in stored.variants} if stored else {}
    given = []
    for row in rows:
        told = {
            "key": row["key"],
            "weight": row["weight"],
            "friend_incentive": row["friend_incentive"] and row["friend_incentive"].pk,
            "incentive": row["incentive"] and row["incentive"].pk,
            "text": row["text"],
        }
        known = before.get(row["key"])
        given.append(
            known.model_dump() if known and _row(known, language) == told else _variant(told, stored, language)
        )
    return given


def _row(variant: Variant, language: str) -> dict[str, Any]:
    return {
        "key": variant.key,
        "weight": variant.weight,
        "friend_incentive": variant.friend_incentive,
        "incentive": variant.levels[0].incentive_id if variant.levels else None,
        "text": variant.texts[0].texts.get(language, "") if variant.texts else "",
    }


def _variant(told: Mapping[str, Any], stored: SchemeRule | None, language: str) -> dict[str, Any]:
    channels = dict.fromkeys(share.channel for share in stored.texts) if stored else {}
    texts = [{"channel": each, "texts": {language: told["text"]}} for each in channels or ("email",)]
    return {
        "key": told["key"],
        "weight": told["weight"],
        "friend_incentive": told["friend_incentive"],
        "levels": [{"from_count": 1, "incentive_id": told["incentive"]}] if told["incentive"] else [],
        "texts": texts if told["text"] else [],
    }
