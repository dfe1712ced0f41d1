"""Declaring topics: what customers may choose beside marketing as a whole, and how it is called in each language."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from retention import texts
from retention.actors import Actor
from retention.audit.operations import record
from retention.messaging.models import Topic
from retention.shop.models import Shop


@transaction.atomic
def save_topic(*, topic: Topic, now: dt.datetime, by: Actor) -> Topic:
    """Declare a topic, or change its names; an archived one is offered no more, and what was agreed to stays.

    Raises:
        ValidationError: no name in the shop's default language, or a key that is taken or cannot be.
    """
    try:
        texts.check_texts(topic.names, Shop.objects.get().default_language)
    except ValidationError as error:
        raise ValidationError({"names": error}) from None
    topic.full_clean()
    topic.save()
    record(verb="messaging.save_topic", by=by, now=now, subject=topic, after={"key": topic.key, "names": topic.names})
    return topic
