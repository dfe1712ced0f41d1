"""Holds that end unused: on time, before it, or when someone else would be refused for their sake."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction

from retention.incentives.models import Redemption
from retention.incentives.operations.paying import let_go
from retention.incentives.operations.redemptions.answers import HoldOver, NoSuchRedemption
from retention.incentives.operations.redemptions.giving_back import give_back

#: Holds released on the way of a checkout; more are left to the job.
ON_THE_WAY = 50
#: Holds of one transaction of the job.
CHUNK = 200


@transaction.atomic
def release(*, public_id: uuid.UUID, now: dt.datetime) -> Redemption:
    """End a hold before its time; the same again changes nothing.

    Raises:
        NoSuchRedemption: there is none of this id.
        HoldOver: it was redeemed.
    """
    held = Redemption.objects.select_for_update(no_key=True).filter(public_id=public_id).first()
    if held is None:
        raise NoSuchRedemption
    if held.state == Redemption.State.RELEASED:
        return held
    if held.state != Redemption.State.HELD:
        raise HoldOver
    _release(held, now)
    return held


def release_expired(*, now: dt.datetime, incentive_ids: Iterable[int] | None = None) -> int:
    """Release holds that ran out, all of them or a few of these incentives; returns how many."""
    over = Redemption.objects.filter(state=Redemption.State.HELD, held_until__lte=now)
    most = CHUNK
    if incentive_ids is not None:
        over, most = over.filter(uses__incentive_id__in=list(incentive_ids)).distinct(), ON_THE_WAY
    released = 0
    while ids := list(over.order_by("pk").values_list("pk", flat=True)[:most]):
        fresh = _release_all(ids, now)
        released += fresh
        if incentive_ids is not None or not fresh:
            break
    return released


@transaction.atomic
def _release_all(ids: list[int], now: dt.datetime) -> int:
    # Whoever holds one of them now, redeeming or releasing it, has decided about it.
    holds = Redemption.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk__in=ids, state=Redemption.State.HELD
    )
    released = 0
    for held in holds.order_by("pk"):
        _release(held, now)
        released += 1
    return released


def _release(held: Redemption, now: dt.datetime) -> None:
    uses = list(held.uses.select_for_update(no_key=True))
    give_back(
        held,
        uses,
        money={use.pk: use.discount_minor for use in uses},
        is_use_over={use.pk: True for use in uses},
    )
    let_go(held, now=now)
    held.state, held.ended_at, held.given_back_minor = Redemption.State.RELEASED, now, held.discount_minor
    held.save(update_fields=["state", "ended_at", "given_back_minor"])
