"""At a checkout: what codes and automatic offers would take off, a hold on it, and its use. One read, one write."""

import datetime as dt
import uuid
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q

from retention.incentives.checkouts import Checkout
from retention.incentives.counting import USED_UP
from retention.incentives.decisions import Stopped, decide
from retention.incentives.facts import Facts, read_facts, with_offers
from retention.incentives.models import Redemption
from retention.incentives.operations.brought import brings, give_with_order
from retention.incentives.operations.paying import Plan, TenderAsk, capture, plan, settle, told, with_typed_cards
from retention.incentives.operations.redemptions.answers import (
    HoldDiffers,
    HoldOver,
    NoSuchRedemption,
    Redeemed,
    SourceReused,
    TooBusy,
    Validated,
    as_refused,
    effects_of,
    reasons_of,
    refusal_of,
)
from retention.incentives.operations.redemptions.holds import release, release_expired
from retention.incentives.operations.redemptions.own_holds import own_hold, with_holds_told
from retention.incentives.operations.redemptions.writing import GUARD, Overtaken, write
from retention.incentives.trying import drafts_as_live
from retention.refusals import Refused
from retention.statements import fetch_row

#: How often a redemption is decided anew when what it was decided on changed before it was written.
TRIES = 8
#: Prefix of the source of a hold, so that its key is not one of a redemption.
HOLD = "hold:"


def validate(
    *,
    codes: Sequence[str] = (),
    tenders: Sequence[TenderAsk] = (),
    checkout: Checkout,
    now: dt.datetime,
    drafts: Sequence[uuid.UUID] = (),
) -> Validated:
    """What these codes and the automatic offers would take off this basket now, or every reason why not.

    `tenders` are what the rest would be paid with. `drafts` are public ids of incentives to look at as if they were
    live.

    Raises:
        NoSuchCustomer: the customer is named by a number that nobody has, and no email came with it.
        NoSuchIncentive: one of the drafts is none.
    """
    asked = (codes, tenders, checkout, now, drafts)
    facts, validated = _validated(*asked)
    if USED_UP.isdisjoint(reason.code for reason in validated.reasons):
        return validated
    if (own := own_hold(checkout, facts)) is not None:
        # As it would be without it; nothing of this stays.
        with transaction.atomic():
            release(public_id=own.public_id, now=now)
            facts, validated = _validated(*asked)
            transaction.set_rollback(True)
    return validated


def _validated(
    codes: Sequence[str],
    tenders: Sequence[TenderAsk],
    checkout: Checkout,
    now: dt.datetime,
    drafts: Sequence[uuid.UUID],
) -> tuple[Facts, Validated]:
    facts, asks = with_typed_cards(read_facts(checkout, codes=codes, now=now), tenders)
    if drafts:
        facts = with_offers(facts, [*[offer.facts for offer in facts.offers], *drafts_as_live(drafts, facts)])
    decision = with_holds_told(decide(facts), now)
    refusal, effects = refusal_of(facts, decision, pays=bool(asks)), effects_of(facts, decision)
    reasons, planned = reasons_of(facts, decision), Plan()
    try:
        planned = plan(facts, effects, asks)
    except Refused as refused:
        refusal, reasons = refusal or refused.as_refusal(), (*reasons, refused.as_refusal())
    return facts, Validated(decision, refusal, reasons, told(effects, planned))


def redeem(
    *,
    source: str,
    request_hash: bytes,
    codes: Sequence[str] = (),
    tenders: Sequence[TenderAsk] = (),
    checkout: Checkout,
    now: dt.datetime,
) -> Redeemed:
    """Use the codes for this basket, and the automatic offers that fit it, and pay the rest with tenders: all or none.

    Atomic, and once a `source`, whose answer is given again when it comes again. A code that is good but brings
    nothing here is not used up; it is named among the unused.

    Raises:
        SourceReused: the source came before with another `request_hash`.
        NoSuchCode, NoSuchCustomer, NoRate, NothingToRedeem: as they say.
        Refused: the first reason why a code does not hold, such as CodeExpired or BelowMinimum.
    """
    return _use(source, request_hash, codes, tenders, checkout, now=now, held_until=None)


def hold(
    *,
    source: str,
    request_hash: bytes,
    codes: Sequence[str] = (),
    tenders: Sequence[TenderAsk] = (),
    checkout: Checkout,
    minutes: int,
    now: dt.datetime,
) -> Redeemed:
    """Keep what the codes would take off for so many minutes: it counts at once, until it is redeemed or released.

    Once a `source`, as `redeem`, and with the same refusals.
    """
    before = Redemption.objects.filter(Q(source=HOLD + source) | Q(hold_source=HOLD + source)).first()
    if before is not None and before.hold_source:
        # Redeemed by now; its own request's hash is gone with that.
        return Redeemed.of(before)
    until = now + dt.timedelta(minutes=minutes)
    return _use(HOLD + source, request_hash, codes, tenders, checkout, now=now, held_until=until)


