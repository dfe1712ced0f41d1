"""Saving how the shop's mails look: the brand kit, and blocks that templates use by name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.messaging.blocks import block_keys
from retention.messaging.brand import Brand
from retention.messaging.compilation import compile_words
from retention.messaging.models import Block, BrandKit, Template
from retention.messaging.operations.templates import TemplateFaulty, recompile
from retention.messaging.placeholders import samples
from retention.refusals import Refused
from retention.shop.models import Shop


class BlockTaken(Refused):
    code = "messaging.block_taken"
    sentence = gettext_lazy("There is a block with the key “%(key)s” already.")


class BadBlockKey(Refused):
    code = "messaging.bad_block_key"
    sentence = gettext_lazy("A block's key has small letters, digits and - only.")
    status = 422


class BlockMissing(Refused):
    code = "messaging.block_missing"
    sentence = gettext_lazy("The block in the shop's default language (%(language)s) is missing.")
    status = 422


class BlockBreaks(Refused):
    code = "messaging.block_breaks"
    sentence = gettext_lazy("With it the template “%(template)s” cannot be sent any more: %(message)s")
    status = 422


@transaction.atomic
def save_brand(*, brand: Brand, edited: int | None, now: dt.datetime, by: Actor, why: str = "") -> BrandKit:
    """Save the whole kit; every mail that leaves from now on wears it.

    Raises:
        EditedMeanwhile: someone saved after version `edited` was read (None: there was none).
    """
    row, _made = BrandKit.objects.get_or_create(pk=1)
    row = BrandKit.objects.select_for_update(no_key=True).get(pk=row.pk)
    row.version = save_version(of=row, data=brand.model_dump(mode="json"), edited=edited, by=by, now=now, why=why)
    BrandKit.objects.filter(pk=row.pk).update(version=row.version)
    after = {"version": row.version.number}
    record(verb="messaging.save_brand", by=by, now=now, subject=row, before={"version": edited}, after=after)
    return row


@transaction.atomic
def save_block(
    *,
    block_id: int | None = None,
    key: str,
    name: str,
    bodies: Mapping[str, str],
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    why: str = "",
) -> Block:
    """Make a block, or save its next version; each template that uses it gets a next version with it, or none does.

    `bodies` is {language: MJML blocks}. Messages queued before keep the words they were queued with.

    Raises:
        TemplateFaulty: mistakes, each with its place; BlockBreaks: a template that uses it would have some.
        BlockTaken, BadBlockKey, BlockMissing
        EditedMeanwhile
    """
    if not re.fullmatch(r"[a-z0-9-]{1,50}", key):
        raise BadBlockKey
    bodies = {language: body for language, body in bodies.items() if body.strip()}
    default = Shop.objects.get().default_language
    if default not in bodies:
        raise BlockMissing(language=default)
    # As the only words of a mail: what is wrong with them then is wrong with them anywhere.
    alone = {language: {"subject": name, "body": body} for language, body in bodies.items()}
    _compiled, faults = compile_words(alone, is_marketing=True, samples=samples())
    if faults:
        raise TemplateFaulty(faults)
    if block_id is None:
        if Block.objects.filter(key=key).exists():
            raise BlockTaken(key=key)
        block = Block.objects.create(key=key, name=name)
    else:
        block = Block.objects.select_for_update().get(pk=block_id)
    block.name = name
    data = {"key": block.key, "name": name, "bodies": bodies}
    block.version = save_version(of=block, data=data, edited=edited, by=by, now=now, why=why)
    block.save()
    used_by = _recompile_users(block, now, by)
    after = {"number": block.version.number, "templates": used_by}
    record(verb="messaging.save_block", by=by, now=now, subject=block, after=after)
    return block


@transaction.atomic
def archive_block(*, block_id: int, now: dt.datetime, by: Actor) -> Block:
    """It is offered no more; templates that use it keep it as it is."""
    block = Block.objects.select_for_update().get(pk=block_id)
    if block.archived_at is None:
        block.archived_at = now
        block.save(update_fields=["archived_at"])
        record(verb="messaging.archive_block", by=by, now=now, subject=block)
    return block


def users_of(key: str) -> list[Template]:
    """Templates in use that name the block."""
    found = Template.objects.filter(archived_at=None, version__isnull=False).select_related("version").order_by("pk")
    return [
        template
        for template in found
        if any(key in block_keys(parts.get("body", "")) for parts in template.version.data["words"].values())
    ]


def _recompile_users(block: Block, now: dt.datetime, by: Actor) -> int:
    users = users_of(block.key)
    why = _("Block “%(name)s” changed.") % {"name": block.name}
    for template in users:
        try:
            recompile(template_id=template.pk, now=now, by=by, why=why)
        except TemplateFaulty as refused:
            raise BlockBreaks(template=template.name, message=str(refused)) from None
    return len(users)
