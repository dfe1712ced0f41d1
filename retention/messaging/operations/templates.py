"""Writing templates: every save checks all languages, keeps a whole version, and compiles it once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.messaging import ready
from retention.messaging.channels import CHANNELS
from retention.messaging.compilation import PARTS, Compiled, compile_words
from retention.messaging.models import Block, CompiledTemplate, Template
from retention.messaging.placeholders import samples
from retention.messaging.words import Fault
from retention.refusals import Refused
from retention.shop.models import Shop

Words = Mapping[str, Mapping[str, str]]


class TemplateFaulty(Refused):
    """`faults` holds every mistake with its language, part, line and column."""

    code = "messaging.template_faulty"
    sentence = _("%(language)s, %(part)s, line %(line)s, column %(column)s: %(message)s")
    status = 422

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = faults[0]
        super().__init__(
            language=first.language,
            part=first.part,
            line=first.line,
            column=first.column,
            message=str(first),
            faults=[as_json(fault) for fault in faults],
        )


class WordsMissing(Refused):
    code = "messaging.words_missing"
    sentence = _("The words in the shop's default language (%(language)s) are missing.")
    status = 422


class BadWords(Refused):
    code = "messaging.bad_words"
    sentence = _("Words are a mapping of language to subject, preheader, body and text; “%(name)s” is not.")
    status = 422


class UnknownChannel(Refused):
    code = "messaging.unknown_channel"
    sentence = _("There is no channel “%(channel)s”.")
    status = 422


class UnknownCategory(Refused):
    code = "messaging.unknown_category"
    sentence = _("A template is marketing or transactional, not “%(category)s”.")
    status = 422


class NeedsItsWord(Refused):
    code = "messaging.needs_its_word"
    sentence = _("This template stays transactional, and every language of it uses the placeholder “%(name)s”.")
    status = 422


class TemplateTaken(Refused):
    code = "messaging.template_taken"
    sentence = _("There is a template with the key “%(key)s” already.")


def as_json(fault: Fault) -> dict[str, Any]:
    return {
        "code": fault.code,
        "language": fault.language,
        "part": fault.part,
        "line": fault.line,
        "column": fault.column,
        "message": str(fault),
    }


@transaction.atomic
def create_template(
    *,
    name: str,
    words: Words,
    category: str = Template.Category.MARKETING,
    topic: str = "",
    channel: str = "email",
    key: str | None = None,
    now: dt.datetime,
    by: Actor,
    why: str = "",
) -> Template:
    """A new template; `words` is {language: {subject, preheader, body, text}}, where `body` is MJML blocks.

    Raises:
        TemplateFaulty: mistakes, each with its place.
        WordsMissing, BadWords, UnknownChannel, UnknownCategory, TemplateTaken
    """
    if key and Template.objects.filter(key=key).exists():
        raise TemplateTaken(key=key)
    compiled = check_words(words, category=category, channel=channel)
    template = Template.objects.create(name=name, key=key or None, category=category, topic=topic, channel=channel)
    _save(template, words, compiled, edited=None, now=now, by=by, why=why)
    record(verb="messaging.create_template", by=by, now=now, subject=template, after={"name": name})
    return template


@transaction.atomic
def save_template(
    *,
    template_id: int,
    name: str,
    words: Words,
    category: str,
    topic: str = "",
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    why: str = "",
) -> Template:
    """The template's next version; messages queued before keep the one they were queued with.

    Raises:
        EditedMeanwhile: someone saved after version `edited` was read.
        TemplateFaulty, WordsMissing, BadWords, UnknownCategory
        NeedsItsWord: a ready template would lose what it is for.
    """
    template = Template.objects.select_for_update().get(pk=template_id)
    compiled = check_words(words, category=category, channel=template.channel)
    item = ready.TEMPLATES.get(template.key or "")
    if item and item.needs:
        if category != item.category or any(item.needs not in one.placeholders for one in compiled):
            raise NeedsItsWord(name=item.needs)
    before = {"name": template.name, "category": template.category, "topic": template.topic}
    template.name, template.category, template.topic = name, category, topic
    _save(template, words, compiled, edited=edited, now=now, by=by, why=why)
    after = {"name": name, "category": category, "topic": topic, "number": template.version.number}
    record(verb="messaging.save_template", by=by, now=now, subject=template, before=before, after=after)
    return template


@transaction.atomic
def recompile(*, template_id: int, now: dt.datetime, by: Actor, why: str) -> Template:
    """The template's next version with the same words, since something that it uses changed.

    Raises:
        TemplateFaulty
    """
    template = Template.objects.select_for_update(of=["self"]).select_related("version").get(pk=template_id)
    words = template.version.data["words"]
    compiled = check_words(words, category=template.category, channel=template.channel)
    _save(template, words, compiled, edited=template.version.number, now=now, by=by, why=why)
    return template


@transaction.atomic
def archive_template(*, template_id: int, now: dt.datetime, by: Actor) -> Template:
    """It is offered no more; what is queued still leaves."""
    template = Template.objects.select_for_update().get(pk=template_id)
    if template.archived_at is None:
        template.archived_at = now
        template.save(update_fields=["archived_at"])
        record(verb="messaging.archive_template", by=by, now=now, subject=template)
    return template


def ensure_ready_template(*, key: str, now: dt.datetime, by: Actor) -> Template:
    """The ready template of this key, made from its words where it is not there yet.

    Raises:
        KeyError: there is no ready template of this key.
    """
    present = Template.objects.filter(key=key).first()
    if present is not None:
        return present
    item = ready.TEMPLATES[key]
    return create_template(
        name=str(item.name),
        words=ready.words_for(item, Shop.objects.get().languages),
        category=item.category,
        key=key,
        now=now,
        by=by,
    )


def ensure_ready_templates(*, now: dt.datetime, by: Actor) -> list[Template]:
    """All ready templates; running it again makes none twice and overwrites nobody's edits."""
    return [ensure_ready_template(key=key, now=now, by=by) for key in ready.TEMPLATES]


