"""Who is in a programme: joining and leaving, in sets."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Programme
from loyalty.operations.programmes import NoSuchProgramme, ProgrammeEnded
from loyalty.operations.telling import Told, tell
from retention.actors import Actor
from retention.refusals import Refused

_JOIN = """
INSERT INTO loyalty_member AS member
       (programme_id, customer_id, joined_at, joined_by, qualifying, earned, prefers)
SELECT %(programme)s, customer.id, %(now)s, %(by)s, 0, 0, ''
FROM customers_customer customer
WHERE customer.id = ANY(%(customers)s) AND customer.merged_into_id IS NULL AND customer.erased_at IS NULL
ORDER BY customer.id
ON CONFLICT (customer_id, programme_id) DO UPDATE
    SET joined_at = excluded.joined_at, joined_by = excluded.joined_by, left_at = NULL, xid = pg_current_xact_id()
    WHERE %(again)s AND member.left_at IS NOT NULL
RETURNING member.id, member.customer_id
"""
_LEAVE = """
UPDATE loyalty_member AS member SET left_at = %(now)s, xid = pg_current_xact_id()
WHERE member.id = ANY(%(members)s) AND member.left_at IS NULL
RETURNING member.id, member.customer_id
"""


class NotLaunched(Refused):
    code = "loyalty.not_launched"
    sentence = _("“%(name)s” is not live yet.")


class NoSuchMember(Refused):
    code = "loyalty.no_such_member"
    sentence = _("The customer is not in this programme.")
    status = 404


@dataclass(frozen=True, slots=True)
class Who:
    """One member as what counts for her needs to know her: `tier` is its key, empty for none."""

    id: int
    customer_id: int
    joined_at: dt.datetime
    left_at: dt.datetime | None
    tier: str
    birth_month: int | None = None


@dataclass(frozen=True)
class Joined:
    """Member by customer, of those who joined just now; who was in it stays as she was."""

    members: dict[int, int]


@transaction.atomic
def join(*, programme_id: int, customer_ids: Sequence[int], now: dt.datetime, by: Actor, again: bool = True) -> Joined:
    """Make customers members. Merged and erased ones, and nobody's numbers, are passed over.

    Args:
        again: also those who left; otherwise they stay outside.

    Raises:
        NoSuchProgramme, NotLaunched, ProgrammeEnded
    """
    programme = open_programme(programme_id)
    with connection.cursor() as cursor:
        cursor.execute(
            _JOIN,
            {
                "programme": programme_id,
                "customers": list(customer_ids),
                "now": now,
                "by": by.name,
                "again": again,
            },
        )
        rows = cursor.fetchall()
    _tell("loyalty.joined", programme, rows, now)
    return Joined({customer: member for member, customer in rows})


@transaction.atomic
def leave(*, programme_id: int, customer_ids: Sequence[int], now: dt.datetime, by: Actor) -> int:
    """Members leave: they earn nothing from now on, and keep what they have. Returns how many left.

    Raises:
        NoSuchProgramme
    """
    programme = Programme.objects.filter(pk=programme_id).first()
    if programme is None:
        raise NoSuchProgramme
    with connection.cursor() as cursor:
        # Locked in the order of all who lock members, so that no two wait for each other.
        cursor.execute(
            "SELECT id FROM loyalty_member WHERE programme_id = %s AND customer_id = ANY(%s) ORDER BY id"
            " FOR NO KEY UPDATE",
            [programme_id, list(customer_ids)],
        )
        members = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(_LEAVE, {"members": members, "now": now})
        rows = cursor.fetchall()
    _tell("loyalty.left", programme, rows, now)
    return len(rows)


def open_programme(programme_id: int) -> Programme:
    """The programme, if it is live or rests.

    Raises:
        NoSuchProgramme, NotLaunched, ProgrammeEnded
    """
    programme = Programme.objects.filter(pk=programme_id, archived_at=None).first()
    if programme is None:
        raise NoSuchProgramme
    check_open(programme)
    return programme


def check_open(programme: Programme) -> None:
    """See that it is live or rests.

    Raises:
        NotLaunched, ProgrammeEnded
    """
    if programme.state == Programme.State.DRAFT:
        raise NotLaunched(name=programme.name)
    if programme.state == Programme.State.ENDED:
        raise ProgrammeEnded(name=programme.name)


def _tell(kind: str, programme: Programme, rows: list[tuple[int, int]], now: dt.datetime) -> None:
    told = [
        Told(customer, f"{kind}:{member}:{now:%Y%m%d%H%M%S%f}", {"programme": programme.key})
        for member, customer in rows
    ]
    tell(kind=kind, told=told, now=now)
