"""A segment's rule for one customer, condition by condition, as the segment itself explains it with her values."""

from __future__ import annotations

import datetime as dt
from typing import Any

from campaigns.whys.answers import Part
from retention.customers.models import Customer
from retention.segments.querysets import Explained, explain


def explained(rule: Any, customer: Customer, now: dt.datetime) -> tuple[bool, tuple[Part, ...]]:
    """Whether the rule means her, and its conditions.

    Raises:
        forms.ValidationError: the rule is not valid (any more).
    """
    told = explain(rule, customer.pk, now)
    # That she is a customer of her own is an answer by itself.
    return told.is_met, tuple(_part(part) for part in told.parts if part.kind != "live")


def _part(node: Explained) -> Part:
    if node.kind in ("all", "any") and len(node.parts) == 1:
        return _part(node.parts[0])
    return Part(node.sentence, node.is_met, node.hers, tuple(_part(part) for part in node.parts))
