"""The worked baskets: `worked_baskets/*.toml` read and checked, amounts turned into minor units.

Every expected price in those files was computed by hand; `why` is the arithmetic. Amounts are written in major units
as a shopper reads them. A case without shopper is a stranger's, a shopper with `is_guest` is known by her email alone.
"""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention import money

FOLDER = Path(__file__).parent / "worked_baskets"


class Told(BaseModel):
    """A part of a file: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkedLine(Told):
    """A product of the basket with what the catalogue knows of it; `pays` is what all its units cost in the end."""

    sku: str
    price: str
    pays: str
    quantity: int = 1
    category: str = ""
    tags: tuple[str, ...] = ()
    minimum: str | None = None
    discounted: bool = False
    low_margin: bool = False
    #: What each unit costs in the end, the dearest first, where it is worth telling.
    units: tuple[str, ...] | None = None
    #: Its minimum price is in a currency without a rate to the basket's.
    is_unpriced: bool = False


class WorkedShopper(Told):
    is_guest: bool = False
    orders: int = 0
    segments: tuple[str, ...] = ()
    tier: str = ""


class WorkedOffer(Told):
    """A rule with what comes of it: `takes` (and `gives`) where it is applied, else `refused`, the codes of reasons."""

    rule: dict[str, Any]
    terms: dict[str, Any] | None = None
    is_automatic: bool = False
    takes: str | None = None
    #: What it takes off each line, where that is not plain from the lines.
    by_line: tuple[str, ...] | None = None
    gives: tuple[dict[str, Any], ...] = ()
    refused: tuple[str, ...] = ()
    is_near_miss: bool = False
    missing: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _separate_the_rule(cls, told: dict[str, Any]) -> dict[str, Any]:
        own = {name: value for name, value in told.items() if name in cls.model_fields}
        return {**own, "rule": {name: value for name, value in told.items() if name not in cls.model_fields}}

    @model_validator(mode="after")
    def _says_what_comes_of_it(self) -> "WorkedOffer":
        if (self.takes is None) != bool(self.refused):
            raise ValueError("say what it takes, or why it is refused")
        return self


class WorkedReturn(Told):
    """Units of each line that come back, what of the discount comes back with them, and what the customer is owed."""

    units: tuple[int, ...]
    discount: str
    refund: str
    #: Of the discount, what was taken off the shipping.
    shipping: str = "0"

    @property
    def quantities(self) -> dict[int, int]:
        return {place: count for place, count in enumerate(self.units) if count}


class WorkedBasket(Told):
    name: str
    why: str
    lines: Annotated[tuple[WorkedLine, ...], Field(min_length=1)]
    total: str
    offers: dict[str, WorkedOffer]
    shipping: str = "0"
    pays_shipping: str | None = None
    currency: str = "EUR"
    country: str = ""
    region: str = ""
    channel: str = ""
    store: str = ""
    payment_method: str = ""
    attributes: dict[str, Any] = {}
    #: By the shop's clock.
    at: dt.datetime | None = None
    shopper: WorkedShopper | None = None
    policy: dict[str, Any] = {}
    #: One after the other.
    returns: tuple[WorkedReturn, ...] = ()

    def minor(self, amount: str) -> int:
        return money.to_minor(amount, self.currency)

    @property
    def paid(self) -> list[int]:
        return [self.minor(line.pays) for line in self.lines]

    @property
    def paid_shipping(self) -> int:
        return self.minor(self.shipping if self.pays_shipping is None else self.pays_shipping)

    @property
    def applied(self) -> dict[str, WorkedOffer]:
        return {key: offer for key, offer in self.offers.items() if offer.takes is not None}

    @property
    def refused(self) -> dict[str, WorkedOffer]:
        return {key: offer for key, offer in self.offers.items() if offer.takes is None}

    def benefits(self, offer: WorkedOffer) -> list[dict[str, Any]]:
        return [in_minor(benefit) for benefit in offer.gives]


def in_minor(told: Any) -> Any:
    """A part of a rule with its amounts in minor units: `{EUR = "5.00"}`, or `amount` beside its `currency`."""
    if isinstance(told, (list, tuple)):
        return [in_minor(one) for one in told]
    if not isinstance(told, dict):
        return told
    if isinstance(told.get("amount"), str):
        rest = {name: in_minor(value) for name, value in told.items() if name != "amount"}
        return {**rest, "amount_minor": money.to_minor(told["amount"], told["currency"])}
    return {
        name: money.to_minor(value, name) if name in money.currency_codes() else in_minor(value)
        for name, value in told.items()
    }


def read() -> dict[str, WorkedBasket]:
    """Every case by its file and name."""
    found: dict[str, WorkedBasket] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for told in tomllib.loads(path.read_text())["case"]:
            key = f"{path.stem}: {told['name']}"
            assert key not in found, f"{key} is there twice"
            assert len(key) <= 100, f"{key} is too long to be shown as a test's name"
            found[key] = WorkedBasket.model_validate(told)
    return found


WORKED = read()
