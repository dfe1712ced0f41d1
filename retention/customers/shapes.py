"""What the HTTP API takes and gives for facts: closed schemas, money in minor units, instants with a zone."""

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

Text = Annotated[str, Field(max_length=300)]
Texts = Annotated[list[Text], Field(max_length=500)]
Minor = Annotated[int, Field(ge=0, le=10**15)]
Country = Annotated[str, Field(min_length=2, max_length=2)]
Currency = Annotated[str, Field(min_length=3, max_length=3)]
Channel = Literal["email", "sms", "push", "post"]
VisitorKey = Annotated[str, Field(max_length=64, description="What the visitor's browser is known by.")]
Agreed = Annotated[
    bool,
    Field(
        description="The visitor agreed that what the key did is joined with the customer. Without it nothing is joined"
        " and the key is not kept beside her. A key belongs to the first customer it was joined with, for good."
    ),
]


class Closed(Schema):
    """A body in which an unknown name is an error."""

    model_config = ConfigDict(extra="forbid")


class CustomerIn(Closed):
    """What is left out stays as it is; null or "" blanks it."""

    reference: Text | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    phone: (
        Annotated[str, Field(max_length=40, description="E.164, or as written in the customer's country.")] | None
    ) = None
    given_name: Text | None = None
    family_name: Text | None = None
    birthday: Annotated[str, Field(max_length=10, description="1990-05-17, or 05-17.")] | None = None
    address: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    region: Text | None = None
    country: Country | Literal[""] | None = None
    language: Text | None = None
    time_zone: Text | None = None
    preferred_channel: Channel | Literal[""] | None = None
    interests: Texts | None = None
    source: Text | None = None
    acquisition_cost_minor: Minor | None = None
    acquisition_currency: Currency | None = None
    attributes: dict[str, Any] | None = Field(
        default=None,
        description="Merged key by key; null takes one away. A value, or {value, how}; null and asked: not so.",
    )
    signed_up_at: AwareDatetime | None = None
    visitor_key: VisitorKey | None = None
    visitor_has_agreed: Agreed | None = None


class StageOut(Schema):
    key: str
    since: dt.datetime


class RfmOut(Schema):
    recency: int = Field(description="5 is the fifth of buyers who bought last, 1 the one that has been away longest.")
    frequency: int
    monetary: int
    group: str
    previous_group: str = Field(description="Empty: she was in no other.")
    computed_at: dt.datetime


class CustomerOut(Schema):
    id: uuid.UUID = Field(validation_alias="public_id")
    reference: str | None
    email: str | None
    phone: str | None
    given_name: str
    family_name: str
    birthday: str | None
    address: str
    postcode: str
    city: str
    region: str
    country: str
    language: str
    time_zone: str
    preferred_channel: str
    interests: list[str]
    source: str
    acquisition_cost_minor: int | None
    acquisition_currency: str
    attributes: dict[str, Any]
    signed_up_at: dt.datetime | None
    statistics: dict[str, Any] | None = Field(default=None, description="Money in the shop's base currency.")
    stage: StageOut | None = Field(default=None, description="Of her life with the shop; of one customer only.")
    rfm: RfmOut | None = Field(
        default=None, validation_alias="scores", description="Of one customer who bought; computed nightly."
    )

    @staticmethod
    def resolve_birthday(customer: Any) -> str | None:
        if not customer.birth_month:
            return None
        day = f"{customer.birth_month:02}-{customer.birth_day:02}"
        return f"{customer.birth_year:04}-{day}" if customer.birth_year else day


class ConsentIn(Closed):
    channel: Channel
    purpose: Annotated[str, Field(max_length=60, description="marketing, transactional, or topic:…")] = "marketing"
    event: Annotated[
        Literal["asked", "given", "withdrawn"],
        Field(
            description="asked: a mail asks her to confirm it (double opt-in, email only), and her click gives it."
            " Where the shop has double opt-in, given without proof is asked."
        ),
    ]
    source: Annotated[str, Field(min_length=1, max_length=60)]
    wording: Annotated[str, Field(max_length=60)] = ""
    proof: Annotated[str, Field(max_length=5_000)] = ""
    reference: Annotated[str, Field(max_length=100)] | None = None
    occurred_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = Field(default=None, description="From then on it is a no by itself.")


class ConsentOut(Schema):
    channel: str
    purpose: str
    is_given: bool
    occurred_at: dt.datetime | None = Field(description="Of her last word; null: she was only asked.")
    expires_at: dt.datetime | None
    asked_at: dt.datetime | None = Field(description="She was asked to confirm it then and has not answered.")


