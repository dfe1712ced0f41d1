"""The base of import and export pages: django-import-export's pages over `ingest`, which checks and writes.

A room's admin mixes `IngestAdmin` in and names one `IngestResource`. Small files are previewed and confirmed on the
page; large ones, and those of which only the good rows are wanted, go to a worker and have a page of their own.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import tablib
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from import_export import resources
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV, XLSX, Format
from import_export.results import Error, Result, RowResult
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldBooleanSwitchWidget

from retention import clock, registries
from retention.actors import Actor
from retention.refusals import Refused
from retention.work.imports import start_import
from retention.work.ingest import Difference, IngestResult, Sheet, ingest
from retention.work.ingest.files import BadFile, cell_text, harmless, open_rows, unpacked_size

#: Rows that are previewed on the page.
SHOWN = 100
#: Files with more rows than this, or larger than that when unpacked, are a worker's.
PAGE_ROWS = 5_000
PAGE_BYTES = 4 * 2**20


class IngestResource(resources.Resource):
    """One kind of fact as import and export pages see it."""

    kind: ClassVar[str] = ""
    #: Columns of an export, named as an import reads them.
    export_columns: ClassVar[Sequence[str]] = ()

    @classmethod
    def get_display_name(cls) -> str:
        return str(registries.ingests[cls.kind].label)

    def get_import_fields(self) -> list:
        return []

    def get_user_visible_fields(self) -> list:
        """The columns that the page names."""
        names = [name for column in self._columns() for name in column.staged]
        return [_Named(name) for name in names if not name.endswith("_minor")]

    def _columns(self) -> Sequence[Any]:
        kind = registries.ingests[self.kind]
        return [column for column in kind.columns if column.name not in kind.hidden]

    def import_data(self, dataset: Sheet, dry_run: bool = False, **options: Any) -> Result:
        """The preview, or the import itself, as `ingest` has it."""
        result = Result()
        try:
            done = ingest(
                self.kind,
                dataset,
                now=clock.now(),
                by=Actor.staff(options["user"]),
                dry_run=dry_run,
                samples=SHOWN,
            )
        except Refused as refused:
            result.append_base_error(Error(refused))
            return result
        self._fill(result, done, dataset.columns)
        rows = dict(dataset.lines) if done.refused else {}
        for line, errors in _by_line(done).items():
            values = dict(zip(dataset.columns, rows.get(line, ()), strict=False))
            result.append_invalid_row(line, values, ValidationError(errors))
        return result

    def _fill(self, result: Result, done: IngestResult, columns: Sequence[str]) -> None:
        shown = list(dict.fromkeys(name for sample in done.samples for name in sample.values)) or list(columns)
        # Refused rows are shown as the file has them, under its own columns and beside their number.
        result.diff_headers = list(columns) if done.refused else [str(_("Line")), str(_("Row")), *shown]
        result.rows = [_row(sample, shown) for sample in done.samples]
        result.total_rows = done.new + done.changed + done.unchanged + done.refused_rows
        result.totals[RowResult.IMPORT_TYPE_NEW] = done.new
        result.totals[RowResult.IMPORT_TYPE_UPDATE] = done.changed
        result.totals[RowResult.IMPORT_TYPE_SKIP] = done.unchanged
        result.totals[RowResult.IMPORT_TYPE_INVALID] = done.refused_rows
        result.figures = figures(result)

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


class FactsFile(Format):
    """Any file of rows, told apart by what it begins with."""

    def __init__(self, encoding: str | None = None) -> None:
        """The encoding is the file's own."""

    def get_title(self) -> str:
        return "CSV, XLSX"

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **_options: Any) -> Sheet:
        """The whole file in memory: what is larger than a page's share never comes here.

        Raises:
            BadFile
        """
        sheet = open_rows(io.BytesIO(in_stream))
        if not isinstance(sheet, Sheet):
            raise BadFile(reason=_("it is not a table."))
        sheet.lines = list(sheet.lines)
        return sheet


