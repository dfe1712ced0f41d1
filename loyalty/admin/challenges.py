"""The console's pages of challenges, of who did them, and of surprises."""

from __future__ import annotations

from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from loyalty.admin.forms import FIELDS, ChallengeForm, SurpriseForm
from loyalty.admin.rewards import STATES
from loyalty.catalogue import challenge_rule, surprise_rule
from loyalty.models import Challenge, Claim, Completion, Surprise
from loyalty.operations import challenges, surprises
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.surprises import SurpriseRule
from loyalty.tellers import teller_of
from retention import clock
from retention.doors.console import ConfirmForm, DaysFilter, EditAdmin, FactAdmin, VersionHistory, acting, button
from retention.refusals import Refusal


class _StartStop(VersionHistory, EditAdmin):
    """What is written, started and stopped; its programme stays."""

    list_filter = ["state", "programme"]
    search_fields = ["name__istartswith"]
    list_select_related = ["programme", "version"]
    actions_detail = ["start", "stop"]
    version_fields = FIELDS

    def get_readonly_fields(self, request, obj=None):
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may_edit:
            return ["programme", "said", "so_far"]
        return ["programme", "so_far"] if obj else ["so_far"]

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets[1:]
        may_edit = self.has_change_permission(request, obj)
        return fieldsets if may_edit else [(None, {"fields": ["programme", "said", "so_far"]})]

    def buttons_of(self, obj):
        return ["stop"] if obj.state == "live" else ["start"]

    @display(description=_("State"), label=STATES, ordering="state")
    def shown_state(self, row):
        return row.state, row.get_state_display()


