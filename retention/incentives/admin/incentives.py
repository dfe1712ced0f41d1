"""The console's page of an incentive: its form, its sentence, its buttons."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import admin
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from retention.doors.console import ConfirmForm, EditAdmin, VersionHistory, acting, button, confirm
from retention.incentives import operations, views
from retention.incentives.admin.overview import TONES, overview_of
from retention.incentives.forms import SHOWN_FOR, GiftForm, RuleForm
from retention.incentives.models import CodeBatch, Incentive
from retention.incentives.operations.code_batches import codes_on_older_versions
from retention.incentives.querysets import used_of
from retention.incentives.rules import IncentiveRule, sentence
from retention.incentives.versions import rule_of, rules_of

#: State → buttons that make sense in it.
BUTTONS = {
    Incentive.State.DRAFT: ["go_live"],
    Incentive.State.LIVE: ["stop", "generate_codes", "export_codes"],
    Incentive.State.STOPPED: ["resume", "export_codes"],
}


class WhyForm(ConfirmForm):
    why = forms.CharField(label=_("Why"), required=False, max_length=300, widget=UnfoldAdminTextInputWidget)


class GenerateForm(ConfirmForm):
    count = forms.IntegerField(
        label=_("How many"), min_value=1, max_value=5_000_000, initial=100, widget=UnfoldAdminIntegerFieldWidget
    )
    purpose = forms.ChoiceField(label=_("What for"), choices=CodeBatch.Purpose.choices, widget=UnfoldAdminSelectWidget)
    #: The same dialog sent twice asks once.
    source = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["source"].initial = f"console:{uuid.uuid4().hex}"


class ApplyForm(WhyForm):
    def preview(self) -> str:
        count = codes_on_older_versions(self.obj)[:100_001].count()
        shown = f"{count:,}" if count <= 100_000 else _("more than 100,000")
        return _("%(count)s codes that are out will follow version %(version)s.") % {
            "count": shown,
            "version": self.obj.version.number,
        }


@admin.register(Incentive)
class IncentiveAdmin(VersionHistory, EditAdmin):
    form = RuleForm
    list_display = ["shown_name", "shown_state", "shown_used", "shown_codes", "ends_at"]
    list_filter = ["state", "kind"]
    search_fields = ["name__istartswith"]
    list_select_related = ["version"]
    readonly_fields = ["overview"]
    compressed_fields = False
    actions_detail = ["try_it", "go_live", "stop", "resume", "generate_codes", "export_codes", "apply_to_codes"]
    fieldsets = [(None, {"fields": ["overview"]}), (None, {"fields": ["rule"], "classes": ["inc-rule"]})]
    #: Of the short form: a new one that is asked for as a gift.
    gift_fieldsets = [(None, {"fields": ["name", "kind", "off", "percent", "amount", "product", "work", "days"]})]
    conditional_fields = SHOWN_FOR

    class Media:
        css = {"all": ["segments/builder.css", "incentives/incentives.css"]}
        js = ["segments/fields.js", "incentives/fields.js", "incentives/builder.js"]

    def get_urls(self):
        def at(name, view):
            wrapped = self.admin_site.admin_view(lambda request, object_id: view(request, self, object_id))
            return path(f"<int:object_id>/{name}/", wrapped, name=f"incentives_incentive_{name}")

        def asked(name, view):
            return path(f"builder/{name}/", self.admin_site.admin_view(view), name=f"incentives_incentive_{name}")

        return [
            at("try", views.try_view),
            at("batches", views.batches_view),
            asked("say", views.say_view),
            asked("suggest", views.suggest_view),
            *super().get_urls(),
        ]

    def has_export_permission(self, request, obj=None):
        return request.user.has_perm("incentives.export_code") and self.has_view_permission(request)

    def operate(self, request, form, formsets, change):
        why, rule = form.cleaned_data["why"], form.cleaned_data["rule"]
        if not change:
            return operations.create_incentive(rule=rule, why=why, **acting(request))
        return operations.save_incentive(
            incentive_id=form.instance.pk,
            rule=rule,
            edited=form.cleaned_data["edited"],
            why=why,
            **acting(request),
        )

    def restore(self, request, obj, data, edited, why):
        rule = IncentiveRule.model_validate(data)
        operations.save_incentive(incentive_id=obj.pk, rule=rule, edited=edited, why=why, **acting(request))

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj is None and "gift" in request.GET:
            kwargs["form"] = GiftForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None and "gift" in request.GET:
            return self.gift_fieldsets
        if obj is None:
            return fieldsets[1:]
        may_edit = self.has_change_permission(request, obj)
        return fieldsets if may_edit else fieldsets[:1]

    def get_object(self, request, object_id, from_field=None):
        incentive = super().get_object(request, object_id, from_field)
        if incentive is not None:
            #: Whom the top of the page is for: what she may press stands there.
            incentive.reader = request.user
        return incentive

    def buttons_of(self, obj):
        shown = ["try_it", *BUTTONS[obj.state]]
        if obj.code_kind != Incentive.CodeKind.UNIQUE:
            shown = [name for name in shown if name not in ("generate_codes", "export_codes")]
        if obj.state != Incentive.State.DRAFT and obj.version.number > 1:
            shown.append("apply_to_codes")
        return shown

    go_live = button(
        operations.go_live,
        of="incentive_id",
        done=_("The offer is live."),
        title=_("Go live"),
        description=_("It can be given from now on, and its public code works."),
        submit=_("Go live"),
        permissions=["incentives.change_incentive"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    stop = button(
        operations.stop,
        of="incentive_id",
        takes=["why"],
        done=_("The offer is stopped everywhere."),
        title=_("Stop this offer everywhere"),
        description=_("Nothing more is given, no code of it works, messages with it do not leave. You can resume it."),
        submit=_("Stop everywhere"),
        button=_("Stop"),
        permissions=["incentives.stop_incentive"],
        form_class=WhyForm,
        icon="stop_circle",
        variant=ActionVariant.DANGER,
    )
    resume = button(
        operations.resume,
        of="incentive_id",
        takes=["why"],
        done=_("The offer is live again."),
        title=_("Resume this offer"),
        description=_("Everything that was out works again, as far as it has not expired."),
        submit=_("Resume"),
        button=_("Resume"),
        permissions=["incentives.stop_incentive"],
        form_class=WhyForm,
        icon="play_arrow",
    )
    apply_to_codes = button(
        operations.apply_version_to_codes,
        of="incentive_id",
        done=_("%(outcome)s codes follow the newest version now."),
        title=_("Also apply to the codes already out"),
        description=_(
            "Codes keep the rule they were given with. This moves them to the newest version; their dates stay."
        ),
        submit=_("Apply to them"),
        button=_("Apply to codes out"),
        permissions=["incentives.change_incentive"],
        form_class=ApplyForm,
        icon="published_with_changes",
    )

    @confirm(
        title=_("Generate codes"),
        description=_("Unique codes, none that look alike. More than 5,000 are made in the background."),
        submit=_("Generate"),
        permissions=["incentives.change_incentive"],
        form_class=GenerateForm,
        icon="confirmation_number",
    )
    def generate_codes(self, request, form, obj):
        batch = operations.generate_codes(
            incentive_id=obj.pk,
            count=form.cleaned_data["count"],
            purpose=form.cleaned_data["purpose"],
            source=form.cleaned_data["source"],
            **acting(request),
        )
        if batch.state == CodeBatch.State.DONE:
            return _("%(count)s codes are there.") % {"count": f"{batch.made:,}"}
        return _("%(count)s codes are being made; how far it is stands at the top of this page.") % {
            "count": f"{batch.wanted:,}"
        }

    @action(description=_("Try it"), icon="science", url_path="try-it", permissions=["view"])
    def try_it(self, request, object_id):
        return redirect("admin:incentives_incentive_try", object_id=object_id)

    @action(description=_("Download codes"), icon="download", url_path="codes", permissions=["export"])
    def export_codes(self, request, object_id):
        """All codes as a file, or those of the batch that the address names."""
        return views.codes_file(request, object_id)

    def get_changelist_instance(self, request):
        changelist = super().get_changelist_instance(request)
        shown = list(changelist.result_list)
        used = used_of(incentive.pk for incentive in shown)
        rules_of(incentive.version_id for incentive in shown)
        for incentive in changelist.result_list:
            incentive.used = used[incentive.pk]
        return changelist

    @admin.display(description="")
    def overview(self, incentive):
        return render_to_string("incentives/overview.html", overview_of(incentive, incentive.reader))

    @display(description=_("Offer"), header=True, ordering="name")
    def shown_name(self, incentive):
        return incentive.name, sentence(rule_of(incentive.version_id))

    @display(description=_("State"), label=TONES, ordering="state")
    def shown_state(self, incentive):
        return incentive.state, incentive.get_state_display()

    @display(description=_("Used"))
    def shown_used(self, incentive):
        limit = rule_of(incentive.version_id).limits.total
        used = f"{incentive.used['redeemed']:,}"
        return _("%(used)s of %(limit)s") % {"used": used, "limit": f"{limit:,}"} if limit else used

    @display(description=_("Codes"))
    def shown_codes(self, incentive):
        codes = rule_of(incentive.version_id).codes
        words = {"unique": _("one each"), "automatic": _("applies by itself")}
        return codes.text if codes.kind == "public" else words[codes.kind]
