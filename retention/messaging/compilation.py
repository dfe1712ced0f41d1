"""A template's words, language by language: checked as a whole, with every mistake at its place, and compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from retention.messaging import blocks, texting, words
from retention.messaging.models import Way
from retention.messaging.words import Fault

PARTS = ("subject", "preheader", "body", "text", "url")
#: The parts that the words of each channel have.
PARTS_OF: Mapping[str, tuple[str, ...]] = {
    Way.EMAIL: ("subject", "preheader", "body", "text"),
    Way.SMS: ("text",),
    Way.PUSH: ("subject", "text", "url"),
    Way.INBOX: ("subject", "text", "url"),
    Way.WEBHOOK: ("subject", "text", "url"),
}
#: At the foot of every mail, in the template's language; English elsewhere.
_MARKETING_FOOT = {
    "en": ("You get this mail because you agreed to hear from us.", "Unsubscribe", "Choose what you get"),
    "ko": ("고객님께서 수신에 동의하셨기에 보내드리는 메일입니다.", "수신 거부", "수신 설정"),
    "ru": ("Вы получили это письмо, потому что согласились получать новости от нас.", "Отписаться", "Настроить письма"),
    "de": ("Sie erhalten diese E-Mail, weil Sie zugestimmt haben.", "Abmelden", "Auswählen, was Sie erhalten"),
    "fr": ("Vous recevez ce message car vous l’avez accepté.", "Se désinscrire", "Choisir vos messages"),
    "es": ("Recibe este mensaje porque dio su consentimiento.", "Darse de baja", "Elegir qué recibir"),
    "ja": ("配信に同意された方へお送りしています。", "配信停止", "配信設定"),
}
#: At the end of every marketing text message: the word is what phones everywhere know.
_SMS_FOOT = {"en": "Reply STOP to end.", "ko": "수신거부: STOP", "ru": "Отписаться: STOP", "de": "Ende: STOP"}
_ADDRESS_FOOT = "{{ shop.name }}{% if shop.postal_address %} · {{ shop.postal_address }}{% endif %}"


@dataclass(frozen=True)
class Compiled:
    """One language: `html` is compiled MJML that is still Liquid (empty: plain text only)."""

    language: str
    subject: str
    html: str
    text: str
    placeholders: list[str]
    url: str = ""


def compile_words(
    texts: Mapping[str, Mapping[str, str]],
    *,
    is_marketing: bool,
    samples: Mapping[str, Any],
    channel: str = Way.EMAIL,
    saved: Mapping[str, Mapping[str, str]] | None = None,
    default: str = "en",
) -> tuple[list[Compiled], list[Fault]]:
    """Every language compiled, and every fault found; nothing compiled may be kept while there are faults.

    `saved` holds the blocks that may be named: key → {language: MJML}; one that lacks a language speaks its `default`.
    """
    compiled, faults = [], []
    for language, parts in texts.items():
        if channel == Way.EMAIL:
            mine = {key: bodies.get(language) or bodies.get(default, "") for key, bodies in (saved or {}).items()}
            result, found = _compile_language(language, parts, is_marketing, samples, mine)
        else:
            result, found = _compile_plain(language, parts, channel, is_marketing, samples)
        faults += [replace(fault, language=language) for fault in found]
        if result is not None:
            compiled.append(result)
    return compiled, faults


def _compile_language(
    language: str,
    parts: Mapping[str, str],
    is_marketing: bool,
    samples: Mapping[str, Any],
    saved: Mapping[str, str],
) -> tuple[Compiled | None, list[Fault]]:
    subject, preheader, body, text = (parts.get(part, "").strip("\r\n") for part in PARTS_OF[Way.EMAIL])
    faults: list[Fault] = []
    if parts.get("url", "").strip():
        faults.append(Fault("not_on_channel", part="url"))
    if not subject.strip():
        faults.append(Fault("empty", part="subject"))
    if not body.strip() and not text.strip():
        faults.append(Fault("empty", part="body"))
    for part, source, is_html in (
        ("subject", subject, False),
        ("preheader", preheader, True),
        ("body", body, True),
        ("text", text, False),
    ):
        faults += [replace(fault, part=part) for fault in words.faults(source, language, samples, is_html=is_html)]
    read = blocks.read(body, saved)
    if body.strip():
        faults += [replace(fault, part="body") for fault in read.faults]
    if faults:
        return None, faults
    plain = _plain_text(text, read.text, language, is_marketing)
    html = ""
    if body.strip():
        foot = _html_foot(language, is_marketing)
        try:
            html = blocks.compile_html(read.mjml, language, subject=subject, preheader=preheader, footer=foot)
        except ValueError as error:
            return None, [Fault("mjml", part="body", params={"message": str(error)})]
        try:
            words.render(words.parse(html, language, is_html=True), samples)
        except words.FAILURES as error:
            return None, [Fault("render", part="body", params={"message": words.plain(error)})]
    used = set()
    for source, is_html in ((subject, False), (html, True), (plain, False)):
        used |= words.used(words.parse(source, language, is_html=is_html))
    return Compiled(language, subject, html, plain, sorted(used)), []


def _compile_plain(
    language: str, parts: Mapping[str, str], channel: str, is_marketing: bool, samples: Mapping[str, Any]
) -> tuple[Compiled | None, list[Fault]]:
    """Words without blocks: a text message, a notice, a message in the inbox."""
    said = {part: parts.get(part, "").strip() for part in PARTS}
    faults = [Fault("not_on_channel", part=part) for part in PARTS if said[part] and part not in PARTS_OF[channel]]
    faults += [
        Fault("empty", part=part)
        for part in (("text",) if channel == Way.SMS else ("subject", "text"))
        if not said[part]
    ]
    for part in PARTS_OF[channel]:
        faults += [replace(fault, part=part) for fault in words.faults(said[part], language, samples, is_html=False)]
    if faults:
        return None, faults
    text = said["text"]
    if channel == Way.SMS:
        if is_marketing and "STOP" not in text:
            text = f"{text} {_SMS_FOOT.get(language.partition('-')[0], _SMS_FOOT['en'])}"
        count = texting.segments(words.render(words.parse(text, language, is_html=False), samples))
        if count > texting.MOST_SEGMENTS:
            return None, [Fault("too_many_segments", part="text", params={"count": count})]
    used = set()
    for part in (said["subject"], text, said["url"]):
        used |= words.used(words.parse(part, language, is_html=False))
    return Compiled(language, said["subject"], "", text, sorted(used), url=said["url"]), []


def _foot(language: str) -> tuple[str, str, str]:
    return _MARKETING_FOOT.get(language.partition("-")[0], _MARKETING_FOOT["en"])


def _html_foot(language: str, is_marketing: bool) -> str:
    if not is_marketing:
        return _ADDRESS_FOOT
    why, unsubscribe, choose = _foot(language)
    return (
        f'{_ADDRESS_FOOT}<br />{why}<br /><a href="{{{{ unsubscribe_url }}}}">{unsubscribe}</a>'
        f' · <a href="{{{{ preferences_url }}}}">{choose}</a>'
    )


def _text_foot(language: str, is_marketing: bool) -> str:
    if not is_marketing:
        return f"-- \n{_ADDRESS_FOOT}"
    why, unsubscribe, choose = _foot(language)
    return f"-- \n{_ADDRESS_FOOT}\n{why}\n{unsubscribe}: {{{{ unsubscribe_url }}}}\n{choose}: {{{{ preferences_url }}}}"


def _plain_text(given: str, derived: str, language: str, is_marketing: bool) -> str:
    """The given plain text, or the one read out of the blocks, with the foot below either."""
    body = given.strip() or derived
    if given.strip() and "unsubscribe_url" in given:
        return body
    return f"{body}\n\n{_text_foot(language, is_marketing)}"