class IngestImportForm(ImportForm):
    """A file, whose name says what format it is in."""

    good_only = forms.BooleanField(
        label=_("Import the good rows and return the others"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Otherwise one bad row is enough for nothing to be written."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].label = _("File")
        self.fields["import_file"].help_text = _(
            "CSV or XLSX. It is checked first, and you see what would change; a large one is read in the background."
        )
        self.fields["format"].required = False
        self.fields["format"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        file = given.get("import_file")
        if file is not None and not given.get("format"):
            names = [kind.get_title(kind) if isinstance(kind, type) else kind.get_title() for kind in (CSV, XLSX)]
            ending = file.name.rpartition(".")[2].lower()
            if ending in names:
                given["format"] = str(names.index(ending))
            else:
                self.add_error("import_file", _("This is neither a CSV nor an XLSX file; its name says “%s”.") % ending)
        return given


class IngestAdmin(ImportExportModelAdmin):
    """Mixed into a console page after its base: `class OrderAdmin(FactAdmin, IngestAdmin)`.

    The page imports every kind of its `resource_classes`, and exports those that say what an export holds.
    """

    import_form_class = IngestImportForm
    export_form_class = ExportForm
    import_formats = (FactsFile,)
    #: CSV and XLSX alone: the other formats export more than rows.
    export_formats = (CSV, XLSX)

    def get_import_formats(self) -> list:
        return list(self.import_formats)

    def get_export_formats(self) -> list:
        return list(self.export_formats)

    def get_export_resource_classes(self, request: HttpRequest) -> list:
        return [each for each in super().get_export_resource_classes(request) if each.export_columns]

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        file = request.FILES.get("import_file")
        if file is not None and (request.POST.get("good_only") or _is_large(file)):
            form = self.create_import_form(request)
            if form.is_valid():
                return self._in_background(request, form, file)
        return super().import_action(request, **kwargs)

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        if not isinstance(e, Refused):
            raise e
        form.add_error("import_file", str(e))

    def _in_background(self, request: HttpRequest, form: forms.Form, file: Any) -> HttpResponse:
        with transaction.atomic():
            row = start_import(
                kind=self.choose_import_resource_class(form, request).kind,
                file=file,
                file_name=file.name,
                size=file.size,
                good_only=bool(request.POST.get("good_only")),
                now=clock.now(),
                by=Actor.staff(request.user),
            )
        return redirect("admin:work_import_change", row.pk)

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        messages.success(request, figures(result))


def figures(result: Result) -> str:
    """How many rows are what, in words."""
    return _("%(new)d new, %(changed)d changed, %(unchanged)d as they were.") % {
        "new": result.totals[RowResult.IMPORT_TYPE_NEW],
        "changed": result.totals[RowResult.IMPORT_TYPE_UPDATE],
        "unchanged": result.totals[RowResult.IMPORT_TYPE_SKIP],
    }


class _Named:
    """A column as import-export's template reads it."""

    def __init__(self, name: str) -> None:
        self.column_name = name


def _is_large(file: Any) -> bool:
    """More than a page should read while somebody waits; a file that cannot be read is none of a worker's either."""
    size = unpacked_size(file)
    if size is None or size > PAGE_BYTES:
        return True
    try:
        rows = open_rows(file)
        return not isinstance(rows, Sheet) or any(at > PAGE_ROWS for at, _row in enumerate(rows.lines, start=1))
    except BadFile:
        return False
    finally:
        file.seek(0)


def _by_line(done: IngestResult) -> Mapping[int, dict[str, list[str]]]:
    found: dict[int, dict[str, list[str]]] = {}
    for error in done.refused[: SHOWN * 10]:
        found.setdefault(error.line, {}).setdefault(error.column or "__all__", []).append(error.message)
    return found


def _row(sample: Difference, shown: Sequence[str]) -> RowResult:
    row = RowResult()
    row.number = sample.line
    is_there = not sample.is_new and all(before == after for before, after in sample.values.values())
    row.import_type = RowResult.IMPORT_TYPE_SKIP if is_there else RowResult.IMPORT_TYPE_UPDATE
    if sample.is_new:
        row.import_type = RowResult.IMPORT_TYPE_NEW
    row.diff = [str(sample.line), sample.name, *(_cell(*sample.values.get(name, ("", ""))) for name in shown)]
    return row


def _cell(before: Any, after: Any) -> str:
    if before == after:
        return _shown(after)
    new = format_html("<ins>{}</ins>", _shown(after))
    return format_html("<del>{}</del> {}", _shown(before), new) if before not in (None, "", [], {}) else new


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
