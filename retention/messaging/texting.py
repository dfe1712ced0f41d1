"""Text messages as phones count them: which alphabet they need, and in how many segments they are sent."""

from __future__ import annotations

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each takes two places: an escape goes before it.
_GSM_7_MORE = frozenset("^{}\\[~]|€\f")
#: Longer ones many networks do not take.
MOST_SEGMENTS = 10
#: Whoever answers with one of these words, alone, wants no more (English, Korean, Russian and the usual others).
STOP_WORDS = frozenset(
    "stop stopall unsubscribe cancel end quit optout revoke arret arrêt stopp baja alto 수신거부 거부 стоп".split()
)
START_WORDS = frozenset("start unstop yes старт".split())


def is_gsm_7(text: str) -> bool:
    return set(text) <= _GSM_7 | _GSM_7_MORE


def segments(text: str) -> int:
    """How many text messages it is sent, and paid, as: 160 or 70 symbols alone, 153 or 67 each where it is cut."""
    if not text:
        return 0
    if is_gsm_7(text):
        whole, part = 160, 153
        widths = [2 if symbol in _GSM_7_MORE else 1 for symbol in text]
    else:
        # UCS-2: what lies outside the basic plane takes two places, and is never cut in half.
        whole, part = 70, 67
        widths = [2 if ord(symbol) > 0xFFFF else 1 for symbol in text]
    if sum(widths) <= whole:
        return 1
    count, room = 1, part
    for width in widths:
        if width > room:
            count, room = count + 1, part
        room -= width
    return count


def said(text: str) -> str:
    """The one word of an answer, small and without what stands around it; empty where it says more."""
    words = text.strip().strip(".!?\"' ").lower().split()
    return words[0] if len(words) == 1 else ""
