"""What becomes of grants: given when their message is accepted, taken back when it never left, undone before use."""

import datetime as dt
from collections import Counter as Tally
from collections.abc import Collection, Iterable

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.models import Code, Grant, Incentive
from retention.incentives.operations.benefits import take_value_back, value_entries
from retention.incentives.operations.brought import REDEEMED
from retention.incentives.operations.budgets import count_in_budget
from retention.incentives.operations.by_hand import cancel_by_hand, is_carried_out
from retention.refusals import Refused


class GrantUsed(Refused):
    code = "incentives.grant_used"
    sentence = _("The customer has used it already.")


class NoSuchGrant(Refused):
    code = "incentives.no_such_grant"
    sentence = _("There is no such grant.")
    status = 404


class GrantEnded(Refused):
    code = "incentives.grant_ended"
    sentence = _("This grant has ended before.")


def give(*, grant_ids: Iterable[int], now: dt.datetime) -> int:
    """Their messages were accepted: reserved codes are given, and hours after giving begin. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH given AS (
                UPDATE incentives_code code
                SET state = 'given', given_at = %(now)s,
                    expires_at = least(code.expires_at, %(now)s::timestamptz
                        + (version.data #>> '{validity,hours_after_given}')::bigint * interval '1 hour')
                FROM audit_version version
                WHERE version.id = code.version_id AND code.state = 'reserved' AND code.grant_id = ANY(%(grants)s)
                RETURNING code.grant_id, code.expires_at
            ), dated AS (
                UPDATE incentives_grant AS g SET expires_at = given.expires_at, xid = pg_current_xact_id()
                FROM given WHERE g.id = given.grant_id AND g.expires_at IS DISTINCT FROM given.expires_at
            )
            SELECT count(*) FROM given
            """,
            {"now": now, "grants": list(grant_ids)},
        )
        return cursor.fetchone()[0]


@transaction.atomic
def take_back(*, grant_ids: Collection[int], now: dt.datetime, by: Actor, reason: str) -> int:
    """Their messages ended unsent: grants are returned, codes freed (of a pool) or voided, issue counts given back.

    A grant whose code was given or used meanwhile stays as it is. Returns how many were returned.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH freed AS (
                UPDATE incentives_code code
                SET state = CASE WHEN code.batch_id IS NULL THEN 'void' ELSE 'free' END,
                    grant_id = CASE WHEN code.batch_id IS NULL THEN code.grant_id END,
                    customer_id = CASE WHEN code.batch_id IS NULL THEN code.customer_id END
                WHERE code.state = 'reserved' AND code.grant_id = ANY(%(grants)s)
                RETURNING old.grant_id
            )
            UPDATE incentives_grant AS g
            SET state = 'returned', ended_at = %(now)s, xid = pg_current_xact_id()
            WHERE g.id = ANY(%(grants)s) AND g.state = 'active'
              AND (g.id IN (SELECT grant_id FROM freed)
                   OR NOT EXISTS (SELECT FROM incentives_code code WHERE code.grant_id = g.id))
            RETURNING g.incentive_id, g.customer_id, g.budget_id, g.granted_on, g.id
            """,
            {"grants": list(grant_ids), "now": now},
        )
        rows = cursor.fetchall()
    ended, ended_ids = [tuple(row[:4]) for row in rows], [row[4] for row in rows]
    take_value_back(ended_ids, reason=reason, now=now, by=by)
    cancel_by_hand(grant_ids=ended_ids, now=now, by=by)
    _give_back_issue_counts(ended)
    for incentive_id, count in sorted(Tally(pk for pk, *_whose in ended).items()):
        record(
            verb="incentives.take_back",
            by=by,
            now=now,
            subject=Incentive(pk=incentive_id),
            after={"grants": count, "reason": reason},
        )
    return len(ended)


