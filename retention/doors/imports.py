"""The base of lists that files come from and go to: a button to the import pages, and django-import-export's export.

A room's admin mixes `IngestAdmin` in and names one `IngestResource`.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import tablib
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from import_export import resources
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, XLSX
from unfold.contrib.import_export.forms import ExportForm

from retention import registries
from retention.work.ingest.files import cell_text, harmless


class IngestResource(resources.Resource):
    """One kind of fact on its way out, in the columns that an import reads."""

    kind: ClassVar[str] = ""
    #: Columns of an export, named as an import reads them.
    export_columns: ClassVar[Sequence[str]] = ()

    @classmethod
    def get_display_name(cls) -> str:
        return str(registries.ingests[cls.kind].label)

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        return list(self.export_columns)

    def export(self, queryset: Any = None, **options: Any) -> tablib.Dataset:
        dataset = tablib.Dataset(headers=list(self.export_columns))
        for row in self.export_rows(queryset):
            dataset.append([harmless(cell_text(cell)) for cell in row])
        return dataset

    def export_rows(self, queryset: Any) -> Iterable[Sequence[Any]]:
        """Rows of `export_columns` for the customers, orders… of the list as it is filtered."""
        raise NotImplementedError


class IngestAdmin(ExportMixin, admin.ModelAdmin):
    """Mixed into a console page after its base: `class OrderAdmin(FactAdmin, IngestAdmin)`."""

    import_export_change_list_template = "customers/list_of_files.html"
    resource_classes: Any = ()
    export_form_class = ExportForm
    export_formats = (CSV, XLSX)

    def get_export_formats(self) -> list:
        return list(self.export_formats)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        kind = registries.ingests[self.resource_classes[0].kind]
        importing = kind.key if request.user.has_perm(kind.right) else ""
        return super().changelist_view(request, {"import_kind": importing, **(extra_context or {})})
