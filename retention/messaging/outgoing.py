"""A delivery on its way out with what everything that is asked about it needs: guards, placeholders, outcomes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The origin of mails that ask for a confirmation: the newest ask, a consent event, is its row.
CONFIRMATIONS = "customers.consent"


@dataclass(slots=True)
class Outgoing:
    """One delivery in hand, or a made-up one in a preview (then `id` is 0 and there may be no grant).

    Attributes:
        address: the customer's present address on the channel as she wrote it; None where there is none.
        address_normal: the same in its normal form, as consent and suppression know it.
        is_ghost: it will be withheld instead of handed over.
        is_gone: merged into another customer, or forgotten.
        language: the one it will be written in, out of those its template has.
        zone: the customer's IANA zone, or the shop's.
        fixed: values that a preview puts in place of what a placeholder would say.
    """

    id: int
    public_id: uuid.UUID
    origin: str
    origin_id: int
    step: int
    channel: str
    template_id: int
    version_id: int
    grant_id: int | None
    context: Mapping[str, Any]
    is_transactional: bool
    topic: str
    priority: int
    attempts: int
    held_at: dt.datetime | None
    customer_id: int
    customer_public_id: uuid.UUID
    address: str | None
    address_normal: str | None
    first_name: str
    last_name: str
    language: str
    zone: str
    is_gone: bool = False
    is_ghost: bool = False
    group_id: int | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
