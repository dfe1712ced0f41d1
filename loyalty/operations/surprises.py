"""Surprises: written, started, stopped, and drawn once a day: a second draw of the same day draws the same members."""

import datetime as dt
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.catalogue import surprise_rule
from loyalty.models import Programme, Surprise
from loyalty.operations.claims import give_rewards
from loyalty.operations.rewards import refuse_unknown, rewards_in, shop_name
from loyalty.rules.surprises import SurpriseRule
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.bulk import batches
from retention.incentives import operations as incentives
from retention.incentives.models import Budget
from retention.ledger.days import book_day
from retention.refusals import Refused

JOB = "loyalty.surprises"
ORIGIN = "loyalty.surprise"
#: Winners given in one transaction.
_GIVEN = 1_000

#: A member's number of a day is the first 32 bits of md5("surprise:day:member"): nobody draws, so nobody draws twice.
_WINNERS = """
    SELECT m.id FROM loyalty_member m
    WHERE m.programme_id = %(programme)s AND m.left_at IS NULL
      AND ('x' || substr(md5(%(seed)s::text || m.id), 1, 8))::bit(32)::bigint * 10000 < %(chance)s::bigint << 32
      AND (%(segment)s::bigint IS NULL OR EXISTS (
          SELECT FROM segments_membership s WHERE s.segment_id = %(segment)s AND s.customer_id = m.customer_id))
      AND NOT EXISTS (
          SELECT FROM loyalty_claim c WHERE c.member_id = m.id AND c.origin = %(origin)s AND c.origin_id = %(surprise)s
          AND c.claimed_at > %(rested)s AND c.source <> %(source)s || m.id)
    ORDER BY md5(%(seed)s::text || m.id), m.id
"""


class NoSuchSurprise(Refused):
    code = "loyalty.no_such_surprise"
    sentence = _("There is no such surprise.")
    status = 404


class SurpriseState(Refused):
    code = "loyalty.surprise_state"
    sentence = _("This surprise is %(state)s.")


class NoLimit(Refused):
    code = "loyalty.no_limit"
    sentence = _("Say how many may be given at most; chance alone is no limit.")
    status = 422


@transaction.atomic
def create_surprise(*, programme_id: int, rule: SurpriseRule, now: dt.datetime, by: Actor, why: str = "") -> Surprise:
    """Write a new surprise as a draft with its first version and its budget.

    Raises:
        NameMissing, RewardNamesNobody, NoSuchReward, NoLimit
    """
    surprise = Surprise.objects.create(programme_id=programme_id, name=shop_name(rule.names))
    _write(surprise, rule, edited=None, now=now, by=by, why=why)
    record(verb="loyalty.create_surprise", by=by, now=now, subject=surprise, after={"version": 1})
    return surprise


