"""Liquid as marketers may write it: its filters and tags, where a mistake stands, and how words are filled."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import liquid
from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from django.utils.translation import gettext_lazy as _
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import LiquidError, LoopIterationLimitError

from retention import money
from retention.messaging import limits

CONSTRUCT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_TAG_NAME = re.compile(r"\{%-?\s*(\w+)")
#: Words kept out: they read files, clocks or other templates, or let a value through unescaped.
_TAGS_LEFT_OUT = ("include", "render", "doc")
_FILTERS_LEFT_OUT = (
    "safe",
    "escapejs",
    "base64_decode",
    "base64_encode",
    "base64_url_safe_decode",
    "base64_url_safe_encode",
    "url_decode",
)
_LONGEST_RANGE = 1000
#: What filling a template may raise: beside its own errors the library lets some of Python's through.
FAILURES = (LiquidError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True)
class Fault:
    """One mistake in a template and where it stands; lines and columns count from 1."""

    code: str
    line: int = 1
    column: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""
    part: str = ""

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.params


SENTENCES = {
    "syntax": _("This cannot be read: %(message)s."),
    "unclosed": _("“%(tag)s” is never closed."),
    "not_open": _("“%(tag)s” closes something that is not open here."),
    "closed_by": _("“%(tag)s” is closed by “%(by)s”."),
    "unknown_placeholder": _("There is no placeholder “%(name)s”."),
    "unknown_placeholder_near": _("There is no placeholder “%(name)s”. Did you mean “%(near)s”?"),
    "unknown_filter": _("There is no filter “%(name)s”."),
    "unknown_tag": _("There is no block “%(tag)s”."),
    "unknown_block": _("There is no block of the key “%(name)s”."),
    "unknown_block_near": _("There is no block of the key “%(name)s”. Did you mean “%(near)s”?"),
    "misplaced_tag": _("“%(tag)s” cannot stand inside “%(parent)s”."),
    "forbidden_tag": _("“%(tag)s” does nothing in a mail and is not allowed."),
    "stray_words": _("Words cannot stand here: put them into <mj-text>."),
    # Two per cent signs: every sentence is filled by `%`.
    "between_attributes": _("{%% … %%} cannot stand between attributes; use it inside a value."),
    "mjml": _("The blocks cannot be made into a mail: %(message)s."),
    "render": _("Filled with the sample values, this fails: %(message)s."),
    "not_on_channel": _("Messages on this channel have no such part."),
    "too_many_segments": _("This would be sent, and paid, as %(count)s text messages; ten are the most."),
    "empty": _("This may not be empty."),
}


def position(source: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset into the source."""
    offset = max(0, min(offset, len(source)))
    start = source.rfind("\n", 0, offset) + 1
    return source.count("\n", 0, offset) + 1, offset - start + 1


def fault_at(source: str, offset: int, code: str, **params: Any) -> Fault:
    line, column = position(source, offset)
    return Fault(code, line, column, params)


# --- the language ------------------------------------------------------------------------------------------------


def _capped_range(self: RangeLiteral, start: Any, stop: Any) -> range:
    """Without it `(1..10000000)` passes every limit of the library: 16 seconds of one core."""
    try:
        first, last = int(start), int(stop)
    except (TypeError, ValueError):
        return range(0)
    if last - first > _LONGEST_RANGE:
        raise LoopIterationLimitError(f"a range may have at most {_LONGEST_RANGE} steps", token=self.token)
    return range(first, last + 1)


RangeLiteral._make_range = _capped_range


class _Words(liquid.Environment):
    loop_iteration_limit = 10_000
    output_stream_limit = 256_000
    local_namespace_limit = 100_000
    context_depth_limit = 12


@cache
def locale(language: str) -> Locale:
    """Babel's locale for a language tag such as `pt-BR`; English where it has none."""
    for tag in (language.replace("-", "_"), language.partition("-")[0]):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


def show_date(day: dt.date, language: str, length: str = "long") -> str:
    return format_date(day, format=length, locale=locale(language))


def _filters(language: str) -> dict[str, Any]:
    def date(value: Any, length: str = "long") -> str:
        if length not in ("short", "medium", "long", "full"):
            length = "long"
        try:
            return show_date(dt.date.fromisoformat(str(value)[:10]), language, length)
        except ValueError:
            return ""

    def amount(value: Any, currency: str) -> str:
        try:
            return money.show(int(value), money.check_currency(str(currency)), str(locale(language)))
        except (TypeError, ValueError):
            return ""

    def number(value: Any) -> str:
        try:
            return format_decimal(value, locale=locale(language))
        except (TypeError, ValueError, ArithmeticError):
            return ""

    return {"date": date, "money": amount, "number": number}