class ProductIn(Closed):
    sku: Annotated[str, Field(min_length=1, max_length=100)]
    name: Text | None = None
    category: Text | None = None
    currency: Currency | None = None
    price_minor: Minor | None = None
    minimum_price_minor: Minor | None = None
    unit_cost_minor: Minor | None = None
    compare_at_minor: Minor | None = None
    is_low_margin: bool | None = None
    tags: Texts | None = None
    season_from: dt.date | None = None
    season_until: dt.date | None = None
    launched_on: dt.date | None = None
    replenish_days: int | None = None
    url: Annotated[str, Field(max_length=500)] | None = None
    how_to_url: Annotated[str, Field(max_length=500)] | None = None
    image_url: Annotated[str, Field(max_length=500)] | None = None
    archived_at: AwareDatetime | None = None


class ProductOut(Schema):
    sku: str
    name: str
    category: str
    currency: str
    price_minor: int
    minimum_price_minor: int
    unit_cost_minor: int | None
    compare_at_minor: int | None
    is_low_margin: bool
    tags: list[str]
    season_from: dt.date | None
    season_until: dt.date | None
    launched_on: dt.date | None
    replenish_days: int | None
    url: str
    how_to_url: str
    image_url: str
    archived_at: dt.datetime | None


class LineIn(Closed):
    sku: Annotated[str, Field(min_length=1, max_length=100)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    unit_price_minor: Minor
    discount_minor: Minor = 0


class OrderIn(Closed):
    """The whole order, or for one that is known only what is new, such as its state."""

    reference: Annotated[str, Field(min_length=1, max_length=100)]
    customer: Annotated[str, Field(max_length=100, description="The customer's reference.")] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    state: Literal["placed", "paid", "fulfilled", "partially_returned", "returned", "cancelled"] | None = None
    currency: Currency | None = None
    total_minor: Minor | None = Field(default=None, description="Checked against the lines where given.")
    shipping_minor: Minor | None = None
    discount_minor: Minor | None = None
    tax_minor: Minor | None = None
    channel: Text | None = None
    store: Text | None = None
    payment_method: Text | None = None
    address: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postcode: Text | None = None
    country: Country | None = None
    codes: Texts | None = None
    placed_at: AwareDatetime | None = None
    paid_at: AwareDatetime | None = None
    fulfilled_at: AwareDatetime | None = None
    cancelled_at: AwareDatetime | None = None
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=1_000)] | None = None


class LineOut(Schema):
    position: int
    sku: str
    quantity: int
    unit_price_minor: int
    discount_minor: int
    total_minor: int
    returned_quantity: int

    @staticmethod
    def resolve_sku(line: Any) -> str:
        return line.product.sku


class OrderOut(Schema):
    id: uuid.UUID = Field(validation_alias="public_id")
    reference: str
    customer: uuid.UUID | None
    state: str
    currency: str
    total_minor: int
    base_minor: int
    shipping_minor: int
    discount_minor: int
    tax_minor: int
    email: str | None
    channel: str
    store: str
    payment_method: str
    address: str
    city: str
    region: str
    postcode: str
    country: str
    codes: list[str]
    placed_at: dt.datetime
    paid_at: dt.datetime | None
    fulfilled_at: dt.datetime | None
    cancelled_at: dt.datetime | None
    lines: list[LineOut]

    @staticmethod
    def resolve_customer(order: Any) -> uuid.UUID | None:
        return order.customer and order.customer.public_id

    @staticmethod
    def resolve_lines(order: Any) -> list:
        return list(order.lines.all())


class ReturnLineIn(Closed):
    sku: Annotated[str, Field(max_length=100)] | None = None
    position: Annotated[int, Field(ge=1, le=32_767)] | None = None
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class ReturnIn(Closed):
    reference: Annotated[str, Field(min_length=1, max_length=100)]
    order_reference: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(max_length=60)] = ""
    amount_minor: Minor
    occurred_at: AwareDatetime
    lines: Annotated[list[ReturnLineIn], Field(min_length=1, max_length=1_000)] | None = None


class ActivityIn(Closed):
    kind: Annotated[str, Field(min_length=1, max_length=60)]
    customer: Annotated[str, Field(max_length=100, description="The customer's reference.")] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    visitor_key: VisitorKey | None = None
    visitor_has_agreed: Agreed | None = None
    reference: Annotated[str, Field(max_length=100)] | None = None
    product: Annotated[str, Field(max_length=100, description="SKU.")] | None = None
    order_reference: Annotated[str, Field(max_length=100)] | None = None
    properties: dict[str, Any] | None = None
    occurred_at: AwareDatetime


class Batch(Closed):
    rows: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=5_000)]
    good_only: bool = Field(default=False, description="Write the good rows and return the errors of the others.")
    dry_run: bool = False


class RowErrorOut(Schema):
    pointer: str
    code: str
    message: str


class Ingested(Schema):
    """How many rows were new, changed, unchanged and refused."""

    new: int
    changed: int
    unchanged: int
    refused: int
    errors: list[RowErrorOut] = []
