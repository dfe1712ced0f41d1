"""A friend is claimed for an advocate: by a code, a link, or a visit that turned out to be hers; once a scheme."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from referrals.models import Advocate, Referral, ReferralStep, Scheme, Visit
from referrals.operations.checks import check
from referrals.operations.schemes import NotLive
from referrals.operations.visits import visit_of
from referrals.querysets import NoSuchAdvocate, advocate_of
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.actors import Actor
from retention.customers.models import Customer, KnownVisitor, Order
from retention.customers.querysets import NoSuchCustomer
from retention.refusals import Refused

#: Who types a code may have signed up, or placed the order that it is typed for, a moment before.
GRACE = dt.timedelta(minutes=15)

# The scheme is held against being paused meanwhile: nobody is referred after a pause.
_INSERT = """
WITH taking AS MATERIALIZED (
    SELECT id FROM referrals_scheme WHERE id = ANY(%(schemes)s) AND state = 'live' ORDER BY id FOR SHARE
)
INSERT INTO referrals_referral
       (scheme_id, advocate_id, friend_id, version_id, visit_id, source, state, score, cleared_score, reasons,
        claimed_at, since_at)
SELECT claim.scheme_id, claim.advocate_id, claim.friend_id, claim.version_id, claim.visit_id, claim.source, 'claimed',
       0, 0, '{}', %(now)s, claim.since_at
FROM jsonb_to_recordset(%(claims)s::jsonb) AS claim (
    scheme_id bigint, advocate_id bigint, friend_id bigint, version_id bigint, visit_id bigint, source text,
    since_at timestamptz)
JOIN taking ON taking.id = claim.scheme_id
ORDER BY claim.friend_id, claim.scheme_id
ON CONFLICT DO NOTHING
RETURNING id
"""


class FriendCounted(Refused):
    code = "referrals.friend_counted"
    sentence = _("The customer was brought by a friend before (%(referral)s).")


class SourceReused(Refused):
    code = "referrals.source_reused"
    sentence = _("This source came before for another friend.")
    status = 422


@dataclass(frozen=True)
class Referred:
    """The referral; `is_new` is False where the same source had made it."""

    referral: Referral
    is_new: bool


@transaction.atomic
def refer(
    *,
    code: str,
    friend_id: int,
    source: str,
    now: dt.datetime,
    by: Actor,
    scheme_id: int | None = None,
    visitor_key: str = "",
    channel: str = "",
    device: str = "",
    network: str = "",
    order_reference: str = "",
) -> Referred:
    """Claim a friend by an advocate's code, and check her at once; the same source again changes nothing.

    Whose link she followed first, or last, within the scheme's days counts more than the code, as the scheme says.

    Args:
        scheme_id: refuse codes of other schemes.
        visitor_key: of the browser she came with; device, network: as `record_visit` takes them.
        order_reference: of the order for which the code was typed.

    Raises:
        NoSuchAdvocate, NoSuchCustomer
        NotLive: the scheme takes nobody at present.
        FriendCounted: she was brought before, whoever it was.
        SourceReused
    """
    friend = _friend(friend_id)
    before = Referral.objects.filter(source=source).first()
    if before is not None:
        if before.friend_id != friend.pk:
            raise SourceReused
        return Referred(before, is_new=False)
    advocate = advocate_of(code)
    if scheme_id is not None and advocate.scheme_id != scheme_id:
        raise NoSuchAdvocate
    rule = rule_of(advocate.scheme.version_id)
    visit = _attributed(advocate, friend, rule, visitor_key, now)
    if visit is None and (visitor_key or device or network):
        visit = visit_of(advocate, visitor_key, channel=channel, device=device, network=network, now=now)
    since_at = min(filter(None, (visit.visited_at if visit else now - GRACE, _placed_at(order_reference, friend))))
    made = insert(
        [
            {
                "scheme_id": advocate.scheme_id,
                "advocate_id": visit.advocate_id if visit else advocate.pk,
                "friend_id": friend.pk,
                "version_id": advocate.scheme.version_id,
                "visit_id": visit.pk if visit else None,
                "source": source,
                "since_at": since_at,
            }
        ],
        now=now,
        by=by,
    )
    if not made:
        return _there(advocate.scheme_id, friend.pk, source)
    check(made, now=now, by=by)
    return Referred(Referral.objects.get(pk=made[0]), is_new=True)


def insert(claims: Sequence[dict[str, Any]], *, now: dt.datetime, by: Actor) -> list[int]:
    """Write claims of live schemes; who was claimed before is left out. The new referrals' ids, in their order."""
    schemes = sorted({claim["scheme_id"] for claim in claims})
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"claims": json.dumps(claims, default=str), "schemes": schemes, "now": now})
        made = sorted(pk for (pk,) in cursor.fetchall())
    ReferralStep.objects.bulk_create(
        [ReferralStep(referral_id=pk, state=Referral.State.CLAIMED, at=now, by=by.name) for pk in made]
    )
    return made


def _friend(friend_id: int) -> Customer:
    friend = Customer.objects.select_related("merged_into").filter(pk=friend_id).first()
    friend = friend.merged_into or friend if friend else None
    if friend is None or friend.erased_at is not None:
        raise NoSuchCustomer
    return friend


def _placed_at(order_reference: str, friend: Customer) -> dt.datetime | None:
    placed = (
        Order.objects.filter(reference=order_reference, customer=friend) if order_reference else Order.objects.none()
    )
    return placed.values_list("placed_at", flat=True).first()


def _attributed(
    advocate: Advocate, friend: Customer, rule: SchemeRule, visitor_key: str, now: dt.datetime
) -> Visit | None:
    """The visit that counts: of all hers in this scheme the first; where the last counts, the code's own one."""
    keys = set(
        KnownVisitor.objects.filter(customer=friend).exclude(visitor_key=None).values_list("visitor_key", flat=True)
    )
    keys |= {visitor_key} if visitor_key else set()
    if not keys:
        return None
    visits = Visit.objects.filter(
        visitor_key__in=keys,
        visited_at__gt=now - dt.timedelta(days=rule.link_days),
        visited_at__lte=now,
        advocate__scheme_id=advocate.scheme_id,
        advocate__blocked_at=None,
    ).exclude(advocate__customer=friend)
    if rule.attribution == "first":
        return visits.order_by("visited_at", "pk").first()
    return visits.filter(advocate=advocate).order_by("-visited_at", "-pk").first()


def _there(scheme_id: int, friend_id: int, source: str) -> Referred:
    """Nothing was inserted: she was claimed before, at this moment perhaps, or the scheme takes nobody."""
    there = Referral.objects.filter(friend_id=friend_id, scheme_id=scheme_id).first()
    if there is not None and there.source == source:
        return Referred(there, is_new=False)
    if there is not None:
        raise FriendCounted(referral=str(there.public_id))
    if Referral.objects.filter(source=source).exists():
        raise SourceReused
    raise NotLive(name=Scheme.objects.get(pk=scheme_id).name)
