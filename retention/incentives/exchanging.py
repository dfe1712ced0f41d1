"""One box for every code: what nobody's offer is called may be good for one, as a friend's code is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import transaction

from retention.incentives.checkouts import Checkout
from retention.incentives.decisions import NoSuchCode
from retention.registries import exchanges

Answer = TypeVar("Answer")


def exchanged(codes: Sequence[str], checkout: Checkout, *, now: dt.datetime) -> dict[str, str]:
    """Of these codes the strange ones that are good for another, each with that one.

    Raises:
        Refused: one is good, but not for this buyer.
    """
    found: dict[str, str] = {}
    for exchange in exchanges:
        strange = [code for code in codes if code not in found]
        found |= exchange.exchanged(
            codes=strange, buyer=checkout.buyer, order_reference=checkout.order_reference, now=now
        )
    return found


def with_exchange(
    act: Callable[[Sequence[str]], Answer], codes: Sequence[str], checkout: Checkout, *, now: dt.datetime
) -> Answer:
    """`act` on the codes; where there is no such code, on what they are good for. The usual code costs nothing more.

    Raises:
        NoSuchCode: one is good for nothing.
        Refused: as `act` and `exchanged` do.
    """
    try:
        return act(codes)
    except NoSuchCode:
        found = exchanged(codes, checkout, now=now)
        if not found:
            raise
        return act([found.get(code, code) for code in codes])


def tried_out(
    act: Callable[[Sequence[str]], Answer], codes: Sequence[str], checkout: Checkout, *, now: dt.datetime
) -> tuple[Answer, dict[str, str]] | None:
    """What `act` would answer on what the codes are good for, by doing it all and keeping nothing of it.

    Returns:
        The answer, and code that counted → code that was typed, for the former may never have been; None: the codes are
        good for nothing else.

    Raises:
        Refused: as `act` and `exchanged` do.
    """
    with transaction.atomic():
        found = exchanged(codes, checkout, now=now)
        answer = act([found.get(code, code) for code in codes]) if found else None
        transaction.set_rollback(True)
    return (answer, {code: typed for typed, code in found.items()}) if answer is not None else None


def as_typed(told: Any, typed: Mapping[str, str]) -> Any:
    """An answer as JSON with the codes that were typed in place of those that counted."""
    if isinstance(told, Mapping):
        return {name: as_typed(part, typed) for name, part in told.items()}
    if isinstance(told, (list, tuple)):
        return [as_typed(part, typed) for part in told]
    return typed.get(told, told) if isinstance(told, str) else told
