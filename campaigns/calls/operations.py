"""Calling customers' moments."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.calls.models import Call
from retention.customers.models import Customer
from retention.refusals import Refused
from retention.work.operations import nudge

#: In one call.
MOST = 5_000
JOB = "campaigns.reach"


class UnknownCustomers(Refused):
    code = "campaigns.unknown_customers"
    sentence = _("There is no customer %(first)s (%(count)s such ids); nobody was called.")
    status = 422


@dataclass(frozen=True)
class CalledOut:
    """How many were called now, and how many had been by the same source."""

    called: int
    repeated: int


@transaction.atomic
def call(
    *, name: str, customers: Sequence[uuid.UUID], source: str, about: Mapping[str, Any], at: dt.datetime
) -> CalledOut:
    """Say that the moment of these customers, by their public ids, has come, once for each source.

    Raises:
        UnknownCustomers: at least one id is nobody's.
    """
    wanted = list(dict.fromkeys(customers))
    found = Customer.objects.filter(public_id__in=wanted, erased_at=None).values_list("public_id", "merged_into", "pk")
    known = {public_id: merged_into or pk for public_id, merged_into, pk in found}
    if strangers := [str(public_id) for public_id in wanted if public_id not in known]:
        raise UnknownCustomers(first=strangers[0], count=len(strangers))
    who = sorted(set(known.values()))
    before = Call.objects.filter(name=name, source=source, customer__in=who).count()
    rows = [Call(name=name, customer_id=pk, source=source, about=dict(about), at=at) for pk in who]
    Call.objects.bulk_create(rows, ignore_conflicts=True)
    nudge(JOB)
    return CalledOut(len(who) - before, before)
