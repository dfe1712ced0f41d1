"""Words that depend on what they are about."""

from collections.abc import Mapping

from django import template

from retention.messaging.querysets import Choice

register = template.Library()


@register.simple_tag
def choice_label(choice: Choice, words: Mapping[str, str]) -> str:
    """`Offers and news by email`, or the topic's own name."""
    if choice.topic:
        return words["topic"].replace("{topic}", choice.topic.replace("-", " ").capitalize())
    return words[choice.channel]
