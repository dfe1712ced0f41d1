"""What a caller brings to a checkout: who buys, and the basket as plain values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from retention.incentives import persons
from retention.incentives.baskets import Line


@dataclass(frozen=True)
class Buyer:
    """Who buys, as the caller names her: by one of the first three, or nobody known. The first that is found counts.

    Phone, address and payment token name nobody: they are only hashed, so that one person under several emails is
    counted as one.
    """

    reference: str | None = None
    public_id: uuid.UUID | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    payment_token: str | None = None

    @property
    def email_normal(self) -> str | None:
        return self.email.strip().lower() if self.email else None

    @property
    def further_persons(self) -> list[int]:
        """What she is counted under beside her email."""
        found = []
        if self.phone:
            found.append(persons.phone_key(self.phone))
        if self.address:
            found.append(persons.address_key(self.address))
        if self.payment_token:
            found.append(persons.payment_key(self.payment_token))
        return found


@dataclass(frozen=True)
class Checkout:
    """A basket at a checkout, as the caller gives it; amounts in minor units of its currency.

    Where the catalogue knows a product, its own facts count more than what a line says of it.
    """

    currency: str
    lines: tuple[Line, ...]
    shipping_minor: int = 0
    country: str = ""
    channel: str = ""
    region: str = ""
    store: str = ""
    payment_method: str = ""
    #: The order's own, for conditions that ask for them.
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    buyer: Buyer = Buyer()
    order_reference: str = ""
    #: A hold of this basket, which what it asks for now takes the place of.
    hold: uuid.UUID | None = None