def check_words(words: Words, *, category: str, channel: str) -> list[Compiled]:
    """The words compiled; nothing is saved. Raises as `create_template` does."""
    if channel not in CHANNELS:
        raise UnknownChannel(channel=channel)
    if category not in Template.Category.values:
        raise UnknownCategory(category=category)
    for language, parts in words.items():
        if not isinstance(parts, Mapping):
            raise BadWords(name=language)
        for part, text in parts.items():
            if part not in PARTS or not isinstance(text, str):
                raise BadWords(name=f"{language}.{part}")
    default = Shop.objects.get().default_language
    if not words.get(default):
        raise WordsMissing(language=default)
    saved = {
        block.key: block.version.data["bodies"]
        for block in Block.objects.filter(version__isnull=False).select_related("version")
    }
    compiled, faults = compile_words(
        words,
        is_marketing=category == Template.Category.MARKETING,
        samples=samples(),
        channel=channel,
        saved=saved,
        default=default,
    )
    if faults:
        raise TemplateFaulty(faults)
    return compiled


def _save(
    template: Template,
    words: Words,
    compiled: list[Compiled],
    *,
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    why: str,
) -> None:
    data = {
        "name": template.name,
        "channel": template.channel,
        "category": template.category,
        "topic": template.topic,
        "words": {language: dict(parts) for language, parts in words.items()},
    }
    template.version = save_version(of=template, data=data, edited=edited, by=by, now=now, why=why)
    template.save()
    CompiledTemplate.objects.bulk_create(
        CompiledTemplate(
            version=template.version,
            language=item.language,
            subject=item.subject,
            html=item.html,
            text=item.text,
            url=item.url,
            placeholders=item.placeholders,
        )
        for item in compiled
    )
