"""What a condition looks at, as it is with one customer: her columns, and what her facts amount to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from babel.dates import format_date
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, F, Q, QuerySet, Value
from django.db.models.expressions import BaseExpression, OuterRef, Subquery
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, gettext

from retention import clock, money
from retention.customers.models import Customer, CustomerStats
from retention.segments import phrases
from retention.segments.arguments import Amount, Share, shop_currency, shop_zone
from retention.segments.expressions import Facts
from retention.segments.rules import Leaf

#: Beyond so many, a list of values explains nothing.
MOST = 3


def expressions_of(leaf: Leaf, now: dt.datetime) -> dict[str, Any]:
    """Name → expression over `Customer`: what this condition asks about her; empty where it cannot be told simply."""
    if leaf.condition.looks_at:
        return {leaf.condition.looks_at: F(leaf.condition.looks_at)}
    asked = list(_asked(leaf.condition.q(leaf.args, now=now)))
    facts = [each for each in asked if isinstance(each, Facts)]
    if facts:
        is_counted = "number" in leaf.args and len(facts) == len(asked) == 1
        return {"facts": Coalesce(_amount(facts[0]), 0)} if is_counted else {}
    found: dict[str, Any] = {}
    for each in asked:
        for path in _paths(each):
            if path == "attributes":
                key = str(leaf.args.get("attribute"))
                found[f"attributes__{key}"] = KeyTextTransform("value", KeyTransform(key, "attributes"))
            elif path != "pk":
                found[path] = _column_of(path)
    return found if len(found) <= MOST else {}


def _column_of(path: str) -> Any:
    """Who has no statistics yet has those of noughts."""
    room, _dot, name = path.partition("__")
    if room != "stats" or "__" in name or (field := CustomerStats._meta.get_field(name)).null:
        return F(path)
    return Coalesce(F(path), Value(field.get_default()))


def told(leaf: Leaf, values: Mapping[str, Any]) -> str:
    """Her values in words; nothing where nothing was asked."""
    return " · ".join(_shown(leaf, values[name]) for name in sorted(values))


def _asked(q: Q) -> Iterator[Any]:
    for child in q.children:
        if isinstance(child, Q):
            yield from _asked(child)
        elif isinstance(child, Exists) and not isinstance(child, Facts):
            yield from (child, child)
        else:
            yield child


def _amount(facts: Facts) -> Subquery:
    rows: QuerySet = facts.facts.filter(**{facts.of: OuterRef("pk")}).order_by()
    return Subquery(rows.values(facts.of).annotate(amount=facts.measure).values("amount"))


def _paths(asked: Any) -> Iterator[str]:
    """The columns that a lookup or an expression reads."""
    if isinstance(asked, tuple):
        yield _column(asked[0])
    elif isinstance(asked, F):
        yield _column(asked.name)  # type: ignore[attr-defined]
    elif isinstance(asked, BaseExpression):
        for source in asked.get_source_expressions():
            if source is not None:
                yield from _paths(source)


def _column(lookup: str) -> str:
    """`stats__orders` of `stats__orders__gte`."""
    model: Any = Customer
    path = []
    for part in lookup.split("__"):
        if part == "pk":
            return "pk"
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            break
        path.append(part)
        model = field.related_model or model
    return "__".join(path)


def _shown(leaf: Leaf, value: Any) -> str:
    form = leaf.condition.form_class
    if value is None or value == "" or value == []:
        return gettext("unknown") if value is None else gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dt.datetime):
        day = value.astimezone(clock.zone(shop_zone())).date()
        return format_date(day, "medium", locale=phrases.locale())
    if issubclass(form, Amount):
        return money.show(int(value), shop_currency(), get_language() or "en")
    if issubclass(form, Share):
        return f"{100 * value:.3g} %"
    if isinstance(value, list):
        return phrases.listing(value, gettext("and"))
    return phrases.plain(value) if isinstance(value, int | float) else str(value)