@transaction.atomic
def void_grant(*, grant_id: int, now: dt.datetime, by: Actor, reason: str) -> Grant:
    """Undo a grant before its use: its code stops working, its issue count is given back.

    Raises:
        NoSuchGrant: there is none of this id.
        GrantUsed: its code was redeemed, or what it promised was carried out.
        GrantEnded: it was undone or returned before.
    """
    # The code is locked first, as redemptions do; so either they see it void or this sees it used.
    code = Code.objects.select_for_update(no_key=True).filter(grant_id=grant_id).first()
    given = Grant.objects.select_for_update(no_key=True).filter(pk=grant_id).first()
    if given is None:
        raise NoSuchGrant
    if given.state != Grant.State.ACTIVE:
        raise GrantEnded
    came_with_order = given.origin == REDEEMED
    if code is not None:
        # The code of a ticket that came with an order was never for the checkout.
        is_used = code.state == Code.State.REDEEMED and not came_with_order
        if is_used or code.uses.filter(redemption__state__in=["held", "redeemed"]).exists():
            raise GrantUsed
        Code.objects.filter(pk=code.pk).update(state=Code.State.VOID)
    if any(entry.lot.remaining < entry.amount for entry in value_entries([grant_id])):
        raise GrantUsed
    take_value_back([grant_id], reason=reason, now=now, by=by)
    given.state, given.ended_at = Grant.State.VOID, now
    given.save(update_fields=["state", "ended_at"])
    cancel_by_hand(grant_ids=[grant_id], now=now, by=by)
    # Asked last: what somebody is settling at this moment was waited for.
    if is_carried_out(grant_id):
        raise GrantUsed
    if not came_with_order:
        _give_back_issue_counts([(given.incentive_id, given.customer_id, given.budget_id, given.granted_on)])
    record(
        verb="incentives.void_grant",
        by=by,
        now=now,
        subject=given,
        customer_id=given.customer_id,
        after={"reason": reason},
    )
    return given


def _give_back_issue_counts(ended: list[tuple[int, int | None, int | None, dt.date | None]]) -> None:
    """Take (incentive, customer, budget, day) off what was issued, in the order in which grants lock these rows.

    That is: issue rows of incentives with an issue limit, customers, budgets, the other issue rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT FROM incentives_counter counter
            JOIN incentives_incentive incentive ON incentive.id = counter.incentive_id
            JOIN audit_version version ON version.id = incentive.version_id
            WHERE counter.incentive_id = ANY(%s) AND counter.scope = 'issue' AND counter.subject_id = 0
              AND counter.currency = '' AND version.data #>> '{limits,issued}' IS NOT NULL
            ORDER BY counter.incentive_id FOR NO KEY UPDATE OF counter
            """,
            [sorted({pair[0] for pair in ended})],
        )
        cursor.execute(
            """
            WITH ended AS (
                SELECT incentive_id, customer_id, count(*) AS count
                FROM unnest(%s::bigint[], %s::bigint[]) AS pair (incentive_id, customer_id)
                GROUP BY incentive_id, customer_id
            ), held AS MATERIALIZED (
                SELECT counter.id, ended.count FROM incentives_counter counter
                JOIN ended ON counter.incentive_id = ended.incentive_id AND counter.scope = 'customer'
                          AND counter.subject_id = ended.customer_id AND counter.period = ''
                          AND counter.currency = ''
                ORDER BY counter.incentive_id, counter.subject_id FOR NO KEY UPDATE OF counter
            )
            UPDATE incentives_counter counter SET issued = greatest(0, counter.issued - held.count)
            FROM held WHERE counter.id = held.id AND counter.issued > 0
            """,
            [[pair[0] for pair in ended], [pair[1] for pair in ended]],
        )
        budgets = Tally((budget_id, day) for _pk, _customer, budget_id, day in ended if budget_id is not None)
        for (budget_id, day), count in sorted(budgets.items()):
            count_in_budget(budget_id=budget_id, today=day, count=-count)
        for incentive_id, count in sorted(Tally(pair[0] for pair in ended).items()):
            cursor.execute(
                """
                UPDATE incentives_counter SET issued = issued - %s
                WHERE incentive_id = %s AND scope = 'issue' AND subject_id = 0 AND currency = ''
                """,
                [count, incentive_id],
            )
