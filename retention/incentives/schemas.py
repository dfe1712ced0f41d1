"""What the endpoints of a checkout take, in the shapes of the HTTP API; amounts in minor units."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    model_validator,
)

from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.operations.paying import TenderAsk
from retention.incentives.parts import Currency

Text = StringConstraints(strip_whitespace=True, min_length=1)
#: No basket is worth more; so that sums of what callers send always fit the database.
MOST_MINOR = 10**15


class Body(BaseModel):
    """A part of a request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class BasketLineIn(Body):
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
    lines: Annotated[list[BasketLineIn], Field(min_length=1, max_length=500)]
    shipping_minor: Annotated[StrictInt, Field(ge=0, le=10**12)] = 0
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = Field(
        default="", description="ISO 3166 code of the delivery address; unknown is outside every country."
    )
    channel: Annotated[str, StringConstraints(max_length=40)] = ""
    region: Annotated[str, StringConstraints(max_length=60)] = Field(default="", description="Of the delivery address.")
    store: Annotated[str, StringConstraints(max_length=60)] = ""
    payment_method: Annotated[str, StringConstraints(max_length=60)] = ""
    attributes: Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=60)],
            StrictBool | StrictInt | StrictFloat | Annotated[str, StringConstraints(max_length=200)],
        ],
        Field(max_length=50),
    ] = Field(default_factory=dict, description="The order's own, for offers that ask for them.")

    @model_validator(mode="after")
    def is_worth_something_sane(self) -> BasketIn:
        if sum(line.quantity * line.unit_price_minor for line in self.lines) > MOST_MINOR:
            raise ValueError("the basket is worth more than a basket can be")
        return self


class BuyerIn(Body):
    """By at least one of the first three; the first that is known counts. An email that nobody has is a guest's.

    Phone, address and payment token are kept as keyed hashes alone. They are for limits per customer: one person under
    several emails counts as one.
    """

    reference: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    id: uuid.UUID | None = None
    email: Annotated[str, StringConstraints(pattern=r"^\s*[^@\s]+@[^@\s]+\s*$", max_length=254)] | None = None
    phone: Annotated[str, StringConstraints(pattern=r"[0-9]{3}", max_length=40)] | None = None
    address: Annotated[str, StringConstraints(pattern=r"\w", max_length=300)] | None = Field(
        default=None, description="The delivery address in one text, always written the same way."
    )
    payment_token: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="The payment provider's own name of the card or account."
    )

    @model_validator(mode="after")
    def names_somebody(self) -> BuyerIn:
        if not (self.reference or self.id or self.email):
            raise ValueError("name the customer by reference, id or email, or leave `customer` out")
        return self

    def as_buyer(self) -> Buyer:
        return Buyer(self.reference, self.id, self.email, self.phone, self.address, self.payment_token)


class CheckoutIn(Body):
    basket: BasketIn
    customer: BuyerIn | None = None
    order_reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = Field(
        default="", description="The shop's own number of this order."
    )

    def as_checkout(self) -> Checkout:
        basket = self.basket
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
            region=basket.region,
            store=basket.store,
            payment_method=basket.payment_method,
            attributes=basket.attributes,
            buyer=self.customer.as_buyer() if self.customer else Buyer(),
            order_reference=self.order_reference,
        )


#: What was typed, in the order of typing. Automatic offers need no code.
Codes = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(max_length=20)]


class TenderIn(Body):
    """A gift card by its code, or a unit of the customer's, such as `store_credit_eur` or `points`."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    unit: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    amount: Annotated[StrictInt, Field(ge=1, le=10**12)] | None = Field(
        default=None, description="In the smallest part of its unit; left out: as much as it can pay."
    )

    @model_validator(mode="after")
    def is_a_card_or_a_unit(self) -> TenderIn:
        if bool(self.code) == bool(self.unit):
            raise ValueError("name a gift card by its code, or a unit")
        return self

    def as_ask(self) -> TenderAsk:
        return TenderAsk(self.code, self.unit, self.amount)


#: In the order in which they shall pay what is left after the discounts.
Tenders = Annotated[tuple[TenderIn, ...], Field(max_length=20)]


class ValidationIn(CheckoutIn):
    codes: Codes = ()
    tenders: Tenders = ()
    hold_minutes: Annotated[StrictInt, Field(ge=1, le=7 * 24 * 60)] | None = Field(
        default=None, description="Keep it for this long: it counts at once. Send an Idempotency-Key with it."
    )
    hold: uuid.UUID | None = Field(
        default=None,
        description="A hold of this very basket: what it keeps counts as free, and a new one takes its place.",
    )
    at: AwareDatetime | None = Field(
        default=None, description="As if it were this moment. For keys that may read incentives."
    )
    drafts: Annotated[tuple[uuid.UUID, ...], Field(max_length=20)] = Field(
        default=(), description="Incentives to look at as if they were live. For keys that may read incentives."
    )

    @model_validator(mode="after")
    def holds_what_is_real(self) -> ValidationIn:
        if self.hold_minutes and (self.at or self.drafts):
            raise ValueError("only what is live now can be held: leave `at` and `drafts` out")
        return self

    def as_checkout(self) -> Checkout:
        return replace(super().as_checkout(), hold=self.hold)


class RedemptionIn(CheckoutIn):
    codes: Codes = ()
    tenders: Tenders = ()
    hold: uuid.UUID | None = Field(default=None, description="What was held for this basket, in place of codes.")
    order_reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        description="The shop's own number of this order."
    )

    @model_validator(mode="after")
    def names_codes_or_a_hold(self) -> RedemptionIn:
        if self.hold and (self.codes or self.tenders):
            raise ValueError("what was held is redeemed as it was held: leave `codes` and `tenders` out")
        return self


class ReturnedLineIn(Body):
    line: Annotated[StrictInt, Field(ge=0, le=499)] = Field(description="Its place among the lines, from 0.")
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)]


class ReturnedIn(Body):
    lines: Annotated[list[ReturnedLineIn], Field(min_length=1, max_length=500)] | None = Field(
        default=None, description="The lines and units that came back; left out: all that is left."
    )

    @model_validator(mode="after")
    def names_lines_once(self) -> ReturnedIn:
        if self.lines and len({line.line for line in self.lines}) != len(self.lines):
            raise ValueError("name each line once")
        return self

    @property
    def quantities(self) -> dict[int, int] | None:
        return None if self.lines is None else {line.line: line.quantity for line in self.lines}


class RollbackIn(ReturnedIn):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
