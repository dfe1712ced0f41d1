"""The HTTP endpoints of a shop's checkout; what marketers' systems manage is in `endpoints_manage`."""

import uuid

from django.http import HttpRequest, HttpResponse
from pydantic_core import to_json

from retention import clock
from retention.doors.endpoints import REPLAYED, Router, actor, idempotency_key, request_hash
from retention.doors.idempotency import KeyReused
from retention.doors.problems import ScopeMissing
from retention.incentives import operations, schemas
from retention.incentives import schemas_out as out
from retention.incentives.decisions import NoSuchCode
from retention.incentives.exchanging import as_typed, tried_out, with_exchange
from retention.incentives.operations.paying import TenderAsk
from retention.incentives.operations.redemptions import NoSuchRedemption, SourceReused
from retention.incentives.public_door import heard, trying_codes
from retention.incentives.qualifying import near_misses
from retention.incentives.querysets import redemptions

router = Router("Incentives")
JSON = "application/json; charset=utf-8"
REDEEM, READ = "incentives:redeem", "incentives:read"


@router.post("qualifications/", scope=REDEEM, response=out.QualificationOut, idempotent=False)
def qualify(request: HttpRequest, body: schemas.CheckoutIn):
    """Which offers fit this basket, best first: public codes, the customer's own, automatic ones; and near misses."""
    found = operations.qualify(checkout=body.as_checkout(), now=clock.now())
    return {
        "offers": [out.offer_out(offer) for offer in found.offers],
        "near_misses": [out.near_miss_out(offer) for offer in found.near_misses],
    }


@router.post("validations/", scope=REDEEM, response=out.ValidationOut, idempotent=False)
def validate(request: HttpRequest, body: schemas.ValidationIn):
    """What codes and automatic offers would take off this basket, or every reason why not.

    Writes nothing, unless it is asked to hold it: then it needs an Idempotency-Key, and is refused as a redemption is.
    A friend's code is good for the offer that the friend brings, once it is redeemed, held or claimed.
    """
    if body.hold_minutes:
        return _hold(request, body)
    if (body.at or body.drafts) and READ not in request.auth.scopes:
        raise ScopeMissing(scope=READ)
    checkout = body.as_checkout()
    with trying_codes(request, checkout.buyer, now=clock.now(), codes=body.codes):
        asked = {"tenders": _asks(body), "checkout": checkout, "now": body.at or clock.now(), "drafts": body.drafts}
        validated, typed = operations.validate(codes=body.codes, **asked), {}
        if any(reason.code == NoSuchCode.code for reason in validated.reasons):
            tried = tried_out(
                lambda codes: operations.validate(codes=codes, **asked), body.codes, checkout, now=clock.now()
            )
            validated, typed = tried or (validated, typed)
    heard(request, validated.reasons, checkout.buyer, now=clock.now(), codes=body.codes)
    refusal = validated.refusal
    told = {
        "is_valid": refusal is None,
        "refusal": out.reason_out(refusal) if refusal else None,
        "hold": None,
        "near_misses": [out.near_miss_out(offer) for offer in near_misses(validated.decision)],
        **out.use_out(validated.effects),
    }
    return as_typed(told, typed) if typed else told


@router.post("redemptions/", scope=REDEEM, response={201: out.RedemptionOut}, idempotent="own")
def redeem(request: HttpRequest, body: schemas.RedemptionIn):
    """Use codes and automatic offers for an order: all or none, once an Idempotency-Key. Or redeem what was held.

    What is left is paid with the tenders, in their order. A gift card that is typed among the codes is a tender too.
    Discounts are computed from the lines. A code that is good but brings nothing here is not used up.
    """
    checkout = body.as_checkout()
    order = {
        "source": _source(request),
        "request_hash": request_hash(request),
        "checkout": checkout,
        "now": clock.now(),
    }
    try:
        with trying_codes(request, checkout.buyer, now=clock.now(), codes=body.codes):
            if body.hold:
                redeemed = operations.redeem_held(public_id=body.hold, **order)
            else:
                redeemed = with_exchange(
                    lambda codes: operations.redeem(codes=codes, tenders=_asks(body), **order),
                    body.codes, checkout, now=order["now"],
                )  # fmt: skip
    except SourceReused:
        raise KeyReused from None
    # Written by hand: the shape is fixed, and the schema would check again what was just computed.
    response = HttpResponse(to_json(out.redemption_out(redeemed)), status=201, content_type=JSON)
    if redeemed.is_repeated:
        response[REPLAYED] = "true"
    return response


@router.get("redemptions/{uuid:id}/", scope=REDEEM, response=out.RedemptionNow)
def get_redemption(request: HttpRequest, id: uuid.UUID):
    """A redemption as it stands now, with what of it was rolled back."""
    return _shown(id)


@router.post("redemptions/{uuid:id}/release/", scope=REDEEM, response=out.RedemptionNow)
def release(request: HttpRequest, id: uuid.UUID):
    """End a hold before its time: its codes and budgets are free again."""
    operations.release(public_id=id, now=clock.now())
    return _shown(id)


@router.post("redemptions/{uuid:id}/rollback/", scope=REDEEM, response=out.RedemptionNow, idempotent="own")
def roll_back(request: HttpRequest, id: uuid.UUID, body: schemas.RollbackIn):
    """Undo a redemption: whole, for a cancelled order, or by the lines and units that were returned.

    The money goes back to the budgets. Whether codes work again once nothing is left of it, their incentives say.
    """
    try:
        operations.roll_back(
            public_id=id,
            source=_source(request),
            reason=body.reason,
            lines=body.quantities,
            now=clock.now(),
            by=actor(request),
        )
    except SourceReused:
        raise KeyReused from None
    return _shown(id)


@router.post("redemptions/{uuid:id}/rollback-preview/", scope=REDEEM, response=out.ReturnOut, idempotent=False)
def preview_rollback(request: HttpRequest, id: uuid.UUID, body: schemas.ReturnedIn):
    """What a roll-back would give back, line by line. Writes nothing."""
    return operations.preview_rollback(public_id=id, lines=body.quantities, now=clock.now())


def _hold(request: HttpRequest, body: schemas.ValidationIn):
    checkout = body.as_checkout()
    try:
        with trying_codes(request, checkout.buyer, now=clock.now(), codes=body.codes):
            now = clock.now()
            held = with_exchange(
                lambda codes: operations.hold(
                    source=_source(request),
                    request_hash=request_hash(request),
                    codes=codes,
                    tenders=_asks(body),
                    checkout=checkout,
                    minutes=body.hold_minutes,
                    now=now,
                ),
                body.codes,
                checkout,
                now=now,
            )
    except SourceReused:
        raise KeyReused from None
    hold = {"id": held.public_id, "held_until": held.held_until}
    return {"is_valid": True, "refusal": None, "hold": hold, "near_misses": [], **out.use_out(held.effects)}


def _asks(body: schemas.ValidationIn | schemas.RedemptionIn) -> list[TenderAsk]:
    return [tender.as_ask() for tender in body.tenders]


def _shown(public_id: uuid.UUID) -> dict:
    redemption = redemptions().filter(public_id=public_id).first()
    if redemption is None:
        raise NoSuchRedemption
    return out.redemption_now(redemption)


def _source(request: HttpRequest) -> str:
    return f"{request.auth.pk}:{idempotency_key(request)}"
