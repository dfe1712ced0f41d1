"""Ready templates, in English, and the main ones in Korean and Russian: good to send without an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retention.messaging.ready import first_day, members, moments, purchases, recommending, value, visits
from retention.messaging.ready.base import ReadyTemplate
from retention.messaging.ready.first_day import CONFIRMATION

__all__ = ["CONFIRMATION", "TEMPLATES", "ReadyTemplate", "words_for"]

TEMPLATES: Mapping[str, ReadyTemplate] = {
    **first_day.TEMPLATES,
    **members.TEMPLATES,
    **moments.TEMPLATES,
    **purchases.TEMPLATES,
    **recommending.TEMPLATES,
    **value.TEMPLATES,
    **visits.TEMPLATES,
}


def words_for(item: ReadyTemplate, languages: Sequence[str]) -> dict[str, dict[str, str]]:
    """The words in the shop's languages; where even its default language has none, the English ones stand in."""
    words = {language: dict(item.words[language]) for language in languages if language in item.words}
    return {languages[0]: words.pop(languages[0], None) or dict(item.words["en"]), **words}
