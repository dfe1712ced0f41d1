"""The console's pages of programmes: their list, the gallery, the editor with its buttons, and the try-it panel."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from loyalty import gallery, operations
from loyalty.admin.backtests import BackTestPages
from loyalty.admin.bulk import CorrectionPages
from loyalty.forms import ProgrammeForm, TryProgrammeForm, example_try, said, sentences
from loyalty.models import Member, Programme
from loyalty.reading import orders
from loyalty.rules import ProgrammeRule
from loyalty.tellers import Tellers, teller_of
from loyalty.trying import Tried, again, as_order, try_order
from loyalty.versions import rule_of, rules_of
from retention import clock
from retention.customers.models import Order
from retention.customers.querysets import find
from retention.doors.console import EditAdmin, VersionHistory, acting, button
from retention.incentives.facts import shop_currency
from retention.ledger.versions import rule_of as unit_rule_of
from retention.refusals import Refused

TONES = {"draft": "info", "live": "success", "paused": "warning", "ended": "danger"}
BUTTONS = {
    Programme.State.DRAFT: ["try_it", "back_test", "launch"],
    Programme.State.LIVE: ["try_it", "back_test", "correct", "pause", "end"],
    Programme.State.PAUSED: ["try_it", "back_test", "correct", "resume", "end"],
    Programme.State.ENDED: ["try_it", "back_test", "correct", "archive"],
}


@admin.register(Programme)
class ProgrammeAdmin(BackTestPages, CorrectionPages, VersionHistory, EditAdmin):
    form = ProgrammeForm
    list_display = ["shown_name", "shown_state", "shown_joining", "shown_members"]
    list_filter = ["state"]
    search_fields = ["name__istartswith", "key__istartswith"]
    list_select_related = ["version", "unit"]
    empty_hint = _("Begin with a ready one: a draft that you can change.")
    readonly_fields = ["overview"]
    compressed_fields = False
    actions_detail = ["try_it", "back_test", "correct", "launch", "pause", "resume", "end", "archive"]
    fieldsets = [(None, {"fields": ["overview"]}), (None, {"fields": ["rule"], "classes": ["inc-rule"]})]

    class Media:
        css = {"all": ["segments/builder.css", "incentives/incentives.css"]}
        js = ["segments/fields.js", "incentives/fields.js", "incentives/builder.js"]

    def get_urls(self):
        wrapped = self.admin_site.admin_view
        return [
            path("gallery/", wrapped(self.gallery_view), name="loyalty_programme_gallery"),
            *self.back_test_urls(),
            *self.correction_urls(),
            path("<int:object_id>/try/", wrapped(self.try_view), name="loyalty_programme_try"),
            *super().get_urls(),
        ]

    def get_queryset(self, request):
        members = Count("members", filter=Q(members__left_at=None))
        return super().get_queryset(request).filter(archived_at=None).annotate(member_count=members)

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return redirect("admin:loyalty_programme_gallery")

    def operate(self, request, form, formsets, change):
        return operations.save_programme(
            programme_id=form.instance.pk,
            rule=form.cleaned_data["rule"],
            edited=form.cleaned_data["edited"],
            why=form.cleaned_data["why"],
            **acting(request),
        )

    def restore(self, request, obj, data, edited, why):
        rule = ProgrammeRule.model_validate(data)
        operations.save_programme(programme_id=obj.pk, rule=rule, edited=edited, why=why, **acting(request))

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if self.has_change_permission(request, obj) else fieldsets[:1]

    def has_change_permission(self, request, obj=None):
        may = super().has_change_permission(request, obj)
        return may and (obj is None or obj.state != Programme.State.ENDED)

    def buttons_of(self, obj):
        return BUTTONS[obj.state]

    launch = button(
        operations.launch_programme,
        of="programme_id",
        done=_("The programme is live."),
        title=_("Launch this programme"),
        description=_("What happens from now on is earned; what happened before is not."),
        submit=_("Launch"),
        button=_("Launch"),
        permissions=["loyalty.launch_programme"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    pause = button(
        operations.pause_programme,
        of="programme_id",
        done=_("Nothing is earned until you resume it."),
        title=_("Pause this programme"),
        description=_("What happens while it rests earns nothing. Members can spend what they have."),
        submit=_("Pause"),
        button=_("Pause"),
        permissions=["loyalty.launch_programme"],
        icon="pause",
    )
    resume = button(
        operations.resume_programme,
        of="programme_id",
        done=_("The programme is live again."),
        title=_("Resume this programme"),
        description=_("What happens from now on is earned."),
        submit=_("Resume"),
        button=_("Resume"),
        permissions=["loyalty.launch_programme"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    end = button(
        operations.end_programme,
        of="programme_id",
        done=_("The programme has ended."),
        title=_("End this programme for good"),
        description=_("Nothing is earned any more. What members have stays theirs until it expires."),
        submit=_("End for good"),
        button=_("End"),
        permissions=["loyalty.launch_programme"],
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )
    archive = button(
        operations.archive_programme,
        of="programme_id",
        done=_("The programme is out of sight."),
        title=_("Archive this programme"),
        description=_("It leaves the list; what was earned in it stays."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["loyalty.change_programme"],
        icon="archive",
    )

    @action(description=_("Try it"), icon="science", url_path="try-it", permissions=["view"])
    def try_it(self, request, object_id):
        return redirect("admin:loyalty_programme_try", object_id=object_id)

    @action(description=_("Back-test"), icon="history", url_path="back-test", permissions=["view"])
    def back_test(self, request, object_id):
        return redirect("admin:loyalty_programme_back_tests", object_id=object_id)

    @action(
        description=_("Correct points"), icon="edit_note", url_path="correct", permissions=["loyalty.adjust_points"]
    )
    def correct(self, request, object_id):
        return redirect("admin:loyalty_programme_corrections", object_id=object_id)

    def gallery_view(self, request: HttpRequest) -> HttpResponse:
        """Ready programmes; one click makes a draft."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                made = gallery.begin(key=request.POST.get("key", ""), **acting(request))
            except gallery.NoSuchReady as refused:
                raise Http404(str(refused)) from None
            messages.success(request, _("This is your draft. Add its rewards, try it, and launch it when it is right."))
            return redirect("admin:loyalty_programme_change", object_id=made.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ready programmes"),
            "opts": self.opts,
            "ready": gallery.READY,
        }
        return TemplateResponse(request, "loyalty/gallery.html", context)

    def try_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A basket or an order, and whose it is; what it would earn, rule by rule."""
        programme = self.get_object(request, str(object_id))
        if programme is None:
            raise Http404
        if not self.has_view_permission(request, programme):
            raise PermissionDenied
        form = TryProgrammeForm(request.POST or example_try())
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try it"),
            "subtitle": programme.name,
            "opts": self.opts,
            "original": programme,
            "programme": programme,
            "said": said(rule_of(programme.version_id), teller_of(programme)),
            "form": form,
            "media": self.media,
            "suggest_url": reverse("admin:incentives_incentive_suggest"),
            "back_url": reverse("admin:loyalty_programme_change", args=[programme.pk]),
        }
        if form.is_valid():
            try:
                tried = context["tried"] = _try(programme, form)
                context["total"] = unit_rule_of(programme.unit).show(tried.total)
            except Refused as refused:
                form.add_error(None, str(refused))
        return TemplateResponse(request, "loyalty/try.html", context)

    @admin.display(description="")
    def overview(self, programme):
        rule = rule_of(programme.version_id)
        return render_to_string(
            "loyalty/overview.html",
            {
                "programme": programme,
                "sentences": sentences(rule, teller_of(programme)),
                "members": f"{programme.member_count:,}",
                "rewards": programme.rewards.filter(archived_at=None).count(),
            },
        )

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        rules_of(programme.version_id for programme in changelist.result_list)
        tellers = Tellers()
        for programme in changelist.result_list:
            programme.teller = tellers.of(programme)
        return changelist

    @display(description=_("Programme"), header=True, ordering="name")
    def shown_name(self, programme):
        return programme.name, said(rule_of(programme.version_id), programme.teller)

    @display(description=_("State"), label=TONES, ordering="state")
    def shown_state(self, programme):
        return programme.state, STATES[programme.state]

    @display(description=_("Who is in it"), ordering="joining")
    def shown_joining(self, programme):
        return programme.get_joining_display()

    @display(description=_("Members"))
    def shown_members(self, programme):
        return f"{programme.member_count:,}"


STATES = {"draft": _("Draft"), "live": _("Live"), "paused": _("Paused"), "ended": _("Ended")}


def _try(programme: Programme, form: Any) -> Tried:
    given, now = form.cleaned_data, clock.now()
    at = given.get("at") or now
    rule = rule_of(programme.version_id)
    customers = find(given["customer"]) if given["customer"] else []
    customer_id = customers[0] if customers else 0
    member = Member.objects.filter(programme=programme, customer_id=customer_id).select_related("tier").first()
    if given["order"]:
        order = Order.objects.filter(reference=given["order"]).first()
        if order is None:
            raise NoSuchOrder
        (fact,) = orders([order.pk], shop_currency())
        fact = again(fact, now=at)
    else:
        fact = as_order(form.basket(), customer_id=customer_id, now=at)
    return try_order(rule, fact, teller=teller_of(programme), member=member, tier=given["tier"] or None)


class NoSuchOrder(Refused):
    code = "loyalty.nothing_to_try"
    sentence = _("There is no order of this number.")
