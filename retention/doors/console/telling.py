"""Places and values of a version as its page's form calls them, so that a difference reads like the form itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from django import forms
from django.utils.text import capfirst

from retention.audit.differences import Change, humane, readable

Path = tuple[str, ...]
Show = Callable[[Any], str]


class Telling(Protocol):
    """A form's field that holds a whole version and can name every place in it."""

    def tell(self, path: Path, states: Iterable[Any]) -> tuple[str, Show]:
        """What a place is called in these states of the version, and how a value there is said."""


def told(change: Change, form: forms.BaseForm, called: Mapping[str, str], states: Iterable[Any]) -> tuple[str, Show]:
    """A place in words, and how a value there is said.

    Args:
        called: what a version calls otherwise than the form: its key → the form's field.
        states: the versions' data, whole.
    """
    whole = next((field for field in form.fields.values() if hasattr(field, "tell")), None)
    if whole is not None:
        return whole.tell(change.path, states)
    first, *rest = change.path
    labels, show = _place(form, [called.get(first, first), *rest])
    return " › ".join(labels), show


def _place(form: forms.BaseForm, path: Sequence[str]) -> tuple[list[str], Show]:
    """A part may be several fields of the form, each called by the whole way to it; or a list of small forms."""
    if field := _field(form, "_".join(path)):
        return [capfirst(str(field.label))], _showing(field)
    first, *rest = path
    field = _field(form, first)
    label = capfirst(str(field.label)) if field and field.label else humane(first)
    if field is None or not hasattr(field, "row") or not rest:
        return [label, *map(humane, rest)], readable
    member, *inside = rest
    row = field.row()
    labels, show = _place(row, inside) if inside else ([], lambda value: _said(row, value))
    return [label, humane(member), *labels], show


def _said(form: forms.BaseForm, data: Any) -> str:
    """A mapping that such a form would hold."""
    if not isinstance(data, Mapping):
        return readable(data)
    places = [(value, *_place(form, [key])) for key, value in data.items() if value not in (None, "", [], {})]
    return "; ".join(f"{labels[0]}: {show(value)}" for value, labels, show in places)


def _field(form: forms.BaseForm, key: str) -> forms.Field | None:
    names = (key, *(key.removesuffix(end) for end in ("_id", "_at", "_minor")), key.removesuffix("_ids") + "s")
    return next((form.fields[name] for name in names if name in form.fields), None)


def _showing(field: forms.Field) -> Show:
    """How one of its values, or several, are said: rows by their names, choices by their labels."""
    if isinstance(field, forms.ModelChoiceField):
        return lambda value: named_rows(field.queryset.model, value)
    if isinstance(field, forms.ChoiceField):
        labels = {str(key): str(label) for key, label in _flat(field.choices)}
        return lambda value: readable(_each(value, lambda one: labels.get(str(one), readable(one))))
    if hasattr(field, "say"):
        return field.say
    if hasattr(field, "row"):
        return lambda value: ", ".join(_said(field.row(), one) for one in value or []) or readable(None)
    return readable


def named_rows(model: Any, value: Any) -> str:
    """The names of the rows that a number or a list of them points to; whatever is gone stays a number."""
    pks = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)]
    names = {pk: str(row) for pk, row in model._default_manager.in_bulk(pks).items()}
    return readable(_each(value, lambda one: names.get(one, f"№ {one}")))


def _each(value: Any, name: Callable[[Any], str]) -> Any:
    if value is None or value == "":
        return value
    return [name(one) for one in value] if isinstance(value, list) else name(value)


def _flat(choices: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield key, label
