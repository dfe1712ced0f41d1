"""From a delivery's version and values to the words that one customer reads; templates are parsed once a process."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import liquid

from retention.messaging import words
from retention.messaging.models import CompiledTemplate

#: Least recently used versions make room past this many.
KEPT = 300
_GAPS = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True, slots=True)
class ParsedTemplate:
    """One language of one version; never changes, as versions do not."""

    version_id: int
    language: str
    subject: liquid.BoundTemplate
    html: liquid.BoundTemplate | None
    text: liquid.BoundTemplate
    placeholders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one customer reads."""

    subject: str
    html: str
    text: str


_parsed: OrderedDict[int, Mapping[str, ParsedTemplate]] = OrderedDict()
_lock = Lock()


def templates_of(version_ids: set[int]) -> dict[int, Mapping[str, ParsedTemplate]]:
    """version → language → parsed; one query for the versions that this process has not met."""
    with _lock:
        found = {pk: _parsed[pk] for pk in version_ids if pk in _parsed}
        for pk in found:
            _parsed.move_to_end(pk)
    missing = version_ids - found.keys()
    if missing:
        fresh: dict[int, dict[str, ParsedTemplate]] = {pk: {} for pk in missing}
        for compiled in CompiledTemplate.objects.filter(version_id__in=missing):
            fresh[compiled.version_id][compiled.language] = parse(compiled)
        with _lock:
            _parsed.update({pk: languages for pk, languages in fresh.items() if languages})
            while len(_parsed) > KEPT:
                _parsed.popitem(last=False)
        found.update(fresh)
    return found


def parse(compiled: CompiledTemplate) -> ParsedTemplate:
    language = compiled.language
    return ParsedTemplate(
        version_id=compiled.version_id,
        language=language,
        subject=words.parse(compiled.subject, language, is_html=False),
        html=words.parse(compiled.html, language, is_html=True) if compiled.html else None,
        text=words.parse(compiled.text, language, is_html=False),
        placeholders=frozenset(compiled.placeholders),
    )


def choose(languages: Mapping[str, ParsedTemplate], wanted: str, default: str) -> ParsedTemplate:
    """The customer's language, its base (`pt` for `pt-BR`), the shop's default, or the first there is."""
    for candidate in (wanted, wanted.partition("-")[0], default):
        if candidate in languages:
            return languages[candidate]
    return languages[min(languages)]


def render(template: ParsedTemplate, values: Mapping[str, Any]) -> Rendered:
    """The words filled in.

    Raises:
        LiquidError: a limit was reached, or a filter could not work with a value.
    """
    return Rendered(
        subject=" ".join(words.render(template.subject, values).split())[:250],
        html=words.render(template.html, values) if template.html is not None else "",
        text=_GAPS.sub("\n\n", words.render(template.text, values)).strip() + "\n",
    )
