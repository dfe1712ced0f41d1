"""Reading the facts of referrals for their checks: in bulk, by a fixed number of statements, however many they are."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from referrals.facts import Facts, Side
from retention.incentives import persons

#: Of an advocate's other friends so many are looked at, the latest.
OTHERS = 200
#: Of each customer so many delivery addresses, the latest.
ADDRESSES = 5
#: Loops are looked for so many steps back.
STEPS = 10

_REFERRALS = """
SELECT referral.id, referral.advocate_id, referral.friend_id, advocate.customer_id, advocate.device, advocate.network,
       visit.device, visit.network, visit.visited_at, referral.since_at, referral.claimed_at,
       least(friend.signed_up_at, friend.recorded_at),
       (SELECT count(*) FROM customers_order bought
        WHERE bought.customer_id = referral.friend_id AND bought.placed_at < referral.since_at),
       (SELECT min(bought.placed_at) FROM customers_order bought WHERE bought.customer_id = referral.friend_id)
FROM referrals_referral referral
JOIN referrals_advocate advocate ON advocate.id = referral.advocate_id
JOIN customers_customer friend ON friend.id = referral.friend_id
LEFT JOIN referrals_visit visit ON visit.id = referral.visit_id
WHERE referral.id = ANY(%s)
"""
_OTHERS = """
SELECT other.advocate_id, other.id, other.friend_id, other.claimed_at, visit.device, visit.network
FROM unnest(%s::bigint[]) AS wanted (advocate_id)
CROSS JOIN LATERAL (
    SELECT * FROM referrals_referral referral WHERE referral.advocate_id = wanted.advocate_id
    ORDER BY referral.id DESC LIMIT %s
) other
LEFT JOIN referrals_visit visit ON visit.id = other.visit_id
"""
# Devices and networks by which advocates themselves came.
_OWN_VISITS = """
SELECT known.customer_id, visit.device, visit.network
FROM customers_knownvisitor known JOIN referrals_visit visit ON visit.visitor_key = known.visitor_key
WHERE known.customer_id = ANY(%s)
"""
_SIDES = """
SELECT customer.id, coalesce(customer.email_normal, ''), coalesce(customer.phone, ''),
       CASE WHEN customer.address <> '' THEN concat_ws(' ', customer.address, customer.postcode, customer.city) END,
       ARRAY(SELECT concat_ws(' ', bought.address, bought.postcode, bought.city) FROM customers_order bought
             WHERE bought.customer_id = customer.id AND bought.address <> ''
             ORDER BY bought.placed_at DESC LIMIT %(addresses)s),
       ARRAY(SELECT DISTINCT person
             FROM incentives_redemption redemption CROSS JOIN unnest(redemption.persons) AS person
             WHERE redemption.customer_id = customer.id AND redemption.state = 'redeemed')
FROM customers_customer customer WHERE customer.id = ANY(%(customers)s)
"""
# Upwards from each advocate: who brought her, who brought that one… The walk ends where it meets the friend, or itself.
_LOOPS = """
WITH RECURSIVE walk (referral_id, friend_id, customer_id, steps, seen) AS (
    SELECT referral.id, referral.friend_id, advocate.customer_id, 0, ARRAY[advocate.customer_id]
    FROM referrals_referral referral JOIN referrals_advocate advocate ON advocate.id = referral.advocate_id
    WHERE referral.id = ANY(%(referrals)s) AND advocate.customer_id IS NOT NULL
  UNION ALL
    SELECT walk.referral_id, walk.friend_id, advocate.customer_id, walk.steps + 1, walk.seen || advocate.customer_id
    FROM walk
    JOIN referrals_referral before ON before.friend_id = walk.customer_id AND before.state <> 'rejected'
    JOIN referrals_advocate advocate ON advocate.id = before.advocate_id
    WHERE walk.steps < %(steps)s AND walk.customer_id <> walk.friend_id
      AND NOT advocate.customer_id = ANY(walk.seen)
)
SELECT referral_id, min(steps) FROM walk WHERE customer_id = friend_id AND steps > 0 GROUP BY referral_id
"""


@dataclass
class _Circle:
    """One advocate's other friends and herself, as far as rows say."""

    friends: dict[int, int] = field(default_factory=dict)  # referral → friend
    claims: list[dt.datetime] = field(default_factory=list)
    devices: dict[int, int | None] = field(default_factory=dict)  # referral → device
    networks: dict[int, int | None] = field(default_factory=dict)


