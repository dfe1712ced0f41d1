"""How much an agent may give: per case, and per day of the shop as a guarded counter."""

import datetime as dt

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from retention import money
from retention.actors import Actor
from retention.audit import operations as audit
from retention.refusals import Refused
from retention.support.models import AgentLimit, Allowance


class NoLimit(Refused):
    code = "support.no_limit"
    sentence = _("You may not give anything yet. Ask a lead to set your limits.")
    status = 403


class AboveCaseLimit(Refused):
    code = "support.above_case_limit"
    sentence = _("%(amount)s is above your limit of %(limit)s for one case. Ask a lead.")


class AboveDayLimit(Refused):
    code = "support.above_day_limit"
    sentence = _("You have %(left)s of %(limit)s left today, too little for %(amount)s. Ask a lead.")


_SPEND = """
UPDATE support_allowance
   SET spent_minor = spent_minor + %(amount)s
  FROM support_agentlimit
 WHERE support_allowance.staff_id = %(staff)s AND support_allowance.day = %(day)s
   AND support_agentlimit.staff_id = support_allowance.staff_id
   AND spent_minor + %(amount)s <= per_day_minor
"""


def spend(*, staff_id: int, day: dt.date, amount_minor: int, currency: str) -> None:
    """Take it from the allowance of that day, in the caller's transaction.

    The guard is in the UPDATE: of two forms sent at once the second waits for the first and sees what it left.

    Raises:
        NoLimit, AboveCaseLimit, AboveDayLimit.
    """
    limit = AgentLimit.objects.filter(staff_id=staff_id).first()
    if limit is None:
        raise NoLimit()
    if amount_minor > limit.per_case_minor:
        raise AboveCaseLimit(
            amount=money.show(amount_minor, currency), limit=money.show(limit.per_case_minor, currency)
        )
    Allowance.objects.bulk_create([Allowance(staff_id=staff_id, day=day)], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"staff": staff_id, "day": day, "amount": amount_minor})
        if cursor.rowcount:
            return
    left = max(limit.per_day_minor - Allowance.objects.get(staff_id=staff_id, day=day).spent_minor, 0)
    raise AboveDayLimit(
        left=money.show(left, currency),
        limit=money.show(limit.per_day_minor, currency),
        amount=money.show(amount_minor, currency),
    )


def give_back(*, staff_id: int, day: dt.date, amount_minor: int) -> None:
    """Put it back into the allowance of the day it came from, in the caller's transaction."""
    Allowance.objects.filter(staff_id=staff_id, day=day).update(spent_minor=F("spent_minor") - amount_minor)


@transaction.atomic
def set_limit(*, staff_id: int, per_case_minor: int, per_day_minor: int, now: dt.datetime, by: Actor) -> AgentLimit:
    """How much one member of staff may give from now on, in the base currency; today's spending stays counted."""
    before = AgentLimit.objects.select_for_update().filter(staff_id=staff_id).values().first()
    figures = {"per_case_minor": per_case_minor, "per_day_minor": per_day_minor}
    limit, _created = AgentLimit.objects.update_or_create(staff_id=staff_id, defaults=figures)
    audit.record(
        verb="support.set_limit",
        by=by,
        now=now,
        subject=limit,
        before=before and {"staff": staff_id, **{key: before[key] for key in figures}},  # type: ignore[literal-required]
        after={"staff": staff_id, **figures},
    )
    return limit
