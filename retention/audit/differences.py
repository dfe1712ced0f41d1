"""What changed between two states of the same thing, as lines that people can read."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: What tells the members of a list apart, best first, when they are mappings.
NAMES = ("key", "id", "sku", "language", "channel", "position", "name")


@dataclass(frozen=True)
class Change:
    """One place that differs. A `before` or `after` of None means it was not there.

    Attributes:
        path: the keys from the top to the place, such as ("effects", "1", "percent").
        lines: for texts of several lines, the difference by line: ("+" | "-" | " ", text).
    """

    path: tuple[str, ...]
    before: Any
    after: Any
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        return " › ".join(humane(part) for part in self.path)


def difference(before: Any, after: Any) -> list[Change]:
    """Every place where two JSON values differ, in the order of the newer one."""
    return list(_compare(before, after, ()))


def readable(value: Any) -> str:
    """A JSON value in words: nothing, yes, no, a list with commas, a mapping with colons."""
    if value is None or value in ("", [], {}):
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{humane(key)}: {readable(part)}" for key, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(readable(part) for part in value)
    return str(value)


def _compare(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _compare_mappings(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, path)
    elif readable(before) == readable(after):
        return
    elif isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        yield Change(path, before, after, tuple(_by_line(before, after)))
    else:
        yield Change(path, before, after)


def _compare_mappings(before: Mapping, after: Mapping, path: tuple[str, ...]) -> Iterator[Change]:
    for key in [*after, *(key for key in before if key not in after)]:
        yield from _compare(before.get(key), after.get(key), (*path, str(key)))


def _compare_lists(before: list, after: list, path: tuple[str, ...]) -> Iterator[Change]:
    if not any(isinstance(member, Mapping | list) for member in [*before, *after]):
        if readable(before) != readable(after):
            yield Change(path, before, after)
        return
    name = next((name for name in NAMES if _is_named_by(name, before) and _is_named_by(name, after)), None)
    if name is None:
        old = {str(place): member for place, member in enumerate(before, start=1)}
        new = {str(place): member for place, member in enumerate(after, start=1)}
    else:
        old = {str(member[name]): member for member in before}
        new = {str(member[name]): member for member in after}
    yield from _compare_mappings(old, new, path)


def _is_named_by(name: str, members: list) -> bool:
    if not all(isinstance(member, Mapping) and isinstance(member.get(name), str | int) for member in members):
        return False
    return len({str(member[name]) for member in members}) == len(members)


def _by_line(before: str, after: str) -> Iterator[tuple[str, str]]:
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2):
        if not line.startswith(("---", "+++", "@@")):
            yield line[:1], line[1:]


def humane(key: str) -> str:
    """A key as words, where nobody gave it a name."""
    text = str(key).removesuffix("_minor").replace("_", " ")
    return text[:1].upper() + text[1:]
