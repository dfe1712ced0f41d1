"""A form field for any part of a rule: edited by the builder, checked whole by its class, errors at their fields."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from pydantic import BaseModel
from pydantic import ValidationError as PartError

from retention import money
from retention.incentives.facts import shop_currency
from retention.incentives.forms import words
from retention.incentives.forms.catalogue import fields_of, instants
from retention.incentives.forms.suggestions import segment_pairs
from retention.incentives.forms.telling import Show, Telling
from retention.segments.conditions.places import country_pairs
from retention.shop.models import ExchangeRate, Shop

#: No shop sells in more.
MOST_CURRENCIES = 50
Kind = TypeVar("Kind", bound=BaseModel)


class Editor(Generic[Kind]):
    """How the builder edits one class.

    Args:
        model: the class.
        key: by which the builder's view finds this editor.
        sections: (title, names of fields); what is not named comes last, folded.
        blank: what a new one begins with.
        mend: may complete what was sent, in place, before it is read.
        example: what the part would do at an instant, as markup, shown beside it as it is written.
        sets: name of a list → (key, label) of what can be picked from it.
        makes: name of a list → (what the way there says, address of the page) where a new one for it is written.
        is_tabbed: its sections are shown one at a time.
    """

    by_key: dict[str, Editor[Any]] = {}

    def __init__(
        self,
        model: type[Kind],
        *,
        key: str,
        sections: Sequence[tuple[Any, Sequence[str]]],
        says: Callable[[Kind], str],
        blank: Mapping[str, Any] | None = None,
        mend: Callable[[Any], None] | None = None,
        example: Callable[[Kind, dt.datetime], str] | None = None,
        sets: Callable[[], dict[str, list[tuple[str, str]]]] = dict,
        makes: Callable[[int | None], dict[str, tuple[str, str]]] = lambda row_id: {},
        is_tabbed: bool = False,
    ) -> None:
        self.model, self.key, self.sections, self.says = model, key, sections, says
        self.blank, self.mend, self.example, self.sets, self.is_tabbed = blank or {}, mend, example, sets, is_tabbed
        self.makes = makes
        self.by_key[key] = self

    def read(self, data: Any) -> Kind:
        """What the builder sent; times in it are by the shop's clock.

        Raises:
            pydantic.ValidationError
        """
        data = json.loads(json.dumps(data))
        for place, name in instants(fields_of(self.model), data):
            try:
                naive = dt.datetime.fromisoformat(str(place[name]))
            except ValueError:
                continue
            place[name] = (naive if naive.tzinfo else timezone.make_aware(naive)).isoformat()
        if self.mend:
            self.mend(data)
        return self.model.model_validate(data)

    def misfits(self, part: Kind, row_id: int | None) -> dict[str, list[str]]:
        """What cannot be of a whole part as rows stand now, by JSON pointer; `row_id` is of the one that is edited."""
        return {}

    def say(self, part: Kind, row_id: int | None) -> str:
        return self.says(part)

    def show(self, part: Kind, row_id: int | None, now: dt.datetime) -> str:
        """What the part would do, as markup; empty for nothing to show."""
        return self.example(part, now) if self.example else ""

    def typed(self, part: Kind | None) -> dict[str, Any]:
        """What the builder shows, its instants as the shop's clock has them."""
        if part is None:
            return dict(self.blank)
        data = part.model_dump(mode="json", exclude_none=True)
        for place, name in instants(fields_of(self.model), data):
            local = dt.datetime.fromisoformat(place[name]).astimezone(timezone.get_current_timezone())
            place[name] = f"{local:%Y-%m-%dT%H:%M}"
        return data

    def telling(self) -> Telling:
        """Says places and values of such a part as the builder calls them."""
        currency = shop_currency()
        sets = {name: {str(key): str(label) for key, label in pairs} for name, pairs in self._sets([currency]).items()}
        return Telling(fields_of(self.model), sets, currency)

    def _sets(self, currencies: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        return {
            "countries": country_pairs(),
            "currencies": [(one, one) for one in currencies],
            "segments": [(str(pk), name) for pk, name in segment_pairs()],
            "weekdays": [(str(day), str(name)) for day, name in enumerate(WEEKDAYS.values(), 1)],
            **self.sets(),
        }

    def context(self, row_id: int | None = None) -> dict[str, Any]:
        """What the builder's template needs beside the data."""
        currency = shop_currency()
        others = ExchangeRate.objects.exclude(currency=currency).order_by("currency").distinct("currency")
        currencies = [currency, *others.values_list("currency", flat=True)[:MOST_CURRENCIES]]
        fields = {field["name"]: field for field in fields_of(self.model)}
        sections = [(title, [fields.pop(name) for name in names if name in fields]) for title, names in self.sections]
        return {
            "catalogue": {
                "sections": [{"title": str(title), "fields": inside} for title, inside in sections],
                "rest": list(fields.values()),
                "currencies": currencies,
                "digits": {one: money.digits(one) for one in currencies},
                "sets": self._sets(currencies),
                "languages": languages(),
                "makes": self.makes(row_id),
            },
            "row_id": row_id,
            "is_tabbed": self.is_tabbed,
            "say_url": f"{reverse('admin:incentives_incentive_say')}?of={self.key}",
            "suggest_url": reverse("admin:incentives_incentive_suggest"),
        }


def languages() -> list[str]:
    """The shop's, its default one first."""
    return Shop.objects.values_list("languages", flat=True).first() or ["en"]


class PartWidget(forms.Textarea):
    """The JSON in a textarea that the builder works on; without scripts it can still be edited."""

    def __init__(self, editor: Editor[Any]) -> None:
        super().__init__()
        self.editor = editor
        self.row_id: int | None = None

    def render(self, name, value, attrs=None, renderer=None):
        context = self.get_context(name, value, attrs)
        return render_to_string("incentives/builder.html", {**context, "builder": self.editor.context(self.row_id)})


class PartField(forms.JSONField):
    """A part as JSON; its value is one of the editor's class."""

    def __init__(self, editor: Editor[Any], **options: Any) -> None:
        self.editor = editor
        super().__init__(widget=PartWidget(editor), **options)

    def tell(self, path: tuple[str, ...], states: Iterable[Any]) -> tuple[str, Show]:
        """What a place of the part is called in these states of it, and how a value there is said."""
        return self.editor.telling().place(path, states)

    def clean(self, value: Any) -> Any:
        data = super().clean(value)
        try:
            part = self.editor.read(data)
        except PartError as error:
            found = problems_of(error, data)
        else:
            found = self.editor.misfits(part, self.widget.row_id)
            if not found:
                return part
        # The builder shows each error at its own field; without it the places are words of their own.
        raise forms.ValidationError([f"{place}: {' '.join(said)}" for place, said in found.items()])


def problems_of(error: PartError, data: Any) -> dict[str, list[str]]:
    """What is wrong, by JSON pointer into the data that was sent."""
    found: dict[str, list[str]] = {}
    for one in error.errors():
        place = _pointer(one["loc"], data)
        # A list whose one item is wrong is also called too short.
        if one["type"] != "too_short" or not any(other.startswith(f"{place}/") for other in found):
            found.setdefault(place, []).append(problem_words(one))
    return found


def problem_words(error: Mapping[str, Any]) -> str:
    """What is wrong, as a person reads it."""
    said = words.PROBLEMS.get(error["type"])
    if said is not None:
        return str(said) % error.get("ctx", {})
    text = error["msg"].removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")


def _pointer(loc: tuple, data: Any) -> str:
    """The place in the data: pydantic also names the kind of each variant on its way, which is no place."""
    path = ""
    for part in loc:
        if isinstance(data, dict) and part not in data and part == data.get("kind"):
            continue
        path += f"/{part}"
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
    return path
