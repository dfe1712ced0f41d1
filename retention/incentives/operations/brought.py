"""What an order brings beside its discounts: a grant for each offer, kept for a guest until she is known."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from retention.actors import Actor
from retention.incentives.models import Code, Grant, Redemption, Rollback, Ticket, Use
from retention.incentives.operations.benefits import VALUE, Gift, code_for, fulfil, is_gift, value_entries
from retention.incentives.operations.by_hand import yield_by_hand
from retention.incentives.persons import hash_key
from retention.incentives.proration import paid_for
from retention.incentives.tenders import share_of
from retention.incentives.versions import rule_of
from retention.ledger import operations as ledger
from retention.marks import safe_mark
from retention.work.models import Watermark

JOB = "incentives.join_guests"
#: The origin of such grants: a row of Redemption.
REDEEMED = "incentives.redemption"
CHECKOUT = Actor("checkout")
#: Kinds of benefits that are given with an order. A free product is a line of the order itself.
BROUGHT = VALUE | {"free_trial", "access", "experience"}
#: Of a guest's, what needs no account of hers.
_ANYBODYS = BROUGHT - VALUE | {"gift_card"}

_NOW_KNOWN = """
WITH fresh AS (
    SELECT c.id, substr(sha256(%(hash_key)s || convert_to(c.email_normal, 'UTF8')), 1, 8)::bigint AS email_key
    FROM customers_customer c
    WHERE c.xid >= %(since)s::text::xid8
      AND c.email_normal IS NOT NULL AND c.merged_into_id IS NULL
), guests AS MATERIALIZED (
    SELECT g.id, g.xid, r.order_reference, r.persons
    FROM incentives_grant g JOIN incentives_redemption r ON r.id = g.origin_id
    WHERE g.customer_id IS NULL AND g.state = 'active' AND g.origin = 'incentives.redemption'
)
-- Orders that came since, or that were there when the grant was made; customers who became known by the email.
SELECT DISTINCT ON (found.id) found.id, coalesce(c.merged_into_id, c.id)
FROM (
    SELECT guests.id, o.customer_id, 1 AS rank
    FROM guests JOIN customers_order o ON o.reference = guests.order_reference
    WHERE guests.order_reference <> '' AND o.customer_id IS NOT NULL
      AND (o.xid >= %(since)s::text::xid8 OR guests.xid >= %(since)s::text::xid8)
    UNION ALL
    SELECT guests.id, fresh.id, 2 FROM guests JOIN fresh ON fresh.email_key = ANY (guests.persons)
) found JOIN customers_customer c ON c.id = found.customer_id AND c.erased_at IS NULL
ORDER BY found.id, found.rank, c.id
"""


def brings(effects: Mapping[str, Any]) -> bool:
    """Whether a redemption with these effects brings something beside its discounts."""
    return any(benefit["kind"] in BROUGHT for offer in effects["offers"] for benefit in offer["benefits"])


def give_with_order(redemption: Redemption, *, now: dt.datetime) -> None:
    """Give what the offers of a redeemed order bring: one grant an offer, so that nothing is brought twice.

    What the code's own grant gave already comes no second time. A guest's grant is nobody's at first: her tickets,
    presents and gift cards are there at once, what belongs into an account waits for `join_guests`.
    """
    if not brings(redemption.effects):
        return
    gifts: list[Gift] = []
    made: list[tuple[Grant, Use]] = []
    for use in redemption.uses.select_related("code__grant"):
        if not list(_brought(redemption, use)):
            continue
        given = Grant.objects.create(
            incentive_id=use.incentive_id, version_id=use.version_id, customer_id=redemption.customer_id,
            source=f"redemption:{redemption.pk}:{use.place}", origin=REDEEMED, origin_id=redemption.pk,
            granted_at=now, granted_by=CHECKOUT.name,
        )  # fmt: skip
        made.append((given, use))
        gifts += _gifts(redemption, given, use)
    fulfil([gift for gift in gifts if gift.customer_id or gift.kind in _ANYBODYS], now=now, by=CHECKOUT)
    for given, use in made:
        if not _is_granted(use):
            yield_by_hand(rule=rule_of(use.version_id), grant_ids=[given.pk], now=now)
            _give_code(given, now)


def join_guests(*, now: dt.datetime) -> int:
    """Give guests who became known since the last run what their orders brought; returns how many grants.

    Known is who placed the order, as the shop's facts say, or who came with the order's email.
    """
    until = safe_mark()
    known = _now_known()
    joined = 0
    for grant_id, customer_id in known:
        with transaction.atomic():
            joined += _join(grant_id, customer_id, now)
    Watermark.objects.update_or_create(key=JOB, defaults={"mark": until, "at": now})
    return joined


def count_guests_to_join() -> int:
    """How many grants `join_guests` would give to somebody now."""
    return len(_now_known())


def brought_by(redemption: Redemption) -> Iterator[dict[str, Any]]:
    """What was granted with a redemption, in the order of its offers: its name, its code where it has one."""
    rows = Grant.objects.filter(origin=REDEEMED, origin_id=redemption.pk).select_related("incentive", "code")
    for given in rows.order_by("pk"):
        code: Code | None = getattr(given, "code", None)
        yield {
            "incentive": {"id": given.incentive.public_id, "name": given.incentive.name},
            "code": code.code if code else None,
            "waits_for_customer": given.customer_id is None,
        }


def _brought(redemption: Redemption, use: Use) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(place, benefit) of what this use brings that the code's own grant did not give."""
    is_granted = _is_granted(use)
    has_all = is_granted and is_gift(rule_of(use.version_id))
    for n, benefit in enumerate(redemption.effects["offers"][use.place]["benefits"]):
        kind = benefit["kind"]
        if kind in BROUGHT and not has_all and not (is_granted and kind not in VALUE):
            yield n, benefit


