"""The console's pages for segments: a readable list, the builder, history."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from retention import clock
from retention.audit.models import Version
from retention.doors.console import EditAdmin, VersionHistory, acting, button
from retention.segments import operations, rules, views
from retention.segments.catalogue import catalogue
from retention.segments.composition import composition
from retention.segments.models import Segment
from retention.segments.overlaps import FEWEST, MOST, shared
from retention.segments.phrases import plain
from retention.segments.querysets import users_of


class RuleWidget(forms.Textarea):
    """The rule's JSON in a textarea that the builder works on; without scripts it can still be edited."""

    segment: Segment | None = None
    user: Any = None

    def render(self, name, value, attrs=None, renderer=None):
        context = self.get_context(name, value, attrs)
        return render_to_string(
            "segments/builder.html", {**context, "builder": builder_context(self.segment, self.user)}
        )


def builder_context(segment: Segment | None, user: Any) -> dict[str, Any]:
    """What the builder's template needs beside the rule itself."""
    return {
        "catalogue": catalogue(),
        "segment": segment,
        "may_see_customers": user.has_perm("customers.view_customer"),
        "preview_url": reverse("admin:segments_segment_preview"),
        "explain_url": reverse("admin:segments_segment_explain"),
        "suggest_url": reverse("admin:segments_segment_suggest"),
    }


class SegmentForm(forms.ModelForm):
    def clean_rule(self) -> Any:
        rule = self.cleaned_data["rule"] or {}
        try:
            rules.parse(rule, of=self.instance.pk)
        except forms.ValidationError as invalid:
            # The builder shows each error at its own field; without it the places are words of their own.
            raise forms.ValidationError(
                [f"{place}: {' '.join(said)}" for place, said in invalid.message_dict.items()]
            ) from None
        return rule


def said_rule(version: Version) -> Version | None:
    """A copy of the version with its rule as a sentence; None where it is not valid any more."""
    said = copy.copy(version)
    try:
        said.data = {**version.data, "rule": rules.sentence(version.data["rule"])}
    except forms.ValidationError:
        return None
    return said


class ArchivedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("archived", _("Archived")), ("all", _("All"))]

    def choices(self, changelist):
        for choice in super().choices(changelist):
            yield {**choice, "display": _("In use")} if choice["query_string"] == "?" else choice

    def queryset(self, request, queryset):
        match self.value():
            case "archived":
                return queryset.exclude(archived_at=None)
            case "all":
                return queryset
        return queryset.filter(archived_at=None)


