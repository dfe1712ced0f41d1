"""What a customer agrees to, in her own words: `Offers and news by email`, or a topic by its name in her language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from retention import texts
from retention.messaging.models import Topic
from retention.shop.models import Shop

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "email": "Offers and news by email",
        "sms": "Offers and news by text message",
        "push": "Offers and news on your device",
        "post": "Offers and news by post",
        "topic:email": "{topic}, by email",
        "topic:sms": "{topic}, by text message",
        "topic:push": "{topic}, on your device",
        "topic:post": "{topic}, by post",
    },
    "ko": {
        "email": "이메일로 받는 혜택과 소식",
        "sms": "문자로 받는 혜택과 소식",
        "push": "기기 알림으로 받는 혜택과 소식",
        "post": "우편으로 받는 혜택과 소식",
        "topic:email": "{topic} (이메일)",
        "topic:sms": "{topic} (문자)",
        "topic:push": "{topic} (기기 알림)",
        "topic:post": "{topic} (우편)",
    },
    "ru": {
        "email": "Предложения и новости по электронной почте",
        "sms": "Предложения и новости в СМС",
        "push": "Предложения и новости на устройстве",
        "post": "Предложения и новости обычной почтой",
        "topic:email": "{topic}, по электронной почте",
        "topic:sms": "{topic}, в СМС",
        "topic:push": "{topic}, на устройстве",
        "topic:post": "{topic}, обычной почтой",
    },
}


def names_of(choices: Iterable[tuple[str, str]], language: str) -> list[str]:
    """The name of each (channel, purpose) in this language; English where we have no words in it."""
    choices = list(choices)
    words = _WORDS.get(language.partition("-")[0], _WORDS["en"])
    keys = {purpose.removeprefix("topic:") for _channel, purpose in choices}
    topics = {topic.key: topic.names for topic in Topic.objects.filter(key__in=keys)}
    shop = Shop.objects.first()
    default = shop.default_language if shop else "en"

    def name(channel: str, purpose: str) -> str:
        if not purpose.startswith("topic:"):
            return words[channel]
        key = purpose.removeprefix("topic:")
        topic = texts.choose(topics[key], language, default) if key in topics else plain(key)
        return words[f"topic:{channel}"].replace("{topic}", topic)

    return [name(channel, purpose) for channel, purpose in choices]


def plain(key: str) -> str:
    """What stands for a topic that nobody gave a name: `new-teas` is read as `New teas`."""
    return key.replace("-", " ").replace("_", " ").capitalize()
