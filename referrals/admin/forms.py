"""The form of a scheme: every field a part of its rule, in tabs; `rule()` after it is valid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RuleError
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from referrals.admin import checks
from referrals.admin.rows import RowsField
from referrals.admin.variants import VariantRow, variant_rows, variants_given
from referrals.models import Scheme
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention import money
from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.segments.models import Segment
from retention.shop.models import Shop

CHANNELS = [("email", _("Email")), ("sms", _("SMS")), ("chat", _("Chat")), ("social", _("Social")), ("app", _("App"))]
MOST_LANGUAGES = 6


def usable(also: Iterable[int] = ()) -> Any:
    """Incentives that a scheme can give, and those that it names already."""
    given = Q(archived_at=None, code_kind="unique") & ~Q(state="stopped")
    return Incentive.objects.filter(given | Q(pk__in=list(also))).order_by("name")


def whole(label: Any, low: int, high: int, *, hint: Any = "", required: bool = False) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, help_text=hint, required=required,
        widget=UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip


def chosen(label: Any, choices: list[tuple[str, Any]], *, hint: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, help_text=hint, widget=UnfoldAdminSelectWidget)


def typed(label: Any, most: int, *, hint: Any = "", required: bool = False, is_long: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3}) if is_long else UnfoldAdminTextInputWidget()
    return forms.CharField(label=label, max_length=most, help_text=hint, required=required, widget=widget)


def switch(label: Any, hint: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=hint, widget=UnfoldBooleanSwitchWidget)


def picked(label: Any, rows: Any, *, hint: Any = "", required: bool = False) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        rows, label=label, help_text=hint, required=required, widget=UnfoldAdminSelectWidget
    )  # fmt: skip


class LevelRow(forms.Form):
    from_count = whole(_("From friend"), 1, 1_000_000, required=True)
    incentive = picked(_("The advocate gets"), Incentive.objects.none(), required=True)
    is_once = switch(_("For that friend alone"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["incentive"].queryset = usable([self.initial.get("incentive") or 0])


class ShareRow(forms.Form):
    channel = chosen(_("Channel"), CHANNELS)
    persona = typed(_("Persona"), 40, hint=_("Empty: for everybody else."))
    segment = picked(_("Advocates in"), Segment.objects.none())

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["segment"].queryset = Segment.objects.filter(
            Q(archived_at=None) | Q(pk=self.initial.get("segment") or 0)
        )
        for language in languages():
            name = language_name(language)
            self.fields[f"subject_{language}"] = typed(_("Subject, %s") % name, 120)
            self.fields[f"text_{language}"] = long = typed(_("Text, %s") % name, 2_000, is_long=True)
            long.is_wide = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.has_changed() and not any(cleaned.get(f"text_{language}") for language in languages()):
            raise ValidationError(_("Write a text."))
        return cleaned


def language_name(language: str) -> str:
    return str(Locale.parse(language, sep="-").english_name)


def languages() -> list[str]:
    return list(Shop.objects.get().languages)[:MOST_LANGUAGES]


class SchemeForm(forms.ModelForm):
    friend_incentive = picked(_("The friend gets"), Incentive.objects.none(), hint=_("At once. Empty: nothing."))
    friend_message = picked(_("The friend is told by"), Template.objects.none(), hint=_("Empty: the shop tells."))
    advocate_message = picked(_("The advocate is told by"), Template.objects.none(), hint=_("Empty: the shop tells."))
    levels = RowsField(
        LevelRow, most=20, add=_("Add a level"), label=_("The advocate gets"),
        help_text=_("From the first friend on, and more from later ones on; or once, for the tenth alone."),
    )  # fmt: skip
    scenario_kind = chosen(
        _("It counts when"),
        [
            ("first_order", _("the friend's first order is paid")),
            ("nth_order", _("the friend has paid for so many orders")),
            ("activity", _("the friend did something")),
            ("joined", _("the friend signed up")),
        ],
    )
    scenario_least = forms.DecimalField(
        label=_("of at least"), required=False, min_value=0, max_digits=14, decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget, help_text=_("In the shop's base currency, less what came back."),
    )  # fmt: skip
    scenario_count = whole(_("so many orders"), 2, 100)
    scenario_activity = typed(_("Activity"), 60, hint=_("Its key, such as trial_converted."))
    within_days = whole(_("Within days"), 1, 730, hint=_("After the friend followed the link."), required=True)
    hold_days = whole(_("Rewarded after days"), 0, 365, hint=_("The return window of the shop."), required=True)
    attribution = chosen(
        _("Of several links"), [("first", _("the first one counts")), ("last", _("the last one counts"))]
    )
    link_days = whole(_("A link counts for days"), 1, 365, required=True)
    visit_days = whole(
        _("Visits are kept for days"), 1, 1095, required=True,
        hint=_("At least as long as a link counts. Those that brought a friend are kept with her."),
    )  # fmt: skip
    segment = picked(_("Who may take part"), Segment.objects.none(), hint=_("Empty: every customer."))
    review_from = whole(
        _("To be reviewed from points"), 1, 1000, required=True, hint=_("The sum of the checks that struck.")
    )
    review_days = whole(_("Decided within days"), 1, 90, required=True)
    at_deadline = chosen(
        _("Then"),
        [("wait", _("it goes on waiting")), ("approve", _("it is approved")), ("reject", _("it is rejected"))],
    )
    cap_in_all = whole(_("Friends in all"), 1, 1_000_000)
    cap_per_month = whole(_("Friends a month"), 1, 1_000_000)
    cap_per_year = whole(_("Friends a year"), 1, 1_000_000)
    claws_back = switch(_("Taken back with the return"), _("What the advocate was given, when the order comes back."))
    texts = RowsField(
        ShareRow, most=50, add=_("Add a text"), label=_("What advocates may send"),
        help_text=_("With {{ referral_link }}, {{ referral_code }}, {{ advocate.first_name }}, {{ friend_gets }} and"
                    " {{ shop.name }}. A persona's words are for advocates in its segment."),
    )  # fmt: skip
    landing_leads_to = chosen(_("The link leads to"), [("page", _("a page with the offer")), ("shop", _("the shop"))])
    landing_shop_url = typed(_("Address in the shop"), 500)
    variants = RowsField(
        VariantRow, most=4, add=_("Add a variant"), label=_("Variants"),
        help_text=_("Two or more: each advocate is in one of them for good. What is empty is the scheme's own."),
    )  # fmt: skip
    experiment = whole(_("Draw number"), 1, 1_000, hint=_("Another number begins a new test."), required=True)

    class Meta:
        model = Scheme
        fields = ("key", "kind")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "levels" not in self.fields:
            return
        shop = Shop.objects.get()
        self.currency = shop.currency
        rule = rule_of(self.instance.version_id) if self.instance.version_id else None
        self.stored = rule
        for language in languages():
            words = {"required": language == shop.default_language}
            self.fields[f"name_{language}"] = typed(_("Name, %s") % language_name(language), 120, **words)
            self.fields[f"landing_title_{language}"] = typed(_("Title, %s") % language_name(language), 120)
            self.fields[f"landing_text_{language}"] = typed(
                _("Text, %s") % language_name(language), 2_000, is_long=True
            )
        used = rule.incentive_ids if rule else frozenset()
        self.fields["friend_incentive"].queryset = usable(used)
        self.fields["segment"].queryset = Segment.objects.filter(
            Q(archived_at=None) | Q(pk=(rule and rule.segment_id) or 0)
        )
        for name in ("friend_message", "advocate_message"):
            told = Q(archived_at=None) | Q(pk=(rule and getattr(rule, name)) or 0)
            self.fields[name].queryset = Template.objects.filter(told).order_by("name")
        self.initial |= initial_of(rule, self.currency)

    def clean_key(self) -> str:
        key = self.cleaned_data["key"]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise ValidationError(_("Small letters, digits and _, a letter first: such as bring_a_friend."))
        return key

    def rule(self) -> SchemeRule:
        """
        Raises:
            ValidationError: what does not fit together.
        """
        data = self.cleaned_data
        kind = self.instance.kind if self.instance.version_id else data["kind"]
        try:
            # What the form does not show is kept as it was.
            kept = self.stored.model_dump() if self.stored else {}
            return SchemeRule.model_validate({**kept, **_given(data, self.currency), **self._parts(data), "kind": kind})
        except RuleError as error:
            said = dict.fromkeys(one["msg"].removeprefix("Value error, ") for one in error.errors())
            raise ValidationError([f"{text[:1].upper()}{text[1:]}." for text in said]) from None

    def _parts(self, data: Mapping[str, Any]) -> dict[str, Any]:
        stored = self.stored
        landing = stored.landing.model_dump() if stored else {}
        titles = _by_language(data, "landing_title", landing.get("titles"))
        texts = _by_language(data, "landing_text", landing.get("texts"))
        return {
            "names": _by_language(data, "name", stored.names if stored else {}),
            "landing": {
                **landing, "leads_to": data["landing_leads_to"], "shop_url": data["landing_shop_url"], "titles": titles,
                "texts": texts,
            },
            "variants": variants_given(data["variants"], stored, Shop.objects.get().default_language),
        }  # fmt: skip


def initial_of(rule: SchemeRule | None, currency: str) -> dict[str, Any]:
    """What the fields show of a rule; without one, what a new scheme begins with."""
    is_new, rule = rule is None, rule or SchemeRule(names={"en": "-"}, friend_incentive=1)
    scenario, caps = rule.scenario, rule.caps
    least = getattr(scenario, "least_minor", 0)
    shown = {
        "friend_incentive": None if is_new else rule.friend_incentive,
        "friend_message": rule.friend_message,
        "advocate_message": rule.advocate_message,
        "levels": [
            {"from_count": each.from_count, "incentive": each.incentive_id, "is_once": each.is_once}
            for each in rule.levels
        ],
        "scenario_kind": scenario.kind,
        "scenario_least": money.to_major(least, currency) if least else None,
        "scenario_count": getattr(scenario, "count", None),
        "scenario_activity": getattr(scenario, "activity", ""),
        "segment": rule.segment_id,
        "cap_in_all": caps.in_all, "cap_per_month": caps.per_month, "cap_per_year": caps.per_year,
        "texts": [_share_row(share) for share in rule.texts],
        "landing_leads_to": rule.landing.leads_to, "landing_shop_url": rule.landing.shop_url,
        "variants": variant_rows(rule),
    }  # fmt: skip
    for name in _PLAIN:
        shown[name] = getattr(rule, name)
    for language in rule.landing.titles:
        shown[f"landing_title_{language}"] = rule.landing.titles[language]
    for language in rule.landing.texts:
        shown[f"landing_text_{language}"] = rule.landing.texts[language]
    if not is_new:
        shown |= {f"name_{language}": name for language, name in rule.names.items()}
    return {**shown, **checks.initial_of(None if is_new else rule)}


#: Fields that are the rule's own, under the same name.
_PLAIN = (
    "within_days", "hold_days", "attribution", "link_days", "visit_days", "review_from", "review_days", "at_deadline",
    "claws_back", "experiment",
)  # fmt: skip


def _given(data: Mapping[str, Any], currency: str) -> dict[str, Any]:
    scenario: dict[str, Any] = {"kind": data["scenario_kind"]}
    if scenario["kind"] in ("first_order", "nth_order") and data["scenario_least"]:
        scenario["least_minor"] = money.to_minor(data["scenario_least"], currency)
    if scenario["kind"] == "nth_order":
        scenario["count"] = data["scenario_count"] or 2
    if scenario["kind"] == "activity":
        scenario["activity"] = data["scenario_activity"]
    return {
        **{name: data[name] for name in _PLAIN},
        **{name: data[name] and data[name].pk for name in ("friend_incentive", "friend_message", "advocate_message")},
        "levels": [
            {"from_count": row["from_count"], "incentive_id": row["incentive"].pk, "is_once": row["is_once"]}
            for row in data["levels"]
        ],
        "scenario": scenario,
        "segment_id": data["segment"] and data["segment"].pk,
        "checks": checks.given(data),
        "caps": {name: data[f"cap_{name}"] for name in ("in_all", "per_month", "per_year")},
        "texts": [_share(row) for row in data["texts"]],
    }


def _share_row(share: Any) -> dict[str, Any]:
    row = {"channel": share.channel, "persona": share.persona, "segment": share.segment_id}
    row |= {f"subject_{language}": text for language, text in share.subjects.items()}
    return row | {f"text_{language}": text for language, text in share.texts.items()}


def _share(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "channel": row["channel"],
        "persona": row["persona"],
        "segment_id": row["segment"] and row["segment"].pk,
        "subjects": _by_language(row, "subject"),
        "texts": _by_language(row, "text"),
    }


def _by_language(data: Mapping[str, Any], name: str, kept: Mapping[str, str] | None = None) -> dict[str, str]:
    """The texts of the shop's languages as given; those of other languages as they were."""
    shown = languages()
    others = {language: text for language, text in (kept or {}).items() if language not in shown}
    return others | {language: text for language in shown if (text := data.get(f"{name}_{language}"))}


for _name, _field in checks.fields():
    SchemeForm.declared_fields[_name] = _field
    SchemeForm.base_fields[_name] = _field
