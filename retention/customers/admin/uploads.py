"""The way in of a file: uploaded, its columns chosen, looked at, started."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from retention import registries
from retention.doors.console import acting
from retention.doors.previews import SHOWN, label_of, table
from retention.refusals import Refused
from retention.work import column_maps, imports
from retention.work.ingest.columns import Choice
from retention.work.ingest.files import BadFile, open_rows, unpacked_size
from retention.work.ingest.layouts import DATES, column_of, columns_of, feeds_of, names_of
from retention.work.ingest.staging import Sheet
from retention.work.models import ColumnMap, Import

#: Files with more rows than this, or larger than that when unpacked, are not tried on the page.
PAGE_ROWS = 5_000
PAGE_BYTES = 4 * 2**20
#: First values of a column that are shown.
VALUES = 3


def may_bring(user: Any, kind: str, layout: Mapping[str, Any]) -> bool:
    """Whether somebody may bring in everything that a file read like this says."""
    if kind not in registries.ingests:
        return False
    kinds = {kind} | {feed.kind for feed in feeds_of(kind, layout)} if layout else {kind}
    return all(user.has_perm(registries.ingests[each].right) for each in kinds)


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"), widget=UnfoldAdminFileFieldWidget, help_text=_("CSV, XLSX or JSON lines, plain or gzipped.")
    )
    what = forms.ChoiceField(
        label=_("What it holds"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("With “Find out”, files of the sources below are known by their columns."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(f"kind:{kind.key}", kind.label) for kind in registries.ingests if user.has_perm(kind.right)]
        presets = [
            (f"preset:{preset.key}", preset.label)
            for preset in registries.presets
            if may_bring(user, preset.kind, {"preset": preset.key})
        ]
        kept = [
            (f"map:{row.pk}", row.name)
            for row in ColumnMap.objects.filter(archived_at=None)
            if may_bring(user, row.kind, row.layout)
        ]
        groups: list[Any] = [("", _("Find out by its columns")), (_("Facts"), kinds), (_("Exports of"), presets)]
        self.fields["what"].required = False
        self.fields["what"].choices = [*groups, (_("Your sources"), kept)] if kept else groups

    def clean(self) -> dict[str, Any]:
        """`kind`, `source` and `layout`; the layout is None where its columns are to be chosen."""
        given = super().clean()
        file = given.get("file")
        if file is None or "what" not in given:
            return given
        way, _colon, key = given["what"].partition(":")
        try:
            if way == "preset":
                preset = registries.presets[key]
                found: Any = (preset.kind, str(preset.label), {"preset": key})
            elif way == "map":
                row = ColumnMap.objects.get(pk=int(key))
                found = (row.kind, row.name, row.layout)
            else:
                found = self._known(file, key)
        except BadFile as bad:
            raise forms.ValidationError({"file": str(bad)}) from None
        if found is None:
            raise forms.ValidationError({"what": _("These columns are not known yet: say what the file holds.")})
        return {**given, **dict(zip(("kind", "source", "layout"), found, strict=True))}

    def _known(self, file: Any, kind: str) -> tuple[str, str, dict[str, Any] | None] | None:
        offered = dict(self.fields["what"].choices)[_("Facts")]
        kinds = [kind] if kind else [key.removeprefix("kind:") for key, _label in offered]
        for each in kinds:
            seen = column_maps.peek(file, each)
            if (known := column_maps.known_layout(each, seen.headers, file.name)) is not None:
                return each, *known
        if not kind:
            return None
        return kind, "", {} if column_maps.peek(file, kind).is_ours else None


class ColumnsForm(forms.Form):
    """One choice for each column of the file, a text for each of ours that it lacks, and how it writes things."""

    dates = forms.ChoiceField(
        label=_("Dates look like"), choices=DATES.items(), required=False, widget=UnfoldAdminSelectWidget
    )
    has_decimal_comma = forms.BooleanField(
        label=_("Amounts have a decimal comma, as in 1.234,50"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    name = forms.CharField(
        label=_("Keep these columns as"), required=False, max_length=80, widget=UnfoldAdminTextInputWidget,
        help_text=_("The name of the source, such as “ERP export”. The next file with these columns is read the same."),
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str, seen: column_maps.Peek, layout: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.seen = kind, seen
        chosen, constants = layout.get("columns", {}), layout.get("constants", {})
        self.initial |= {"dates": layout.get("dates", ""), "has_decimal_comma": layout.get("has_decimal_comma")}
        for at, header in enumerate(seen.headers):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=header, required=False, choices=self._offered(), initial=chosen.get(header, ""),
                widget=UnfoldAdminSelectWidget,
            )  # fmt: skip
        for name in self._fillable():
            self.fields[f"constant_{name}"] = self._constant(name, constants.get(name, ""))
        self.asked = column_maps.words_asked(kind, chosen, seen)
        for at, (_header, name, words) in enumerate(self.asked):
            known = layout.get("words", {}).get(name, {})
            for place, word in enumerate(words):
                self.fields[f"word_{at}_{place}"] = forms.ChoiceField(
                    label=word, required=False, choices=_choices(column_of(kind, name)[1]),
                    initial=known.get(word.casefold(), ""), widget=UnfoldAdminSelectWidget,
                )  # fmt: skip

    def _offered(self) -> list[Any]:
        names = names_of(self.kind)
        companion = registries.ingests[self.kind].companion
        start = f"{companion[0]}." if companion else "\0"
        mine = [(name, label_of(name)) for name in names if not name.startswith(start)]
        groups: list[Any] = [("", _("Leave out")), (registries.ingests[self.kind].label, mine)]
        if companion:
            theirs = [(name, label_of(name)) for name in names if name.startswith(start)]
            groups.append((registries.ingests[companion[0]].label, theirs))
        return groups

    def _fillable(self) -> list[str]:
        return [name for name in names_of(self.kind) if not name.endswith("_minor")]

    def _constant(self, name: str, text: str) -> forms.Field:
        column = column_of(self.kind, name)[1]
        given: dict[str, Any] = {"label": label_of(name), "required": False, "initial": text}
        if isinstance(column, Choice):
            return forms.ChoiceField(**given, choices=_choices(column), widget=UnfoldAdminSelectWidget)
        return forms.CharField(**given, max_length=200, widget=UnfoldAdminTextInputWidget)

    def layout(self) -> dict[str, Any]:
        """What was chosen, as it is stored."""
        given = self.cleaned_data
        columns = {header: given[f"column_{at}"] for at, header in enumerate(self.seen.headers)}
        columns = {header: ours for header, ours in columns.items() if ours}
        words = {
            name: {word.casefold(): given[f"word_{at}_{place}"] for place, word in enumerate(of)}
            for at, (_header, name, of) in enumerate(self.asked)
        }
        guessed = column_maps.guessed_words(self.kind, columns, self.seen)
        return {
            "columns": columns,
            "constants": {name: given[f"constant_{name}"] for name in self._fillable()},
            "words": {**guessed, **words},
            "dates": given["dates"],
            "has_decimal_comma": given["has_decimal_comma"],
        }

    def rows(self) -> Iterator[tuple[str, list[str], Any]]:
        """(the file's column, its first values, the choice) for the table."""
        for at, header in enumerate(self.seen.headers):
            yield header, self.seen.values(at, VALUES), self[f"column_{at}"]

    def words(self) -> Iterator[tuple[str, list[Any]]]:
        """(the file's column, the choice for each of its words)."""
        for at, (header, _name, words) in enumerate(self.asked):
            yield header, [self[f"word_{at}_{place}"] for place in range(len(words))]

    def constants(self) -> list[Any]:
        return [self[f"constant_{name}"] for name in self._fillable()]

    def required(self) -> list[str]:
        """Labels of columns that every new row needs."""
        return [label_of(column.name) for column in columns_of(self.kind) if column.required]


def _choices(column: Any) -> list[tuple[str, Any]]:
    return [("", "—"), *((choice, label_of(choice)) for choice in column.choices)]


class Uploads:
    """The pages, mixed into the imports' admin."""

    admin_site: Any

    def upload_urls(self) -> list:
        wrap = self.admin_site.admin_view
        return [
            path("upload/", wrap(self.upload_view), name="work_import_upload"),
            path("<int:pk>/columns/", wrap(self.columns_view), name="work_import_columns"),
            path("<int:pk>/preview/", wrap(self.preview_view), name="work_import_preview"),
        ]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("work.add_import"):
            raise PermissionDenied
        posted = (request.POST, request.FILES) if request.method == "POST" else ()
        form = UploadForm(*posted, user=request.user, initial={"what": request.GET.get("what", "")})
        if request.method == "POST" and form.is_valid():
            given, file = form.cleaned_data, form.cleaned_data["file"]
            row = imports.prepare_import(
                kind=given["kind"], file=file, file_name=file.name, size=file.size, layout=given["layout"],
                source=given["source"], **acting(request),
            )  # fmt: skip
            return redirect(f"admin:work_import_{'columns' if given['layout'] is None else 'preview'}", row.pk)
        return self._page(request, "customers/import_upload.html", _("Import a file"), {"form": form})

    def columns_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._prepared(request, pk)
        if row.state != Import.State.PREPARED or "preset" in row.layout:
            return redirect("admin:work_import_change", pk)
        with row.file.open("rb") as file:
            seen = column_maps.peek(file, row.kind)
        layout = row.layout or column_maps.guessed_layout(row.kind, seen)
        form = ColumnsForm(request.POST or None, kind=row.kind, seen=seen, layout=layout, initial={"name": row.source})
        if request.method == "POST" and form.is_valid():
            try:
                self._choose(request, row, form)
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                return redirect("admin:work_import_preview", pk)
        title = _("Columns of %s") % row.file_name
        return self._page(request, "customers/import_columns.html", title, {"form": form, "import": row})

    @transaction.atomic
    def _choose(self, request: HttpRequest, row: Import, form: ColumnsForm) -> None:
        layout = column_maps.checked_layout(row.kind, form.layout())
        name = form.cleaned_data["name"].strip()
        if name:
            column_maps.save_column_map(
                name=name, kind=row.kind, headers=form.seen.headers, layout=layout, **acting(request)
            )
        imports.choose_columns(import_id=row.pk, layout=layout, source=name)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._prepared(request, pk)
        if row.state != Import.State.PREPARED:
            return redirect("admin:work_import_change", pk)
        if request.method == "POST":
            return self._start(request, row)
        context: dict[str, Any] = {"import": row, "is_preset": "preset" in row.layout, "tables": []}
        with row.file.open("rb") as file:
            context["is_large"] = is_large(file)
            if not context["is_large"]:
                try:
                    done = imports.bring_file(row, file, dry_run=True, samples=SHOWN, **acting(request))
                    context["tables"] = [table(each) for each in done]
                except Refused as refused:
                    context["refusal"] = str(refused)
        context["refused"] = sum(each.refused_rows for each in context["tables"])
        context["has_good_rows"] = context["is_large"] or any(sum(each.counts) for each in context["tables"])
        return self._page(request, "customers/import_preview.html", _("Preview of %s") % row.file_name, context)

    def _start(self, request: HttpRequest, row: Import) -> HttpResponse:
        with row.file.open("rb") as file:
            is_small = not is_large(file)
        try:
            imports.start_import(import_id=row.pk, good_only=bool(request.POST.get("good_only")))
            if is_small:
                # No longer than looking at it took; a worker who was quicker has it.
                imports.run_import(import_id=row.pk, now=acting(request)["now"])
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect("admin:work_import_change", row.pk)

    def _prepared(self, request: HttpRequest, pk: int) -> Import:
        if not request.user.has_perm("work.add_import"):
            raise PermissionDenied
        row = get_object_or_404(Import, pk=pk)
        if not may_bring(request.user, row.kind, row.layout):
            raise PermissionDenied
        return row

    def _page(self, request: HttpRequest, template: str, title: Any, context: dict[str, Any]) -> HttpResponse:
        opts = Import._meta
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "title": title, "opts": opts, **context}
        )


def is_large(file: Any) -> bool:
    """More than a page should read while somebody waits; a file that cannot be read is none of a worker's either."""
    size = unpacked_size(file)
    if size is None or size > PAGE_BYTES:
        return True
    try:
        rows = open_rows(file, named=list)
        return not isinstance(rows, Sheet) or any(at > PAGE_ROWS for at, _row in enumerate(rows.lines, start=1))
    except BadFile:
        return False
    finally:
        file.seek(0)
