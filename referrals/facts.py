"""What the checks look at of one referral: plain values read in bulk, keyed hashes where they are of a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Side:
    """One customer: her email and phone as they are compared, and hashes of addresses and of means of payment."""

    customer_id: int | None = None
    email: str = ""
    phone: str = ""
    addresses: frozenset[int] = frozenset()
    persons: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Facts:
    """One referral beside its advocate and the advocate's other friends (`other_…`, which hold the advocate's too).

    Attributes:
        friend_known_days: whole days that the shop had known the friend when she followed the link.
        orders_before: how many she had placed until then.
        steps_back: 1 where the friend brought the advocate, 2 where she brought who brought her…
        other_networks: how many others came by each network.
        claims: when the advocate's friends were claimed, this one among them.
    """

    friend: Side
    advocate: Side = Side()
    friend_known_days: int = 0
    orders_before: int = 0
    devices: frozenset[int] = frozenset()
    networks: frozenset[int] = frozenset()
    other_devices: frozenset[int] = frozenset()
    other_networks: Mapping[int, int] = field(default_factory=dict)
    other_addresses: frozenset[int] = frozenset()
    other_persons: frozenset[int] = frozenset()
    other_emails: tuple[str, ...] = ()
    seconds_since_visit: int | None = None
    steps_back: int | None = None
    claimed_at: dt.datetime | None = None
    claims: tuple[dt.datetime, ...] = ()

    @property
    def is_self(self) -> bool:
        return self.friend.customer_id is not None and self.friend.customer_id == self.advocate.customer_id

    def friends_within(self, hours: int) -> int:
        """How many friends the advocate brought in so many hours up to this one."""
        if self.claimed_at is None:
            return 0
        since = self.claimed_at - dt.timedelta(hours=hours)
        return sum(since < at <= self.claimed_at for at in self.claims)