@transaction.atomic
def save_surprise(
    *, surprise_id: int, rule: SurpriseRule, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> Surprise:
    """Save the whole rule as the next version; the next draw follows it, and its budget at once.

    Raises:
        NoSuchSurprise, NameMissing, RewardNamesNobody, NoSuchReward, NoLimit
        EditedMeanwhile: someone saved after version number `edited` was read.
    """
    surprise = _locked(surprise_id)
    _write(surprise, rule, edited=edited, now=now, by=by, why=why)
    record(
        verb="loyalty.save_surprise", by=by, now=now, subject=surprise, before={"version": edited},
        after={"version": surprise.version.number},
    )  # fmt: skip
    return surprise


@transaction.atomic
def start_surprise(*, surprise_id: int, now: dt.datetime, by: Actor) -> Surprise:
    """It is drawn from the next draw on.

    Raises:
        NoSuchSurprise
        SurpriseState: it is live already.
    """
    surprise = _locked(surprise_id)
    if surprise.state == Surprise.State.LIVE:
        raise SurpriseState(state=surprise.get_state_display())
    return _become(surprise, Surprise.State.LIVE, "loyalty.start_surprise", now=now, by=by)


@transaction.atomic
def stop_surprise(*, surprise_id: int, now: dt.datetime, by: Actor) -> Surprise:
    """It is drawn no more.

    Raises:
        NoSuchSurprise
        SurpriseState: it is not live.
    """
    surprise = _locked(surprise_id)
    if surprise.state != Surprise.State.LIVE:
        raise SurpriseState(state=surprise.get_state_display())
    return _become(surprise, Surprise.State.STOPPED, "loyalty.stop_surprise", now=now, by=by)


def draw_surprises(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Draw each live surprise for the shop's day, whose draws it makes once; what was half drawn is completed."""
    day, given = book_day(now), 0
    skipped: Tally[str] = Tally()
    due = list(_due(day))
    for done, surprise in enumerate(due, start=1):
        for members in batches(winners(surprise, now=now), _GIVEN):
            got = give_rewards(
                reward_id=surprise_rule(surprise.version_id).reward_id, member_ids=members,
                sources=[f"{_source(surprise, day)}{pk}" for pk in members], origin=ORIGIN,
                origin_ids=[surprise.pk] * len(members), budget_id=surprise.budget_id, now=now, by=Actor.job(JOB),
            )  # fmt: skip
            given += len(got.claims)
            skipped.update(why.code for why in got.refused.values())
        Surprise.objects.filter(pk=surprise.pk).update(drawn_on=day)
        if progress:
            progress(done, len(due))
    return {"due": given + sum(skipped.values()), "granted": given, "skipped": dict(skipped)}


def due_surprises(*, now: dt.datetime) -> int:
    """How many members would win today, before budgets and stock."""
    return sum(len(winners(surprise, now=now)) for surprise in _due(book_day(now)))


def winners(surprise: Surprise, *, now: dt.datetime) -> list[int]:
    """The members who win on the shop's day of `now`, in the order in which they are given to."""
    rule, day = surprise_rule(surprise.version_id), book_day(now)
    with connection.cursor() as cursor:
        cursor.execute(
            _WINNERS,
            {
                "programme": surprise.programme_id, "seed": f"{surprise.public_id}:{day}:", "chance": rule.chance,
                "segment": rule.segment_id, "origin": ORIGIN, "surprise": surprise.pk,
                "rested": now - dt.timedelta(days=rule.rest_days), "source": _source(surprise, day),
            },
        )  # fmt: skip
        return [pk for (pk,) in cursor.fetchall()]


def _due(day: dt.date) -> Iterator[Surprise]:
    live = Surprise.objects.filter(state=Surprise.State.LIVE, programme__state=Programme.State.LIVE).order_by("pk")
    for surprise in live:
        is_new = surprise.drawn_on is None or surprise.drawn_on < day
        if is_new and surprise_rule(surprise.version_id).is_on(day):
            yield surprise


def _source(surprise: Surprise, day: dt.date) -> str:
    return f"surprise:{surprise.pk}:{day}:"


def _locked(surprise_id: int) -> Surprise:
    rows = Surprise.objects.select_for_update(no_key=True, of=("self",)).select_related("programme", "version")
    surprise = rows.filter(pk=surprise_id, archived_at=None).first()
    if surprise is None:
        raise NoSuchSurprise
    return surprise


def _write(
    surprise: Surprise, rule: SurpriseRule, *, edited: int | None, now: dt.datetime, by: Actor, why: str
) -> None:
    refuse_unknown(surprise.programme, segment_id=rule.segment_id)
    rewards_in(surprise.programme_id, [rule.reward_id])
    if not any(limit.issued for limit in rule.limits.limits):
        raise NoLimit
    name = shop_name(rule.names)
    surprise.version = save_version(
        of=surprise, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why
    )
    kept = Budget.objects.select_related("version").filter(pk=surprise.budget_id).first()
    budget = incentives.save_budget(
        origin=ORIGIN, origin_id=surprise.pk, name=name, limits=rule.limits,
        edited=kept.version.number if kept else None, now=now, by=by,
    )  # fmt: skip
    surprise.budget_id, surprise.name = budget.pk, name
    Surprise.objects.filter(pk=surprise.pk).update(version=surprise.version, budget_id=budget.pk, name=name)


def _become(surprise: Surprise, state: str, verb: str, *, now: dt.datetime, by: Actor) -> Surprise:
    before, surprise.state = surprise.state, state
    Surprise.objects.filter(pk=surprise.pk).update(state=state)
    record(verb=verb, by=by, now=now, subject=surprise, before={"state": before}, after={"state": state})
    return surprise