def redeem_held(
    *, source: str, request_hash: bytes, public_id: uuid.UUID, checkout: Checkout, now: dt.datetime
) -> Redeemed:
    """Redeem what was held, as it was held, for the same basket.

    Raises:
        NoSuchRedemption: there is no such hold.
        SourceReused: the source came before with another request.
        HoldOver: it ran out, was released, or was redeemed under another source.
        HoldDiffers: the basket is another one.
        Stopped: one of its offers was stopped.
    """
    if (found := _found(source, request_hash)) is not None:
        return found
    held = Redemption.objects.filter(public_id=public_id).first()
    if held is None:
        raise NoSuchRedemption
    facts = read_facts(checkout, codes=(), now=now)
    if _shape(held.effects) != _shape(_as_json(facts)) or held.customer_id != facts.basket.shopper.id:
        raise HoldDiffers
    try:
        with transaction.atomic():
            done = fetch_row(
                "SELECT redeem_held_v1(%s, %s, %s, %s, %s)",
                [now, held.pk, source, request_hash, checkout.order_reference],
            )[0]
            if done is not None:
                held.refresh_from_db()
                capture(held, now=now)
                give_with_order(held, now=now)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == GUARD:
            raise Stopped from None
        if (found := _found(source, request_hash)) is not None:
            return found
        raise
    if done is None:
        if (found := _found(source, request_hash)) is not None:
            return found
        raise HoldOver
    return Redeemed.of(held, is_repeated=False)


def _use(
    source: str,
    request_hash: bytes,
    codes: Sequence[str],
    tenders: Sequence[TenderAsk],
    checkout: Checkout,
    *,
    now: dt.datetime,
    held_until: dt.datetime | None,
) -> Redeemed:
    with_leases = False
    for _try in range(TRIES):
        try:
            facts, asks = with_typed_cards(read_facts(checkout, codes=codes, now=now), tenders)
            decision = decide(facts)
            if (refusal := refusal_of(facts, decision, pays=bool(asks))) is not None:
                raise as_refused(refusal)
            effects = effects_of(facts, decision)
            planned = plan(facts, effects, asks)
            effects = told(effects, planned)
        except Refused as refused:
            # What the first request of this source did may be the very reason that the second one is refused.
            if (found := _found(source, request_hash)) is not None:
                return found
            if refused.code not in USED_UP:
                raise
            # Or a hold that ran out and was not released yet.
            if release_expired(now=now, incentive_ids=facts.incentive_ids):
                continue
            if (own := own_hold(checkout, facts)) is None:
                refusal = refusal_of(facts, with_holds_told(decision, now), pays=bool(asks))
                raise as_refused(refusal or refused.as_refusal()) from None
            # Or this basket's own hold: what is asked now takes its place, or it stays.
            with transaction.atomic():
                release(public_id=own.public_id, now=now)
                return _use(source, request_hash, codes, tenders, checkout, now=now, held_until=held_until)
        has_more = bool(planned) or brings(effects)
        try:
            # Counters first and accounts last, as a roll-back takes them too.
            with transaction.atomic() if has_more else nullcontext():
                public_id = write(
                    source=source,
                    request_hash=request_hash,
                    facts=facts,
                    decision=decision,
                    effects=effects,
                    order_reference=checkout.order_reference,
                    held_until=held_until,
                    with_leases=with_leases,
                )
                if public_id is not None and has_more:
                    _settle(public_id, planned, now)
        except Overtaken:
            # Someone was faster; what she changed is read now, and gives the precise reason if there is one. Or a
            # stripe lacked room, and is given some.
            with_leases = any(one.offer.rule.limits.expects_rush for one in decision.applied)
            continue
        if public_id is None:
            return _found(source, request_hash)
        return Redeemed(
            public_id=public_id,
            state=Redemption.State.HELD if held_until else Redemption.State.REDEEMED,
            order_reference=checkout.order_reference,
            redeemed_at=None if held_until else now,
            held_until=held_until,
            effects=effects,
            is_repeated=False,
        )
    raise TooBusy


def _settle(public_id: str, planned: Plan, now: dt.datetime) -> None:
    """Pay with what was planned, and give what the order brings.

    Raises:
        Overtaken: a tender was emptied or blocked meanwhile.
    """
    redemption = Redemption.objects.get(public_id=public_id)
    try:
        settle(redemption, planned, now=now)
    except Refused:
        raise Overtaken from None
    if redemption.state == Redemption.State.REDEEMED:
        give_with_order(redemption, now=now)


def _found(source: str, request_hash: bytes) -> Redeemed | None:
    """What was redeemed or held under this source before."""
    redemption = Redemption.objects.filter(source=source).first()
    if redemption is None:
        return None
    if bytes(redemption.request_hash) != request_hash:
        raise SourceReused
    return Redeemed.of(redemption)


def _as_json(facts: Facts) -> dict[str, Any]:
    return {
        "currency": facts.basket.currency,
        "lines": [
            {"sku": line.sku, "quantity": line.quantity, "amount_minor": line.amount_minor}
            for line in facts.basket.lines
        ],
        "shipping": {"amount_minor": facts.basket.shipping_minor},
    }


def _shape(effects: dict[str, Any]) -> list[Any]:
    """What of a basket must be the same for what was held to hold for it."""
    lines = [(line["sku"], line["quantity"], line["amount_minor"]) for line in effects["lines"]]
    return [effects["currency"], lines, effects["shipping"]["amount_minor"]]
