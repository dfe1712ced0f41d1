"""The shapes in which the API speaks of blocks, the brand kit, figures and outages."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, StrictInt, StringConstraints

from retention.messaging.brand import Brand, brand_of
from retention.messaging.figures import counting
from retention.messaging.models import Block, BrandKit
from retention.messaging.models.templates import Way
from retention.messaging.outages import Trouble
from retention.messaging.schemas import Body, Language

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,50}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Mjml = Annotated[str, StringConstraints(max_length=200_000)]
Why = Annotated[str, StringConstraints(max_length=300)]
Bodies = Annotated[dict[Language, Mjml], Field(description="MJML by language; the shop's default must be there.")]


class BlockIn(Body):
    """Templates name it by its `key`, which stays as it is."""

    key: Key
    name: Name
    bodies: Bodies


class BlockPatch(Body):
    """What changes; `edited` is the version that you read, so that nobody's work is overwritten."""

    edited: Annotated[StrictInt, Field(ge=1)]
    why: Why = ""
    name: Name | None = None
    bodies: Bodies | None = Field(default=None, description="Replaces all languages.")


class BlockOut(Schema):
    key: str
    name: str
    version: int
    is_archived: bool
    bodies: dict[str, str]


class BrandKitIn(Body):
    brand: Brand
    edited: Annotated[StrictInt, Field(ge=1)] | None = Field(
        description="The version that was read before this change; null for the first."
    )
    why: Why = ""


class BrandKitOut(Schema):
    version: int | None
    sentence: str
    brand: Brand


class CountsOut(Schema):
    """How many messages. A message counts once for each kind, on the day of the first; people and machines apart."""

    sent: int
    delivered: int = Field(description="As told by the provider; none where it tells nothing.")
    opened: int
    opened_by_machine: int
    clicked: int
    clicked_by_machine: int
    soft_bounced: int
    bounced: int
    complained: int
    unsubscribed: int
    unsent: int = Field(description="Not allowed any more, or refused by the provider.")
    unknown: int
    withheld: int = Field(description="Held out for the sake of proof.")


class FigureLineOut(CountsOut):
    """One line: of a campaign or template (`id`), a channel or a day (`name`)."""

    id: uuid.UUID | None
    name: str


class MessageFiguresOut(Schema):
    by: Literal["campaign", "template", "channel", "day"]
    since: dt.date
    until: dt.date
    items: list[FigureLineOut]
    total: CountsOut


class OutageOut(Schema):
    """A provider that fails as a whole: nothing is handed over before `until`, then one more try."""

    channel: str
    since: dt.datetime | None
    until: dt.datetime | None
    failures: int = Field(description="In a row.")
    reason: str
    detail: str
    waiting: int = Field(description="Messages that wait for it; counted to 100,000.")


def block_out(block: Block) -> dict[str, Any]:
    return {
        "key": block.key,
        "name": block.name,
        "version": block.version.number if block.version else 0,
        "is_archived": block.archived_at is not None,
        "bodies": block.version.data["bodies"] if block.version else {},
    }


def brand_out(row: BrandKit | None) -> dict[str, Any]:
    version = row.version if row else None
    brand = brand_of(version.pk) if version else Brand()
    return {"version": version.number if version else None, "sentence": brand.sentence(), "brand": brand}


def figures_out(by: str, since: dt.date, until: dt.date, channel: str) -> dict[str, Any]:
    found = counting.lines(by=by, since=since, until=until, channel=channel)
    lines = zip(found, counting.rows_behind(found, by=by), strict=True)
    return {
        "by": by,
        "since": since,
        "until": until,
        "items": [
            {"id": getattr(row, "public_id", None), "name": _name(by, line, row), **asdict(line.counts)}
            for line, row in lines
        ],
        "total": asdict(counting.total(found)),
    }


def _name(by: str, line: counting.Line, row: Any) -> str:
    return str(line.key[0]) if by in ("channel", "day") else str(row or "")


def outage_out(trouble: Trouble) -> dict[str, Any]:
    outage = trouble.outage
    return {
        "channel": Way(outage.channel),
        "since": outage.since,
        "until": outage.until,
        "failures": outage.failures,
        "reason": outage.reason,
        "detail": trouble.reason,
        "waiting": trouble.waiting,
    }
