"""What advocates may send their friends: the words of a scheme by channel and persona, checked and filled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from referrals.rules import SchemeRule, Share
from retention.messaging import words
from retention.messaging.words import Fault
from retention.refusals import Refused
from retention.texts import choose

#: What these words may say, with samples.
PLACEHOLDERS: dict[str, Any] = {
    "referral_link": "https://shop.example.com/r/ANNA7K2M",
    "referral_code": "ANNA7K2M",
    "advocate": {"first_name": "Anna"},
    "friend_gets": "10 % off",
    "shop": {"name": "Our shop"},
}


class Faulty(Refused):
    """`faults` says what is wrong with which text."""

    code = "referrals.faulty_texts"
    sentence = _("The text for %(part)s in %(language)s: %(message)s")
    status = 422

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = faults[0]
        super().__init__(part=first.part, language=first.language, message=str(first))


@dataclass(frozen=True)
class Shared:
    """One text ready to be sent: `subject` is empty where the channel has none."""

    channel: str
    persona: str
    language: str
    subject: str
    text: str
    link: str


def link_of(code: str, channel: str = "") -> str:
    """The personal link; with a channel, visits say by which one they came."""
    return f"{settings.BASE_URL}/r/{code}" + (f"?via={channel}" if channel else "")


def check_words(rule: SchemeRule) -> list[Fault]:
    """Everything in the share texts that nobody could fill."""
    found = []
    for share in (*rule.texts, *(share for variant in rule.variants for share in variant.texts)):
        part = f"{share.channel} ({share.persona})" if share.persona else share.channel
        for texts in (share.subjects, share.texts):
            for language, text in texts.items():
                wrong = words.faults(text, language, PLACEHOLDERS, is_html=False)
                found += [replace(fault, language=language, part=part) for fault in wrong]
    return found


def shared(
    rule: SchemeRule,
    *,
    code: str,
    language: str,
    default: str,
    first_name: str,
    friend_gets: str,
    shop_name: str,
    persona: str = "",
    segments: Collection[int] = (),
) -> list[Shared]:
    """One text a channel for one advocate: of the persona asked for, else of the first whose segment she is in."""
    chosen: dict[str, Share] = {}
    for share in sorted(rule.texts, key=lambda share: not _is_hers(share, persona, segments)):
        if _is_hers(share, persona, segments) or not share.persona:
            chosen.setdefault(share.channel, share)
    values = {
        "referral_code": code,
        "advocate": {"first_name": first_name},
        "friend_gets": friend_gets,
        "shop": {"name": shop_name},
    }
    return [
        _filled(share, {**values, "referral_link": link_of(code, share.channel)}, language, default)
        for share in chosen.values()
    ]


def _is_hers(share: Share, persona: str, segments: Collection[int]) -> bool:
    if not share.persona:
        return False
    return share.persona == persona if persona else share.segment_id in segments


def _filled(share: Share, values: dict[str, Any], language: str, default: str) -> Shared:
    spoken = next((each for each in (language, language.partition("-")[0], default) if each in share.texts), None)
    spoken = spoken or next(iter(share.texts))
    subject = choose(share.subjects, spoken, default) if share.subjects.get(spoken) else ""
    said = [
        words.render(words.parse(text, spoken, is_html=False), values) if text else ""
        for text in (subject, share.texts[spoken])
    ]
    return Shared(share.channel, share.persona, spoken, said[0], said[1], values["referral_link"])
