"""The forms of what members get: each puts its rule together as `cleaned_data["rule"]`."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel
from pydantic import ValidationError as RuleError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from loyalty.catalogue import challenge_rule, reward_rule, surprise_rule
from loyalty.models import Challenge, Programme, Reward, Surprise, Tier
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.rewards import RewardRule
from loyalty.rules.surprises import SurpriseRule
from retention import money
from retention.customers.models import ActivityKind
from retention.doors.console import ChosenOrNew
from retention.incentives.forms import SHOWN_FOR, GiftFields
from retention.incentives.forms.parts import problem_words
from retention.incentives.models import Incentive
from retention.messaging.forms import NamesWidget
from retention.segments.models import Segment
from retention.shop.models import Shop

_WEEKDAYS = [
    (0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")),
    (5, _("Saturday")), (6, _("Sunday")),
]  # fmt: skip


def _whole(label: Any, least: int = 1, most: int = 10**9, *, hint: Any = "", **options: Any) -> forms.IntegerField:
    options.setdefault("required", False)
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, help_text=hint, widget=UnfoldAdminIntegerFieldWidget, **options
    )


def _text(label: Any, most: int = 300, *, hint: Any = "", **options: Any) -> forms.CharField:
    options.setdefault("required", False)
    return forms.CharField(
        label=label, max_length=most, help_text=hint, widget=UnfoldAdminTextInputWidget, **options
    )  # fmt: skip


def _switch(label: Any, *, hint: Any = "", initial: bool = False) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, required=False, initial=initial, help_text=hint, widget=UnfoldBooleanSwitchWidget
    )


def _choice(label: Any, choices: Any, *, hint: Any = "", **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, help_text=hint, widget=UnfoldAdminSelectWidget, **options)


def _instant(label: Any, *, hint: Any = "") -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(
        label=label, required=False, help_text=hint, widget=UnfoldAdminSplitDateTimeWidget
    )  # fmt: skip


def _row(label: Any, rows: Any, *, hint: Any = "", required: bool = False) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        rows, label=label, required=required, help_text=hint, widget=UnfoldAdminSelectWidget
    )  # fmt: skip


def _names() -> forms.Field:
    return forms.Field(label=_("Name"), widget=NamesWidget, help_text=_("As customers read it, by language."))


def _descriptions() -> forms.Field:
    return forms.Field(label=_("Description"), required=False, widget=NamesWidget(is_long=True))


def _picture() -> forms.CharField:
    return _text(_("Picture"), hint=_("Its address, beginning with https://."))


def _segment(hint: Any) -> forms.ModelChoiceField:
    return _row(_("Only for the segment"), Segment.objects.filter(archived_at=None).order_by("name"), hint=hint)


def _rewards(label: Any, *, hint: Any = "", required: bool = False) -> forms.ModelChoiceField:
    field = forms.ModelChoiceField(
        Reward.objects.none(), label=label, help_text=hint, required=required,
        widget=ChosenOrNew(Reward, label=_("Write a new reward")),
    )  # fmt: skip
    field.label_from_instance = lambda reward: f"{reward.programme}: {reward}"
    return field


#: What a rule calls otherwise than its form.
FIELDS = {
    "starts_at": "starts", "ends_at": "ends", "incentive_id": "given", "segment_id": "segment", "reward_id": "reward",
    "chance": "percent", "amount_minor": "count", "least_minor": "least",
}  # fmt: skip


class RuleForm(forms.ModelForm):
    """A form over a rule: `said` makes the rule of what was typed, `shown` the other way round."""

    rule_class: ClassVar[type[BaseModel]]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "programme" in self.fields:
            programmes = self.fields["programme"].queryset = Programme.objects.filter(archived_at=None)
            if len(only := programmes[:2]) == 1:
                self.fields["programme"].initial = only[0]
        if "reward" in self.fields:
            rewards = Reward.objects.filter(archived_at=None).select_related("programme")
            rewards = rewards.filter(programme=self.instance.programme_id) if self.instance.pk else rewards
            self.fields["reward"].queryset = rewards.order_by("programme__name", "name")
        if self.instance.pk and self.instance.version_id:
            self.initial |= self.shown()

    def said(self, typed: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def shown(self) -> dict[str, Any]:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        reward, programme = typed.get("reward"), typed.get("programme")
        if reward and programme and reward.programme_id != programme.pk:
            self.add_error("reward", _("It is a reward of another programme."))
        if self.errors:
            return typed
        try:
            typed["rule"] = self.rule_class.model_validate(self.said(typed))
        except RuleError as error:
            for one in error.errors():
                self.add_error(self._field_of(one["loc"]), problem_words(one))
        return typed

    def _field_of(self, loc: tuple[Any, ...]) -> str | None:
        """The field beside which something wrong with the rule is said."""
        names = (FIELDS.get(part, part) for part in reversed(loc))
        return next((name for name in names if name in self.fields), None)

    def _get_validation_exclusions(self) -> set[str]:
        # The database's rules are said by the rule itself, in words.
        return {field.name for field in self._meta.model._meta.get_fields()}


#: The fields of a new gift, where nothing that is there already is chosen.
NEW_GIFT = {name: f"given == '' && ({shown})" for name, shown in SHOWN_FOR.items()}


class RewardForm(RuleForm, GiftFields):
    rule_class = RewardRule

    names = _names()
    descriptions = _descriptions()
    kind = _choice(_("Kind"), Reward.Kind.choices)
    given = _row(
        _("What it gives"), None,
        hint=_("Something new is said below and becomes an incentive, whose own page can say more of it. Or choose one"
               " that is there already; a draft goes live with the reward."),
    )  # fmt: skip
    price = _whole(_("Price"), 0, 10**12, required=True, hint=_("In the programme's unit; 0 costs nothing."))
    stock = _whole(_("Stock"), 0, hint=_("Empty: as many as are wanted."))
    per_customer = _whole(_("Most for each member"), hint=_("Empty: no limit."))
    within = _choice(
        _("Within"),
        [
            ("life", _("all time")), ("day", _("a day")), ("week", _("a week")), ("month", _("a month")),
            ("year", _("a year")),
        ],
    )  # fmt: skip
    starts = _instant(_("From"))
    ends = _instant(_("Until"))
    tiers = forms.MultipleChoiceField(
        label=_("Only for tiers"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen: for every member."),
    )  # fmt: skip
    segment = _segment(_("Others do not see it."))
    categories = _text(
        _("Goes with categories"), 2_000, hint=_("With commas between; who likes them is shown it first.")
    )
    image_url = _picture()
    gives_back = _switch(_("Its points come back when it is returned"), initial=True)
    is_in_catalogue = _switch(
        _("In the catalogue"), initial=True, hint=_("Otherwise it is only given: by milestones, challenges, surprises.")
    )

    class Meta:
        model = Reward
        fields = ("programme",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        hers = self.instance.incentive_id if self.instance.pk else None
        usable = Q(archived_at=None, code_kind="unique") & ~Q(state="stopped")
        self.fields["given"].queryset = Incentive.objects.filter(usable | Q(pk=hers)).order_by("name")
        self.fields["given"].empty_label = _("something new")
        tiers = Tier.objects.filter(archived_at=None).select_related("programme").order_by("programme__name", "rank")
        if self.instance.pk:
            tiers = tiers.filter(programme=self.instance.programme_id)
        self.fields["tiers"].choices = [
            (tier.key, tier.name if self.instance.pk else f"{tier.programme}: {tier.name}") for tier in tiers
        ]
        if not self.fields["tiers"].choices:
            self.fields["tiers"].widget = forms.MultipleHiddenInput()

    def said(self, typed: dict[str, Any]) -> dict[str, Any]:
        same = (
            "names", "kind", "price", "stock", "per_customer", "within", "tiers", "image_url", "gives_back",
            "is_in_catalogue",
        )  # fmt: skip
        return {
            **{name: typed[name] for name in same}, "descriptions": typed["descriptions"] or {},
            "incentive_id": typed["given"].pk if typed["given"] else 0,
            "segment_id": typed["segment"].pk if typed["segment"] else None,
            "starts_at": typed["starts"], "ends_at": typed["ends"], "categories": _parts(typed["categories"]),
        }  # fmt: skip

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        typed["gives"] = None
        if not self.errors and not typed["given"]:
            name = typed["names"].get((Shop.objects.first() or Shop()).default_language)
            typed["gives"] = self.gift(kind=typed["kind"], name=name or next(iter(typed["names"].values())))
        return typed

    def shown(self) -> dict[str, Any]:
        rule = reward_rule(self.instance.version_id)
        return {
            **rule.model_dump(), "given": rule.incentive_id, "segment": rule.segment_id, "starts": rule.starts_at,
            "ends": rule.ends_at, "categories": ", ".join(rule.categories),
        }  # fmt: skip


class ChallengeForm(RuleForm):
    rule_class = ChallengeRule

    names = _names()
    descriptions = _descriptions()
    image_url = _picture()
    task = _choice(
        _("What counts"),
        [
            ("orders", _("orders")), ("spend", _("money spent")), ("products", _("different products")),
            ("categories", _("different categories")), ("activities", _("activities of a kind")),
        ],
    )  # fmt: skip
    count = _whole(
        _("How many"), hint=_("Of money: the amount in the shop's currency, without decimal places."), required=True
    )
    least = _whole(_("Orders of at least"), 0, hint=_("In the shop's currency."))
    paths = _text(_("Only of categories"), 2_000, hint=_("Of products; with commas between. Empty: all."))
    activity = _choice(_("Activity"), [], required=False)
    field = _text(_("Only where"), 60, hint=_("A property of the activity, such as rating."))
    value = _text(_("is"), 200)
    within_days = _whole(_("Within so many days"), 1, 366, hint=_("Whichever days. Empty: within the whole time."))
    starts = _instant(_("From"), hint=_("Empty: from when it is started."))
    ends = _instant(_("Until"))
    segment = _segment(_("Of those who are in it; empty: every member."))
    badge = _switch(_("A badge"), initial=True)
    reward = _rewards(_("A reward"))
    points = _whole(_("Points"))

    class Meta:
        model = Challenge
        fields = ("programme",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["activity"].choices = [("", "–"), *ActivityKind.objects.values_list("key", "label")]

    def said(self, typed: dict[str, Any]) -> dict[str, Any]:
        same = ("names", "image_url", "within_days", "badge", "points")
        return {
            **{name: typed[name] for name in same}, "descriptions": typed["descriptions"] or {},
            "task": _task(typed), "starts_at": typed["starts"], "ends_at": typed["ends"],
            "segment_id": typed["segment"].pk if typed["segment"] else None,
            "reward_id": typed["reward"].pk if typed["reward"] else None,
        }  # fmt: skip

    def shown(self) -> dict[str, Any]:
        rule = challenge_rule(self.instance.version_id)
        task = rule.task.model_dump()
        whole = {"count": task.get("count")}
        if task["kind"] == "spend":
            whole = {"count": task["amount_minor"] // _minor()}
        return {
            **rule.model_dump(exclude={"task"}), **whole, "task": task["kind"],
            "least": task.get("least_minor", 0) // _minor() or None, "paths": ", ".join(task.get("categories", ())),
            **{name: task.get(name, "") for name in ("activity", "field", "value")}, "segment": rule.segment_id,
            "reward": rule.reward_id, "starts": rule.starts_at, "ends": rule.ends_at,
        }  # fmt: skip


class SurpriseForm(RuleForm):
    rule_class = SurpriseRule

    names = _names()
    reward = _rewards(_("What is given"), required=True, hint=_("For nothing, whatever it costs in the catalogue."))
    drawn = _choice(
        _("Drawn"), [("day", _("each member on each day")), ("order", _("each order as it is paid"))], initial="day"
    )
    percent = forms.DecimalField(
        label=_("Chance of each, in percent"), min_value=0, max_value=100, max_digits=5,
        decimal_places=2, widget=UnfoldAdminTextInputWidget,
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"), required=False, coerce=int, choices=_WEEKDAYS, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen: every day."),
    )  # fmt: skip
    segment = _segment(_("Of those who are in it; empty: every member."))
    rest_days = _whole(
        _("Who won rests for so many days"), 0, 3650, initial=30, required=True,
    )  # fmt: skip
    most = _whole(_("At most in all"))
    most_a_month = _whole(_("At most a month"))
    most_a_day = _whole(_("At most a day"), hint=_("One of the three is needed: chance alone is no limit."))

    class Meta:
        model = Surprise
        fields = ("programme",)

    _LIMITS: ClassVar = {"most": "life", "most_a_month": "month", "most_a_day": "day"}

    def said(self, typed: dict[str, Any]) -> dict[str, Any]:
        limits = [
            {"issued": typed[name], "within": within} for name, within in self._LIMITS.items() if typed[name]
        ]  # fmt: skip
        return {
            "names": typed["names"], "reward_id": typed["reward"].pk, "drawn": typed["drawn"],
            "chance": int(typed["percent"] * 100),
            "weekdays": typed["weekdays"], "segment_id": typed["segment"].pk if typed["segment"] else None,
            "rest_days": typed["rest_days"], "limits": {"limits": limits},
        }  # fmt: skip

    def shown(self) -> dict[str, Any]:
        rule = surprise_rule(self.instance.version_id)
        limits = {limit.within: limit.issued for limit in rule.limits.limits}
        return {
            **rule.model_dump(exclude={"limits"}), "reward": rule.reward_id, "segment": rule.segment_id,
            "percent": rule.chance / 100, **{name: limits.get(within) for name, within in self._LIMITS.items()},
        }  # fmt: skip


def _task(typed: dict[str, Any]) -> dict[str, Any]:
    """What counts, of the fields that are about it."""
    match typed["task"]:
        case "spend":
            return {"kind": "spend", "amount_minor": typed["count"] * _minor()}
        case "orders":
            return {"kind": "orders", "count": typed["count"], "least_minor": (typed["least"] or 0) * _minor()}
        case "products":
            return {"kind": "products", "count": typed["count"], "categories": _parts(typed["paths"])}
        case "activities":
            more = {name: typed[name] for name in ("activity", "field", "value")}
            return {"kind": "activities", "count": typed["count"], **more}
        case kind:
            return {"kind": kind, "count": typed["count"]}


def _minor() -> int:
    """Minor units of one of the base currency."""
    shop = Shop.objects.first()
    return 10 ** money.digits(shop.currency) if shop else 100


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
