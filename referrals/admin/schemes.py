"""The list and editor of schemes, their buttons, the gallery of ready ones, and what the form says as it stands."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from referrals import operations
from referrals.admin import checks
from referrals.admin.forms import SchemeForm, languages
from referrals.models import Scheme
from referrals.operations.ready import create_from_ready
from referrals.ready import READY
from referrals.rules import SchemeRule
from referrals.sentences import given_words, summary
from referrals.sharing import check_words, shared
from referrals.versions import rule_of
from retention.doors.console import EditAdmin, VersionHistory, acting, button
from retention.doors.console.sentences import messages_of
from retention.refusals import Refused
from retention.shop.models import Shop

TONES = {"draft": "info", "live": "success", "paused": "warning", "ended": "default"}
BUTTONS = {
    "draft": ("launch",),
    "live": ("pause", "end"),
    "paused": ("resume", "end"),
    "ended": (),
}


@admin.register(Scheme)
class SchemeAdmin(VersionHistory, EditAdmin):
    form = SchemeForm
    list_display = ("name", "shown_state", "kind", "what", "launched_at")
    list_filter = ("state", "kind")
    search_fields = ("name__istartswith", "key__istartswith")
    list_select_related = ("version",)
    list_before_template = "referrals/to_gallery.html"
    change_form_before_template = "referrals/summary.html"
    actions_detail = ("launch", "pause", "resume", "end")
    actions_row = ("pause", "resume")
    conditional_fields = {
        "scenario_least": "scenario_kind == 'first_order' || scenario_kind == 'nth_order'",
        "scenario_count": "scenario_kind == 'nth_order'",
        "scenario_activity": "scenario_kind == 'activity'",
        "landing_shop_url": "landing_leads_to == 'shop'",
    }
    help_texts = {"key": _("Stays for good: links and the API name the scheme by it.")}
    empty_hint = _("Begin with a ready one: the gallery makes a draft that you can change.")

    class Media:
        css = {"all": ["segments/builder.css", "referrals/referrals.css"]}
        js = ["referrals/rows.js"]

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and getattr(obj, "state", None) != Scheme.State.ENDED

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).filter(archived_at=None)

    def get_readonly_fields(self, request, obj=None):
        return ("key", "kind") if obj else ()

    def get_form(self, request, obj=None, change=False, **kwargs):
        kwargs["fields"] = () if obj else SchemeForm.Meta.fields
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request, obj=None):
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            return ((None, {"fields": ("key", "kind")}),)
        tabs = [(title, {"fields": fields, "classes": ("tab",)}) for title, fields in _tabs(obj)]
        return (*tabs, (_("History"), {"fields": ("why", "edited"), "classes": ("tab",)}))

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may_edit:
            context["sentence"] = summary(rule_of(obj.version_id), Shop.objects.get().currency)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def operate(self, request, form, formsets, change):
        common = {"rule": form.rule(), "why": form.cleaned_data.get("why", ""), **acting(request)}
        if not change:
            return operations.create_scheme(key=form.cleaned_data["key"], **common)
        return operations.save_scheme(scheme_id=form.instance.pk, edited=form.cleaned_data.get("edited"), **common)

    def restore(self, request, obj, data, edited, why):
        operations.save_scheme(
            scheme_id=obj.pk, rule=SchemeRule.model_validate(data), edited=edited, why=why, **acting(request)
        )

    def buttons_of(self, obj):
        return BUTTONS[obj.state]

    @display(description=_("state"), label=TONES, ordering="state")
    def shown_state(self, obj: Scheme) -> tuple[str, Any]:
        return obj.state, Scheme.State(obj.state).label.partition(":")[0]

    @display(description=_("what is given"))
    def what(self, obj: Scheme) -> str:
        rule = rule_of(obj.version_id)
        words = given_words(rule.incentive_ids)
        return "; ".join(dict.fromkeys(words.values())) or str(_("a share in cash"))

    launch = button(
        operations.launch_scheme,
        of="scheme_id",
        done=_("“%(row)s” is live: its links bring friends from now on."),
        title=_("Launch"),
        description=_("It goes live now, and its incentives that are drafts with it. You can pause it at any time."),
        permissions=["referrals.launch_scheme"],
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
    )
    pause = button(
        operations.pause_scheme,
        of="scheme_id",
        done=_("“%(row)s” is off: nobody new is referred. What was promised is kept."),
        title=_("Switch off"),
        description=_("Nobody new is referred until you switch it on again. What was promised is kept."),
        permissions=["referrals.launch_scheme"],
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    resume = button(
        operations.resume_scheme,
        of="scheme_id",
        done=_("“%(row)s” is on again."),
        title=_("Switch on"),
        description=_("Links and codes bring friends again."),
        permissions=["referrals.launch_scheme"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    end = button(
        operations.end_scheme,
        of="scheme_id",
        done=_("“%(row)s” has ended. What was promised is kept."),
        title=_("End"),
        description=_("For good: nobody is referred any more. What was promised is kept."),
        permissions=["referrals.launch_scheme"],
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )

    def get_urls(self):
        return [
            path("ready/", self.admin_site.admin_view(self.gallery_view), name="referrals_ready"),
            path("say/", self.admin_site.admin_view(self.say_view), name="referrals_scheme_say"),
            *super().get_urls(),
        ]

    def gallery_view(self, request: HttpRequest) -> HttpResponse:
        """Ready schemes; POST makes the draft of the one named `key`."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                scheme = create_from_ready(key=request.POST.get("key", ""), **acting(request))
            except Refused as refused:
                messages.error(request, str(refused))
                return redirect("admin:referrals_ready")
            messages.success(request, _("This is your draft. Nothing happens until you launch it."))
            return redirect("admin:referrals_scheme_change", scheme.pk)
        context = {**self.admin_site.each_context(request), "title": _("Ready schemes"), "opts": self.opts,
                   "cards": READY}  # fmt: skip
        return TemplateResponse(request, "referrals/gallery.html", context)

    def say_view(self, request: HttpRequest) -> HttpResponse:
        """What the form says as it stands, and what friends would read. Saves nothing."""
        pk = request.GET.get("of", "")
        scheme = self._seen(request, pk) if pk.isdecimal() else None
        may = self.has_change_permission(request, scheme) if scheme else self.has_add_permission(request)
        if not may or request.method != "POST":
            raise PermissionDenied
        form = self.get_form(request, scheme, change=scheme is not None)(request.POST, instance=scheme)
        try:
            if not form.is_valid():
                return TemplateResponse(request, "referrals/said.html", {"faults": _faults(form)})
            rule = form.rule()
        except ValidationError as error:
            return TemplateResponse(request, "referrals/said.html", {"faults": messages_of(error)})
        return TemplateResponse(request, "referrals/said.html", said(rule))


