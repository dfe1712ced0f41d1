"""The console's pages of rewards, of what was claimed of them, and of milestones that were passed."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from loyalty.admin.forms import FIELDS, NEW_GIFT, RewardForm
from loyalty.catalogue import reward_rule, reward_rules
from loyalty.models import Claim, Passing, Reward, RewardCount
from loyalty.operations import claims, milestones, rewards
from loyalty.operations.milestones import milestone_of
from loyalty.rules.rewards import RewardRule
from loyalty.versions import rule_of
from retention.doors.console import (
    ConfirmForm,
    DaysFilter,
    EditAdmin,
    FactAdmin,
    VersionHistory,
    acting,
    button,
    confirm,
)
from retention.doors.console.words import behalf
from retention.incentives.rules import sentence
from retention.incentives.versions import rule_of as incentive_rule
from retention.ledger.versions import rule_of as unit_rule
from retention.refusals import Refusal

STATES = {"draft": "info", "live": "success", "stopped": "danger"}


class ReasonForm(ConfirmForm):
    reason = forms.CharField(
        label=_("Why"), max_length=120, widget=UnfoldAdminTextInputWidget, help_text=_("It stays for good: no names.")
    )


@admin.register(Reward)
class RewardAdmin(VersionHistory, EditAdmin):
    form = RewardForm
    list_display = ["shown_name", "shown_state", "kind", "shown_price", "shown_stock", "programme"]
    list_filter = ["state", "kind", "programme"]
    search_fields = ["name__istartswith"]
    list_select_related = ["programme__unit", "version"]
    readonly_fields = ["overview"]
    actions_detail = ["start", "stop"]
    empty_hint = _("A reward is what members get for their points: a coupon, a card, a sample, an evening, a tree.")
    fieldsets = [
        (None, {"fields": ["overview"]}),
        (None, {"fields": ["programme", "names", "descriptions", "image_url"]}),
        (
            _("What it is"),
            {"fields": [("kind", "given"), "off", "percent", "amount", "product", "work", "days"]},
        ),
        (_("What it costs"), {"fields": [("price", "gives_back")]}),
        (_("How many"), {"fields": ["stock", ("per_customer", "within")]}),
        (_("For whom and when"), {"fields": ["is_in_catalogue", "starts", "ends", "tiers", "segment", "categories"]}),
    ]

    conditional_fields = NEW_GIFT
    version_fields = FIELDS

    class Media:
        css = {"all": ["incentives/incentives.css"]}

    def operate(self, request, form, formsets, change):
        said = {name: form.cleaned_data[name] for name in ("rule", "gives", "why")}
        if not change:
            programme = form.cleaned_data["programme"]
            return rewards.create_reward(programme_id=programme.pk, **said, **acting(request))
        edited = form.cleaned_data["edited"]
        return rewards.save_reward(reward_id=form.instance.pk, edited=edited, **said, **acting(request))

    def restore(self, request, obj, data, edited, why):
        rule = RewardRule.model_validate(data)
        rewards.save_reward(reward_id=obj.pk, rule=rule, edited=edited, why=why, **acting(request))

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets[1:]
        return fieldsets if self.has_change_permission(request, obj) else fieldsets[:1]

    def get_readonly_fields(self, request, obj=None):
        return ["overview", "programme"] if obj else ["overview"]

    def buttons_of(self, obj):
        return ["stop"] if obj.state == Reward.State.LIVE else ["start"]

    start = button(
        rewards.start_reward,
        of="reward_id",
        done=_("Members can have it now."),
        title=_("Start this reward"),
        description=_("Members see it and can take it. If what it gives is a draft, that goes live too."),
        submit=_("Start"),
        button=_("Start"),
        permissions=["loyalty.change_reward"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    stop = button(
        rewards.stop_reward,
        of="reward_id",
        done=_("Nobody gets it any more."),
        title=_("Stop this reward"),
        description=_("It leaves the catalogue; milestones, challenges and surprises do not give it either."
                      " What was claimed stays."),
        submit=_("Stop"),
        button=_("Stop"),
        permissions=["loyalty.change_reward"],
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )  # fmt: skip

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        shown = list(changelist.result_list)
        reward_rules(one.version_id for one in shown if one.version_id)
        counts = RewardCount.objects.filter(member=None, reward__in=[one.pk for one in shown])
        taken = dict(counts.values_list("reward", "taken"))
        for one in changelist.result_list:
            one.taken = taken.get(one.pk, 0)
        return changelist

    @admin.display(description="")
    def overview(self, reward):
        rule = reward_rule(reward.version_id)
        taken = RewardCount.objects.filter(reward=reward, member=None).values_list("taken", flat=True).first() or 0
        return render_to_string(
            "loyalty/reward.html",
            {
                "reward": reward, "rule": rule, "taken": taken,
                "price": unit_rule(reward.programme.unit).show(rule.price),
                "gives": sentence(incentive_rule(reward.incentive.version_id)), "sentences": _limits(reward),
                "share": min(100, 100 * taken // rule.stock) if rule.stock else 0,
                "left": None if rule.stock is None else max(0, rule.stock - taken),
                "claims": reward.claims.select_related("member__customer").order_by("-pk")[:5],
            },
        )  # fmt: skip

    @display(description=_("Reward"), header=True, ordering="name")
    def shown_name(self, reward):
        return reward.name, ", ".join(_limits(reward))

    @display(description=_("State"), label=STATES, ordering="state")
    def shown_state(self, reward):
        return reward.state, reward.get_state_display()

    @display(description=_("Price"), ordering="price")
    def shown_price(self, reward):
        return unit_rule(reward.programme.unit).show(reward.price)

    @display(description=_("Taken"))
    def shown_stock(self, reward):
        stock = reward_rule(reward.version_id).stock
        return f"{reward.taken:,}" if stock is None else _("%(taken)s of %(stock)s") % {
            "taken": f"{reward.taken:,}", "stock": f"{stock:,}",
        }  # fmt: skip


@admin.register(Claim)
class ClaimAdmin(FactAdmin):
    list_display = ["reward", "customer", "paid", "shown_state", "claimed_at"]
    list_filter = ["state", ["reward", AutocompleteSelectFilter], ["claimed_at", DaysFilter]]
    search_fields = ["member__customer__email_normal__exact", "member__customer__reference__exact"]
    search_help_text = _("Email or reference of the customer, whole")
    list_select_related = ["reward__programme__unit", "member__customer"]
    fields = ["reward", "customer", "paid", "because", "grant", "state", "claimed_at", "ended_at"]
    readonly_fields = ["customer", "paid", "because"]
    labels = {"claimed_at": _("Claimed"), "ended_at": _("Returned")}
    empty_hint = _("What members took for their points, and what milestones, challenges and surprises gave them.")
    actions_detail = ["give_back"]

    def buttons_of(self, obj):
        return None if obj.state == Claim.State.CLAIMED else []

    give_back = button(
        claims.return_claim,
        of="claim_id",
        takes=["reason"],
        done=_("It was taken back."),
        title=_("Take this reward back"),
        description=_("Only before it is used. Its points come back with the ends they had, where the reward says so."),
        submit=_("Take back"),
        button=_("Take back"),
        permissions=["loyalty.return_claim"],
        form_class=ReasonForm,
        icon="undo",
    )

    @admin.display(description=_("Customer"))
    def customer(self, claim):
        return claim.member.customer

    @admin.display(description=_("Paid"))
    def paid(self, claim):
        return unit_rule(claim.reward.programme.unit).show(claim.price) if claim.price else _("nothing")

    @admin.display(description=_("Because of"))
    def because(self, claim):
        return behalf(claim.origin, claim.origin_id) if claim.origin else _("She took it")

    @display(description=_("State"), label={"claimed": "success", "returned": "danger"})
    def shown_state(self, claim):
        return claim.state, claim.get_state_display()


@admin.register(Passing)
class PassingAdmin(FactAdmin):
    list_display = ["called", "customer", "programme", "shown_state", "passed_at"]
    list_filter = ["state", ["passed_at", DaysFilter]]
    search_fields = ["member__customer__email_normal__exact", "member__customer__reference__exact"]
    search_help_text = _("Email or reference of the customer, whole")
    list_select_related = ["member__customer", "member__programme", "claim__reward"]
    fields = [
        "called",
        "times",
        "customer",
        "programme",
        "state",
        "why",
        "choose_until",
        "claim",
        "passed_at",
        "ended_at",
    ]
    readonly_fields = ["called", "customer", "programme", "why"]
    labels = {"passed_at": _("Passed"), "choose_until": _("May choose until"), "ended_at": _("Settled")}
    empty_hint = _("Milestones that members passed, what they brought, and choices that are open.")
    actions_detail = ["again"]

    def buttons_of(self, obj):
        return None if obj.state == Passing.State.REFUSED else []

    @confirm(
        title=_("Give it again"),
        description=_("It is given with the next run, such as after the stock was filled up."),
        submit=_("Give again"),
        permissions=["loyalty.return_claim"],
        icon="redo",
    )
    def again(self, request, form, obj):
        milestones.give_again(passing=obj.public_id, **acting(request))
        return _("It is due again.")

    @admin.display(description=_("Milestone"))
    def called(self, passing):
        milestone = milestone_of(passing)
        return rewards.named(milestone.names, "") if milestone else passing.milestone

    @admin.display(description=_("Customer"))
    def customer(self, passing):
        return passing.member.customer

    @admin.display(description=_("Programme"))
    def programme(self, passing):
        return passing.member.programme

    @admin.display(description=_("Could not be given"))
    def why(self, passing):
        return str(Refusal(passing.refusal)) if passing.refusal else "—"

    @display(
        description=_("State"),
        label={
            "due": "info", "open": "info", "given": "success", "lapsed": "warning", "refused": "danger",
            "before": "warning",
        },
    )  # fmt: skip
    def shown_state(self, passing):
        return passing.state, passing.get_state_display()


def _limits(reward: Reward) -> list[str]:
    """What limits it, in words, with the names of its tiers."""
    steps = rule_of(reward.programme.version_id).tiers.steps
    named = {step.key: step.name(get_language() or "", "") for step in steps}
    return reward_rule(reward.version_id).sentences(named)