def facts_of(referral_ids: Sequence[int]) -> dict[int, Facts]:
    """Referral id → what the checks look at; five statements for all of them."""
    rows = _fetch(_REFERRALS, [list(referral_ids)])
    circles = _circles({row[1] for row in rows})
    advocates = {row[3] for row in rows if row[3] is not None}
    own = defaultdict(list)
    for customer_id, device, network in _fetch(_OWN_VISITS, [sorted(advocates)]):
        own[customer_id].append((device, network))
    everybody = advocates | {row[2] for row in rows}
    everybody.update(friend for circle in circles.values() for friend in circle.friends.values())
    sides = _sides(everybody)
    loops = dict(_fetch(_LOOPS, {"referrals": list(referral_ids), "steps": STEPS}))
    return {row[0]: _facts(row, circles[row[1]], own, sides, loops) for row in rows}


def _facts(
    row: tuple[Any, ...],
    circle: _Circle,
    own: Mapping[int, list[tuple[int | None, int | None]]],
    sides: Mapping[int, Side],
    loops: Mapping[int, int],
) -> Facts:
    pk, _advocate_id, friend_id, customer_id, device, network, visit_device, visit_network, *times = row
    visited_at, since_at, claimed_at, known_at, orders, first_order_at = times
    hers = own.get(customer_id, []) if customer_id != friend_id else []
    advocate = sides.get(customer_id, Side())
    others = {friend for other, friend in circle.friends.items() if other != pk and friend != friend_id}
    around = [advocate, *(sides[friend] for friend in sorted(others) if friend in sides)]
    if customer_id == friend_id:
        around = around[1:]
    networks = Counter(_known([network, *(each for _device, each in hers)]))
    networks.update(_known(each for other, each in circle.networks.items() if other != pk))
    # What was told only together with the claim was no click on a link.
    is_click = visited_at is not None and visited_at < claimed_at
    known_at = min(filter(None, (known_at, first_order_at)), default=since_at)
    return Facts(
        friend=sides[friend_id],
        advocate=advocate,
        friend_known_days=max(0, (since_at - known_at).days),
        orders_before=orders,
        devices=frozenset(_known([visit_device])),
        networks=frozenset(_known([visit_network])),
        other_devices=frozenset(
            _known(
                [
                    device,
                    *(each for each, _network in hers),
                    *(each for other, each in circle.devices.items() if other != pk),
                ]
            )
        ),
        other_networks=networks,
        other_addresses=frozenset().union(*(side.addresses for side in around)),
        other_persons=frozenset().union(*(side.persons for side in around)),
        other_emails=tuple(side.email for side in around if side.email),
        seconds_since_visit=int((claimed_at - visited_at).total_seconds()) if is_click else None,
        steps_back=loops.get(pk),
        claimed_at=claimed_at,
        claims=tuple(circle.claims),
    )


def _circles(advocate_ids: set[int]) -> dict[int, _Circle]:
    circles = {pk: _Circle() for pk in advocate_ids}
    for advocate_id, pk, friend_id, claimed_at, device, network in _fetch(_OTHERS, [sorted(advocate_ids), OTHERS]):
        circle = circles[advocate_id]
        circle.friends[pk] = friend_id
        circle.claims.append(claimed_at)
        circle.devices[pk], circle.networks[pk] = device, network
    return circles


def _sides(customer_ids: set[int]) -> dict[int, Side]:
    found = _fetch(_SIDES, {"customers": sorted(customer_ids), "addresses": ADDRESSES})
    return {
        pk: Side(
            customer_id=pk,
            email=email,
            phone=phone,
            addresses=frozenset(persons.address_key(each) for each in {home, *delivered} if each),
            persons=frozenset(hashes),
        )
        for pk, email, phone, home, delivered, hashes in found
    }


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _fetch(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
