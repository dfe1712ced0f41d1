"""A segment's rule: a JSON tree that is checked node by node, said as a sentence, and compiled to one `Q`.

    {"all": [node, …]} | {"any": [node, …]} | {"not": node} | {"key": "country", "args": {"countries": ["DE"]}}

A rule without conditions is nobody. Inside a rule a group must not be empty: `not` of nothing would be everyone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retention.registries import Condition, conditions
from retention.segments.arguments import DATES, EVER, WordsField
from retention.segments.expressions import NO_ONE, exact, narrowed

#: Hostile JSON ends here: levels of nesting, conditions (those of the segments it names included), length of a text.
MOST_LEVELS = 8
MOST_CONDITIONS = 200
MOST_TEXT = 1000


class RuleCondition(Condition):
    """A condition that stands for another rule, which is written out in its place."""

    #: Only `sets.InSegment` so far; a base here so that rules know nothing of segments.
    @classmethod
    def stands_for(cls, args: Mapping[str, Any]) -> tuple[int, Any]:
        """(what identifies the other rule, its JSON)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Group:
    """All or any of its parts."""

    is_all: bool
    parts: tuple[Node, ...]
    path: str = ""


@dataclass(frozen=True)
class Not:
    """Everyone but."""

    part: Node
    path: str = ""


@dataclass(frozen=True)
class Leaf:
    """One condition with its cleaned arguments; `written_out` where it stands for another rule."""

    condition: type[Condition]
    args: Mapping[str, Any]
    path: str = ""
    written_out: Node | None = None


Node = Group | Not | Leaf


NOBODY = Group(True, ())


def parse(rule: Any, *, of: int | None = None) -> Node:
    """The rule as a checked tree. `of` is the segment whose rule it is, so that it cannot lean on itself.

    Raises:
        forms.ValidationError: with every error by its JSON pointer, such as `/all/0/args/days`.
    """
    if isinstance(rule, Group | Not | Leaf):
        return rule
    reading = _Reading(trail=() if of is None else (of,))
    node = reading.root(rule)
    if reading.errors:
        raise forms.ValidationError(reading.errors)
    return node


def under_rule(invalid: forms.ValidationError) -> forms.ValidationError:
    """The same errors, placed in something that holds the rule under `rule`: `rule/all/0/args/days`."""
    found = {f"rule{path}".removesuffix("/"): errors for path, errors in invalid.error_dict.items()}
    return forms.ValidationError(found)


@dataclass
class _Reading:
    """One rule being read: what it is part of, its errors by path, and how many conditions it has had."""

    trail: tuple[int, ...]
    errors: dict[str, list[forms.ValidationError]] = field(default_factory=dict)
    count: int = 0

    def error(self, path: str, message: Any, code: str, **params: Any) -> None:
        self.errors.setdefault(path or "/", []).append(forms.ValidationError(message, code=code, params=params))

    def root(self, rule: Any) -> Node:
        if rule in ({}, {"all": []}, {"any": []}):
            return NOBODY
        return self.node(rule, "", 1)

    def node(self, node: Any, path: str, level: int) -> Node:
        if level > MOST_LEVELS:
            self.error(path, _("At most %(most)s levels."), "too_deep", most=MOST_LEVELS)
        elif not isinstance(node, dict):
            self.error(path, _("This must be an object."), "not_an_object")
        elif set(node) in ({"all"}, {"any"}):
            return self.group(node, path, level)
        elif set(node) == {"not"}:
            return Not(self.node(node["not"], f"{path}/not", level + 1), path)
        elif "key" in node and set(node) <= {"key", "args"}:
            return self.leaf(node, path)
        else:
            self.error(path, _("This must have exactly one of all, any and not, or a key with args."), "shape")
        return NOBODY

    def group(self, node: dict, path: str, level: int) -> Node:
        ((word, parts),) = node.items()
        inside = f"{path}/{word}"
        if not isinstance(parts, list):
            self.error(inside, _("This must be a list."), "not_a_list")
        elif not parts:
            self.error(inside, _("This group is empty: add a condition or remove it."), "empty_group")
        elif len(parts) > MOST_CONDITIONS:
            self.error(inside, _("At most %(most)s conditions."), "too_many", most=MOST_CONDITIONS)
        else:
            read = (self.node(part, f"{inside}/{at}", level + 1) for at, part in enumerate(parts))
            return Group(word == "all", tuple(read), path)
        return NOBODY

    def leaf(self, node: dict, path: str) -> Node:
        self.count += 1
        key, args = node["key"], node.get("args", {})
        if self.count > MOST_CONDITIONS:
            if self.count == MOST_CONDITIONS + 1:
                message = _("At most %(most)s conditions, those of the segments it names included.")
                self.error("", message, "too_many", most=MOST_CONDITIONS)
        elif not isinstance(key, str) or key not in conditions:
            self.error(f"{path}/key", _("There is no condition “%(key)s”."), "unknown_key", key=str(key)[:60])
        elif not isinstance(args, dict):
            self.error(f"{path}/args", _("This must be an object."), "not_an_object")
        else:
            return self.cleaned(conditions[key], args, path)
        return NOBODY

    def cleaned(self, condition: type[Condition], args: dict, path: str) -> Node:
        wrong = {name: error for name, value in args.items() if (error := wrong_type(condition, name, value))}
        try:
            if wrong:
                raise forms.ValidationError(wrong)
            values = condition.clean(args)
        except forms.ValidationError as invalid:
            for name, errors in invalid.error_dict.items():
                end = "" if name == "__all__" else f"/{name}"
                self.errors.setdefault(f"{path}/args{end}", []).extend(errors)
            return NOBODY
        written_out = self.write_out(condition, values, path) if issubclass(condition, RuleCondition) else None
        return Leaf(condition, values, path, written_out)

    def write_out(self, condition: type[RuleCondition], values: Mapping[str, Any], path: str) -> Node:
        other, rule = condition.stands_for(values)
        if other in self.trail:
            self.error(f"{path}/args", _("This would make the segment lean on itself."), "circle")
            return NOBODY
        inner = _Reading(trail=(*self.trail, other), count=self.count)
        node = inner.root(rule)
        self.count = inner.count
        for errors in inner.errors.values():
            self.errors.setdefault(f"{path}/args", []).extend(errors)
        return node


