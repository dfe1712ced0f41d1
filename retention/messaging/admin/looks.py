"""The console's pages of how mails look: the brand kit, and blocks that templates use by name."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from pydantic import ValidationError as PartError
from unfold.widgets import UnfoldAdminTextareaWidget

from retention.doors.console import EditAdmin, VersionHistory, acting, button
from retention.incentives.forms import vocabulary
from retention.incentives.forms.parts import Editor, PartField
from retention.incentives.forms.words import ITEMS
from retention.messaging import operations, views
from retention.messaging.brand import FONT_NAMES, Brand, brand_of, current_brand
from retention.messaging.forms import languages, placed
from retention.messaging.models import Block, BrandKit
from retention.messaging.operations.looks import users_of
from retention.messaging.operations.templates import TemplateFaulty
from retention.messaging.words import locale

vocabulary.FIELDS.update(
    {
        "Brand.font": (_("Fonts"), _("Only those that every machine has: mail programs load none.")),
        "Brand.text_color": (_("Words"), _("As #1f2937; readable on the paper, or it is refused.")),
        "Brand.paper_color": (_("Paper"), ""),
        "Brand.page_color": (_("Around the paper"), ""),
        "Brand.corners": (_("Roundness of buttons, in pixels"), ""),
        "Brand.footers": (_("Words under every mail"), _("Above the postal address, which is the shop's own.")),
        "Footer.language": (_("Language"), _("en, ko …; a mail in another one gets the first.")),
        "Footer.text": (_("Words"), ""),
    }
)
vocabulary.CHOICES.update({f"Brand.font.{key}": name for key, name in FONT_NAMES.items()})
ITEMS["footers"] = (_("Add words in a language"), "")
BRAND = Editor(
    Brand,
    key="brand",
    sections=(
        (_("Words and paper"), ("font", "text_color", "paper_color", "page_color")),
        (_("Buttons and footer"), ("corners", "footers")),
    ),
    says=lambda brand: brand.sentence(),
)


class BrandForm(forms.ModelForm):
    brand = PartField(BRAND, label=_("Brand kit"))

    class Meta:
        model = BrandKit
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        instance = options.get("instance")
        version_id = instance.version_id if instance is not None else None
        start = {"brand": BRAND.typed(brand_of(version_id) if version_id else Brand())}
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)


@admin.register(BrandKit)
class BrandKitAdmin(VersionHistory, EditAdmin):
    """One row, made by the first look at it."""

    form = BrandForm
    list_display = ("shown",)
    list_select_related = ("version",)
    fieldsets = (
        (None, {"fields": ["brand"], "classes": ["inc-rule"]}),
        (_("A mail that wears it"), {"fields": ["look"]}),
    )

    class Media:
        css = {"all": ["segments/builder.css", "incentives/incentives.css", "messaging/editor.css"]}
        js = ["segments/fields.js", "incentives/fields.js", "incentives/builder.js", "messaging/editor.js"]

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.look_view)
        return [path("look/", view, name="messaging_brandkit_look"), *super().get_urls()]

    @method_decorator(xframe_options_sameorigin)
    def look_view(self, request: HttpRequest) -> HttpResponse:
        """A mail as the kit that is typed makes it look, or the saved one where nothing is sent."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        brand = current_brand()
        if request.method == "POST":
            try:
                brand = BRAND.read(json.loads(request.POST.get("brand", "")))
            except ValueError as error:
                said = [str(one["msg"]) for one in error.errors()] if isinstance(error, PartError) else [str(error)]
                return views.framed(render_to_string("messaging/faults.html", {"refusal": " ".join(said)}))
        return views.look(request, brand)

    def changelist_view(self, request, extra_context=None):
        if self.has_view_permission(request) and request.method == "GET":
            row, _is_new = BrandKit.objects.get_or_create(pk=1)
            return redirect("admin:messaging_brandkit_change", object_id=row.pk)
        return super().changelist_view(request, extra_context)

    def has_add_permission(self, request):
        return False

    def operate(self, request, form, formsets, change):
        said = form.cleaned_data
        return operations.save_brand(brand=said["brand"], edited=said["edited"], why=said["why"], **acting(request))

    def restore(self, request, obj, data, edited, why):
        operations.save_brand(brand=Brand.model_validate(data), edited=edited, why=why, **acting(request))

    def get_fieldsets(self, request, obj=None):
        may_edit = self.has_change_permission(request, obj)
        return super().get_fieldsets(request, obj) if may_edit else ((None, {"fields": ["shown", "look"]}),)

    def get_readonly_fields(self, request, obj=None):
        return ("look",) if self.has_change_permission(request, obj) else ("shown", "look")

    @admin.display(description="")
    def look(self, row: BrandKit) -> str:
        return render_to_string("messaging/look.html", {"url": reverse("admin:messaging_brandkit_look")})

    @admin.display(description=_("Brand kit"))
    def shown(self, row: BrandKit) -> str:
        return (brand_of(row.version_id) if row.version_id else Brand()).sentence()


