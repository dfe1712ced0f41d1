"""An incentive's life: written, saved, live, stopped everywhere at once, and live again."""

import datetime as dt

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.incentives.decisions import NotLive
from retention.incentives.models import Code, Counter, Incentive
from retention.incentives.operations.late_limits import count_before_rule
from retention.incentives.operations.redemptions.stripes import prepare_stripes
from retention.incentives.querysets import NoSuchIncentive
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rule_of
from retention.refusals import Refused


class CodeTaken(Refused):
    code = "incentives.code_taken"
    sentence = _("The code %(code)s is there already.")


class PublicCodeIsOut(Refused):
    code = "incentives.public_code_is_out"
    sentence = _("The code %(code)s is out and cannot be renamed. Make another incentive for another code.")


class CodeKindIsFixed(Refused):
    code = "incentives.code_kind_is_fixed"
    sentence = _("An incentive that was live keeps its kind of codes.")


class NotADraft(Refused):
    code = "incentives.not_a_draft"
    sentence = _("Only a draft can go live; this one is %(state)s.")


class NotStopped(Refused):
    code = "incentives.not_stopped"
    sentence = _("Only a stopped offer can be resumed; this one is %(state)s.")


@transaction.atomic
def create_incentive(*, rule: IncentiveRule, now: dt.datetime, by: Actor, why: str = "") -> Incentive:
    """Write a new incentive as a draft with its first version.

    Raises:
        CodeTaken: its public code is another's.
    """
    incentive = Incentive.objects.create(**_columns(rule))
    _refuse_taken_code(rule, incentive)
    incentive.version = save_version(
        of=incentive, data=rule.model_dump(mode="json"), edited=None, by=by, now=now, why=why
    )
    Incentive.objects.filter(pk=incentive.pk).update(version=incentive.version)
    Counter.objects.bulk_create(
        [
            Counter(incentive_id=incentive.pk, scope=Counter.Scope.INCENTIVE),
            Counter(incentive_id=incentive.pk, scope=Counter.Scope.ISSUE, version_id=incentive.version.pk),
        ]
    )
    prepare_stripes(incentive.pk, rule, is_stopped=False)
    record(verb="incentives.create", by=by, now=now, subject=incentive, after={"version": 1})
    return incentive