def said(rule: SchemeRule) -> dict[str, Any]:
    """The summary of a rule, and each of its texts as a friend of a sample advocate would read it."""
    shop = Shop.objects.get()
    faults = check_words(rule)
    context: dict[str, Any] = {
        "sentence": summary(rule, shop.currency),
        "faults": [f"{fault.part}, {fault.language}: {fault}" for fault in faults],
    }
    if not faults:
        gets = given_words(rule.incentive_ids).get(rule.friend_incentive or 0, "")
        common = {"code": "ANNA7K2M", "default": shop.default_language, "first_name": "Anna", "friend_gets": gets,
                  "shop_name": shop.name}  # fmt: skip
        personas = dict.fromkeys(share.persona for share in rule.texts)
        context["previews"] = [
            (persona, one)
            for persona in personas
            for one in shared(rule, language=languages()[0], persona=persona, **common)
            if one.persona == persona
        ]
    return context


def _tabs(scheme: Scheme | None) -> tuple[tuple[Any, tuple[Any, ...]], ...]:
    """What stands in which tab."""
    names = tuple(f"name_{language}" for language in languages())
    landing = tuple(f"landing_{what}_{language}" for language in languages() for what in ("title", "text"))
    given = ("friend_incentive",) if scheme and scheme.kind == Scheme.Kind.PARTNERS else ("friend_incentive", "levels")
    scenario = ("scenario_kind", "scenario_least", "scenario_count", "scenario_activity")
    return (
        (_("What is given"), (("key", "kind"), *names, *given)),
        (_("After what"), (*scenario, ("within_days", "hold_days"), ("attribution", "link_days", "visit_days"))),
        (
            _("Words"),
            ("texts", ("friend_message", "advocate_message"), "landing_leads_to", "landing_shop_url", *landing),
        ),
        (_("Checks"), (("review_from", "review_days", "at_deadline"), *checks.rows())),
        (_("Limits"), (("cap_in_all", "cap_per_month", "cap_per_year"), "claws_back", "segment")),
        (_("Test"), ("variants", "experiment")),
    )


def _faults(form: SchemeForm) -> list[str]:
    """What is wrong, each with the field's name."""
    labels = {name: field.label for name, field in form.fields.items()}
    return [
        f"{labels[name]}: {error}" if labels.get(name) else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]
