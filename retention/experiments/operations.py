"""Setting how many customers are held out of all campaigns, and drawing them anew."""

import datetime as dt
import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.experiments.models import GlobalHoldout
from retention.refusals import Refused


class HoldoutTooLarge(Refused):
    code = "experiments.holdout_too_large"
    sentence = _("Between 0 and %(most)s percent of the customers can be held out.")
    status = 422


@transaction.atomic
def hold_out(*, percent: int, is_redrawn: bool = False, now: dt.datetime, by: Actor) -> GlobalHoldout:
    """Hold out so many percent of all customers from now on.

    A higher percentage adds to those held out, a lower one lets some of them go; `is_redrawn` chooses others, as is
    done once or twice a year so that nobody is passed over for ever.

    Raises:
        HoldoutTooLarge: fewer than none, or more than the most.
    """
    if not 0 <= percent <= GlobalHoldout.MOST:
        raise HoldoutTooLarge(most=GlobalHoldout.MOST)
    holdout_row(now=now)
    row = GlobalHoldout.objects.select_for_update(no_key=True).get(pk=1)
    before = {"percent": row.percent, "seed": row.seed}
    if is_redrawn or (row.percent == 0 and percent):
        row.seed = _new_seed()
    if {"percent": percent, "seed": row.seed} != before:
        row.percent, row.since = percent, now
    row.save(update_fields=["percent", "seed", "since"])
    after = {"percent": row.percent, "seed": row.seed}
    record(verb="experiments.hold_out", by=by, now=now, subject=row, before=before, after=after)
    return row


def holdout_row(*, now: dt.datetime) -> GlobalHoldout:
    """The one row; where there is none yet, one that holds nobody out."""
    row, _is_new = GlobalHoldout.objects.get_or_create(pk=1, defaults={"seed": _new_seed(), "since": now})
    return row


def _new_seed() -> str:
    return f"global:{uuid.uuid4().hex}"