@admin.register(Segment)
class SegmentAdmin(VersionHistory, EditAdmin):
    form = SegmentForm
    list_display = ["shown_name", "shown_size", "shown_computed", "used_by"]
    list_filter = [ArchivedFilter]
    search_fields = ["name__istartswith"]
    fieldsets = [(None, {"fields": ["name", "about"]}), (_("Who is in"), {"fields": ["rule"]})]
    actions_detail = ["open_composition", "open_overlap", "archive", "bring_back"]
    list_display_links = ["shown_name"]
    change_form_template = "segments/change_form.html"
    change_form_show_cancel_button = True
    list_select_related = ["version"]
    version_labels = {"rule": _("Who is in")}

    class Media:
        css = {"all": ["segments/builder.css"]}
        js = ["segments/fields.js", "segments/builder.js"]

    def get_urls(self):
        def at(name, view):
            return path(f"builder/{name}/", self.admin_site.admin_view(view), name=f"segments_segment_{name}")

        return [
            at("preview", views.preview_view),
            at("explain", views.explain_view),
            at("suggest", views.suggest_view),
            path("overlap/", self.admin_site.admin_view(self.overlap_view), name="segments_segment_overlap"),
            path(
                "<path:object_id>/composition/",
                self.admin_site.admin_view(self.composition_view),
                name="segments_segment_composition",
            ),
            *super().get_urls(),
        ]

    def operate(self, request, form, formsets, change):
        given = form.cleaned_data
        values = {"name": given["name"], "about": given["about"], "rule": given["rule"], "why": given["why"]}
        if not change:
            return operations.create_segment(**values, **acting(request))
        return operations.save_segment(segment_id=form.instance.pk, edited=given["edited"], **values, **acting(request))

    def restore(self, request, obj, data, edited, why):
        operations.save_segment(segment_id=obj.pk, edited=edited, why=why, **data, **acting(request))

    def changes(self, obj, older, newer):
        """The rule's difference as two sentences, where both can be said and differ."""
        told = [said_rule(version) for version in (older, newer)]
        if None not in told and told[0].data["rule"] != told[1].data["rule"]:
            older, newer = told
        return super().changes(obj, older, newer)

    def composition_view(self, request, object_id):
        """Who the stored members are beside everyone, what they share with other segments, and how many they were."""
        segment = self.get_object(request, unquote(object_id))
        if segment is None:
            raise Http404
        if not self.has_view_permission(request, segment):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": segment.name,
            "opts": self.opts,
            "original": segment,
            "segment": segment,
            "is_computed": segment.computed_at is not None,
            "composition": composition(segment, clock.now()) if segment.computed_at else None,
        }
        return TemplateResponse(request, "segments/composition.html", context)

    def overlap_view(self, request):
        """How many are in exactly these of two to four chosen segments."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = [int(pk) for pk in request.GET.getlist("s") if pk.isdecimal() and len(pk) < 19]
        choices = list(Segment.objects.filter(archived_at=None, size__isnull=False))
        chosen = [segment for segment in choices if segment.pk in asked]
        is_asked = "s" in request.GET
        can_be = FEWEST <= len(chosen) <= MOST
        found = shared(chosen) if can_be else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Overlap of segments"),
            "choices": choices,
            "chosen": [segment.pk for segment in chosen],
            "problem": _("Choose two, three or four of them.") if is_asked and not can_be else "",
            "shared": found,
            "is_slow": can_be and found is None,
        }
        return TemplateResponse(request, "segments/overlap.html", context)

    @action(description=_("Overlap"), icon="join_inner", url_path="open-overlap", permissions=["view"])
    def open_overlap(self, request, object_id):
        return redirect(f"{reverse('admin:segments_segment_overlap')}?s={object_id}")

    @action(description=_("Composition"), icon="donut_small", url_path="open-composition", permissions=["view"])
    def open_composition(self, request, object_id):
        return redirect("admin:segments_segment_composition", object_id=object_id)

    archive = button(
        operations.archive_segment,
        of="segment_id",
        done=_("The segment is archived."),
        title=_("Archive this segment"),
        description=_("It is offered and refreshed no more, and nobody is in it. You can bring it back."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["change"],
        icon="archive",
    )
    bring_back = button(
        operations.bring_back_segment,
        of="segment_id",
        done=_("The segment is in use again."),
        title=_("Bring this segment back"),
        description=_("Its members are there after the next refresh."),
        submit=_("Bring back"),
        button=_("Bring back"),
        permissions=["change"],
        icon="unarchive",
    )

    def buttons_of(self, obj):
        return ["open_composition", "open_overlap", "archive" if obj.archived_at is None else "bring_back"]

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        users = users_of(changelist.result_list)
        for segment in changelist.result_list:
            segment.users = users[segment.pk]
        return changelist

    def get_form(self, request, obj=None, change=False, **kwargs):
        if self._may_edit(request, obj):
            kwargs["widgets"] = {"rule": RuleWidget()}
        form = super().get_form(request, obj, change=change, **kwargs)
        if "rule" in form.base_fields:
            rule = form.base_fields["rule"]
            rule.label, rule.required = _("Rule"), False
            rule.widget.segment, rule.widget.user = obj, request.user
        return form

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if self._may_edit(request, obj) else fieldsets[:1]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        shown = self.get_object(request, object_id) if object_id else None
        if shown is not None and not self._may_edit(request, shown):
            extra_context = {**(extra_context or {}), "builder": builder_context(shown, request.user)}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _may_edit(self, request, obj) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    @display(description=_("Segment"), header=True, ordering="name")
    def shown_name(self, segment):
        return segment.name, segment.about

    @display(description=_("Customers"), ordering="size")
    def shown_size(self, segment):
        return "–" if segment.size is None else plain(segment.size)

    @display(description=_("Computed"), ordering="computed_at")
    def shown_computed(self, segment):
        if segment.error:
            return format_html('<span class="seg-list-error">{} {}</span>', _("Failed:"), segment.error[:120])
        if segment.computed_at is None:
            return _("within a minute")
        now = clock.now()
        if now - segment.computed_at < dt.timedelta(minutes=1):
            ago = _("just now")
        else:
            ago = _("%(time)s ago") % {"time": timesince(segment.computed_at, now, depth=1)}
        return format_html("{} <span class='seg-list-soft'>· {} ms</span>", ago, plain(segment.computed_ms))

    @display(description=_("Used by"))
    def used_by(self, segment):
        users = getattr(segment, "users", [])
        more = [_("and %(count)s more") % {"count": len(users) - 3}] if len(users) > 3 else []
        return format_html_join("", "<div>{}</div>", ((user,) for user in [*users[:3], *more])) or "–"