def _is_granted(use: Use) -> bool:
    return use.code is not None and use.code.grant_id is not None


def _gifts(redemption: Redemption, given: Grant, use: Use) -> list[Gift]:
    found = _brought(redemption, use)
    return [Gift(given.pk, given.customer_id, n, benefit) for n, benefit in found if benefit["kind"] in VALUE]


def _give_code(given: Grant, now: dt.datetime) -> None:
    """The code of a ticket; at the checkout it counts as used, for it came with its use."""
    if Ticket.objects.filter(grant=given).exists() and not Code.objects.filter(grant=given).exists():
        code_for(given, state=Code.State.REDEEMED, is_card=False, now=now)


def _now_known() -> list[tuple[int, int]]:
    """(grant, customer) of guests' grants that have found their customer."""
    since = Watermark.objects.filter(key=JOB).values_list("mark", flat=True).first() or 0
    with connection.cursor() as cursor:
        cursor.execute(_NOW_KNOWN, {"since": since, "hash_key": hash_key()})
        return cursor.fetchall()


def _join(grant_id: int, customer_id: int, now: dt.datetime) -> bool:
    # The redemption first, as a roll-back does: what comes back of it is counted before or after this, not both.
    origin = Grant.objects.values_list("origin_id", flat=True).get(pk=grant_id)
    redemption = Redemption.objects.select_for_update(no_key=True).get(pk=origin)
    given = Grant.objects.select_for_update(no_key=True).get(pk=grant_id)
    if given.customer_id is not None or given.state != Grant.State.ACTIVE:
        return False
    given.customer_id = customer_id
    given.save(update_fields=["customer"])
    Code.objects.filter(grant=given).update(customer=customer_id)
    if redemption.state != Redemption.State.REDEEMED:
        return True
    use = redemption.uses.select_related("code__grant").get(place=int(given.source.rpartition(":")[2]))
    waiting = [gift for gift in _gifts(redemption, given, use) if gift.kind not in _ANYBODYS]
    fulfil([replace(gift, customer_id=customer_id) for gift in waiting], now=now, by=CHECKOUT)
    _take_back_returned(redemption, waiting, now)
    return True


def _take_back_returned(redemption: Redemption, waiting: Sequence[Gift], now: dt.datetime) -> None:
    """Of what was given only now, the share of the lines that came back meanwhile."""
    lines = redemption.effects["lines"]
    came_back = [0] * len(lines)
    for effects in Rollback.objects.filter(redemption=redemption).values_list("effects", flat=True):
        for line in effects["lines"]:
            came_back[line["line"]] += line["quantity"]
    if not any(came_back):
        return
    whole = paid_for(redemption.effects, [line["quantity"] for line in lines])
    fresh = {gift.source for gift in waiting}
    for entry in value_entries({gift.grant_id for gift in waiting}):
        if entry.source in fresh and (
            share := share_of(entry.amount, 0, paid_for(redemption.effects, came_back), whole)
        ):
            ledger.take_back(
                entry_id=entry.pk, amount=share, source=f"joined:{entry.pk}", reason="returned", policy="balance",
                now=now, by=CHECKOUT,
            )  # fmt: skip
