"""The one write of a checkout: its arrays, and what a guard's refusal means."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from django.db import DatabaseError, connection, transaction
from pydantic_core import to_json

from retention.incentives.counting import STRIPES, Ask, Key, is_own, is_rolling, moves, striped
from retention.incentives.decisions import Checked, Decision
from retention.incentives.facts import Facts
from retention.incentives.rules import IncentiveRule
from retention.statements import array, fetch_row

#: The SQLSTATE of a guard that refuses.
GUARD = "RR001"
#: A lease is for at least so many uses.
USES_A_LEASE = 20
_REDEEM = f"SELECT redeem_v2({', '.join(['%s'] * 34)})"


class Overtaken(Exception):
    """A guard refused: what was read is out of date."""


def write(
    *,
    source: str,
    request_hash: bytes,
    facts: Facts,
    decision: Decision,
    effects: Mapping[str, Any],
    order_reference: str,
    held_until: dt.datetime | None = None,
    with_leases: bool = False,
) -> str | None:
    """The redemption's (or hold's) public id, or None where the source came before.

    `with_leases` makes room on stripes that lacked it, one counter after the other.

    Raises:
        Overtaken
    """
    applied = decision.applied
    discount = decision.evaluation.discount_minor
    is_rush = any(one.offer.rule.limits.expects_rush for one in applied)
    stripe = stripe_of_connection() if is_rush else 0
    counted = _moves(applied, stripe)
    rolling = _rolling(applied)
    parameters = [
        facts.now,
        facts.today,
        source,
        request_hash,
        held_until,
        facts.basket.shopper.id,
        array(facts.persons),
        facts.policy_id,
        order_reference,
        facts.basket.currency,
        discount,
        facts.in_base(discount),
        to_json(effects).decode(),
        *_uses(applied, stripe),
        *counter_arrays(counted),
        array(_chunks(counted, applied)) if with_leases else None,
        array(facts.rolling_keys),
        json.dumps(rolling) if rolling else None,
    ]
    try:
        # Alone it is a transaction of its own; inside another one, a refusal must leave that as it was.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return fetch_row(_REDEEM, parameters)[0]
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == GUARD:
            raise Overtaken from None
        raise


def stripe_of_connection() -> int:
    """Which of an incentive's stripes this connection counts on in a rush."""
    connection.ensure_connection()
    return connection.connection.info.backend_pid % STRIPES + 1


def counter_arrays(counted: Sequence[tuple[Key, int, int | None]]) -> list[str]:
    """The arguments of `count_v1`: what is moved, by how much, up to what."""
    return _columns([(*key[:5], amount, most) for key, amount, most in counted], 7)


def _moves(applied: Sequence[Checked], stripe: int) -> list[tuple[Key, int, int | None]]:
    uses = []
    for one in applied:
        asked: list[tuple[Ask, int]] = []
        discount = one.applied.discount_minor
        is_rush = one.offer.rule.limits.expects_rush
        for ask in one.offer.asks:
            amount = discount if ask.key.currency else 1
            if is_rush and is_own(ask.key):
                ask = Ask(striped(ask.key, stripe), ask.most)
            asked.append((ask, amount))
        uses.append(asked)
    return moves(uses)


def _chunks(counted: Sequence[tuple[Key, int, int | None]], applied: Sequence[Checked]) -> list[int | None]:
    """How much a stripe leases at once: enough for twenty of the largest uses that the rule names, or of this one."""
    rules = {one.offer.facts.incentive_id: one.offer.rule for one in applied}
    return [
        USES_A_LEASE * max(amount, _largest(rules[key.incentive_id], key.currency)) if key.scope == "stripe" else None
        for key, amount, _most in counted
    ]


def _largest(rule: IncentiveRule, currency: str) -> int:
    if not currency:
        return 1
    named = [getattr(effect, "cap", None) or getattr(effect, "amounts", None) or {} for effect in rule.effects]
    return sum(amounts.get(currency, 0) for amounts in named)


def _uses(applied: Sequence[Checked], stripe: int) -> list[str]:
    uses = [
        (
            one.offer.facts.code_id,
            one.offer.facts.version_id,
            one.offer.facts.incentive_id,
            one.offer.facts.budget_id,
            one.offer.budget_version_id,
            stripe if one.offer.rule.limits.expects_rush else None,
            one.applied.discount_minor,
            one.offer.rule.uses_per_code,
            one.offer.rule.codes.kind == "public",
            is_rolling(one.offer.counted),
        )
        for one in applied
    ]
    by_code = sorted([(use[0], place) for place, use in enumerate(uses, 1) if use[0] is not None])
    return [*_columns(uses, 10), array([place for _code, place in by_code])]


def _columns(rows: Sequence[tuple], width: int) -> list[str]:
    return [array(column) for column in (zip(*rows, strict=True) if rows else [()] * width)]


def _rolling(applied: Sequence[Checked]) -> list[dict[str, Any]]:
    return [
        {
            "incentive": ask.key.incentive_id,
            "scope": ask.key.scope,
            "subject": ask.key.subject_id,
            "since": ask.key.since.isoformat(),
            "currency": ask.key.currency,
            "most": ask.most,
        }
        for one in applied
        for ask in one.offer.asks
        if ask.key.since is not None
    ]
