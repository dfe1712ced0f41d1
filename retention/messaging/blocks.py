"""MJML blocks: checked with line and column, set into the brand's shell, compiled to HTML once, read as plain text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mrml

from retention.messaging.words import CONSTRUCT, Fault, fault_at

_SHELL = Path(__file__).with_name("shell.mjml").read_text()
_PARSER_OPTIONS = mrml.ParserOptions(include_loader=mrml.memory_loader({}))
#: No fonts fetched from elsewhere, no comments, icons from nowhere.
_RENDER_OPTIONS = mrml.RenderOptions(fonts={}, disable_comments=True)
#: Stands for one symbol of Liquid while blocks are read, so that every position stays true.
_MASK = "\ue000"
_PARTS = re.compile(f"({CONSTRUCT.pattern})", CONSTRUCT.flags)

_WITH_WORDS = "mj-text mj-button mj-table mj-raw".split()
_IN_COLUMN = frozenset(
    [*_WITH_WORDS, *"mj-image mj-divider mj-spacer mj-social mj-navbar mj-accordion mj-carousel".split()]
)
_CHILDREN: Mapping[str, frozenset[str]] = {
    "": _IN_COLUMN | {"mj-section", "mj-wrapper", "mj-hero", "mj-block"},
    "mj-wrapper": frozenset({"mj-section", "mj-hero", "mj-raw"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": _IN_COLUMN,
    "mj-hero": _IN_COLUMN,
    "mj-social": frozenset({"mj-social-element"}),
    "mj-navbar": frozenset({"mj-navbar-link"}),
    "mj-accordion": frozenset({"mj-accordion-element"}),
    "mj-accordion-element": frozenset({"mj-accordion-title", "mj-accordion-text"}),
    "mj-carousel": frozenset({"mj-carousel-image"}),
}
#: Blocks whose inside is words and HTML.
_HOLD_HTML = frozenset([*_WITH_WORDS, *"mj-social-element mj-navbar-link mj-accordion-title mj-accordion-text".split()])
_EMPTY = frozenset({"mj-image", "mj-divider", "mj-spacer", "mj-carousel-image", "mj-block"})
#: `<mj-block name="key" />`: a block that was saved by that key stands there, between sections.
_BLOCK = re.compile(r"""<mj-block\s+name\s*=\s*["']([a-z0-9-]*)["']\s*(?:/>|>\s*</mj-block>)""")
_KNOWN = frozenset(_CHILDREN) | _HOLD_HTML | _EMPTY
_VOID = frozenset("area br col hr img wbr".split())
_FORBIDDEN = frozenset("script iframe object embed form input button textarea select link meta base style".split())
_BLANK_LINE_AFTER = frozenset("p h1 h2 h3 h4 ul ol table".split())
_NEW_LINE_AFTER = frozenset("div tr".split())


@dataclass
class _Open:
    tag: str
    at: int
    href: str = ""


@dataclass
class Blocks:
    """What reading the blocks gave.

    Attributes:
        faults: mistakes, in the order of the text.
        mjml: the blocks, ready for the shell's body: loose blocks in sections, loose `{% … %}` in `<mj-raw>`.
        text: the same words as plain text, still Liquid.
    """

    faults: list[Fault]
    mjml: str
    text: str


def read(source: str, saved: Mapping[str, str] | None = None) -> Blocks:
    """Check the marketer's blocks and make them whole, with the `saved` ones (key → MJML) where they are named."""
    inside = {key: read(body) for key, body in (saved or {}).items() if key in block_keys(source)}
    reader = _Reader(source, {key: inside[key].text if key in inside else "" for key in saved or {}})
    reader.run()
    faults = sorted(reader.faults, key=lambda fault: (fault.line, fault.column))
    mjml = _BLOCK.sub(lambda match: inside[match.group(1)].mjml if match.group(1) in inside else "", reader.edited())
    return Blocks(faults, mjml, reader.words())


def block_keys(source: str) -> set[str]:
    """The keys of saved blocks that are named."""
    return set(_BLOCK.findall(source))


def compile_html(blocks: str, language: str, *, subject: str, preheader: str, footer: str) -> str:
    """The shell around the blocks as HTML; Liquid comes through untouched. The subject is plain text, all else HTML.

    Raises:
        ValueError: the blocks cannot be made into a mail.
    """
    source = (
        _SHELL.replace("[language]", language)
        .replace("[subject]", _escaped(subject))
        .replace("[preheader]", preheader)
        .replace("[footer]", footer)
        .replace("[blocks]", blocks)
    )
    constructs: list[str] = []
    mark = "LQ"
    while mark in source:
        mark += "Q"

    def protect(match: re.Match[str]) -> str:
        constructs.append(match.group())
        return f"{mark}{len(constructs) - 1}X"

    protected = CONSTRUCT.sub(protect, source)
    try:
        html = mrml.to_html(protected, _PARSER_OPTIONS, _RENDER_OPTIONS).content
    except OSError as error:
        raise ValueError(str(error)) from None
    return re.sub(rf"{mark}(\d+)X", lambda match: constructs[int(match.group(1))], html)


def _escaped(text: str) -> str:
    """Plain text as HTML; Liquid in it escapes its own values."""
    return "".join(part if CONSTRUCT.fullmatch(part) else escape(part) for part in _PARTS.split(text))


class _Reader(HTMLParser):
    """One pass over the blocks with every Liquid construct masked by as many symbols."""

    def __init__(self, source: str, saved: Mapping[str, str]) -> None:
        super().__init__(convert_charrefs=False)
        self.source = source
        self._saved = saved
        self.masked = CONSTRUCT.sub(lambda match: re.sub(r"[^\n]", _MASK, match.group()), source)
        self.faults: list[Fault] = []
        self.open: list[_Open] = []
        self._edits: list[tuple[int, str]] = []
        self._loose_from: int | None = None
        self._loose_to = 0
        self._words: list[str] = []
        self._lines = [0, *(match.end() for match in re.finditer("\n", source))]

    def run(self) -> None:
        self.feed(self.masked)
        self.close()
        for left in self.open:
            self._fault(left.at, "unclosed", tag=f"<{left.tag}>")
        self._end_loose()

    # -- results

    def edited(self) -> str:
        parts, last = [], 0
        for at, insertion in sorted(self._edits, key=lambda edit: edit[0]):
            parts += [self.source[last:at], insertion]
            last = at
        return "".join([*parts, self.source[last:]])

    def words(self) -> str:
        text = re.sub(r"[ \t]+", " ", "".join(self._words))
        text = "\n".join(line.strip() for line in text.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    # -- the parser's calls

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = self._at()
        self._check_start(tag, attrs, at)
        self._saved_block(tag, at)
        if tag in _VOID:
            self._void(tag)
            return
        if not self.open:
            self._top_level(tag, at)
        self.open.append(_Open(tag, at, self._href(tag, attrs, at)))
        if tag == "li":
            self._words.append("\n- ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = self._at()
        self._check_start(tag, attrs, at)
        self._saved_block(tag, at)
        if tag in _VOID:
            self._void(tag)
        if not self.open:
            self._top_level(tag, at)
            self._loose_to = at + len(self.get_starttag_text() or "")
        if tag == "mj-image":
            alt = self._attribute("alt", at)
            # The alternative of a code's picture is the code, and that stands there in words already.
            self._words.append(f"{alt}\n\n" if alt and alt not in "".join(self._words) else "")

    def handle_endtag(self, tag: str) -> None:
        at = self._at()
        if tag in _VOID:
            return
        if not any(entry.tag == tag for entry in self.open):
            self._fault(at, "not_open", tag=f"</{tag}>")
            return
        closed = self.open.pop()
        while closed.tag != tag:
            self._fault(closed.at, "closed_by", tag=f"<{closed.tag}>", by=f"</{tag}>")
            closed = self.open.pop()
        if not self.open:
            self._loose_to = self.source.find(">", at) + 1
        if closed.href:
            self._words.append(f": {closed.href}" if tag == "mj-button" else f" ({closed.href})")
        if tag in _HOLD_HTML or tag in _BLANK_LINE_AFTER:
            self._words.append("\n\n")
        elif tag in _NEW_LINE_AFTER:
            self._words.append("\n")
        elif tag in ("td", "th"):
            self._words.append(" ")

    def handle_data(self, data: str) -> None:
        at = self._at()
        if self._in_html():
            self._words.append(re.sub(r"\s+", " ", self.source[at : at + len(data)]))
            return
        for match in re.finditer(rf"{_MASK}[{_MASK}\n]*|[^\s{_MASK}]+", data):
            self._loose_words(at + match.start(), match.group())

    def handle_entityref(self, name: str) -> None:
        self._entity(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._entity(f"&#{name};")

    # -- what they need

    def _entity(self, text: str) -> None:
        if not self._in_html():
            self._fault(self._at(), "stray_words")
        known = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": " ", "&copy;": "©", "&mdash;": "—"}
        self._words.append(known.get(text, self.unescape_one(text)))

    @staticmethod
    def unescape_one(text: str) -> str:
        number = re.fullmatch(r"&#(x?)([0-9A-Fa-f]+);", text)
        return chr(int(number.group(2), 16 if number.group(1) else 10)) if number else text

    def _loose_words(self, at: int, found: str) -> None:
        """Between blocks only `{% … %}` may stand; it goes into an `<mj-raw>` of its own."""
        if not found.startswith(_MASK):
            self._fault(at, "stray_words")
            return
        for match in CONSTRUCT.finditer(self.source, at, at + len(found)):
            if match.group().startswith("{{"):
                self._fault(match.start(), "stray_words")
                continue
            if not self.open:
                self._end_loose()
            self._edits += [(match.start(), "<mj-raw>"), (match.end(), "</mj-raw>")]
            self._words.append(match.group())

    def _top_level(self, tag: str, at: int) -> None:
        """Blocks of a column that stand alone get a section and a column around their run."""
        if tag in _IN_COLUMN and tag != "mj-raw":
            if self._loose_from is None:
                self._loose_from = at
        else:
            self._end_loose()

    def _end_loose(self) -> None:
        if self._loose_from is not None:
            self._edits.append((self._loose_from, "<mj-section><mj-column>"))
            self._edits.append((self._loose_to, "</mj-column></mj-section>"))
            self._loose_from = None

    def _check_start(self, tag: str, attrs: list[tuple[str, str | None]], at: int) -> None:
        parent = self.open[-1].tag if self.open else ""
        if tag in _FORBIDDEN:
            self._fault(at, "forbidden_tag", tag=f"<{tag}>")
        elif tag.startswith("mj") and tag not in _KNOWN:
            self._fault(at, "unknown_tag", tag=f"<{tag}>")
        elif parent in _CHILDREN and tag not in _CHILDREN[parent]:
            self._fault(at, "misplaced_tag", tag=f"<{tag}>", parent=f"<{parent or 'mj-body'}>")
        elif tag.startswith("mj-") and parent not in _CHILDREN:
            self._fault(at, "misplaced_tag", tag=f"<{tag}>", parent=f"<{parent}>")
        for name, _value in attrs:
            if _MASK in name:
                self._fault(at, "between_attributes")
                break
            if name.startswith("on"):
                self._fault(at, "forbidden_tag", tag=name)

    def _saved_block(self, tag: str, at: int) -> None:
        if tag != "mj-block":
            return
        name = self._attribute("name", at)
        if name in self._saved:
            self._words.append(f"{self._saved[name]}\n\n")
        else:
            near = difflib.get_close_matches(name, self._saved, n=1, cutoff=0.6)
            self._fault(at, "unknown_block_near" if near else "unknown_block", name=name, near="".join(near))

    def _void(self, tag: str) -> None:
        if tag in ("br", "hr"):
            self._words.append("\n")

    def _href(self, tag: str, attrs: list[tuple[str, str | None]], at: int) -> str:
        return self._attribute("href", at) if tag in ("a", "mj-button", "mj-navbar-link") else ""

    def _attribute(self, name: str, at: int) -> str:
        """The attribute of the tag at `at` as it was typed, Liquid included."""
        text = self.get_starttag_text() or ""
        match = re.search(rf"""\s{name}\s*=\s*("([^"]*)"|'([^']*)')""", text)
        if not match:
            return ""
        group = 2 if match.group(2) is not None else 3
        return self.source[at + match.start(group) : at + match.end(group)].strip()

    def _in_html(self) -> bool:
        return bool(self.open) and self.open[-1].tag not in _CHILDREN

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _fault(self, at: int, code: str, **params: Any) -> None:
        self.faults.append(fault_at(self.source, at, code, **params))
