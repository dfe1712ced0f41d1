"""Saving one customer: the same checks, merge and words as an import of one row."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import Customer
from retention.refusals import Refused
from retention.work.ingest import RowError, ingest


class BadFacts(Refused):
    """What was sent cannot be: `errors` says where and why."""

    code = "customers.bad_facts"
    sentence = _("%(count)s of the values cannot be: %(first)s")
    status = 422

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        self.errors = errors
        super().__init__(count=len(errors), first=f"{errors[0].column}: {errors[0].message}" if errors else "")


class CustomerGone(Refused):
    code = "customers.gone"
    sentence = _("This customer was merged or erased and cannot be edited.")


@dataclass(frozen=True)
class Saved:
    customer: Customer
    is_new: bool
    is_changed: bool


@transaction.atomic
def save_customer(*, customer_id: int | None, values: Mapping[str, Any], now: dt.datetime, by: Actor) -> Saved:
    """Save profile fields of one customer; what is not said stays.

    Args:
        customer_id: whom; None finds her by `reference` or `email`, or makes her.
        values: columns as in an import of customers (`birthday`, `attributes`, `acquisition_cost_minor`…).

    Raises:
        CustomerGone, BadFacts
    """
    row = dict(values)
    if customer_id is not None:
        customer = Customer.objects.select_for_update().filter(pk=customer_id).first()
        if customer is None or customer.merged_into_id or customer.erased_at:
            raise CustomerGone()
        row["own_id"] = customer_id
    result = ingest("customers", [row], now=now, by=by, is_own=True)
    if not result.is_written:
        raise BadFacts(result.refused)
    customer = _find(customer_id, row)
    if result.new or result.changed:
        # Which fields, never what they hold: the audit outlives the person's data.
        record(
            verb="customers.save_customer", by=by, now=now, subject=customer, customer_id=customer.pk,
            after={"fields": sorted(name for name in values if name != "own_id"), "is_new": bool(result.new)},
        )  # fmt: skip
    return Saved(customer, is_new=bool(result.new), is_changed=bool(result.changed))


def _find(customer_id: int | None, row: Mapping[str, Any]) -> Customer:
    if customer_id is not None:
        return Customer.objects.get(pk=customer_id)
    reference = str(row.get("reference") or "").strip()
    if reference:
        return Customer.objects.get(reference=reference)
    # In small letters as the database writes them: of "İ" it makes another letter than Python.
    return Customer.objects.get(email_normal=Lower(Trim(Value(str(row["email"])))), merged_into=None)
