"""Offers that give nothing but value in accounts: what each grant gives, and the one call that writes it all."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from retention import clock
from retention.actors import Actor
from retention.arrays import written
from retention.incentives.operations.benefits import Gift, gifts_of, unit_key, unit_of, when
from retention.incentives.operations.grant_rows import ChangedMeanwhile, Offer, Wish
from retention.incentives.rules import Terms, her_effects
from retention.ledger import operations as ledger
from retention.ledger.models import Account
from retention.ledger.versions import rule_at
from retention.statements import fetch_row

_GRANT = """
SELECT outcome, grants FROM grant_value_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                                           %s, %s, %s)
"""


class _Part(NamedTuple):
    """One effect's value for a grant: its place in the offer, unit, the shop's account, how much, and when."""

    n: int
    unit_id: int
    from_id: int
    amount: int
    active_at: dt.datetime | None
    event: str
    ends: dt.datetime | None


def grant_value(
    offer: Offer, wishes: Sequence[Wish], *, origin: str, by: Actor, expires_at: dt.datetime | None,
    budget_id: int | None = None, granted_on: dt.date | None = None,
) -> dict[str, int] | None:  # fmt: skip
    """Write these grants and put what they give into accounts: source → grant.

    None: some were there before, or are not for the customer they name, and nothing was written.

    Raises:
        ChangedMeanwhile
    """
    known: dict[tuple[Any, ...], list[_Part]] = {}
    places: list[int] = []
    parts: list[_Part] = []
    for place, wish in enumerate(wishes, start=1):
        own = wish.own
        # Many are given the same: it is worked out once.
        key = (own.much, own.active_at, own.pending_event, own.expires_at)
        if (found := known.get(key)) is None:
            found = known[key] = _parts(offer, own, expires_at, by)
        parts += found
        places += [place] * len(found)
    terms = [json.dumps(wish.terms) if wish.terms else None for wish in wishes]
    of_wishes = [list(column) for column in zip(*[(w.source, w.customer_id, w.origin_id) for w in wishes], strict=True)]
    of_parts = [list(column) for column in zip(*parts, strict=True)]
    outcome, grants = fetch_row(
        _GRANT,
        [
            offer.now, offer.now.astimezone(clock.zone(offer.zone)).date(), by.name, offer.incentive_id,
            offer.version_id, offer.rule.limits.issued, origin, expires_at, budget_id, granted_on,
            *map(written, of_wishes), written(terms), written(places), *map(written, of_parts),
        ],
    )  # fmt: skip
    if outcome == "changed":
        raise ChangedMeanwhile
    return dict(zip(of_wishes[0], grants, strict=True)) if grants else None


def _parts(offer: Offer, own: Terms, expires_at: dt.datetime | None, by: Actor) -> list[_Part]:
    waits: dict[str, Any] = {"expires_at": expires_at, **own.waits}
    parts = []
    for n, told in gifts_of(her_effects(offer.rule, own), offer.currency):
        gift = Gift(0, None, n, told, **waits)
        unit_id, version_id, shop = offer.units.get(unit_key(gift)) or _opened(gift, offer.now, by)
        active_at, ends = when(gift, rule_at(version_id), offer.zone, offer.now)
        parts.append(_Part(n, unit_id, shop, gift.amount, active_at, gift.pending_event, ends))
    return parts


def _opened(gift: Gift, now: dt.datetime, by: Actor) -> Sequence[int]:
    """Money of a currency that was never given before."""
    unit = unit_of(gift, now=now, by=by)
    assert unit.version_id is not None
    return unit.pk, unit.version_id, ledger.shop_account(unit, Account.Purpose.ISSUED)
