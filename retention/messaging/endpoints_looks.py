"""The room's HTTP endpoints about how mails look, what became of them, and providers that fail."""

import datetime as dt
from typing import Literal

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Status

from retention import clock
from retention.doors.endpoints import Page, Router, actor, page
from retention.messaging import operations, outages
from retention.messaging import schemas_looks as shapes
from retention.messaging.endpoints import READ, WRITE
from retention.messaging.models import Block, BrandKit
from retention.refusals import Refused

router = Router("Messages")
#: The longest span of days that figures are added up over at once.
_MOST_DAYS = 400


class NoSuchBlock(Refused):
    code = "messaging.no_such_block"
    sentence = _("There is no such block.")
    status = 404


class BadDays(Refused):
    code = "messaging.bad_days"
    sentence = _("From %(since)s to %(until)s are no days that go forward, or more than %(most)s.")
    status = 422


def _block(key: str) -> Block:
    found = Block.objects.select_related("version").filter(key=key).first()
    if found is None:
        raise NoSuchBlock
    return found


@router.get("blocks/", scope=READ, response=Page[shapes.BlockOut])
def list_blocks(
    request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200), archived: bool = False
):
    """Blocks in the order in which they were made; archived ones only when asked for."""
    found = Block.objects.select_related("version").filter(archived_at__isnull=not archived)
    return page(found, cursor, limit, shape=shapes.block_out)


@router.get("blocks/{slug:block}/", scope=READ, response=shapes.BlockOut)
def get_block(request: HttpRequest, block: str):
    """A block in all its languages."""
    return shapes.block_out(_block(block))


@router.post("blocks/", scope=WRITE, response={201: shapes.BlockOut})
def create_block(request: HttpRequest, body: shapes.BlockIn):
    """Every mistake is refused at once; `params.faults` names language, line and column of each."""
    made = operations.save_block(**body.dict(), edited=None, now=clock.now(), by=actor(request))
    return Status(201, shapes.block_out(made))


@router.patch("blocks/{slug:block}/", scope=WRITE, response=shapes.BlockOut)
def change_block(request: HttpRequest, block: str, body: shapes.BlockPatch):
    """Saves the next version, and one of every template that uses it; where one of them would break, nothing."""
    found = _block(block)
    saved = operations.save_block(
        block_id=found.pk,
        key=found.key,
        name=found.name if body.name is None else body.name,
        bodies=(found.version.data["bodies"] if found.version else {}) if body.bodies is None else body.bodies,
        edited=body.edited,
        why=body.why,
        now=clock.now(),
        by=actor(request),
    )
    return shapes.block_out(saved)


@router.post("blocks/{slug:block}/archive/", scope=WRITE, response=shapes.BlockOut)
def archive_block(request: HttpRequest, block: str):
    """It is offered no more. Templates that use it keep it as it is."""
    operations.archive_block(block_id=_block(block).pk, now=clock.now(), by=actor(request))
    return shapes.block_out(_block(block))


@router.get("brand-kit/", scope=READ, response=shapes.BrandKitOut)
def get_brand_kit(request: HttpRequest):
    """What every mail wears. `version` is null as long as nobody said anything."""
    return shapes.brand_out(BrandKit.objects.select_related("version").first())


@router.put("brand-kit/", scope=WRITE, response=shapes.BrandKitOut)
def put_brand_kit(request: HttpRequest, body: shapes.BrandKitIn):
    """Save the whole kit; every mail that leaves from now on wears it."""
    saved = operations.save_brand(
        brand=body.brand, edited=body.edited, why=body.why, now=clock.now(), by=actor(request)
    )
    return shapes.brand_out(saved)


@router.get("message-figures/", scope=READ, response=shapes.MessageFiguresOut)
def message_figures(
    request: HttpRequest,
    by: Literal["campaign", "template", "channel", "day"] = "campaign",
    since: dt.date | None = None,
    until: dt.date | None = None,
    channel: Literal["", "email", "sms", "push", "inbox", "webhook"] = "",
):
    """What became of messages on these days (UTC, both included; the last 30 where none are told), most sent first."""
    until = until or clock.now().date()
    since = since or until - dt.timedelta(days=29)
    if not dt.timedelta(0) <= until - since < dt.timedelta(days=_MOST_DAYS):
        raise BadDays(since=str(since), until=str(until), most=_MOST_DAYS)
    return shapes.figures_out(by, since, until, channel)


@router.get("outages/", scope=READ, response=list[shapes.OutageOut])
def list_outages(request: HttpRequest):
    """Channels whose providers fail at present; none is good news."""
    return [shapes.outage_out(trouble) for trouble in outages.troubles()]
