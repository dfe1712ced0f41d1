"""What a checkout's endpoints take and give, in the shapes of the HTTP API; amounts in minor units."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

from ninja import Schema
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)

from retention.incentives.baskets import Line
from retention.incentives.facts import Buyer, Checkout
from retention.incentives.models import Incentive, Redemption
from retention.incentives.operations import Redeemed
from retention.incentives.parts import Currency
from retention.incentives.qualifying import Qualifying
from retention.refusals import Refusal

Text = StringConstraints(strip_whitespace=True, min_length=1)
#: No basket is worth more; so that sums of what callers send always fit the database.
MOST_MINOR = 10**15


class Body(BaseModel):
    """A part of a request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class LineIn(Body):
    sku: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)]
    unit_price_minor: Annotated[StrictInt, Field(ge=0, le=10**12)]
    is_discounted: StrictBool = Field(default=False, description="Sold below its usual price already.")
    category: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Of a product that the catalogue does not know."
    )
    tags: Annotated[tuple[Annotated[str, StringConstraints(max_length=60)], ...], Field(max_length=50)] = Field(
        default=(), description="Of a product that the catalogue does not know."
    )


class BasketIn(Body):
    currency: Currency
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=500)]
    shipping_minor: Annotated[StrictInt, Field(ge=0, le=10**12)] = 0
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = Field(
        default="", description="ISO 3166 code of the delivery address; unknown is outside every country."
    )
    channel: Annotated[str, StringConstraints(max_length=40)] = ""

    @model_validator(mode="after")
    def is_worth_something_sane(self) -> BasketIn:
        if sum(line.quantity * line.unit_price_minor for line in self.lines) > MOST_MINOR:
            raise ValueError("the basket is worth more than a basket can be")
        return self


class CustomerIn(Body):
    """By at least one; the first that is known counts. An email that nobody has is a guest's."""

    reference: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    id: uuid.UUID | None = None
    email: Annotated[str, StringConstraints(pattern=r"^\s*[^@\s]+@[^@\s]+\s*$", max_length=254)] | None = None

    @model_validator(mode="after")
    def names_somebody(self) -> CustomerIn:
        if not (self.reference or self.id or self.email):
            raise ValueError("name the customer by reference, id or email, or leave `customer` out")
        return self


class CheckoutIn(Body):
    basket: BasketIn
    customer: CustomerIn | None = None
    order_reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = Field(
        default="", description="The shop's own number of this order."
    )

    def as_checkout(self) -> Checkout:
        basket, customer = self.basket, self.customer
        return Checkout(
            currency=basket.currency,
            lines=tuple(
                [
                    Line(
                        line.sku,
                        line.quantity,
                        line.unit_price_minor,
                        line.category,
                        frozenset(line.tags),
                        line.is_discounted,
                    )
                    for line in basket.lines
                ]
            ),
            shipping_minor=basket.shipping_minor,
            country=basket.country,
            channel=basket.channel,
            buyer=Buyer(customer.reference, customer.id, customer.email) if customer else Buyer(),
            order_reference=self.order_reference,
        )


class ValidationIn(CheckoutIn):
    code: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class RedemptionIn(ValidationIn):
    order_reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        description="The shop's own number of this order."
    )


class RollbackIn(Body):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class UnitsOut(Schema):
    quantity: int
    total_minor: int


class LineOut(Schema):
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
    lines: list[LineOut]
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


class ValidationOut(Schema):
    is_valid: bool
    code: str
    incentive: IncentiveRef
    effects: EffectsOut | None = Field(description="What it would take off; absent where it does not hold.")
    reasons: list[ReasonOut] = Field(description="Every reason why it does not hold.")
    expires_at: dt.datetime | None


class OfferOut(Schema):
    code: str
    incentive: IncentiveRef
    sentence: str
    is_public: bool
    discount_minor: int
    effects: EffectsOut
    expires_at: dt.datetime | None


class NearMissOut(Schema):
    code: str
    incentive: IncentiveRef
    sentence: str
    missing: str = Field(description="What to tell the shopper: “Add 12.00 EUR to get Free shipping”.")
    reasons: list[ReasonOut]


class QualificationOut(Schema):
    offers: list[OfferOut] = Field(description="What fits, the biggest discount first.")
    near_misses: list[NearMissOut]


class RedemptionOut(Schema):
    id: uuid.UUID
    code: str
    incentive: IncentiveRef
    order_reference: str
    redeemed_at: dt.datetime
    effects: EffectsOut


class RedemptionNow(RedemptionOut):
    rolled_back_at: dt.datetime | None
    rollback_reason: str


def effects_out(effects: Mapping[str, Any]) -> dict[str, Any]:
    """Effects read from a row in the order of the schema, so that an answer repeated is the same to the byte."""
    return {
        "currency": effects["currency"],
        "lines": [
            {
                **{name: line[name] for name in LineOut.model_fields},
                "units": [{name: units[name] for name in UnitsOut.model_fields} for units in line["units"]],
            }
            for line in effects["lines"]
        ],
        "shipping": {name: effects["shipping"][name] for name in ShippingOut.model_fields},
        "goods_minor": effects["goods_minor"],
        "discount_minor": effects["discount_minor"],
        "total_minor": effects["total_minor"],
    }


def redemption_out(redeemed: Redeemed) -> dict[str, Any]:
    return {
        "id": redeemed.public_id,
        "code": redeemed.code,
        "incentive": {"id": redeemed.incentive_id, "name": redeemed.incentive_name},
        "order_reference": redeemed.order_reference,
        "redeemed_at": redeemed.redeemed_at.isoformat().replace("+00:00", "Z"),
        "effects": effects_out(redeemed.effects),
    }


def redemption_now(redemption: Redemption, incentive: Incentive) -> dict[str, Any]:
    return {
        "id": redemption.public_id,
        "code": redemption.code.code,
        "incentive": {"id": incentive.public_id, "name": incentive.name},
        "order_reference": redemption.order_reference,
        "redeemed_at": redemption.redeemed_at,
        "effects": effects_out(redemption.effects),
        "rolled_back_at": redemption.rolled_back_at,
        "rollback_reason": redemption.rollback_reason,
    }


def reason_out(reason: Refusal) -> dict[str, Any]:
    return {"code": reason.code, "params": dict(reason.params), "detail": str(reason)}


def offer_out(offer: Qualifying) -> dict[str, Any]:
    return {
        **_offered(offer),
        "is_public": offer.code.is_public,
        "discount_minor": offer.decision.evaluation.discount_minor,
        "effects": effects_out(offer.decision.evaluation.as_json()),
        "expires_at": offer.code.expires_at,
    }


def near_miss_out(offer: Qualifying) -> dict[str, Any]:
    return {
        **_offered(offer),
        "missing": offer.missing,
        "reasons": [reason_out(reason) for reason in offer.decision.reasons],
    }


def _offered(offer: Qualifying) -> dict[str, Any]:
    return {
        "code": offer.code.code,
        "incentive": {"id": offer.code.incentive_public_id, "name": offer.code.incentive_name},
        "sentence": offer.sentence,
    }
