"""The forms of a programme: its rule in the builder, what a new one begins with, and a basket to try."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from loyalty import vocabulary
from loyalty.models import Programme, Reward
from loyalty.operations.perks import perk_problems
from loyalty.rules import ProgrammeRule, TierRules
from loyalty.rules.tiers import TierStep
from loyalty.sentences import Teller
from loyalty.tellers import Tellers
from loyalty.trying import TriedBasket, TriedLine, as_order, try_order
from loyalty.versions import rule_of
from retention import money
from retention.customers.models import ActivityKind, Product
from retention.incentives.facts import shop_currency
from retention.incentives.forms import Editor, PartField, words
from retention.incentives.forms.trying import TryForm
from retention.incentives.models import Incentive
from retention.money import to_major

#: Where a closed list is short enough to be sent at once.
MOST = 500

words.learn(
    kinds=vocabulary.KINDS,
    fields=vocabulary.FIELDS,
    choices=vocabulary.CHOICES,
    first=vocabulary.FIRST,
    shown_if=vocabulary.SHOWN_IF,
    items=vocabulary.ITEMS,
    picked=vocabulary.PICKED,
)


def sentences(rule: ProgrammeRule, teller: Teller) -> list[str]:
    """The earning rules, on what and when it counts, and what tiers there are."""
    said = [*(each.sentence(teller) for each in rule.earning), *rule.when_sentences(teller)]
    if rule.tiers.steps:
        named = teller.listed(_named(step, rule.tiers, teller) for step in rule.tiers.steps)
        said.append(": ".join([named, "; ".join(rule.tiers.sentences(teller))]))
    return [capfirst(each) for each in said]


def _named(step: TierStep, rules: TierRules, teller: Teller) -> str:
    """`Gold (€1,000.00)`: what it takes is said as it is counted."""
    name = teller.tier(step.key)
    if not step.threshold:
        return name
    shown = {"points": teller.amount, "spend": teller.money}.get(rules.measure, str)(step.threshold)
    return f"{name} ({shown})"


def said(rule: ProgrammeRule, teller: Teller) -> str:
    return " ".join(f"{each}." for each in sentences(rule, teller))


def example_basket() -> TriedBasket:
    """Some products of the shop, as many as come to something."""
    currency = shop_currency()
    found = Product.objects.filter(archived_at=None, currency=currency, price_minor__gt=0).order_by("pk")[:3]
    return TriedBasket(currency, [TriedLine(one.sku, n, one.price_minor) for n, one in enumerate(found, start=1)])


def _sets() -> dict[str, list[tuple[str, str]]]:
    def pairs(rows: Any, *names: str) -> list[tuple[str, str]]:
        return [(str(key), str(label)) for key, label in rows.values_list(*names)[:MOST]]

    rewards = Reward.objects.filter(archived_at=None).values_list("pk", "programme__name", "name")
    shown = rewards.order_by("programme__name", "name")[:MOST]
    return {
        "activity_kinds": pairs(ActivityKind.objects.order_by("label"), "key", "label"),
        "automatic_offers": pairs(
            Incentive.objects.filter(archived_at=None, code_kind="automatic").order_by("name"), "pk", "name"
        ),
        "incentives": pairs(
            Incentive.objects.filter(archived_at=None, code_kind="unique").order_by("name"), "pk", "name"
        ),
        # Programmes may have rewards of one name.
        **dict.fromkeys(("rewards", "chosen_rewards"), [(str(pk), f"{whose}: {name}") for pk, whose, name in shown]),
        "weekdays_from_nought": [(str(day), str(name)) for day, name in WEEKDAYS.items()],
    }


def _makes(programme_id: int | None) -> dict[str, tuple[str, str]]:
    """Where what tiers and milestones give is written, in a few words, while the programme stays open."""
    reward, gift = reverse("admin:loyalty_reward_add"), reverse("admin:incentives_incentive_add")
    return {
        "rewards": (str(_("Write a new reward")), f"{reward}?programme={programme_id or ''}"),
        "incentives": (str(_("Write something new")), f"{gift}?gift="),
    }


class ProgrammeEditor(Editor[ProgrammeRule]):
    """Speaks of the programme that is edited: in its unit, and of offers for its tiers."""

    def misfits(self, part: ProgrammeRule, row_id: int | None) -> dict[str, list[str]]:
        key = Programme.objects.filter(pk=row_id).values_list("key", flat=True).first()
        found = perk_problems(key, part.tiers) if key else {}
        return {place: [str(problem)] for place, problem in found.items()}

    def say(self, part: ProgrammeRule, row_id: int | None) -> str:
        return said(part, _teller(part, row_id))

    def show(self, part: ProgrammeRule, row_id: int | None, now: dt.datetime) -> str:
        basket = example_basket()
        if not basket.lines:
            return ""
        tried = try_order(part, as_order(basket, customer_id=0, now=now), teller=_teller(part, row_id))
        return render_to_string("loyalty/tried.html", {"tried": tried, "basket": basket})


def _teller(rule: ProgrammeRule, programme_id: int | None) -> Teller:
    programme = Programme.objects.select_related("unit").filter(pk=programme_id).first()
    return Tellers().of(programme, rule) if programme else Tellers().plain


RULE = ProgrammeEditor(
    ProgrammeRule,
    key="programme",
    sections=(
        (_("Programme"), ("names", "joining", "look_back_days")),
        (_("Earning"), ("earning", "matching", "earns_on")),
        (_("When it counts"), ("pending", "returns", "expires_after_inactive_days")),
        (_("Tiers"), ("tiers",)),
        (_("Milestones"), ("milestones",)),
    ),
    says=lambda rule: said(rule, Tellers().plain),
    blank={"names": {}, "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}]},
    sets=_sets,
    makes=_makes,
    is_tabbed=True,
)


class ProgrammeForm(forms.ModelForm):
    """Everything of a rule, in one field that the builder draws."""

    rule = PartField(RULE, label=_("Rule"))

    class Meta:
        model = Programme
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        version_id = instance.version_id if instance is not None else None
        start = {"rule": RULE.typed(rule_of(version_id) if version_id else None)}
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)
        if "rule" in self.fields:
            self.fields["rule"].widget.row_id = instance.pk if instance is not None else None  # type: ignore[attr-defined]


class TryProgrammeForm(TryForm):
    """A basket, or an order of the shop's, and whose it is, to see what it would earn."""

    is_together = codes = country = region = store = None  # type: ignore[assignment]
    lines = forms.CharField(
        label=_("Basket"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("A product a line: SKU, quantity, price."),
    )  # fmt: skip
    order = forms.CharField(
        label=_("Or an order"), required=False, max_length=100, widget=UnfoldAdminTextInputWidget,
        help_text=_("Its number; it is tried as if it were paid now."),
    )  # fmt: skip
    tier = forms.CharField(
        label=_("Tier"), required=False, max_length=40, widget=UnfoldAdminTextInputWidget,
        help_text=_("By its key. Empty: the customer's own."),
    )  # fmt: skip

    by_balance = forms.DecimalField(
        label=_("Paid with points or credit"), required=False, min_value=0, max_value=10**6,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    by_card = forms.DecimalField(
        label=_("Paid with gift cards"), required=False, min_value=0, max_value=10**6,
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        for name in ("by_balance", "by_card"):
            try:
                given[f"{name}_minor"] = money.to_minor(given.get(name) or 0, given.get("currency", ""))
            except money.BadMoney as bad:
                self.add_error(name, str(bad))
        return given

    def clean_country(self) -> str:
        return ""

    def clean_codes(self) -> list[str]:
        return []

    def basket(self) -> TriedBasket:
        given = self.cleaned_data
        return TriedBasket(
            currency=given["currency"],
            lines=[TriedLine(sku, count, price) for sku, count, price, _is_sale in given["goods"]],
            shipping_minor=given["shipping_minor"],
            by_card_minor=given["by_card_minor"],
            by_balance_minor=given["by_balance_minor"],
            channel=given["channel"],
            payment_method=given["payment_method"],
        )


def example_try() -> dict[str, str]:
    """What the panel begins with."""
    basket = example_basket()
    lines = [f"{one.sku}, {one.quantity}, {to_major(one.unit_price_minor, basket.currency):f}" for one in basket.lines]
    return {"lines": "\n".join(lines) or "SKU-1, 2, 19.99", "currency": basket.currency}
