"""What the endpoints of the checkout give, in the shapes of the HTTP API; amounts in minor units."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from retention.incentives.models import Redemption, Rollback
from retention.incentives.operations import Redeemed
from retention.incentives.operations.brought import brought_by
from retention.incentives.qualifying import Qualifying
from retention.refusals import Refusal


class UnitsOut(Schema):
    quantity: int
    total_minor: int


class PricedLineOut(Schema):
    sku: str
    quantity: int
    amount_minor: int
    discount_minor: int
    total_minor: int
    units: list[UnitsOut] = Field(description="What its units cost in the end, each: those that are alike together.")


class ShippingOut(Schema):
    amount_minor: int
    discount_minor: int
    total_minor: int


class EffectsOut(Schema):
    currency: str
    lines: list[PricedLineOut]
    shipping: ShippingOut
    goods_minor: int
    discount_minor: int
    total_minor: int


class IncentiveRef(Schema):
    id: uuid.UUID
    name: str


class ReasonOut(Schema):
    code: str
    params: dict[str, Any]
    detail: str


class AppliedOut(Schema):
    code: str | None = Field(description="Absent where the offer applies by itself.")
    incentive: IncentiveRef
    discount_minor: int
    lines: list[int] = Field(description="What it takes off each line of the basket.")
    shipping_minor: int
    benefits: list[dict[str, Any]] = Field(description="What it gives beside the discount, each by its `kind`.")


class UnusedOut(Schema):
    code: str | None
    incentive: IncentiveRef | None = Field(description="Absent where there is no such code.")
    reasons: list[ReasonOut] = Field(description="Every reason why it brings nothing.")


class TenderOut(Schema):
    code: str | None = Field(description="Of a gift card.")
    unit: str
    amount: int = Field(description="In the smallest part of its unit.")
    amount_minor: int = Field(description="What it pays of this order.")
    lines: list[int] = Field(description="What it pays of each line of the basket.")
    shipping_minor: int


class UseOut(Schema):
    effects: EffectsOut = Field(description="What all offers take off together.")
    offers: list[AppliedOut]
    unused: list[UnusedOut] = Field(description="Codes that were typed and bring nothing; they are not used up.")
    tenders: list[TenderOut] = Field(description="What pays of what is left after the discounts.")
    to_pay_minor: int = Field(description="What is left to pay in money.")


#: What is told of the basket, and what beside it.
_EFFECTS, _BESIDE = tuple(EffectsOut.model_fields), tuple(UseOut.model_fields)[1:]


class ReturnedLineOut(Schema):
    line: int
    sku: str
    quantity: int
    amount_minor: int
    discount_minor: int = Field(description="What comes back of the discount.")
    refund_minor: int = Field(description="What the customer paid for it.")


class ReturnOut(Schema):
    currency: str
    lines: list[ReturnedLineOut]
    shipping_discount_minor: int = Field(description="With the last unit, what was taken off the shipping.")
    discount_minor: int
    refund_minor: int
    refund_money_minor: int = Field(
        description="Of it, and with the last unit of the shipping, what was paid in money and not by tenders."
    )
    is_last: bool = Field(description="Nothing is left of the redemption after it.")
    others: dict[str, Any] = Field(
        description="What else comes back: to `tenders` what they paid, and of `benefits` what the order brought;"
        " `by_hand` names tickets and presents that are off, or were carried out already."
    )


class HoldOut(Schema):
    id: uuid.UUID
    held_until: dt.datetime


class NearMissOut(Schema):
    code: str | None
    incentive: IncentiveRef
    sentence: str
    missing: str = Field(description="What to tell the shopper: “Add 12.00 EUR to get Free shipping”.")
    reasons: list[ReasonOut]


class ValidationOut(UseOut):
    is_valid: bool = Field(description="It could be redeemed like this.")
    refusal: ReasonOut | None = Field(description="Why it could not.")
    hold: HoldOut | None
    near_misses: list[NearMissOut] = Field(
        description="Of these codes and the automatic offers, what a fuller basket would reach: a next step too."
    )


class OfferOut(Schema):
    code: str | None
    incentive: IncentiveRef
    sentence: str
    is_public: bool
    banner: str = Field(description="What to show of an offer that applies by itself.")
    discount_minor: int
    effects: EffectsOut
    expires_at: dt.datetime | None


class QualificationOut(Schema):
    offers: list[OfferOut] = Field(description="What fits, the biggest discount first.")
    near_misses: list[NearMissOut]


class RedemptionOut(UseOut):
    id: uuid.UUID
    state: Literal["held", "redeemed"]
    order_reference: str
    redeemed_at: dt.datetime | None
    held_until: dt.datetime | None


class RollbackOut(ReturnOut):
    reason: str
    rolled_back_at: dt.datetime


class BroughtOut(Schema):
    incentive: IncentiveRef
    code: str | None = Field(description="Of a ticket or a gift card.")
    waits_for_customer: bool = Field(
        description="A guest's: points and credit are given when the order's customer, or her email, is known."
    )


class RedemptionNow(UseOut):
    id: uuid.UUID
    state: Literal["held", "redeemed", "rolled_back", "released"]
    order_reference: str
    redeemed_at: dt.datetime | None
    held_until: dt.datetime | None
    ended_at: dt.datetime | None
    given_back_minor: int
    brought: list[BroughtOut] = Field(description="What was granted with the order, one for each offer.")
    rollbacks: list[RollbackOut]


def redemption_out(redeemed: Redeemed) -> dict[str, Any]:
    """In the order of the schema; a row keeps its effects as they were, so an answer repeated is the same bytes."""
    return {
        "id": redeemed.public_id,
        "state": redeemed.state,
        "order_reference": redeemed.order_reference,
        "redeemed_at": redeemed.redeemed_at,
        "held_until": redeemed.held_until,
        **use_out(redeemed.effects),
    }


def redemption_now(redemption: Redemption) -> dict[str, Any]:
    return {
        "id": redemption.public_id,
        "state": redemption.state,
        "order_reference": redemption.order_reference,
        "redeemed_at": redemption.redeemed_at,
        "held_until": redemption.held_until,
        "ended_at": redemption.ended_at,
        "given_back_minor": redemption.given_back_minor,
        "brought": list(brought_by(redemption)),
        "rollbacks": [rollback_out(one) for one in redemption.rollbacks.all()],
        **use_out(redemption.effects),
    }


def rollback_out(rollback: Rollback) -> dict[str, Any]:
    return {**rollback.effects, "reason": rollback.reason, "rolled_back_at": rollback.rolled_back_at}


def use_out(effects: Mapping[str, Any]) -> dict[str, Any]:
    return {"effects": effects_out(effects), **{name: effects[name] for name in _BESIDE}}


def effects_out(effects: Mapping[str, Any]) -> dict[str, Any]:
    return {name: effects[name] for name in _EFFECTS}


def reason_out(reason: Refusal) -> dict[str, Any]:
    return {"code": reason.code, "params": dict(reason.params), "detail": str(reason)}


def offer_out(offer: Qualifying) -> dict[str, Any]:
    return {
        **_offered(offer),
        "is_public": offer.rule.codes.kind == "public",
        "banner": getattr(offer.rule.codes, "banner", ""),
        "discount_minor": offer.evaluation.discount_minor,
        "effects": effects_out(offer.evaluation.as_json()),
        "expires_at": offer.offer.expires_at,
    }


def near_miss_out(offer: Qualifying) -> dict[str, Any]:
    return {
        **_offered(offer),
        "missing": offer.missing,
        "reasons": [reason_out(reason) for reason in offer.reasons],
    }


def _offered(offer: Qualifying) -> dict[str, Any]:
    return {
        "code": offer.offer.code,
        "incentive": {"id": offer.offer.incentive_public_id, "name": offer.offer.incentive_name},
        "sentence": offer.sentence,
    }
