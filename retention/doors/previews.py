"""What an import would do, as a table that people read: rows that are new or changed, and cells that are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from retention.work.ingest import Difference
from retention.work.ingest.feeds import Brought

#: Rows and errors that a page shows.
SHOWN = 100


@dataclass(frozen=True)
class Row:
    """One row: `is_what` is new, changed or there; its cells are in the order of the table's columns."""

    line: int
    is_what: str
    name: str
    cells: Sequence[Any]

    @property
    def label(self) -> Any:
        return {"new": _("New"), "changed": _("Changed"), "there": _("There")}[self.is_what]


@dataclass(frozen=True)
class Table:
    """One kind's rows: counts in words, what differs, and what is refused by line and column of the file."""

    title: Any
    figures: str
    columns: Sequence[str] = ()
    rows: Sequence[Row] = ()
    errors: Sequence[Any] = ()
    refused_rows: int = 0
    counts: tuple[int, int, int] = (0, 0, 0)

    @property
    def labels(self) -> list[str]:
        return [label_of(name) for name in self.columns]


def label_of(name: str) -> str:
    """`given_name` as people read it; amounts in minor units say so."""
    words = name.removesuffix("_minor").replace("_", " ").replace(".", ": ").capitalize()
    return str(_("%s (minor units)") % words) if name.endswith("_minor") else words


def table(brought: Brought) -> Table:
    done = brought.result
    columns = list(dict.fromkeys(name for sample in done.samples for name in sample.values))
    return Table(
        title=brought.label,
        figures=figures(done.new, done.changed, done.unchanged, done.refused_rows),
        columns=columns,
        rows=[_row(sample, columns) for sample in done.samples],
        errors=done.refused[:SHOWN],
        refused_rows=done.refused_rows,
        counts=(done.new, done.changed, done.unchanged),
    )


def figures(new: int, changed: int, unchanged: int, refused: int) -> str:
    """How many rows are what, in words."""
    sentence = _("%(new)s new, %(changed)s changed, %(unchanged)s as they were.")
    if refused:
        sentence = _("%(new)s new, %(changed)s changed, %(unchanged)s as they were, %(refused)s refused.")
    counts = {"new": new, "changed": changed, "unchanged": unchanged, "refused": refused}
    return str(sentence) % {name: f"{count:,}" for name, count in counts.items()}


def _row(sample: Difference, columns: Sequence[str]) -> Row:
    is_there = not sample.is_new and all(before == after for before, after in sample.values.values())
    is_what = "new" if sample.is_new else "there" if is_there else "changed"
    cells = [_cell(*sample.values.get(name, ("", ""))) for name in columns]
    return Row(sample.line, is_what, sample.name, cells)


def _cell(before: Any, after: Any) -> str:
    if before == after:
        return _shown(after)
    new = format_html("<ins>{}</ins>", _shown(after))
    return format_html("<del>{}</del> {}", _shown(before), new) if before not in (None, "", [], {}) else new


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
