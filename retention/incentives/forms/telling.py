"""A place in a rule, and a value there, as the builder calls them: read from the same catalogue that it draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

from retention import money
from retention.audit.differences import NAMES, humane, readable
from retention.incentives.baskets import amounts_text
from retention.incentives.forms.catalogue import Field
from retention.incentives.parts import percent_text

Show = Callable[[Any], str]
#: List → key → name of what can be picked from it.
Sets = Mapping[str, Mapping[str, str]]


class Telling:
    """Says places and values of a rule drawn with `fields`; `currency`: of amounts that name none."""

    def __init__(self, fields: Sequence[Field], sets: Sets, currency: str) -> None:
        self.fields, self.sets, self.currency = fields, sets, currency

    def place(self, path: Sequence[str], states: Iterable[Any]) -> tuple[str, Show]:
        labels, show = self._inside(self.fields, path, [one for one in states if isinstance(one, dict)])
        return " › ".join(labels), show

    def _inside(self, fields: Sequence[Field], path: Sequence[str], states: list[dict]) -> tuple[list[str], Show]:
        if not path:
            return [], readable
        name, *rest = path
        field = next((one for one in fields if one["name"] == name), None)
        if field is None:
            return [humane(part) for part in path], readable
        labels, show = self._below(field, rest, [one[name] for one in states if one.get(name) is not None])
        return [field["label"], *labels], show

    def _below(self, field: Field, rest: Sequence[str], values: list[Any]) -> tuple[list[str], Show]:
        if not rest:
            return [], lambda value: self.show(field, value)
        match field["kind"]:
            case "part":
                return self._inside(field["fields"], rest, values)
            case "one_of" if rest[0] == "kind":
                labels = {one["kind"]: one["label"] for one in field["variants"]}
                return [], lambda value: labels.get(value, readable(value))
            case "one_of":
                return self._inside(_variant(field, values)["fields"], rest, values)
            case "many":
                members = [found for value in values if (found := _member(value, rest[0])) is not None]
                labels, show = self._below(field["item"], rest[1:], members)
                return [self._title(field, rest[0], members), *labels], show
            case "amounts":
                return [*rest], lambda value: money.show(value, rest[0]) if isinstance(value, int) else readable(value)
        return [*rest], readable

    def _title(self, field: Field, said: str, members: list[Any]) -> str:
        """What one of a list is called: its own name, else its kind or place with what tells it apart."""
        last = members[-1] if members else {}
        if names := last.get("names"):
            return _by_language(names)
        variants = field["item"].get("variants")
        if variants:
            label = _variant(field["item"], members)["label"]
            return label if said.isdecimal() else f"{label} ({said})"
        return field["called"] % {"n": said} if said.isdecimal() and field["called"] else humane(said)

    def show(self, field: Field, value: Any) -> str:
        """A value as a reader of the form would say it."""
        if value is None or value in ("", [], {}):
            return "—"
        match field["kind"]:
            case "part":
                return self._parts(field["fields"], value)
            case "one_of":
                variant = _variant(field, [value])
                return " ".join(filter(None, [variant["label"], self._in_brackets(variant["fields"], value)]))
            case "many":
                return ", ".join(self.show(field["item"], one) for one in value)
            case "choice" | "words" | "pick":
                labels = dict(field.get("choices") or self.sets.get(field.get("source", ""), {}))
                labels = {str(key): str(label) for key, label in labels.items()}
                each = value if isinstance(value, list) else [value]
                return ", ".join(labels.get(str(one), str(one)) for one in each)
            case _:
                return self._leaf(field["kind"], value)

    def _leaf(self, kind: str, value: Any) -> str:
        match kind, value:
            case "percent", int():
                return f"{percent_text(value)} %"
            case "minor", int():
                return money.show(value, self.currency)
            case "money", dict():
                return money.show(value["amount_minor"], value["currency"])
            case "amounts", dict():
                return amounts_text(value.items())
            case "texts", dict():
                return _by_language(value)
            case "instant", str():
                at = dt.datetime.fromisoformat(value)
                return date_format(
                    at.astimezone(timezone.get_current_timezone()) if at.tzinfo else at, "DATETIME_FORMAT"
                )
        return readable(value)

    def _parts(self, fields: Sequence[Field], value: Mapping[str, Any]) -> str:
        """What was filled in beside what a new one begins with."""
        said = [
            f"{field['label']}: {self.show(field, value[field['name']])}"
            for field in fields
            if field["name"] in value and value[field["name"]] not in (None, "", [], {}, field.get("initial"))
        ]
        return "; ".join(said)

    def _in_brackets(self, fields: Sequence[Field], value: Mapping[str, Any]) -> str:
        said = self._parts(fields, value)
        return f"({said})" if said else ""


def _variant(field: Field, values: Sequence[Any]) -> Field:
    kinds = [value.get("kind") for value in reversed(values) if isinstance(value, dict)]
    found = (one for kind in kinds for one in field["variants"] if one["kind"] == kind)
    return next(found, field["variants"][0])


def _member(values: Any, said: str) -> Any:
    """The member of a list that a difference calls so: by what tells members apart, or by its place."""
    members = values if isinstance(values, list) else []
    told = (one for name in NAMES for one in members if isinstance(one, dict) and str(one.get(name)) == said)
    by_place = members[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(members) else None
    return next(told, by_place)


def _by_language(names: Mapping[str, str]) -> str:
    return names.get(get_language() or "") or next(iter(names.values()))
