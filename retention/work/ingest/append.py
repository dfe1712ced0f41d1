"""Facts that are only ever added: a row is new, or it repeats one that is there and changes nothing."""

from __future__ import annotations

from typing import ClassVar

from retention.work.ingest.kinds import Kind
from retention.work.ingest.load import Difference, Load


class AppendOnly(Kind):
    """Its preview shows what the rows say, and which of them are there already."""

    #: SQL over the staged row `s`: it is there already. "" where rows that say nothing else have no name.
    is_there: ClassVar[str] = ""
    #: The staged column that `is_there` asks about.
    named_by: ClassVar[str] = "reference"

    @classmethod
    def known(cls, load: Load) -> str:
        """SQL over the staged row `s`: it is there already; false where no row of the load has a name."""
        return cls.is_there if cls.named_by in load.said else "false"

    @classmethod
    def differences(cls, load: Load, limit: int) -> list[Difference]:
        names = [n for c in cls.columns if c.name not in cls.hidden for n in c.staged if n in load.said]
        rows = load.fetch(
            f"SELECT s.line, {cls.known(load)}, {', '.join(f's.{name}' for name in names)} FROM {load.staging} s"
            " WHERE NOT EXISTS (SELECT FROM ingest_errors e WHERE e.line = s.line)"
            " ORDER BY s.line, s.item LIMIT %(limit)s",
            limit=limit,
        )
        found = []
        for line, is_there, *cells in rows:
            said = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
            values = {name: (cell if is_there else None, cell) for name, cell in said.items()}
            found.append(Difference(line, not is_there, values))
        return found
