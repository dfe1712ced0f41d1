"""A segment's rule for one customer, condition by condition, each with her own value where it asks for one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models import F, Field, Q, Subquery
from django.utils.translation import gettext as _

from campaigns.whys.answers import Part
from retention import money
from retention.customers.models import Customer, CustomerStats
from retention.segments import rules
from retention.segments.querysets import Explained, explain
from retention.shop.models import Shop

#: Nobody reads more than these of a list of values.
LONGEST = 80


def explained(rule: Any, customer: Customer, now: dt.datetime) -> tuple[bool, tuple[Part, ...]]:
    """Whether the rule means her, and its conditions as the segment itself explains them.

    Raises:
        forms.ValidationError: the rule is not valid (any more).
    """
    told = explain(rule, customer.pk, now)
    values = iter(_values(rule, customer, now))
    # That she is a customer of her own is an answer by itself.
    return told.is_met, tuple(_part(part, values) for part in told.parts if part.kind != "live")


def _part(node: Explained, values: Iterator[str]) -> Part:
    if node.kind == "condition":
        return Part(node.sentence, node.is_met, next(values, ""))
    if node.kind in ("all", "any") and len(node.parts) == 1:
        return _part(node.parts[0], values)
    return Part(node.sentence, node.is_met, "", tuple(_part(part, values) for part in node.parts))


def _values(rule: Any, customer: Customer, now: dt.datetime) -> list[str]:
    """Her values, one text for each condition in the order in which they are asked."""
    return [_value(rules.q(leaf, now), customer) for leaf in rules.leaves(rules.parse(rule))]


def _value(question: Q, customer: Customer) -> str:
    found: dict[str, Any] = {}
    for path in dict.fromkeys(_columns(question)):
        row: Any = customer
        name = path
        if path.startswith("stats__"):
            row, name = CustomerStats.of(customer), path.removeprefix("stats__")
        found[path] = getattr(row, name, None)
    shown = [
        f"{_name(path)}: {_amount(held) if path.endswith('_minor') else _shown(held)}" for path, held in found.items()
    ]
    return ", ".join(shown)[: LONGEST * 2]


def _amount(held: int | None) -> str:
    """Statistics are in the shop's currency."""
    return _("not known") if held is None else money.show(held, Shop.objects.get().currency)


def _columns(question: Any) -> Iterator[str]:
    """The plain columns of hers that a question names; what it asks of other tables has none."""
    if isinstance(question, Subquery):
        return
    if isinstance(question, tuple | F):
        name = question[0] if isinstance(question, tuple) else vars(question)["name"]
        yield from filter(None, [_column(name)])
        return
    parts = question.children if isinstance(question, Q) else getattr(question, "get_source_expressions", list)()
    for part in parts:
        yield from _columns(part)


def _column(lookup: str) -> str:
    model: type[Customer] | type[CustomerStats] = Customer
    prefix, rest = "", lookup
    if lookup.startswith("stats__"):
        model, prefix, rest = CustomerStats, "stats__", lookup.removeprefix("stats__")
    name = rest.split("__")[0]
    try:
        field = model._meta.get_field(name)
    except (FieldDoesNotExist, FieldError):
        return ""
    if not isinstance(field, Field) or field.is_relation or name in ("id", "attributes"):
        return ""
    return prefix + name


def _name(column: str) -> str:
    return (
        column.removeprefix("stats__")
        .removesuffix("_minor")
        .removesuffix("_normal")
        .removesuffix("_at")
        .replace("_", " ")
    )


def _shown(held: Any) -> str:
    if held is None or held == "":
        return _("not known")
    if isinstance(held, dt.datetime):
        return f"{held:%Y-%m-%d}"
    if isinstance(held, list | tuple | set):
        return ", ".join(map(str, held))[:LONGEST] or _("none")
    return f"{held}"[:LONGEST]
