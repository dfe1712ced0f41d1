"""The HTTP endpoints of a shop's checkout; what marketers' systems manage is in `endpoints_manage`."""

import uuid

from django.http import HttpRequest, HttpResponse
from pydantic_core import to_json

from retention import clock
from retention.doors.endpoints import REPLAYED, Router, actor, idempotency_key, request_hash
from retention.doors.idempotency import KeyReused
from retention.incentives import operations, schemas
from retention.incentives.operations.redemptions import NoSuchRedemption, SourceReused
from retention.incentives.public_door import heard, trying_codes
from retention.incentives.querysets import redemptions

router = Router("Incentives")
JSON = "application/json; charset=utf-8"
REDEEM = "incentives:redeem"


@router.post("qualifications/", scope=REDEEM, response=schemas.QualificationOut, idempotent=False)
def qualify(request: HttpRequest, body: schemas.CheckoutIn):
    """Which public codes and which of the customer's own fit this basket, best deal first, and which nearly do."""
    found = operations.qualify(checkout=body.as_checkout(), now=clock.now())
    return {
        "offers": [schemas.offer_out(offer) for offer in found.offers],
        "near_misses": [schemas.near_miss_out(offer) for offer in found.near_misses],
    }


@router.post("validations/", scope=REDEEM, response=schemas.ValidationOut, idempotent=False)
def validate(request: HttpRequest, body: schemas.ValidationIn):
    """What a code would take off this basket now, or every reason why not. Writes nothing."""
    checkout = body.as_checkout()
    with trying_codes(request, checkout.buyer, now=clock.now()):
        validated = operations.validate(code=body.code, checkout=checkout, now=clock.now())
    decision, code = validated.decision, validated.code
    heard(request, decision.reasons, checkout.buyer, now=clock.now())
    return {
        "is_valid": decision.is_good,
        "code": code.code,
        "incentive": {"id": code.incentive_public_id, "name": code.incentive_name},
        "effects": schemas.effects_out(decision.evaluation.as_json()) if decision.is_good else None,
        "reasons": [schemas.reason_out(reason) for reason in decision.reasons],
        "expires_at": code.expires_at,
    }


@router.post("redemptions/", scope=REDEEM, response={201: schemas.RedemptionOut}, idempotent="own")
def redeem(request: HttpRequest, body: schemas.RedemptionIn):
    """Use a code for an order: whole or not at all, once an Idempotency-Key. Discounts are computed from the lines."""
    checkout = body.as_checkout()
    try:
        with trying_codes(request, checkout.buyer, now=clock.now()):
            redeemed = operations.redeem(
                source=_source(request),
                request_hash=request_hash(request),
                code=body.code,
                checkout=checkout,
                now=clock.now(),
            )
    except SourceReused:
        raise KeyReused from None
    # Written by hand: the shape is fixed, and the schema would check again what was just computed.
    response = HttpResponse(to_json(schemas.redemption_out(redeemed)), status=201, content_type=JSON)
    if redeemed.is_repeated:
        response[REPLAYED] = "true"
    return response


@router.get("redemptions/{uuid:id}/", scope=REDEEM, response=schemas.RedemptionNow)
def get_redemption(request: HttpRequest, id: uuid.UUID):
    """A redemption as it stands now."""
    redemption = redemptions().filter(public_id=id).first()
    if redemption is None:
        raise NoSuchRedemption
    return schemas.redemption_now(redemption, redemption.code.incentive)


@router.post("redemptions/{uuid:id}/rollback/", scope=REDEEM, response=schemas.RedemptionNow, idempotent="own")
def roll_back(request: HttpRequest, id: uuid.UUID, body: schemas.RollbackIn):
    """Undo a redemption whole, for a cancelled order. Whether its code works again, the incentive says."""
    try:
        redemption = operations.roll_back(
            public_id=id, source=_source(request), reason=body.reason, now=clock.now(), by=actor(request)
        )
    except SourceReused:
        raise KeyReused from None
    return schemas.redemption_now(redemption, redemption.code.incentive)


def _source(request: HttpRequest) -> str:
    return f"{request.auth.pk}:{idempotency_key(request)}"
