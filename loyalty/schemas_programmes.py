"""What callers send and get of programmes, their members and what these earn; amounts in the unit's smallest part."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from ninja import Schema
from pydantic import ConfigDict, Field, StrictInt, StringConstraints
from pydantic import ValidationError as RuleError

from loyalty.models import Earning, Member, Programme
from loyalty.operations.earning_now import Standing
from loyalty.references import IDS, inwards, outwards
from loyalty.rules import ProgrammeRule
from loyalty.tellers import teller_of
from loyalty.trying import Tried, TriedBasket, TriedLine
from retention.doors.documents import rule_of
from retention.incentives.parts import Currency
from retention.ledger.querysets import Balance

Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Minor = Annotated[StrictInt, Field(ge=0, le=10**12)]


class In(Schema):
    model_config = ConfigDict(extra="forbid")


class ProgrammeSaid(In):
    rule: Annotated[dict[str, Any], rule_of(ProgrammeRule, ids=IDS)] = Field(
        description="The whole rule, as the answer has it; incentives and rewards by their ids."
    )
    why: Why = ""


class ProgrammeIn(ProgrammeSaid):
    key: Key
    unit: Key = Field(description="Key of the unit that is earned; each programme has its own.")


class ProgrammeChange(ProgrammeSaid):
    edited: Annotated[StrictInt, Field(ge=1)] = Field(description="The version that was read before this change.")


class ProgrammeOut(Schema):
    id: uuid.UUID
    key: str
    name: str
    state: Literal["draft", "live", "paused", "ended"]
    unit: str
    version: int
    launched_at: dt.datetime | None
    rule: dict[str, Any]
    sentences: list[str] = Field(description="Its earning rules, each in a sentence.")


class ProgrammeCustomersIn(In):
    customers: Annotated[list[uuid.UUID], Field(min_length=1, max_length=5_000)]


class ProgrammeJoinedOut(Schema):
    joined: int = Field(description="Who was in it already is not counted.")


class ProgrammeLeftOut(Schema):
    left: int


class ProgrammeMemberOut(Schema):
    customer: uuid.UUID
    programme: str
    joined_at: dt.datetime
    left_at: dt.datetime | None
    tier: str | None
    tier_until: dt.datetime | None
    earned: int = Field(description="In all, less what was taken back.")
    balance: int = Field(description="Everything she has, what waits included.")
    available: int = Field(description="What she can spend.")
    pending: int
    expires_next: int = Field(description="What ends next, if anything.")
    expires_next_at: dt.datetime | None


class EarningOut(Schema):
    rule: str
    amount: int = Field(description="What stands of it now.")
    given: int = Field(description="As it was earned.")
    order: str | None = Field(description="The order's reference.")
    activity: str | None = Field(description="The activity's kind.")
    about: str = Field(description="Where it was neither, such as birthday:2027.")
    tier: str | None
    earned_at: dt.datetime


class PointsIn(In):
    amount: Annotated[StrictInt, Field(ge=-(10**12), le=10**12)] = Field(description="Negative: it is taken.")
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] = Field(
        description="The customer reads it."
    )


class EarnIn(In):
    order: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(description="Its reference.")


class EarnedOut(Schema):
    order: str
    amount: int
    earnings: list[EarningOut]


class TriedLineIn(In):
    sku: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    quantity: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 1
    unit_price_minor: Minor
    discount_minor: Minor = 0


class TryIn(In):
    """A basket, or the reference of an order; of a customer with what she earned before, or of anybody in a tier."""

    order: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    currency: Currency | None = None
    lines: Annotated[list[TriedLineIn], Field(max_length=500)] = []
    shipping_minor: Minor = 0
    discount_minor: Minor = 0
    tax_minor: Minor = 0
    by_card_minor: Minor = Field(default=0, description="Of it paid with gift cards.")
    by_balance_minor: Minor = Field(default=0, description="Of it paid with points, store cash or credit.")
    channel: Annotated[str, StringConstraints(max_length=40)] = ""
    payment_method: Annotated[str, StringConstraints(max_length=40)] = ""
    customer: uuid.UUID | None = None
    tier: Key | None = None

    def basket(self, currency: str) -> TriedBasket:
        return TriedBasket(
            currency=self.currency or currency,
            lines=[TriedLine(**line.model_dump()) for line in self.lines],
            shipping_minor=self.shipping_minor,
            discount_minor=self.discount_minor,
            tax_minor=self.tax_minor,
            by_card_minor=self.by_card_minor,
            by_balance_minor=self.by_balance_minor,
            channel=self.channel,
            payment_method=self.payment_method,
        )


class TriedRuleOut(Schema):
    rule: str
    sentence: str
    amount: int
    why: str = Field(description="What the amount was made of, or why there is none.")


class TriedOut(Schema):
    amount: int
    tier: str | None
    rules: list[TriedRuleOut]
    counts: str = Field(description="When it could be spent, in words.")
    active_at: dt.datetime | None
    expires_at: dt.datetime | None


class BackTestIn(In):
    first: dt.date = Field(description="First day of the shop's that is looked at.")
    last: dt.date


class BackTestMonthOut(Schema):
    first: dt.date
    earned: int
    spend_minor: int


class BackTestOut(Schema):
    """What the newest version would have given for orders and activities of these days."""

    customers: int
    orders: int
    activities: int
    spend_minor: int = Field(description="In the base currency.")
    currency: str
    earned: int
    expired: int = Field(description="Of it, by the end of these days, if nobody had spent anything.")
    by_rule: dict[str, int]
    worth_minor: int | None = Field(description="Of all at the checkout; absent if unpriced.")
    owed_minor: int | None = Field(description="The same of what would not have expired.")
    reward_basis_points: int | None = Field(description="Of what was paid, in hundredths of a percent.")
    tiers: dict[str, int] = Field(description="Customers by the tier they would be in; an empty key for none.")
    months: list[BackTestMonthOut]
    one_in: int = Field(description="One of so many customers was looked at, and stands for all.")
    is_enough: bool = Field(description="There were customers enough to say something of others.")


def read_rule(data: Mapping[str, Any]) -> ProgrammeRule:
    """The rule that was sent.

    Raises:
        UnknownPart: it names a row that is not there.
        ValidationError: it is no rule, by field.
    """
    try:
        return ProgrammeRule.model_validate(inwards(data))
    except RuleError as error:
        found: dict[str, list[str]] = defaultdict(list)
        for one in error.errors():
            place = "/".join(str(part) for part in ("rule", *one["loc"]))
            found[place].append(one["msg"].removeprefix("Value error, "))
        raise ValidationError(found) from None


def programme_out(programme: Programme) -> dict[str, Any]:
    assert programme.version is not None
    rule = ProgrammeRule.model_validate(programme.version.data)
    teller = teller_of(programme)
    return {
        "id": programme.public_id,
        "key": programme.key,
        "name": programme.name,
        "state": programme.state,
        "unit": programme.unit.key,
        "version": programme.version.number,
        "launched_at": programme.launched_at,
        "rule": outwards(programme.version.data),
        "sentences": [capfirst(each.sentence(teller)) for each in rule.earning],
    }


def member_out(member: Member, balance: Balance | None) -> dict[str, Any]:
    return {
        "customer": member.customer.public_id,
        "programme": member.programme.key,
        "joined_at": member.joined_at,
        "left_at": member.left_at,
        "tier": member.tier.key if member.tier else None,
        "tier_until": member.tier_until,
        "earned": member.earned,
        "balance": balance.amount if balance else 0,
        "available": balance.available if balance else 0,
        "pending": balance.pending if balance else 0,
        "expires_next": balance.expires_next if balance else 0,
        "expires_next_at": balance.expires_next_at if balance else None,
    }


def earning_out(earning: Earning) -> dict[str, Any]:
    return {
        "rule": earning.rule,
        "amount": earning.amount,
        "given": earning.given,
        "order": earning.order.reference if earning.order else None,
        "activity": earning.activity.kind if earning.activity else None,
        "about": earning.about,
        "tier": earning.tier or None,
        "earned_at": earning.earned_at,
    }


def earned_out(order: str, earnings: Sequence[Standing]) -> dict[str, Any]:
    return {
        "order": order,
        "amount": sum(each.amount for each in earnings),
        "earnings": [
            {
                "rule": each.rule,
                "amount": each.amount,
                "given": each.given,
                "order": order,
                "activity": None,
                "about": "",
                "tier": each.tier or None,
                "earned_at": each.earned_at,
            }
            for each in earnings
        ],
    }


def tried_out(tried: Tried) -> dict[str, Any]:
    return {
        "amount": tried.total,
        "tier": tried.tier or None,
        "rules": [
            {"rule": each.key, "sentence": each.sentence, "amount": each.amount, "why": each.why}
            for each in tried.rules
        ],
        "counts": tried.waiting_words,
        "active_at": tried.waiting.active_at,
        "expires_at": tried.waiting.expires_at,
    }
