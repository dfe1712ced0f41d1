"""The console's pages for stages: how many are in each and who moves where, their order, and the rule of each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from retention import clock
from retention.customers.models import Stage
from retention.doors.console import EditAdmin, VersionHistory, acting, button
from retention.segments import operations, rules
from retention.segments.admin.segments import ArchivedFilter, RuleWidget, builder_context
from retention.segments.operations.placing import KEY
from retention.segments.phrases import plain
from retention.segments.standing import stages_now
from retention.shop.models import Shop
from retention.work.models import Watermark

DAYS = 30


class NamesWidget(forms.MultiWidget):
    """One line for each language of the shop."""

    def __init__(self) -> None:
        self.languages = next(iter(Shop.objects.values_list("languages", flat=True)), ["en"])
        super().__init__({code: UnfoldAdminTextInputWidget() for code in self.languages})

    def decompress(self, value: Any) -> list[str]:
        return [(value or {}).get(code, "") for code in self.languages]

    def render(self, name, value, attrs=None, renderer=None):
        texts = value if isinstance(value, list) else self.decompress(value)
        lines = [
            (code, widget.render(name + suffix, text, {"id": f"id_{name}{suffix}"}, renderer))
            for code, suffix, widget, text in zip(self.languages, self.widgets_names, self.widgets, texts, strict=False)
        ]
        return render_to_string("segments/names.html", {"lines": lines, "name": name})


class NamesField(forms.MultiValueField):
    """{language: text}; the shop's first language is required."""

    def __init__(self, **kwargs: Any) -> None:
        widget = NamesWidget()
        self.languages = widget.languages
        lines = [forms.CharField(max_length=60, required=at == 0) for at, _code in enumerate(self.languages)]
        super().__init__(lines, widget=widget, require_all_fields=False, **kwargs)

    def compress(self, values: list[str]) -> dict[str, str]:
        return {code: text for code, text in zip(self.languages, values, strict=False) if text}


class StageForm(forms.ModelForm):
    def clean_rule(self) -> Any:
        rule = self.cleaned_data["rule"] or {}
        try:
            rules.parse(rule)
        except forms.ValidationError as invalid:
            raise forms.ValidationError(
                [f"{place}: {' '.join(said)}" for place, said in invalid.message_dict.items()]
            ) from None
        return rule


@admin.register(Stage)
class StageAdmin(VersionHistory, EditAdmin):
    form = StageForm
    list_display = ["shown_name", "shown_size", "position"]
    list_filter = [ArchivedFilter]
    fieldsets = [(None, {"fields": ["name", "key", "about"]}), (_("Who is in"), {"fields": ["rule"]})]
    actions_detail = ["archive", "bring_back"]
    change_form_template = "segments/change_form.html"
    change_form_show_cancel_button = True
    list_select_related = ["version"]
    version_labels = {"rule": _("Who is in")}
    empty_hint = _("manage.py seed makes seven to begin with.")

    class Media:
        css = {"all": ["segments/builder.css"]}
        js = ["segments/fields.js", "segments/builder.js"]

    def get_urls(self):
        flow = self.admin_site.admin_view(self.flow_view)
        return [path("flow/", flow, name="customers_stage_flow"), *super().get_urls()]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(size=Count("customers"))

    def flow_view(self, request):
        """Sizes and movement; a stage is put earlier or later by posting its key."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            self._move(request, request.POST.get("key", ""), request.POST.get("to", ""))
            return redirect("admin:customers_stage_flow")
        kept = Watermark.objects.filter(key=KEY).first()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Lifecycle stages"),
            "standing": stages_now(now=clock.now(), days=DAYS),
            "days": DAYS,
            "computed_at": kept.at if kept else None,
            "may_edit": self.has_change_permission(request),
        }
        return TemplateResponse(request, "segments/stages.html", context)

    def _move(self, request, key: str, to: str) -> None:
        keys = list(Stage.objects.filter(archived_at=None).values_list("key", flat=True))
        if key not in keys or to not in ("earlier", "later"):
            return
        at = keys.index(key)
        other = at - 1 if to == "earlier" else at + 1
        if 0 <= other < len(keys):
            keys[at], keys[other] = keys[other], keys[at]
            operations.order_stages(keys=keys, **acting(request))
            messages.success(request, _("The order is saved; customers move within a minute."))

    def operate(self, request, form, formsets, change):
        given = form.cleaned_data
        values = {"name": given["name"], "about": given["about"], "rule": given["rule"], "why": given["why"]}
        if not change:
            return operations.create_stage(key=given["key"], **values, **acting(request))
        return operations.save_stage(stage_id=form.instance.pk, edited=given["edited"], **values, **acting(request))

    def restore(self, request, obj, data, edited, why):
        operations.save_stage(stage_id=obj.pk, edited=edited, why=why, **data, **acting(request))

    def get_readonly_fields(self, request, obj=None):
        return ["shown_name", "key"] if obj else ["shown_name"]

    def get_form(self, request, obj=None, change=False, **kwargs):
        may_edit = self._may_edit(request, obj)
        if may_edit:
            kwargs["widgets"] = {"rule": RuleWidget()}
        form = super().get_form(request, obj, change=change, **kwargs)
        if may_edit:
            form.base_fields["name"] = NamesField(label=_("Name"))
            rule = form.base_fields["rule"]
            rule.label, rule.required = _("Rule"), False
            rule.widget.segment, rule.widget.user = None, request.user
        return form

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if self._may_edit(request, obj) else [(None, {"fields": ["shown_name", "key", "about"]})]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        shown = self.get_object(request, object_id) if object_id else None
        if shown is not None and not self._may_edit(request, shown):
            extra_context = {**(extra_context or {}), "builder": builder_context(shown, request.user)}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _may_edit(self, request, obj) -> bool:
        return self.has_change_permission(request, obj) if obj else self.has_add_permission(request)

    archive = button(
        operations.archive_stage,
        of="stage_id",
        done=_("The stage is archived."),
        title=_("Archive this stage"),
        description=_("Its customers come into the next stage that means them. You can bring it back."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["customers.change_stage"],
        icon="archive",
    )
    bring_back = button(
        operations.bring_back_stage,
        of="stage_id",
        done=_("The stage is in use again, after all others."),
        title=_("Bring this stage back"),
        description=_("It comes last; put it where it belongs afterwards."),
        submit=_("Bring back"),
        button=_("Bring back"),
        permissions=["customers.change_stage"],
        icon="unarchive",
    )

    def buttons_of(self, obj):
        return ["archive" if obj.archived_at is None else "bring_back"]

    @display(description=_("Stage"), header=True, ordering="position")
    def shown_name(self, stage):
        return str(stage), stage.about

    @display(description=_("Customers"), ordering="size")
    def shown_size(self, stage):
        return plain(stage.size)