@transaction.atomic
def save_incentive(
    *, incentive_id: int, rule: IncentiveRule, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> Incentive:
    """Save the whole rule as the next version; new grants follow it at once, codes already out keep theirs.

    A later end, or more hours after being given, reaches the codes that are out: a promise may grow, not shrink.

    Raises:
        EditedMeanwhile: someone saved after version number `edited` was read.
        CodeTaken, PublicCodeIsOut, CodeKindIsFixed: the codes forbid it.
    """
    incentive = locked(incentive_id)
    before = rule_of(incentive.version_id)
    if incentive.state != Incentive.State.DRAFT:
        _refuse_other_codes(before, rule)
    _refuse_taken_code(rule, incentive)
    incentive.version = save_version(
        of=incentive, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why
    )
    Incentive.objects.filter(pk=incentive.pk).update(version=incentive.version, **_columns(rule))
    # A grant under way under the old version finds another one here at its end, and begins again.
    own_rows(incentive.pk).filter(scope=Counter.Scope.ISSUE).update(version_id=incentive.version.pk)
    prepare_stripes(incentive.pk, rule, is_stopped=incentive.state == Incentive.State.STOPPED)
    longer = _extend_codes(incentive.pk, before, rule)
    if (rule.limits, rule.uses_per_code) != (before.limits, before.uses_per_code):
        count_before_rule(incentive_id=incentive.pk, version=incentive.version, rule=rule, now=now)
    if rule.limits.issued_per_customer and not before.limits.issued_per_customer:
        _count_what_customers_were_given(incentive.pk)
    record(
        verb="incentives.save",
        by=by,
        now=now,
        subject=incentive,
        before={"version": edited},
        after={"version": incentive.version.number, "codes_extended": longer},
    )
    incentive.refresh_from_db()
    return incentive


@transaction.atomic
def go_live(*, incentive_id: int, now: dt.datetime, by: Actor) -> Incentive:
    """A draft becomes an offer: grants are given and its public code works.

    Raises:
        NotADraft: it went live before.
        CodeTaken: its public code is another's.
    """
    incentive = locked(incentive_id)
    if incentive.state != Incentive.State.DRAFT:
        raise NotADraft(state=incentive.state)
    rule = rule_of(incentive.version_id)
    if rule.codes.kind == "public":
        _refuse_taken_code(rule, incentive)
        Code.objects.create(
            code=rule.codes.text,
            incentive=incentive,
            version_id=incentive.version_id,
            is_public=True,
            state=Code.State.GIVEN,
            given_at=now,
            starts_at=rule.validity.starts_at,
            expires_at=rule.validity.ends_at,
        )
    return _change_state(incentive, Incentive.State.LIVE, verb="incentives.go_live", now=now, by=by)


@transaction.atomic
def stop(*, incentive_id: int, now: dt.datetime, by: Actor, why: str = "") -> Incentive:
    """Stop the offer everywhere: once this commits, no grant and no redemption of it commits.

    Raises:
        NotLive: there is nothing to stop.
    """
    incentive = locked(incentive_id)
    if incentive.state != Incentive.State.LIVE:
        raise NotLive
    _set_stopped(incentive_id, True)
    return _change_state(incentive, Incentive.State.STOPPED, verb="incentives.stop", now=now, by=by, why=why)


@transaction.atomic
def resume(*, incentive_id: int, now: dt.datetime, by: Actor, why: str = "") -> Incentive:
    """Let a stopped offer work again, with everything that was out before.

    Raises:
        NotStopped: it is not stopped.
    """
    incentive = locked(incentive_id)
    if incentive.state != Incentive.State.STOPPED:
        raise NotStopped(state=incentive.state)
    _set_stopped(incentive_id, False)
    return _change_state(incentive, Incentive.State.LIVE, verb="incentives.resume", now=now, by=by, why=why)


def locked(incentive_id: int) -> Incentive:
    """The incentive, locked against other edits until the transaction ends.

    Raises:
        NoSuchIncentive: there is none of this id.
    """
    incentive = Incentive.objects.select_for_update(no_key=True).filter(pk=incentive_id).first()
    if incentive is None:
        raise NoSuchIncentive
    return incentive


def _columns(rule: IncentiveRule) -> dict:
    return {
        "name": rule.name,
        "kind": rule.effects[0].kind,
        "code_kind": rule.codes.kind,
        "starts_at": rule.validity.starts_at,
        "ends_at": rule.validity.ends_at,
    }


def _change_state(
    incentive: Incentive, state: str, *, verb: str, now: dt.datetime, by: Actor, why: str = ""
) -> Incentive:
    before, incentive.state = incentive.state, state
    Incentive.objects.filter(pk=incentive.pk).update(state=state)
    after = {"state": state, "why": why} if why else {"state": state}
    record(verb=verb, by=by, now=now, subject=incentive, before={"state": before}, after=after)
    return incentive


def own_rows(incentive_id: int) -> QuerySet[Counter]:
    """The counters of the incentive itself: what was redeemed of it, in a rush by stripes, and what was issued."""
    return Counter.objects.filter(
        incentive_id=incentive_id,
        scope__in=[Counter.Scope.INCENTIVE, Counter.Scope.STRIPE, Counter.Scope.ISSUE],
        period="",
        currency="",
    )


def _set_stopped(incentive_id: int, is_stopped: bool) -> None:
    # Every redemption and every grant updates a row here as (nearly) its last act: one of the two comes first.
    # They are locked one by one in the order of checkouts and leases: the incentive's own, then its stripes.
    rows = own_rows(incentive_id).order_by("scope", "subject_id").select_for_update(no_key=True)
    own_rows(incentive_id).filter(pk__in=[row.pk for row in rows]).update(is_stopped=is_stopped)


def _refuse_taken_code(rule: IncentiveRule, incentive: Incentive) -> None:
    if rule.codes.kind == "public" and Code.objects.filter(code=rule.codes.text).exclude(incentive=incentive).exists():
        raise CodeTaken(code=rule.codes.text)


def _refuse_other_codes(before: IncentiveRule, after: IncentiveRule) -> None:
    if before.codes.kind != after.codes.kind:
        raise CodeKindIsFixed
    if before.codes.kind == "public" and before.codes.text != after.codes.text:
        raise PublicCodeIsOut(code=before.codes.text)


def _extend_codes(incentive_id: int, before: IncentiveRule, after: IncentiveRule) -> int:
    """Move the ends that the rule itself had set to the later ones of the new rule; returns how many moved."""
    if before.validity == after.validity:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH ends AS (
                SELECT code.id,
                       least(%(old_end)s::timestamptz, code.given_at + %(old_hours)s * interval '1 hour') AS was,
                       least(%(new_end)s::timestamptz, code.given_at + %(new_hours)s * interval '1 hour') AS becomes
                FROM incentives_code code
                WHERE code.incentive_id = %(incentive)s AND code.state IN ('free', 'reserved', 'given')
                  AND code.expires_at IS NOT NULL
            ), moved AS (
                UPDATE incentives_code code SET expires_at = ends.becomes FROM ends
                WHERE code.id = ends.id AND code.expires_at = ends.was
                  AND coalesce(ends.becomes, 'infinity') > ends.was
                RETURNING code.grant_id, code.expires_at
            ), granted AS (
                UPDATE incentives_grant AS given SET expires_at = moved.expires_at, xid = pg_current_xact_id()
                FROM moved WHERE given.id = moved.grant_id
            )
            SELECT count(*) FROM moved
            """,
            {
                "incentive": incentive_id,
                "old_end": before.validity.ends_at,
                "new_end": after.validity.ends_at,
                "old_hours": before.validity.hours_after_given,
                "new_hours": after.validity.hours_after_given,
            },
        )
        return cursor.fetchone()[0]


def _count_what_customers_were_given(incentive_id: int) -> None:
    """A limit for each customer begins with what she was given before; the issue row, locked by now, holds grants."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO incentives_counter
                   (incentive_id, scope, subject_id, period, currency, issued, redeemed, spent_minor, is_stopped)
            SELECT incentive_id, 'customer', customer_id, '', '', count(*), 0, 0, false
            FROM incentives_grant
            WHERE incentive_id = %s AND customer_id IS NOT NULL AND state = 'active'
              AND origin <> 'incentives.redemption'
            GROUP BY incentive_id, customer_id
            ORDER BY customer_id
            ON CONFLICT (incentive_id, scope, subject_id, period, currency) DO UPDATE SET issued = excluded.issued
            """,
            [incentive_id],
        )
