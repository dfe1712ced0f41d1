"""What callers send and get of the ledger; amounts are whole numbers of a unit's smallest part."""

import datetime as dt
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from retention.ledger.models import Entry, Unit
from retention.ledger.querysets import Balance
from retention.ledger.units import Plural, UnitRule
from retention.ledger.versions import rule_of


class UnitOut(Schema):
    """A unit of value. `worth` says in minor units what `worth_points` are worth at a checkout."""

    key: str
    name: str
    kind: Literal["points", "money"]
    currency: str
    digits: int
    counted: dict[str, dict[Plural, str]] = Field(
        description="What it is called beside a number, by language and plural form."
    )
    expiry: dict[str, Any]
    most_basis_points: int = Field(description="The most of an order that may be paid with it.")
    excluded_products: list[str]
    excluded_categories: list[str]
    worth_points: int
    worth: dict[str, int]
    may_be_negative: bool
    least_days_after_return: int
    version: int


class UnitIn(Schema):
    """A new unit: what of it is fixed for good (points or money, currency, digits) is said here once."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = Field(
        description="As baskets and balances name it; it stays."
    )
    rule: UnitRule
    why: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class UnitChange(Schema):
    """The whole rule as it shall be from now on."""

    model_config = ConfigDict(extra="forbid")

    rule: UnitRule
    edited: int = Field(ge=1, description="The `version` that was read before.")
    why: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class BalanceOut(Schema):
    """One unit of a customer. Of `amount`, `pending` cannot be spent yet and `held` is set aside for orders."""

    unit: str
    currency: str
    amount: int
    available: int
    pending: int
    held: int
    expires_next_at: dt.datetime | None
    expires_next: int


class PastBalanceOut(Schema):
    """What a customer had in one unit at an instant."""

    unit: str
    currency: str
    amount: int


class EntryOut(Schema):
    """One transfer as its owner sees it: `amount` is negative where it went out."""

    id: int
    unit: str
    amount: int
    verb: str
    reason: str
    effective_at: dt.datetime
    recorded_at: dt.datetime
    reverses: int | None


class AdjustmentIn(Schema):
    """A correction by hand; a negative amount takes away what is there."""

    model_config = ConfigDict(extra="forbid")

    unit: str = Field(min_length=1, max_length=40)
    amount: int = Field(ge=-(10**12), le=10**12)
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] = Field(
        description="It stays for good: no names."
    )
    expires_at: AwareDatetime | None = None


def unit_out(unit: Unit) -> dict[str, Any]:
    return {"key": unit.key, "version": unit.version.number, **rule_of(unit).model_dump(mode="json")}


def balance_out(balance: Balance) -> dict[str, Any]:
    return {**vars(balance), "unit": balance.unit.key, "currency": balance.unit.currency}


def entry_out(entry: Entry, account_ids: set[int]) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "unit": entry.unit.key,
        "amount": entry.amount if entry.to_account_id in account_ids else -entry.amount,
        "verb": entry.verb,
        "reason": entry.reason,
        "effective_at": entry.effective_at,
        "recorded_at": entry.recorded_at,
        "reverses": entry.reverses_id,
    }
