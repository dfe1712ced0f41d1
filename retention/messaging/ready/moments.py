"""What campaigns say at the beginning, on dates, and of news."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import Button, ReadyTemplate, in_words

_TO_CHOICE = Button("preferences_url", {"en": "Choose how we write"})
_TO_PRODUCT = Button("occasion.product_url", {"en": "Have a look"})

TEMPLATES: Mapping[str, ReadyTemplate] = {
    "consent_gift": ReadyTemplate(
        _("Thank you for your consent"),
        in_words(
            en=(
                "Thank you for letting us write",
                "We will make it worth your while",
                "Thank you for letting us write to you. We will do it rarely, and only when there is news.",
                "This is for you.",
            ),
        ),
    ),
    "channel_adoption": ReadyTemplate(
        _("Whether SMS is wanted too"),
        in_words(
            button=_TO_CHOICE,
            en=(
                "Shall we tell you the urgent things by SMS?",
                "You choose what comes where",
                "Some things are over before a mail is read. Choose SMS for those, and keep the rest by mail, or leave"
                " everything as it is.",
            ),
        ),
    ),
    "tenure_gift": ReadyTemplate(
        _("Five years"),
        in_words(
            en=(
                "Five years with {{ shop.name }}",
                "Few can say that",
                "Five years ago today you joined {{ shop.name }}. Few have been with us for so long, and we thank you.",
                "This is for you.",
            ),
        ),
    ),
    "gifts_ahead": ReadyTemplate(
        _("Gifts before the holidays"),
        in_words(
            en=(
                "Gifts, while there is time",
                "Three weeks are enough",
                'There are three weeks until {{ occasion.name | default: "the holidays" }}. Whoever looks now finds the'
                " right thing, and it arrives in time.",
            ),
        ),
    ),
    "life_event": ReadyTemplate(
        _("A day of yours"),
        in_words(
            en=(
                "Good wishes for your day",
                "From all of us at {{ shop.name }}",
                "You told us of a day that is coming. We wish you all the best for it.",
                "This is for you.",
            ),
        ),
    ),
    "seasonal_return": ReadyTemplate(
        _("The season is here"),
        in_words(
            en=(
                "The season is here again",
                "See what is new",
                "It is the time of the year at which you came to us before. There is much that is new.",
                "This is for you.",
            ),
        ),
    ),
    "first_500": ReadyTemplate(
        _("The first 500"),
        in_words(
            en=(
                "For the first 500 only",
                "Today, while it lasts",
                "Today is for those who are quick: it ends with the 500th order.",
                "Here is something for you, if you are among the first 500.",
            ),
        ),
    ),
    "new_product": ReadyTemplate(
        _("New product"),
        in_words(
            button=_TO_PRODUCT,
            has_picture=True,
            en=(
                "New: {{ occasion.product | default: 'a first look' }}",
                "From today on",
                '{% if occasion.products.size > 1 %}{{ occasion.products | join: ", " }} are{% else %}'
                '{{ occasion.product | default: "A new product" }} is{% endif %} here from today on. You are among the'
                " first to know.",
            ),
        ),
    ),
    "local_event": ReadyTemplate(
        _("Event near you"),
        in_words(
            en=(
                "{{ occasion.name | default: 'An event near you' }}",
                "Close to you",
                '{{ occasion.name | default: "An event" }} is close to you{% if occasion.date %}, on'
                " {{ occasion.date | date }}{% endif %}. We are looking forward to it.",
                "This is for you, to go with it.",
            ),
        ),
    ),
    "surprise_reward": ReadyTemplate(
        _("Surprise"),
        in_words(
            en=(
                "Just because you are you",
                "No reason needed",
                "You are one of the people who make {{ shop.name }} what it is. We wanted to thank you, for once"
                " without a reason.",
                "This is for you.",
            ),
        ),
    ),
}
