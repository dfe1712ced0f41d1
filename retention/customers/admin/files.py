"""The pages of imports: what came in, how far one is, how to stop it, and the rows that were refused."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from retention.doors.console import ConfirmForm, FactAdmin, acting, confirm
from retention.work.imports import cancel_import
from retention.work.models import Import


@admin.register(Import)
class ImportAdmin(FactAdmin):
    empty_hint = _("Bring in a file with “Import” on the list of customers, orders or products.")
    list_display = ("file_name", "kind", "state", "created_at", "rows_done", "result")
    list_filter = ("state",)
    ordering = ("-id",)
    fields = ("file_name", "kind", "good_only", "created_at", "ended_at", "by")
    change_form_template = "customers/import.html"
    actions_detail = ["cancel"]

    def get_urls(self) -> list:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name="work_import_progress"),
            path("<int:pk>/errors/", wrap(self.errors_view), name="work_import_errors"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bar alone; the page asks for it again every second until it ends."""
        return render(request, "customers/import_progress.html", {"import": self._row(request, pk)})

    def errors_view(self, request: HttpRequest, pk: int) -> FileResponse:
        row = self._row(request, pk)
        if not row.errors:
            raise Http404
        name = f"errors-{pk}.csv"
        return FileResponse(row.errors.open("rb"), as_attachment=True, filename=name, content_type="text/csv")

    def render_change_form(self, request, context, *args, **kwargs) -> HttpResponse:
        return super().render_change_form(request, {**context, "import": kwargs.get("obj")}, *args, **kwargs)

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

    @display(description=_("Result"))
    def result(self, row: Import) -> str:
        figures = row.figures
        if "new" not in figures:
            return row.error
        return (
            f"{figures['new']:,} new, {figures['changed']:,} changed, {figures['unchanged']:,} unchanged,"
            f" {figures['refused']:,} refused"
        )

    def _row(self, request: HttpRequest, pk: int) -> Import:
        row = get_object_or_404(Import, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row
