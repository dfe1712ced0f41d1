"""Making customers advocates: each with a link and a code of her own, in bulk or when she is first asked for hers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from referrals.hashes import device_hash, network_hash
from referrals.models import Advocate, Scheme
from referrals.operations.schemes import NoSuchScheme, NotLive
from referrals.querysets import Link, NoSuchAdvocate
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.codes import Pattern
from retention.refusals import Refused

#: Eight symbols and a check: one guess in a million finds a code while there are a million advocates.
CODES = Pattern("########")
MOST = 5_000
TRIES = 5

# Codes that are there already, of advocates or of offers, are left out and drawn anew.
_OPEN = """
INSERT INTO referrals_advocate (scheme_id, customer_id, code, joined_at)
SELECT DISTINCT ON (customer.id) %(scheme)s, customer.id, wish.code, %(now)s
FROM unnest(%(customers)s::bigint[], %(codes)s::text[]) AS wish (customer_id, code)
JOIN customers_customer told ON told.id = wish.customer_id
JOIN customers_customer customer ON customer.id = coalesce(told.merged_into_id, told.id)
WHERE customer.erased_at IS NULL
  AND NOT EXISTS (SELECT FROM incentives_code code WHERE code.code = wish.code)
ORDER BY customer.id, wish.code
ON CONFLICT DO NOTHING
"""
_FOUND = """
SELECT told.id, advocate.id, advocate.code
FROM customers_customer told
JOIN referrals_advocate advocate
  ON advocate.customer_id = coalesce(told.merged_into_id, told.id) AND advocate.scheme_id = %(scheme)s
WHERE told.id = ANY(%(customers)s)
"""


class TooManyAtOnce(Refused):
    code = "referrals.too_many_at_once"
    sentence = _("At most %(most)s customers at once.")
    status = 422


class NotForCustomers(Refused):
    code = "referrals.not_for_customers"
    sentence = _("“%(name)s” is for partners.")


@dataclass(frozen=True)
class Opened:
    """`advocates` maps each customer asked for, who is not erased, to her advocate's (id, code)."""

    advocates: Mapping[int, tuple[int, str]]
    new: int


@transaction.atomic
def open_advocates(
    *,
    scheme_id: int,
    customer_ids: Sequence[int],
    now: dt.datetime,
    by: Actor,
    device: str = "",
    network: str = "",
) -> Opened:
    """Make customers advocates of a live scheme; who is one keeps her link. A merged one's link is her survivor's.

    Args:
        device, network: where one customer asked from, as a fingerprint and an IP address: only hashes are kept.

    Raises:
        NoSuchScheme, NotForCustomers
        NotLive: the scheme is not live; what there is stays.
        TooManyAtOnce: more than 5,000.
    """
    if len(customer_ids) > MOST:
        raise TooManyAtOnce(most=MOST)
    scheme = Scheme.objects.filter(pk=scheme_id).first()
    if scheme is None:
        raise NoSuchScheme
    if scheme.kind != Scheme.Kind.CUSTOMERS:
        raise NotForCustomers(name=scheme.name)
    if scheme.state != Scheme.State.LIVE:
        raise NotLive(name=scheme.name)
    opened = open_quietly(scheme_id, customer_ids, now)
    if (device or network) and len(opened.advocates) == 1:
        told = {"device": device_hash(device), "network": network_hash(network)}
        told = {name: value for name, value in told.items() if value is not None}
        Advocate.objects.filter(pk__in=[pk for pk, _code in opened.advocates.values()]).update(**told)
    if opened.new:
        record(verb="referrals.open_advocates", by=by, now=now, subject=scheme, after={"new": opened.new})
    return opened


def open_quietly(scheme_id: int, customer_ids: Sequence[int], now: dt.datetime) -> Opened:
    """The same without asking whether it may be, for callers who have read it; nothing goes into the audit."""
    found, new = _found(scheme_id, customer_ids), 0
    for _try in range(TRIES):
        missing = sorted({pk for pk in customer_ids if pk not in found})
        if not missing:
            break
        with connection.cursor() as cursor:
            cursor.execute(
                _OPEN,
                {"scheme": scheme_id, "customers": missing, "codes": CODES.make(len(missing)), "now": now},
            )
            new += cursor.rowcount
        found |= _found(scheme_id, missing)
        if not new and not found:
            break  # nobody of these can be one
    return Opened(found, new)


@transaction.atomic
def block_advocate(*, advocate_id: int, is_blocked: bool, now: dt.datetime, by: Actor, why: str = "") -> Advocate:
    """Her link and code bring nobody from now on; or they do again. What she was promised is kept.

    Raises:
        NoSuchAdvocate
    """
    advocate = Advocate.objects.select_for_update(no_key=True).filter(pk=advocate_id).first()
    if advocate is None:
        raise NoSuchAdvocate
    if (advocate.blocked_at is not None) != is_blocked:
        advocate.blocked_at = now if is_blocked else None
        advocate.save(update_fields=["blocked_at"])
        verb = "referrals.block_advocate" if is_blocked else "referrals.unblock_advocate"
        record(
            verb=verb, by=by, now=now, subject=advocate, customer_id=advocate.customer_id, after={"why": why}
        )  # fmt: skip
    return advocate


def _found(scheme_id: int, customer_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, {"scheme": scheme_id, "customers": list(customer_ids)})
        return {told: (pk, code) for told, pk, code in cursor.fetchall()}


# Of the live schemes that are for her: the one she is in already, else the one that was launched first.
_CHOICES = """
SELECT DISTINCT ON (told.id) told.id, scheme.id, scheme.public_id, scheme.version_id, advocate.id, advocate.code
FROM customers_customer told
JOIN customers_customer customer ON customer.id = coalesce(told.merged_into_id, told.id) AND customer.erased_at IS NULL
JOIN referrals_scheme scheme ON scheme.state = 'live' AND scheme.kind = 'customers'
JOIN audit_version version ON version.id = scheme.version_id
LEFT JOIN referrals_advocate advocate ON advocate.customer_id = customer.id AND advocate.scheme_id = scheme.id
WHERE told.id = ANY(%s) AND advocate.blocked_at IS NULL
  AND (advocate.id IS NOT NULL OR version.data ->> 'segment_id' IS NULL OR EXISTS (
      SELECT FROM segments_membership member
      WHERE member.customer_id = customer.id AND member.segment_id = (version.data ->> 'segment_id')::bigint))
ORDER BY told.id, advocate.id IS NULL, scheme.launched_at, scheme.id
"""


def links_of(customer_ids: Sequence[int], *, now: dt.datetime, is_opening: bool = True) -> dict[int, Link]:
    """Customer → her link, for those for whom a scheme is live; who has none yet is made an advocate, if `is_opening`.

    One query where all have theirs, however many they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, [list(customer_ids)])
        choices = cursor.fetchall()
    links = {}
    missing: dict[tuple[int, uuid.UUID, int], list[int]] = defaultdict(list)
    for told, scheme_id, public_id, version_id, pk, code in choices:
        if pk is not None:
            links[told] = Link(pk, code, scheme_id, public_id, version_id)
        elif is_opening:
            missing[scheme_id, public_id, version_id].append(told)
    for (scheme_id, public_id, version_id), told_ids in sorted(missing.items()):
        opened = open_quietly(scheme_id, told_ids, now).advocates
        links |= {told: Link(pk, code, scheme_id, public_id, version_id) for told, (pk, code) in opened.items()}
    return links
