"""The HTTP endpoints of tiers: where a member stands and what lies ahead, how she came there, and tiers by hand."""

import datetime as dt
import uuid

from django.http import HttpRequest
from ninja import Field, Query, Schema

from loyalty import operations
from loyalty.endpoints_rewards import READ, member_by, programme_by
from loyalty.forecasts import forecasts
from loyalty.models import Member, TierChange
from loyalty.schemas_programmes import In
from retention import clock
from retention.customers.models import Customer
from retention.doors.endpoints import Page, Router, actor, page

router = Router("Loyalty")
TIERS = "loyalty:tiers"


class StandingOut(Schema):
    """Amounts are of what the programme's tiers count: points, money of the base currency, or orders."""

    tier: str | None
    tier_since: dt.datetime | None
    last_day: dt.date | None = Field(description="Of her tier, without grace; empty: it has no end.")
    looked_at: dt.datetime | None = Field(description="When her tier ends if she does not keep it: grace included.")
    counted: int = Field(description="Within the window as it is today.")
    next_tier: str | None
    missing: int | None = Field(description="To the next tier.")
    to_keep: int | None = Field(description="Missing until the last day to keep the tier; 0: she has done enough.")
    then_until: dt.date | None = Field(description="The last day that it would have then.")


class TierChangeOut(Schema):
    before: str | None
    after: str | None
    why: str
    is_up: bool
    counted: int
    reason: str
    changed_at: dt.datetime


class InvitationIn(In):
    customers: list[uuid.UUID] = Field(min_length=1, max_length=1_000)
    tier: str = Field(max_length=40)
    reason: str = Field(min_length=1, max_length=120, description="It stays for good: no names.")
    until: dt.date | None = Field(default=None, description="The last day; empty: as long as the rules say.")


class InvitedOut(Schema):
    invited: int = Field(description="Without those who have the tier or a higher one, and those who are no members.")


class TierIn(In):
    tier: str = Field(max_length=40, description="Empty: none.")
    reason: str = Field(min_length=1, max_length=120, description="It stays for good: no names.")
    until: dt.date | None = Field(default=None, description="The last day; empty: as long as the rules say.")


@router.get("loyalty/programmes/{key}/members/{uuid:customer}/tier/", scope=READ, response=StandingOut)
def get_standing(request: HttpRequest, key: str, customer: uuid.UUID):
    """Where a member stands, and what lies ahead of her."""
    return _standing(member_by(key, customer))


@router.put("loyalty/programmes/{key}/members/{uuid:customer}/tier/", scope=TIERS, response=StandingOut)
def set_tier(request: HttpRequest, key: str, customer: uuid.UUID, body: TierIn):
    """Put a member into a tier by hand, up or down."""
    member = operations.set_tier(
        member_id=member_by(key, customer).pk, tier=body.tier, reason=body.reason, until=body.until, now=clock.now(),
        by=actor(request),
    )  # fmt: skip
    return _standing(member)


@router.get("loyalty/programmes/{key}/members/{uuid:customer}/tier-changes/", scope=READ, response=Page[TierChangeOut])
def list_tier_changes(
    request: HttpRequest,
    key: str,
    customer: uuid.UUID,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
):
    """Every move of a member between tiers, the newest first."""
    rows = TierChange.objects.filter(member=member_by(key, customer)).select_related("before", "after")
    return page(rows, cursor, limit, newest_first=True, shape=_change)


@router.post("loyalty/programmes/{key}/invitations/", scope=TIERS, response=InvitedOut)
def invite(request: HttpRequest, key: str, body: InvitationIn):
    """Invite members to a tier above theirs."""
    programme = programme_by(key)
    ids = Customer.objects.filter(public_id__in=body.customers).values_list("pk", flat=True)
    done = operations.invite(
        programme_id=programme.pk, customer_ids=list(ids), tier=body.tier, reason=body.reason, until=body.until,
        now=clock.now(), by=actor(request),
    )  # fmt: skip
    return {"invited": done.up}


def _standing(member: Member) -> dict:
    ahead = forecasts([member], now=clock.now())[member.pk]
    return {
        "tier": ahead.tier or None,
        "tier_since": member.tier_since,
        "last_day": ahead.last_day,
        "looked_at": member.tier_until,
        "counted": ahead.counted,
        "next_tier": ahead.next or None,
        "missing": ahead.missing if ahead.next else None,
        "to_keep": ahead.to_keep,
        "then_until": ahead.then_until,
    }


def _change(change: TierChange) -> dict:
    return {
        "before": change.before.key if change.before else None,
        "after": change.after.key if change.after else None,
        "why": change.why,
        "is_up": change.is_up,
        "counted": change.qualifying,
        "reason": change.reason,
        "changed_at": change.changed_at,
    }
