"""Visits by personal links: who came by which, kept as a key and hashes until she is known."""

from __future__ import annotations

import datetime as dt

from referrals.hashes import device_hash, network_hash
from referrals.models import Advocate, Scheme, Visit
from referrals.operations.schemes import NotLive
from referrals.querysets import advocate_of

#: The same visitor by the same link within it is the same visit.
SAME = dt.timedelta(minutes=30)


def record_visit(
    *, code: str, visitor_key: str, now: dt.datetime, channel: str = "", device: str = "", network: str = ""
) -> Visit:
    """Somebody followed a link; again within half an hour, the same visit.

    Args:
        visitor_key: the shop's or our own key of this browser; becomes known as a customer's by her agreement.
        device, network: a fingerprint and an IP address, of which only keyed hashes are kept.

    Raises:
        NoSuchAdvocate: nobody has this code.
        NotLive: the scheme takes nobody at present.
    """
    advocate = advocate_of(code)
    if advocate.scheme.state != Scheme.State.LIVE:
        raise NotLive(name=advocate.scheme.name)
    return visit_of(advocate, visitor_key, channel=channel, device=device, network=network, now=now)


def visit_of(
    advocate: Advocate, visitor_key: str, *, now: dt.datetime, channel: str = "", device: str = "", network: str = ""
) -> Visit:
    """The visit, new or the one of a moment ago."""
    before = Visit.objects.filter(advocate=advocate, visitor_key=visitor_key, visited_at__gt=now - SAME)
    return (visitor_key and before.order_by("pk").first()) or Visit.objects.create(
        advocate=advocate,
        visitor_key=visitor_key or None,
        channel=channel,
        device=device_hash(device),
        network=network_hash(network),
        visited_at=now,
    )