class BodiesWidget(forms.Widget):
    """One text of blocks for each language of the shop."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        lines = []
        for language in languages():
            area = UnfoldAdminTextareaWidget(attrs={"rows": 10, "class": "font-mono", "spellcheck": "false"})
            field = area.render(
                f"{name}_{language}", (value or {}).get(language, ""), {"id": f"id_{name}_{language}"}, renderer
            )
            lines.append((f"id_{name}_{language}", locale(language).get_display_name(), field))
        return format_html_join("", '<div class="mb-4"><label class="block mb-1" for="{}">{}</label>{}</div>', lines)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        said = {language: data.get(f"{name}_{language}", "").replace("\r\n", "\n") for language in languages()}
        return {language: text for language, text in said.items() if text.strip()}

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_{languages()[0]}"


class BlockForm(forms.ModelForm):
    bodies = forms.Field(
        label=_("Blocks (MJML)"),
        widget=BodiesWidget,
        help_text=_("As in a template. Other languages than these get the first."),
    )

    class Meta:
        model = Block
        fields = ("key", "name", "bodies")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and self.instance.version:
            self.initial["bodies"] = self.instance.version.data["bodies"]


@admin.register(Block)
class BlockAdmin(VersionHistory, EditAdmin):
    form = BlockForm
    list_display = ("key", "name", "archived_at")
    list_select_related = ("version",)
    search_fields = ("key__startswith", "name__icontains")
    fieldsets = ((None, {"fields": ["key", "name", "bodies", "used_by"]}),)
    actions_detail = ("archive",)
    empty_hint = _("A block is a part of mails that you write once: templates name it, and change with it.")

    def get_readonly_fields(self, request, obj=None):
        if obj and not self.has_change_permission(request, obj):
            return ("key", "name", "used_by")
        # Templates name it by its key.
        return ("key", "used_by") if obj else ("used_by",)

    def get_fieldsets(self, request, obj=None):
        if obj and not self.has_change_permission(request, obj):
            return ((None, {"fields": ["key", "name", "used_by"]}),)
        return super().get_fieldsets(request, obj)

    @admin.display(description=_("used by"))
    def used_by(self, obj: Block) -> str:
        if not obj.pk:
            return "–"
        links = [
            (reverse("admin:messaging_template_change", args=[template.pk]), template.name)
            for template in users_of(obj.key)
        ]
        named = format_html('<code>&lt;mj-block name="{}" /&gt;</code>', obj.key)
        return format_html("{} · {}", named, format_html_join(", ", '<a href="{}">{}</a>', links) or "–")

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        try:
            return operations.save_block(
                block_id=form.instance.pk,
                key=form.instance.key if change else typed["key"],
                name=typed["name"],
                bodies=typed["bodies"],
                edited=typed["edited"],
                why=typed["why"],
                **acting(request),
            )
        except TemplateFaulty as refused:
            raise ValidationError({"bodies": [placed(fault) for fault in refused.faults]}) from refused

    def restore(self, request, obj, data, edited, why):
        operations.save_block(
            block_id=obj.pk,
            key=obj.key,
            name=data["name"],
            bodies=data["bodies"],
            edited=edited,
            why=why,
            **acting(request),
        )

    archive = button(
        operations.archive_block,
        of="block_id",
        done=_("Archived."),
        title=_("Archive this block"),
        description=_("It is offered no more. Templates that use it keep it as it is."),
        submit=_("Archive"),
        button=_("Archive"),
        permissions=["messaging.change_block"],
        icon="archive",
    )

    def buttons_of(self, obj):
        return [] if obj.archived_at else None
