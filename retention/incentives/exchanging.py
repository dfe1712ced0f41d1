"""One box for every code: what nobody's offer is called may be good for one, as a friend's code is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TypeVar

from retention.incentives.checkouts import Checkout
from retention.incentives.decisions import NoSuchCode
from retention.registries import exchanges

Answer = TypeVar("Answer")


def exchanged(codes: Sequence[str], checkout: Checkout, *, now: dt.datetime) -> list[str] | None:
    """The codes with what the strange ones among them are good for; None: they are good for nothing.

    Raises:
        Refused: one is good, but not for this buyer.
    """
    found: dict[str, str] = {}
    for exchange in exchanges:
        strange = [code for code in codes if code not in found]
        found |= exchange.exchanged(
            codes=strange, buyer=checkout.buyer, order_reference=checkout.order_reference, now=now
        )
    return [found.get(code, code) for code in codes] if found else None


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
        others = exchanged(codes, checkout, now=now)
        if others is None:
            raise
        return act(others)
