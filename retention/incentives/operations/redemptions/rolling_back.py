"""Undoing a redemption: whole, or by lines that were returned."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.models import Redemption, Rollback, Use
from retention.incentives.operations.redemptions.answers import (
    NoSuchRedemption,
    NothingReturned,
    NotRedeemed,
    RolledBackBefore,
    SourceReused,
)
from retention.incentives.operations.redemptions.giving_back import give_back
from retention.incentives.proration import Returned, returned
from retention.incentives.versions import rule_of
from retention.registries import reversals


@transaction.atomic
def roll_back(
    *,
    public_id: uuid.UUID,
    source: str,
    reason: str,
    lines: Mapping[int, int] | None = None,
    now: dt.datetime,
    by: Actor,
) -> Rollback:
    """Undo a redemption whole, or these lines of it: line's place → how many of its units came back.

    The money goes back to every budget; each use, once nothing is left of the redemption, where its rule says that it
    may be used again. The same `source` again changes nothing and returns the same row.

    Raises:
        NoSuchRedemption, RolledBackBefore, NotRedeemed
        NothingReturned: a line has not so many units left.
        SourceReused: the source undid something else, or came with another reason.
    """
    redemption = Redemption.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if redemption is None:
        raise NoSuchRedemption
    asked = None if lines is None else [{"line": line, "quantity": n} for line, n in sorted(lines.items())]
    if (before := Rollback.objects.filter(source=source).first()) is not None:
        if (before.redemption_id, before.reason, before.lines) != (redemption.pk, reason, asked):
            raise SourceReused
        return before
    part = _part(redemption, lines)
    uses = list(redemption.uses.select_for_update(no_key=True))
    give_back(
        redemption,
        uses,
        money={use.pk: part.of_offers[use.place] for use in uses},
        is_use_over={use.pk: part.is_last and _is_usable_again(use) for use in uses},
    )
    # Counters first and other rooms' accounts last, in the order in which a redemption takes them.
    others = {
        reversal.key: done
        for reversal in reversals
        if (done := reversal.undo(redemption=redemption, returned=part, source=source, now=now))
    }
    rollback = Rollback.objects.create(
        redemption=redemption,
        source=source,
        reason=reason,
        lines=asked,
        discount_minor=part.discount_minor,
        effects=_told(redemption, part, others),
        is_last=part.is_last,
        rolled_back_at=now,
    )
    redemption.given_back_minor += part.discount_minor
    if part.is_last:
        redemption.state, redemption.ended_at = Redemption.State.ROLLED_BACK, now
    redemption.save(update_fields=["given_back_minor", "state", "ended_at"])
    record(
        verb="incentives.roll_back",
        by=by,
        now=now,
        subject=redemption,
        customer_id=redemption.customer_id,
        after={"reason": reason, "lines": asked, "discount_minor": part.discount_minor},
    )
    return rollback


def preview_rollback(*, public_id: uuid.UUID, lines: Mapping[int, int] | None = None, now: dt.datetime) -> dict:
    """What `roll_back` would give back now, line by line; nothing is written. It has its refusals, too."""
    redemption = Redemption.objects.filter(public_id=public_id).first()
    if redemption is None:
        raise NoSuchRedemption
    part = _part(redemption, lines)
    others = {
        reversal.key: would
        for reversal in reversals
        if (would := reversal.preview(redemption=redemption, returned=part, now=now))
    }
    return _told(redemption, part, others)


def _told(redemption: Redemption, part: Returned, others: Mapping[str, Any]) -> dict:
    effects = part.as_json(redemption.effects)
    # With its last unit an order is undone whole, the shipping too.
    paid = effects["refund_minor"] + (redemption.effects["shipping"]["total_minor"] if part.is_last else 0)
    to_tenders = others.get("tenders", {}).get("amount_minor", 0)
    return {**effects, "others": others, "refund_money_minor": paid - to_tenders}


def _part(redemption: Redemption, lines: Mapping[int, int] | None) -> Returned:
    if redemption.state in (Redemption.State.HELD, Redemption.State.RELEASED):
        raise NotRedeemed
    if redemption.state == Redemption.State.ROLLED_BACK:
        raise RolledBackBefore
    bought = [line["quantity"] for line in redemption.effects["lines"]]
    before = [0] * len(bought)
    for effects in Rollback.objects.filter(redemption=redemption).values_list("effects", flat=True):
        for line in effects["lines"]:
            before[line["line"]] += line["quantity"]
    left = [had - came for had, came in zip(bought, before, strict=True)]
    for line, quantity in (lines or {}).items():
        if not 0 <= line < len(left) or quantity > left[line]:
            raise NothingReturned(line=line, left=left[line] if 0 <= line < len(left) else 0, quantity=quantity)
    return returned(redemption.effects, before, dict(enumerate(left)) if lines is None else lines)


def _is_usable_again(use: Use) -> bool:
    return rule_of(use.version_id).codes.is_usable_again
