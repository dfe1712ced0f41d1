"""What one notice says: made when it is sent, so that nothing personal waits in it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from retention.webhooks.models import Notice


def body_of(notice: Notice) -> str:
    """The JSON that is sent; its customer, if it has one, as she is known now. She must be selected with it."""
    customer = notice.customer
    if customer is not None and customer.merged_into is not None:
        customer = customer.merged_into
    told = None if customer is None else {"id": str(customer.public_id), "reference": customer.reference}
    return as_text(notice.kind, notice.occurred_at, notice.data, told)


def as_text(kind: str, at: dt.datetime, data: Mapping[str, Any], customer: Mapping[str, Any] | None) -> str:
    return json.dumps(
        {"type": kind, "timestamp": at.astimezone(dt.UTC).isoformat(), "data": {**data, "customer": customer}},
        ensure_ascii=False,
        separators=(",", ":"),
    )
