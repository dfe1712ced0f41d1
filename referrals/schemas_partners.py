"""What the endpoints of partners and payouts take and give; amounts are minor units of the partner's currency."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from referrals.ibans import shown
from referrals.models import Advocate, Partner, Payout, PayoutBatch
from referrals.operations.partners import PartnerData
from referrals.sharing import link_of
from referrals.statements.links import statement_url
from referrals.statements.reading import Line, Statement

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class Body(Schema):
    model_config = ConfigDict(extra="forbid")


class PartnerIn(Body):
    """All that is decided about a partner; what is left out is empty."""

    reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    basis_points: int = Field(ge=0, le=10_000, description="Her share of what is paid: 1000 is 10 %.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    email: Annotated[str, StringConstraints(max_length=254, pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$")] = ""
    payee: Text = Field("", description="Holder of the account at the bank.")
    iban: Annotated[str, StringConstraints(max_length=42)] = ""
    tax_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    least_minor: int = Field(0, ge=0, le=10**12, description="Less than this is not paid out; it waits.")

    def told(self) -> PartnerData:
        return PartnerData(**self.model_dump())


class PartnerOut(Schema):
    id: uuid.UUID
    reference: str
    name: str = Field(description="Empty once she was forgotten.")
    email: str | None
    payee: str
    iban: str = Field(description="Enough of it to recognise it.")
    basis_points: int
    currency: str
    least_minor: int
    is_active: bool
    created_at: dt.datetime
    archived_at: dt.datetime | None
    statement_url: str = Field(description="Her own page, for whoever has the link; empty: it was revoked.")


class StatementLineOut(Schema):
    at: dt.datetime
    what: Literal["issue", "take_back", "pay_out", "adjust", "merge", "transfer", "spend", "give_back", "expire"]
    amount_minor: int = Field(description="Negative where it went out.")
    balance_minor: int
    of_minor: int | None = Field(description="Of a commission: what it is a share of.")
    basis_points: int | None


class StatementOut(Schema):
    currency: str
    first: dt.date
    last: dt.date
    as_of: dt.datetime
    opening_minor: int
    closing_minor: int
    coming_minor: int = Field(
        description="Of now, in no balance yet: what friends' orders will earn that can still come back."
    )
    pending_minor: int = Field(description="Of now: what was earned and waits for the end of a hold.")
    set_aside_minor: int = Field(description="Of now: in payouts that the bank has not paid yet.")
    lines: list[StatementLineOut]


class PartnerLinkIn(Body):
    scheme: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(description="Key of the scheme.")
    code: Annotated[str, StringConstraints(max_length=60, pattern=r"^$|^[A-Za-z0-9]{4,60}$")] = Field(
        "", description="Letters and digits. Empty: one is drawn."
    )


class PartnerLinkOut(Schema):
    scheme: str
    code: str
    link: str
    is_blocked: bool


class PayoutsIn(Body):
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class PaidIn(Body):
    reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = Field(
        "", description="The bank's."
    )


class PayoutsOut(Schema):
    id: uuid.UUID
    currency: str
    state: str = Field(description="draft, approved, paid or cancelled.")
    drawn_up_at: dt.datetime
    approved_at: dt.datetime | None
    paid_at: dt.datetime | None
    reference: str
    count: int
    total_minor: int


class PayoutOut(Schema):
    partner: uuid.UUID
    partner_reference: str
    payee: str
    iban: str
    amount_minor: int


class PayoutsWithLinesOut(PayoutsOut):
    payouts: list[PayoutOut]


def partner_out(partner: Partner) -> dict[str, Any]:
    names = (
        "reference", "name", "email", "payee", "basis_points", "currency", "least_minor", "is_active", "created_at",
        "archived_at",
    )  # fmt: skip
    return {
        **{name: getattr(partner, name) for name in names},
        "id": partner.public_id,
        "iban": shown(partner.iban),
        "statement_url": statement_url(partner),
    }


def link_out(advocate: Advocate) -> dict[str, Any]:
    return {
        "scheme": advocate.scheme.key,
        "code": advocate.code,
        "link": link_of(advocate.code),
        "is_blocked": advocate.blocked_at is not None,
    }


def line_out(line: Line) -> dict[str, Any]:
    return {**vars(line), "what": line.verb}


def statement_out(found: Statement) -> dict[str, Any]:
    return {**vars(found), "currency": found.currency, "lines": [line_out(line) for line in found.lines]}


def payouts_out(batch: PayoutBatch) -> dict[str, Any]:
    """`count` and `total_minor` come with the row."""
    names = ("currency", "state", "drawn_up_at", "approved_at", "paid_at", "reference", "count", "total_minor")
    return {**{name: getattr(batch, name) for name in names}, "id": batch.public_id}


def payout_out(payout: Payout) -> dict[str, Any]:
    partner = payout.partner
    return {
        "partner": partner.public_id,
        "partner_reference": partner.reference,
        "payee": partner.payee,
        "iban": partner.iban,
        "amount_minor": payout.amount_minor,
    }