@cache
def environment(language: str, is_html: bool) -> liquid.Environment:
    """One language's Liquid; in HTML every value is escaped."""
    words = _Words(autoescape=is_html)
    for tag in _TAGS_LEFT_OUT:
        words.tags.pop(tag, None)
    for name in _FILTERS_LEFT_OUT:
        words.filters.pop(name, None)
    words.filters.update(_filters(language))
    words.filters.update({name: limits.guarded(name, each) for name, each in words.filters.items()})
    return words


# --- reading and checking ----------------------------------------------------------------------------------------


def parse(source: str, language: str, *, is_html: bool) -> liquid.BoundTemplate:
    """The parsed template.

    Raises:
        LiquidError: it cannot be read; `faults` says where and why.
    """
    return environment(language, is_html).from_string(source)


def faults(source: str, language: str, samples: Mapping[str, Any], *, is_html: bool) -> list[Fault]:
    """Every mistake that can be seen before anyone gets the message, in the order of the text."""
    try:
        template = parse(source, language, is_html=is_html)
    except LiquidError as error:
        return [_syntax_fault(source, error)]
    analysis = template.analyze()
    found = []
    known = environment(language, is_html).filters
    for name, spans in analysis.filters.items():
        if name not in known:
            found += [fault_at(source, span.index, "unknown_filter", name=name) for span in spans]
    for variables in analysis.globals.values():
        for variable in variables:
            wrong = _unknown_path(variable.segments, samples)
            if wrong:
                found.append(_unknown_placeholder(source, variable.span.index, wrong, samples))
    if not found:
        try:
            render(template, samples)
        except FAILURES as error:
            found.append(fault_at(source, _offset(error), "render", message=plain(error)))
    return sorted(found, key=lambda fault: (fault.line, fault.column))


def used(template: liquid.BoundTemplate) -> set[str]:
    """The placeholders it needs, by key."""
    return set(template.analyze().globals)


def render(template: liquid.BoundTemplate, values: Mapping[str, Any]) -> str:
    """The filled words.

    Raises:
        FAILURES: a limit was reached, or a filter could not work with the value.
    """
    with limits.in_time():
        return template.render(**values)


def paths(samples: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every placeholder as it is typed, with its sample: `customer.first_name`, "Anna"."""
    for name, value in samples.items():
        if isinstance(value, Mapping):
            yield from paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _unknown_path(segments: list[Any], samples: Mapping[str, Any]) -> str:
    """The path up to the first word that no sample has, or nothing."""
    value: Any = samples
    for at, segment in enumerate(segments):
        if isinstance(value, Mapping):
            if not isinstance(segment, str) or segment not in value:
                return ".".join(map(str, segments[: at + 1]))
            value = value[segment]
        elif isinstance(value, (list, tuple)) and (isinstance(segment, int) or segment in ("first", "last")):
            value = value[0] if value else None
        elif segment != "size":
            return ".".join(map(str, segments[: at + 1]))
    return ""


def _unknown_placeholder(source: str, offset: int, name: str, samples: Mapping[str, Any]) -> Fault:
    near = difflib.get_close_matches(name, [path for path, _sample in paths(samples)], n=1, cutoff=0.7)
    if near:
        return fault_at(source, offset, "unknown_placeholder_near", name=name, near=near[0])
    return fault_at(source, offset, "unknown_placeholder", name=name)


def _syntax_fault(source: str, error: LiquidError) -> Fault:
    unclosed = _unclosed_tag(source)
    if unclosed:
        return unclosed
    return fault_at(source, _offset(error), "syntax", message=plain(error))


def _offset(error: Exception) -> int:
    token = getattr(error, "token", None)
    return max(0, token.start_index) if token is not None else 0


def plain(error: Exception) -> str:
    """What went wrong, for the middle of a sentence."""
    return str(getattr(error, "message", error)).rstrip(".")


def _unclosed_tag(source: str) -> Fault | None:
    """The library notices a missing end only at the end of the text; people want to see where it began."""
    blocks = {"if", "unless", "for", "case", "capture", "tablerow", "ifchanged", "comment"}
    open_tags: list[tuple[str, int]] = []
    for match in CONSTRUCT.finditer(source):
        name = _TAG_NAME.match(match.group())
        if not name:
            continue
        word = name.group(1)
        if word in blocks:
            open_tags.append((word, match.start()))
        elif word.startswith("end") and word[3:] in blocks:
            if not open_tags:
                return fault_at(source, match.start(), "not_open", tag=word)
            opened, at = open_tags.pop()
            if opened != word[3:]:
                return fault_at(source, at, "closed_by", tag=opened, by=word)
    if open_tags:
        return fault_at(source, open_tags[-1][1], "unclosed", tag=open_tags[-1][0])
    return None
