"""What the endpoints of gift cards take and give; amounts in minor units of the card's currency."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, Field, StrictBool, StrictInt, StringConstraints

from retention.incentives.models import GiftCard
from retention.incentives.parts import Category, Currency, Sku
from retention.incentives.schemas import Body
from retention.ledger.models import Entry
from retention.ledger.querysets import Balance

Amount = Annotated[StrictInt, Field(ge=1, le=10**12)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class CardIn(Body):
    amount_minor: Amount
    currency: Currency
    customer: uuid.UUID | None = Field(default=None, description="Whose it is; anybody who has its code may use it.")
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = Field(default=(), description="It pays for these")
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = Field(
        default=(), description="and these; both empty: for everything."
    )
    expires_at: AwareDatetime | None = None
    is_active: StrictBool = Field(default=True, description="Otherwise it works once it is activated.")
    reason: Annotated[str, StringConstraints(max_length=120)] = ""


class TopUpIn(Body):
    amount_minor: Amount
    reason: Annotated[str, StringConstraints(max_length=120)] = ""


class ReasonIn(Body):
    reason: Reason = Field(description="It stays for good: no names.")


class CardAdjustmentIn(ReasonIn):
    amount_minor: Annotated[StrictInt, Field(ge=-(10**12), le=10**12)] = Field(description="Taken away where negative.")


class TypedIn(Body):
    code: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class CardBalanceOut(Schema):
    """What a shopper may know of a card whose code she has."""

    currency: str
    available_minor: int
    products: list[str]
    categories: list[str]
    expires_at: dt.datetime | None = Field(description="When the first of it ends.")


class CardOut(Schema):
    id: uuid.UUID
    code: str
    state: Literal["inactive", "active", "blocked"]
    currency: str
    initial_minor: int
    balance_minor: int
    available_minor: int
    held_minor: int = Field(description="Set aside for orders.")
    customer: uuid.UUID | None
    products: list[str]
    categories: list[str]
    expires_at: dt.datetime | None
    made_at: dt.datetime


class TransactionOut(Schema):
    id: int
    amount_minor: int = Field(description="Negative where it was taken from the card.")
    verb: str
    reason: str
    recorded_at: dt.datetime


def card_out(card: GiftCard, balance: Balance) -> dict[str, Any]:
    return {
        "id": card.public_id,
        "code": card.code.code,
        "state": card.state,
        "currency": card.currency,
        "initial_minor": card.initial_minor,
        "balance_minor": balance.amount,
        "available_minor": balance.available,
        "held_minor": balance.held,
        "customer": card.code.customer.public_id if card.code.customer else None,
        "products": card.products,
        "categories": card.categories,
        "expires_at": card.expires_at,
        "made_at": card.made_at,
    }


def transaction_out(entry: Entry, account_id: int) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "amount_minor": entry.amount if entry.to_account_id == account_id else -entry.amount,
        "verb": entry.verb,
        "reason": entry.reason,
        "recorded_at": entry.recorded_at,
    }
