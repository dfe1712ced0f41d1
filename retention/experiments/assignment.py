"""Who gets which arm: decided by a hash alone, so that it is frozen, the same everywhere, and needs no row.

A customer's number in an experiment is the first 32 bits of md5("seed:customer id"). The range of these numbers is cut
into one interval for each arm, as wide as its weight; she is in the arm whose interval holds her number. Nobody's arm
depends on who else there is. Where the first of two arms grows, those in it stay.

`arm` and `arm_sql` cut at the same whole numbers and agree bit for bit (`tests/laws/test_assignment.py`).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

#: How many different numbers there are.
RANGE = 2**32


def arm(seed: str, customer_id: int, weights: Sequence[int]) -> int:
    """The position of the customer's arm among `weights`, which are whole numbers, not all of them nought.

    Raises:
        ValueError: weights that cannot be cut.
    """
    return bisect_right(cuts(weights), number(seed, customer_id))


def arm_sql(seed: str, customer: str, weights: Sequence[int]) -> tuple[str, list[Any]]:
    """The same as an SQL expression (an int) and its parameters; `customer` is an expression such as `c.id`.

    Raises:
        ValueError: weights that cannot be cut.
    """
    return f"width_bucket({_NUMBER.format(customer=customer)}, %s::bigint[])", [f"{seed}:", cuts(weights)]


def number(seed: str, customer_id: int) -> int:
    """The customer's number in the experiment of this seed, 0 ≤ number < 2³²."""
    digest = hashlib.md5(f"{seed}:{customer_id}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big")


_NUMBER = "('x' || substr(md5(%s::text || {customer}), 1, 8))::bit(32)::bigint"


def cuts(weights: Sequence[int]) -> list[int]:
    """Where each arm but the first begins, in ascending order.

    Raises:
        ValueError: no weights, a negative one, or nothing but noughts.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights are whole numbers from nought on, and one of them is more")
    # Rounded up: a number is at or past a cut exactly where its share of the range is.
    return [-(-RANGE * until // whole) for until in accumulate(weights[:-1])]
