"""Expiry by inactivity: the ends of what a member has move on whenever she earns or spends.

The ends stand on her lots, as any other unit's, so reminders, forecasts, the wallet and the night need to know nothing
of it. Ends without activity, rounded ones and fixed dates are rules of the unit itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Member, Programme
from loyalty.operations.moving import CHUNK, locked
from loyalty.operations.tiers import RUNNING, sliding_watermark_of
from loyalty.rules import ProgrammeRule
from loyalty.rules.tiers import local_day
from loyalty.versions import rule_of
from retention.bulk import batches
from retention.ledger import operations as ledger
from retention.ledger.days import shop_zone
from retention.ledger.models import Unit
from retention.ledger.units import day_end
from retention.ledger.versions import rule_of as unit_rule_of
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.work.models import Watermark

#: (member, account, when she last earned or spent) of those who did from a mark on. It has no upper end: twice is
#: harmless, and the mark that is kept says what never again.
_ACTIVE = """
SELECT m.id, account.id, greatest(max(e.effective_at), m.active_at)
FROM ledger_entry e
JOIN ledger_account account
  ON account.id = CASE e.verb WHEN 'issue' THEN e.to_account_id ELSE e.from_account_id END
JOIN loyalty_member m ON m.customer_id = account.customer_id AND m.programme_id = %(programme)s
WHERE e.unit_id = %(unit)s AND e.verb IN ('issue', 'spend') AND e.xid >= %(mark)s::text::xid8
GROUP BY m.id, account.id ORDER BY m.id
"""


class TwoEnds(Refused):
    code = "loyalty.two_ends"
    sentence = _("“%(unit)s” expires by its own rule. Let it never expire, or leave out expiry by inactivity.")


def check_ends(*, rule: ProgrammeRule, unit: Unit) -> None:
    """
    Raises:
        TwoEnds: the unit has ends of its own, and the rule moves them.
    """
    if rule.expires_after_inactive_days and unit_rule_of(unit).expiry.kind != "never":
        raise TwoEnds(unit=unit.name)


def slide(*, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Move on the ends of members who earned or spent since the last look; how many lots moved.

    Where the rule was saved meanwhile everybody is looked at; where it no longer knows inactivity, ends stay.
    """
    zone, moved = shop_zone(), 0
    for programme in _sliding():
        days = rule_of(programme.version_id).expires_after_inactive_days or 0
        key, safe = sliding_watermark_of(programme.pk), safe_mark()
        mark = Watermark.objects.filter(key=key).values_list("mark", flat=True).first() or 0
        with connection.cursor() as cursor:
            cursor.execute(_ACTIVE, {"programme": programme.pk, "unit": programme.unit_id, "mark": str(mark)})
            active = cursor.fetchall()
        for n, some in enumerate(batches(active, CHUNK)):
            moved += _move(some, days, zone)
            progress(n * CHUNK + len(some), len(active))
        Watermark.objects.update_or_create(key=key, defaults={"mark": safe, "at": now})
    return moved


def _sliding() -> list[Programme]:
    running = Programme.objects.filter(state__in=RUNNING, archived_at=None).order_by("pk")
    return [one for one in running if rule_of(one.version_id).expires_after_inactive_days]


@transaction.atomic
def _move(active: Sequence[tuple[int, int, dt.datetime]], days: int, zone: str) -> int:
    locked([member for member, _account, _at in active])
    members = [Member(pk=member, active_at=at) for member, _account, at in active]
    Member.objects.bulk_update(members, ["active_at"])
    ends = {}
    for _member, account, at in active:
        end = day_end(local_day(at, zone) + dt.timedelta(days=days), zone)
        assert end is not None
        ends[account] = (at, end)
    return ledger.move_ends(ends=ends)
