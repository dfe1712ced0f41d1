"""The pages of imports: what came in, how far one is, how to stop it, and the rows that were refused; and the columns
that are kept for each source."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention import registries
from retention.customers.admin.uploads import Uploads
from retention.doors.console import ConfirmForm, FactAdmin, acting, confirm
from retention.doors.previews import figures
from retention.work.column_maps import archive_column_map
from retention.work.imports import cancel_import, is_lost
from retention.work.ingest.layouts import DATES
from retention.work.models import ColumnMap, Import


@admin.register(Import)
class ImportAdmin(Uploads, FactAdmin):
    empty_hint = _("Bring in a file with “Import a file”: of your shop's program, of a mailing program, or your own.")
    list_display = ("file_name", "kind_label", "source", "state", "created_at", "rows_done", "result")
    change_list_template = "customers/imports.html"
    list_filter = ("state",)
    ordering = ("-id",)
    readonly_fields = ("kind_label",)
    fields = ("file_name", "kind_label", "source", "good_only", "created_at", "ended_at", "by")
    change_form_template = "customers/import.html"
    actions_detail = ["cancel"]

    def get_urls(self) -> list:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name="work_import_progress"),
            path("<int:pk>/errors/", wrap(self.errors_view), name="work_import_errors"),
            *self.upload_urls(),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bar alone; the page asks for it again every second until it ends."""
        return render(request, "customers/import_progress.html", _progress(self._row(request, pk)))

    def errors_view(self, request: HttpRequest, pk: int) -> FileResponse:
        row = self._row(request, pk)
        if not row.errors:
            raise Http404
        name = f"errors-{pk}.csv"
        return FileResponse(row.errors.open("rb"), as_attachment=True, filename=name, content_type="text/csv")

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        shown = _progress(kwargs["obj"]) if kwargs.get("obj") else {}
        return super().render_change_form(request, {**context, **shown}, *args, **kwargs)

    @confirm(
        title=_("Cancel this import?"),
        description=_("What it has written so far is undone."),
        submit=_("Cancel the import"),
        button=_("Cancel"),
        permissions=["work.change_import"],
    )
    def cancel(self, request: HttpRequest, form: ConfirmForm, obj: Import) -> str:
        cancel_import(import_id=obj.pk, now=acting(request)["now"])
        return str(_("The import stops."))

    @display(description=_("What it holds"))
    def kind_label(self, row: Import) -> str:
        return _kind_label(row.kind)

    @display(description=_("Result"))
    def result(self, row: Import) -> str:
        return _figures(row.figures) if "new" in row.figures else row.error

    def _row(self, request: HttpRequest, pk: int) -> Import:
        row = get_object_or_404(Import, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row


def _kind_label(key: str) -> str:
    """The kind's name; its key where a later release has it no more."""
    return str(registries.ingests[key].label) if key in registries.ingests else key


def _progress(row: Import) -> dict[str, Any]:
    """What the bar's template shows."""
    kinds = [(registries.ingests[each["kind"]].label, _figures(each)) for each in row.figures.get("kinds", [])]
    return {
        "import": row,
        "is_lost": is_lost(import_id=row.pk),
        "told": _figures(row.figures) if "new" in row.figures else "",
        "kinds": kinds if len(kinds) > 1 else [],
    }


def _figures(counts: Mapping[str, int]) -> str:
    return figures(counts["new"], counts["changed"], counts["unchanged"], counts["refused"])


@admin.register(ColumnMap)
class ColumnMapAdmin(FactAdmin):
    """Made and changed on the page of a file's columns; here they are read and put away."""

    empty_hint = _("Give a name to a file's columns while you import it, and they are kept here.")
    list_display = ("name", "kind_label", "saved_at", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter),)
    fields = ("name", "kind_label", "chosen", "fixed", "dates", "saved_at", "by", "archived_at")
    readonly_fields = ("kind_label", "chosen", "fixed", "dates")
    actions_detail = ["archive"]

    @display(description=_("What its files hold"))
    def kind_label(self, row: ColumnMap) -> str:
        return _kind_label(row.kind)

    @display(description=_("Columns"))
    def chosen(self, row: ColumnMap) -> str:
        return "; ".join(f"{header} → {ours}" for header, ours in row.layout.get("columns", {}).items())

    @display(description=_("The same for every row"))
    def fixed(self, row: ColumnMap) -> str:
        return "; ".join(f"{ours} = {text}" for ours, text in row.layout.get("constants", {}).items()) or "—"

    @display(description=_("Dates look like"))
    def dates(self, row: ColumnMap) -> str:
        return str(DATES[row.layout.get("dates", "")])

    @confirm(
        title=_("Put these columns away?"),
        description=_("Files with these columns are not known any more. What they brought in stays."),
        submit=_("Put away"),
        button=_("Put away"),
        permissions=["work.change_columnmap"],
    )
    def archive(self, request: HttpRequest, form: ConfirmForm, obj: ColumnMap) -> str:
        archive_column_map(column_map=obj, **acting(request))
        return str(_("“%s” is put away.") % obj.name)