def wrong_type(condition: type[Condition], name: str, value: Any) -> forms.ValidationError | None:
    """Why a JSON value cannot be this argument at all; its form judges what can."""
    asked = condition.form_class.base_fields.get(name)
    if asked is None or value is None:
        return None
    allowed: tuple[type, ...] = (str,)
    if isinstance(asked, WordsField):
        allowed = (str, list)
    elif isinstance(asked, forms.IntegerField):
        allowed = (str, int, float)
    if isinstance(value, bool) or not isinstance(value, allowed):
        return forms.ValidationError(_("This is of the wrong type."), code="wrong_type")
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and (len(text) > MOST_TEXT or not is_storable(text)):
            return forms.ValidationError(_("This text is too long or cannot be stored."), code="bad_text")
    return None


def is_storable(text: str) -> bool:
    """No NUL and no half of a surrogate pair: PostgreSQL takes neither."""
    return "\0" not in text and not any("\ud800" <= symbol <= "\udfff" for symbol in text)


def q(
    rule: Any,
    now: dt.datetime,
    *,
    of: int | None = None,
    among: Q | None = None,
    where: Callable[[QuerySet], bool] | None = None,
) -> Q:
    """Who the rule means, over `Customer`: two-valued, in AND and OR only. `among` and `where` as `narrowed` has them.

    Raises:
        forms.ValidationError: the rule is not valid (any more).
    """
    asked = _question(parse(rule, of=of), now)
    return exact(asked if among is None and where is None else narrowed(asked, among, where=where))


def _question(node: Node, now: dt.datetime) -> Q:
    if isinstance(node, Not):
        return ~_question(node.part, now)
    if isinstance(node, Leaf):
        return node.condition.q(node.args, now=now) if node.written_out is None else _question(node.written_out, now)
    if not node.parts:
        return NO_ONE
    return Q(*(_question(part, now) for part in node.parts), _connector=Q.AND if node.is_all else Q.OR)


def sentence(rule: Any, *, of: int | None = None) -> str:
    """The whole rule in words.

    Raises:
        forms.ValidationError: the rule is not valid.
    """
    node = parse(rule, of=of)
    if node == NOBODY:
        return gettext("Nobody: there is no condition yet.")
    return gettext("Everyone who %(rule)s.") % {"rule": phrase(node)}


def phrase(node: Node, *, is_inside: bool = False) -> str:
    """One node in words, in brackets where it is a group inside another."""
    if isinstance(node, Leaf):
        return node.condition.sentence(node.args)
    if isinstance(node, Not):
        return gettext("is not someone who %(rule)s") % {"rule": phrase(node.part, is_inside=True)}
    if not node.parts:
        return gettext("is nobody")
    joiner = gettext("and") if node.is_all else gettext("or")
    text = f", {joiner} ".join(phrase(part, is_inside=len(node.parts) > 1) for part in node.parts)
    return f"({text})" if is_inside and len(node.parts) > 1 else text


def leaves(node: Node) -> Iterator[Leaf]:
    """Every condition that is asked of the database, those of the segments it names included."""
    if isinstance(node, Leaf):
        yield from leaves(node.written_out) if node.written_out is not None else (node,)
    else:
        for part in (node.part,) if isinstance(node, Not) else node.parts:
            yield from leaves(part)


def is_time_relative(node: Node) -> bool:
    """Whether who is meant can change with time alone: a window that ends now, not one between two dates."""
    return any(
        leaf.condition.is_time_relative and leaf.args.get("window") not in (EVER, DATES) for leaf in leaves(node)
    )
