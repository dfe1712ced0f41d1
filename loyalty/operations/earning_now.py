"""One order that earns at once: all that its earning must know is read by one statement."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty.models import Programme
from loyalty.operations.due import EARNING_STATES, Rules
from loyalty.operations.earning import Swept, earn_for
from loyalty.operations.members import check_open
from loyalty.operations.programmes import NoSuchProgramme
from loyalty.reading import ORDER, order_of
from retention.actors import Actor
from retention.refusals import Refused
from retention.statements import array, fetch_row

# Whether the order counts at all; its customer may be nobody, and a programme sleeps at times.
_READ = f"""
SELECT json_build_array(
    programme.id, programme.name, programme.state, programme.incentive_id, shop.time_zone, shop.currency,
    (SELECT json_agg(json_build_array(version.saved_at, version.id) ORDER BY version.number)
     FROM audit_version version
     WHERE version.subject = 'loyalty.programme' AND version.subject_id = programme.id),
    (SELECT json_build_array(
        o.state = ANY(%s::text[]) AND o.customer_id IS NOT NULL
            AND coalesce(o.paid_at, o.placed_at) >= programme.launched_at
            AND NOT coalesce(o.paid_at, o.placed_at) <@ ANY(programme.rests),
        {ORDER},
        (SELECT json_agg(json_build_array(e.rule, e.given, e.amount, e.tier, e.earned_at) ORDER BY e.id)
         FROM loyalty_earning e JOIN loyalty_member m ON m.id = e.member_id
         WHERE e.order_id = o.id AND m.programme_id = programme.id))
     FROM customers_order o WHERE o.reference = %s))
FROM loyalty_programme programme CROSS JOIN shop_shop shop
WHERE programme.key = %s AND programme.archived_at IS NULL AND programme.version_id IS NOT NULL
"""  # noqa: S608


class NoSuchOrder(Refused):
    code = "loyalty.no_such_order"
    sentence = _("There is no such order.")
    status = 404


@dataclass(frozen=True, slots=True)
class Standing:
    """What one rule gave for the order, and what stands of it now."""

    rule: str
    given: int
    amount: int
    tier: str
    earned_at: dt.datetime


def earn_now(*, key: str, reference: str, now: dt.datetime, by: Actor) -> list[Standing]:
    """What an order earned in a programme; if it has not yet, it earns now, without waiting for the sweep.

    Raises:
        NoSuchProgramme, NoSuchOrder, NotLaunched, ProgrammeEnded
    """
    programme, rules, currency, (is_due, read, before) = _read(key, reference)
    if before or not is_due:
        return _standing(before)
    facts = [order_of(read, currency)]
    rows = earn_for(programme=programme, rules=rules, facts=facts, swept=Swept(), now=now, by=by)
    if not rows:
        # Nothing was earned, or by somebody else a moment ago.
        return _standing(_read(key, reference)[3][2])
    return [Standing(row.rule, row.amount, row.amount, row.member.tier, row.earned_at) for row in rows]


def _read(key: str, reference: str) -> tuple[Programme, Rules, str, Sequence[Any]]:
    row = fetch_row(_READ, [array(EARNING_STATES), reference, key])
    if row is None:
        raise NoSuchProgramme
    pk, name, state, incentive_id, zone, currency, saved, order = row[0]
    programme = Programme(pk=pk, key=key, name=name, state=state, incentive_id=incentive_id)
    if order is None:
        raise NoSuchOrder
    check_open(programme)
    versions = [(dt.datetime.fromisoformat(at), version) for at, version in saved]
    return programme, Rules.of(versions, zone), currency, order


def _standing(read: Sequence[Sequence[Any]] | None) -> list[Standing]:
    return [
        Standing(rule, given, amount, tier, dt.datetime.fromisoformat(at))
        for rule, given, amount, tier, at in read or ()
    ]
