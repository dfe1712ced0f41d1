"""From a delivery's version and values to the words that one customer reads; templates are parsed once a process."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import liquid

from retention.messaging import words
from retention.messaging.folding import FoldedTemplate
from retention.messaging.frames import Body
from retention.messaging.links import counted
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
    sources: tuple[str, str, str, str]
    url: liquid.BoundTemplate


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one customer reads; many who read the same share most of `html`."""

    subject: str
    html: Body | str
    text: str
    url: str = ""


class Folded:
    """One language of one version, filled with what is the same for everybody at this moment."""

    __slots__ = ("_html", "_subject", "_text", "_url")

    def __init__(self, parsed: ParsedTemplate, constants: Mapping[str, Any], *, is_tracked: bool = False) -> None:
        def part(source: str, *, is_html: bool) -> FoldedTemplate:
            return FoldedTemplate(words.parse(source, parsed.language, is_html=is_html), constants)

        subject, html, text, url = parsed.sources
        if is_tracked:
            html = counted(html, "{{ tracking.click }}", "{{ tracking.pixel }}")
        self._subject = part(subject, is_html=False)
        self._html = part(html, is_html=True) if html else None
        self._text = part(text, is_html=False)
        self._url = part(url, is_html=False) if url else None

    def render(self, values: Mapping[str, Any]) -> Rendered:
        """The same words as `render` would give.

        Raises:
            words.FAILURES
        """
        return Rendered(
            subject=one_line(str(self._subject.fill(values))),
            html=self._html.fill(values) if self._html is not None else "",
            text=_tidy(str(self._text.fill(values))),
            url=one_line(str(self._url.fill(values))) if self._url is not None else "",
        )


_folded: OrderedDict[tuple[int, str, bool, str], Folded] = OrderedDict()


def folded(parsed: ParsedTemplate, constants: Mapping[str, Any], *, is_tracked: bool = False) -> Folded:
    """The template filled with `constants`, kept for as long as these stay the same.

    Tracked, its links lead past us and it ends in a pixel: its values then need `tracking` (`tokens.tracking`).
    """
    key = (parsed.version_id, parsed.language, is_tracked, json.dumps(constants, sort_keys=True, default=str))
    with _lock:
        found = _folded.get(key)
        if found is not None:
            _folded.move_to_end(key)
            return found
    found = Folded(parsed, constants, is_tracked=is_tracked)
    with _lock:
        _folded[key] = found
        while len(_folded) > KEPT:
            _folded.popitem(last=False)
    return found


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
        sources=(compiled.subject, compiled.html, compiled.text, compiled.url),
        url=words.parse(compiled.url, language, is_html=False),
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
        words.FAILURES: a limit was reached, or a filter could not work with a value.
    """
    return Rendered(
        subject=one_line(words.render(template.subject, values)),
        html=words.render(template.html, values) if template.html is not None else "",
        text=_tidy(words.render(template.text, values)),
        url=one_line(words.render(template.url, values)),
    )


def one_line(text: str) -> str:
    """The text as one line, as subjects and addresses are."""
    return " ".join(text.split())[:250]


def _tidy(text: str) -> str:
    """Without the gaps that conditions leave."""
    return _GAPS.sub("\n\n", text).strip() + "\n"