@admin.register(Challenge)
class ChallengeAdmin(_StartStop):
    form = ChallengeForm
    list_display = ["shown_name", "shown_state", "so_far", "ends_at", "programme"]
    empty_hint = _("A challenge is so many of something within a time, for a badge, a reward or points.")
    conditional_fields = {
        "least": "task == 'orders'",
        "paths": "task == 'products'",
        **dict.fromkeys(("activity", "field", "value"), "task == 'activities'"),
    }
    fieldsets = [
        (None, {"fields": ["so_far"]}),
        (None, {"fields": ["programme", "names", "descriptions", "image_url"]}),
        (
            _("What is to be done"),
            {"fields": [("task", "count"), ("least", "paths"), "activity", ("field", "value"), "within_days"]},
        ),
        (_("For whom and when"), {"fields": ["starts", "ends", "segment"]}),
        (_("What it brings"), {"fields": ["badge", ("reward", "points")]}),
    ]

    def operate(self, request, form, formsets, change):
        rule, why = form.cleaned_data["rule"], form.cleaned_data["why"]
        if not change:
            programme = form.cleaned_data["programme"]
            return challenges.create_challenge(programme_id=programme.pk, rule=rule, why=why, **acting(request))
        return challenges.save_challenge(
            challenge_id=form.instance.pk, rule=rule, edited=form.cleaned_data["edited"], why=why, **acting(request)
        )

    def restore(self, request, obj, data, edited, why):
        rule = ChallengeRule.model_validate(data)
        challenges.save_challenge(challenge_id=obj.pk, rule=rule, edited=edited, why=why, **acting(request))

    start = button(
        challenges.start_challenge,
        of="challenge_id",
        done=_("What members do from now on counts."),
        title=_("Start this challenge"),
        description=_("What members did before does not count."),
        submit=_("Start"),
        button=_("Start"),
        permissions=["loyalty.change_challenge"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    stop = button(
        challenges.stop_challenge,
        of="challenge_id",
        done=_("Nobody does it any more."),
        title=_("Stop this challenge"),
        description=_("Badges stay. Started again, what members did meanwhile counts too."),
        submit=_("Stop"),
        button=_("Stop"),
        permissions=["loyalty.change_challenge"],
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )

    @display(description=_("Challenge"), header=True, ordering="name")
    def shown_name(self, challenge):
        return challenge.name, self.said(challenge)

    @admin.display(description=_("What is to be done"))
    def said(self, challenge):
        return capfirst(challenge_rule(challenge.version_id).sentence(teller_of(challenge.programme)))

    @admin.display(description=_("Did it"))
    def so_far(self, challenge):
        return f"{challenge.completions.count():,}" if challenge.pk else "—"


@admin.register(Completion)
class CompletionAdmin(FactAdmin):
    list_display = ["challenge", "customer", "has_badge", "shown_state", "completed_at"]
    list_filter = ["state", ["challenge", AutocompleteSelectFilter], ["completed_at", DaysFilter]]
    search_fields = ["member__customer__email_normal__exact", "member__customer__reference__exact"]
    search_help_text = _("Email or reference of the customer, whole")
    list_select_related = ["challenge", "member__customer"]
    fields = ["challenge", "customer", "has_badge", "claim", "grant", "state", "why", "completed_at"]
    readonly_fields = ["customer", "why"]
    labels = {"completed_at": _("Done")}
    empty_hint = _("Who did which challenge, and what it brought.")

    @admin.display(description=_("Customer"))
    def customer(self, completion):
        return completion.member.customer

    @admin.display(description=_("Could not be given"))
    def why(self, completion):
        return str(Refusal(completion.refusal)) if completion.refusal else "—"

    @display(description=_("State"), label={"due": "info", "done": "success", "refused": "danger"})
    def shown_state(self, completion):
        return completion.state, completion.get_state_display()


class StartForm(ConfirmForm):
    def preview(self) -> str:
        count = len(surprises.winners(self.obj, now=clock.now()))
        return _("Drawn today, %(count)s members would win, as far as the budget and the stock go.") % {"count": count}


@admin.register(Surprise)
class SurpriseAdmin(_StartStop):
    form = SurpriseForm
    list_display = ["shown_name", "shown_state", "so_far", "drawn_on", "programme"]
    empty_hint = _("A surprise is a reward for some members, drawn every day, within a budget.")
    fieldsets = [
        (None, {"fields": ["so_far"]}),
        (None, {"fields": ["programme", "names", "reward"]}),
        (_("Who and when"), {"fields": ["drawn", "percent", "weekdays", "segment", "rest_days"]}),
        (_("How many"), {"fields": [("most", "most_a_month", "most_a_day")]}),
    ]

    def operate(self, request, form, formsets, change):
        rule, why = form.cleaned_data["rule"], form.cleaned_data["why"]
        if not change:
            programme = form.cleaned_data["programme"]
            return surprises.create_surprise(programme_id=programme.pk, rule=rule, why=why, **acting(request))
        return surprises.save_surprise(
            surprise_id=form.instance.pk, rule=rule, edited=form.cleaned_data["edited"], why=why, **acting(request)
        )

    def restore(self, request, obj, data, edited, why):
        rule = SurpriseRule.model_validate(data)
        surprises.save_surprise(surprise_id=obj.pk, rule=rule, edited=edited, why=why, **acting(request))

    start = button(
        surprises.start_surprise,
        of="surprise_id",
        done=_("It is drawn with the next draw."),
        title=_("Start this surprise"),
        description=_("The same members win however often a day is drawn."),
        submit=_("Start"),
        button=_("Start"),
        permissions=["loyalty.change_surprise"],
        form_class=StartForm,
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    stop = button(
        surprises.stop_surprise,
        of="surprise_id",
        done=_("It is drawn no more."),
        title=_("Stop this surprise"),
        description=_("What was won stays."),
        submit=_("Stop"),
        button=_("Stop"),
        permissions=["loyalty.change_surprise"],
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )

    @display(description=_("Surprise"), header=True, ordering="name")
    def shown_name(self, surprise):
        return surprise.name, self.said(surprise)

    @admin.display(description=_("What happens"))
    def said(self, surprise):
        return surprise_rule(surprise.version_id).sentence()

    @admin.display(description=_("Given"))
    def so_far(self, surprise):
        return (
            f"{Claim.objects.filter(origin=surprises.ORIGIN, origin_id=surprise.pk).count():,}" if surprise.pk else "—"
        )
