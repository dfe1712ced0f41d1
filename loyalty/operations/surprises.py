"""Surprises: written, started, stopped, and drawn once a day or once an order: a second draw draws the same."""

import datetime as dt
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from loyalty.catalogue import surprise_rule
from loyalty.models import Programme, Surprise
from loyalty.operations.claims import give_rewards
from loyalty.operations.rewards import refuse_unknown, rewards_in, shop_name, start_drafts
from loyalty.rules.surprises import SurpriseRule
from retention import clock
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.bulk import batches
from retention.incentives import operations as incentives
from retention.incentives.models import Budget
from retention.ledger.days import book_day, shop_zone
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.work.models import Watermark

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


#: The same for a paid order, by md5("surprise:order:number"): however often it is seen, it wins or it does not.
_LUCKY_ORDERS = """
    SELECT o.id, m.id, o.at FROM (
        SELECT id, customer_id, coalesce(paid_at, placed_at) AS at FROM customers_order
        WHERE xid >= %(since)s::text::xid8 AND xid < %(until)s::text::xid8
          AND state IN ('paid', 'fulfilled', 'partially_returned')
    ) o
    JOIN loyalty_member m ON m.customer_id = o.customer_id AND m.programme_id = %(programme)s AND m.left_at IS NULL
    WHERE o.at >= %(started)s
      AND ('x' || substr(md5(%(seed)s::text || o.id), 1, 8))::bit(32)::bigint * 10000 < %(chance)s::bigint << 32
      AND (%(segment)s::bigint IS NULL OR EXISTS (
          SELECT FROM segments_membership s WHERE s.segment_id = %(segment)s AND s.customer_id = m.customer_id))
      AND NOT EXISTS (
          SELECT FROM loyalty_claim c WHERE c.member_id = m.id AND c.origin = %(origin)s AND c.origin_id = %(surprise)s
          AND (c.source = %(source)s || o.id OR c.claimed_at > o.at - %(rest)s))
    ORDER BY o.at, o.id
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
    """It is drawn from the next draw on; of orders, those that are paid from now on.

    A draft of its reward goes live with it.

    Raises:
        NoSuchSurprise
        SurpriseState: it is live already.
    """
    surprise = _locked(surprise_id)
    if surprise.state == Surprise.State.LIVE:
        raise SurpriseState(state=surprise.get_state_display())
    start_drafts([surprise_rule(surprise.version_id).reward_id], now=now, by=by)
    surprise.started_at = now
    Watermark.objects.update_or_create(key=_watermark(surprise), defaults={"mark": safe_mark(), "at": now})
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
    day, drawn = book_day(now), _Drawn()
    due = list(_due(day))
    for done, surprise in enumerate(due, start=1):
        _give(surprise, [(pk, f"{_source(surprise, day)}{pk}") for pk in winners(surprise, now=now)], drawn, now)
        Surprise.objects.filter(pk=surprise.pk).update(drawn_on=day)
        if progress:
            progress(done, len(due))
    return drawn.as_dict()


def draw_orders(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Draw the orders that came or changed since the last look; one that was drawn before is drawn the same."""
    until, drawn = safe_mark(), _Drawn()
    due = list(_by_order())
    for done, surprise in enumerate(due, start=1):
        _give(surprise, _lucky_orders(surprise, until), drawn, now)
        Watermark.objects.update_or_create(key=_watermark(surprise), defaults={"mark": until, "at": now})
        if progress:
            progress(done, len(due))
    return drawn.as_dict()


def due_orders() -> int:
    """How many orders would win now, before budgets and stock."""
    until = safe_mark()
    return sum(len(_lucky_orders(surprise, until)) for surprise in _by_order())


@dataclass
class _Drawn:
    given: int = 0
    skipped: Tally[str] = field(default_factory=Tally)

    def as_dict(self) -> dict[str, Any]:
        due = self.given + sum(self.skipped.values())
        return {"due": due, "granted": self.given, "skipped": dict(self.skipped)}


def _give(surprise: Surprise, won: Sequence[tuple[int, str]], drawn: _Drawn, now: dt.datetime) -> None:
    """Give to the members who won, each by the source of her luck."""
    for some in batches(won, _GIVEN):
        got = give_rewards(
            reward_id=surprise_rule(surprise.version_id).reward_id, member_ids=[pk for pk, _source in some],
            sources=[source for _pk, source in some], origin=ORIGIN, origin_ids=[surprise.pk] * len(some),
            budget_id=surprise.budget_id, now=now, by=Actor.job(JOB),
        )  # fmt: skip
        drawn.given += len(got.claims)
        drawn.skipped.update(why.code for why in got.refused.values())


def _by_order() -> Iterator[Surprise]:
    for surprise in _live():
        if surprise_rule(surprise.version_id).drawn == "order":
            yield surprise


def _lucky_orders(surprise: Surprise, until: int) -> list[tuple[int, str]]:
    """(member, source) of the orders that win, in the order in which they were paid."""
    rule = surprise_rule(surprise.version_id)
    mark = Watermark.objects.filter(key=_watermark(surprise)).values_list("mark", flat=True).first()
    source, zone = f"surprise:{surprise.pk}:order:", clock.zone(shop_zone())
    params: dict[str, Any] = {
        "since": mark or 0, "until": until, "programme": surprise.programme_id, "chance": rule.chance,
        "seed": f"{surprise.public_id}:order:", "started": surprise.started_at, "segment": rule.segment_id,
        "origin": ORIGIN, "surprise": surprise.pk, "rest": dt.timedelta(days=rule.rest_days), "source": source,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LUCKY_ORDERS, params)
        found = [row for row in cursor.fetchall() if rule.is_on(row[2].astimezone(zone).date())]
    # Of orders of one member that come at once, those between which she rested.
    last: dict[int, dt.datetime] = {}
    won = []
    for order, member, at in found:
        if member not in last or at - last[member] >= params["rest"]:
            last[member] = at
            won.append((member, f"{source}{order}"))
    return won


def _watermark(surprise: Surprise) -> str:
    return f"loyalty.surprise:{surprise.pk}"


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
    for surprise in _live():
        rule, is_new = surprise_rule(surprise.version_id), surprise.drawn_on is None or surprise.drawn_on < day
        if is_new and rule.drawn == "day" and rule.is_on(day):
            yield surprise


def _live() -> QuerySet[Surprise]:
    return Surprise.objects.filter(state=Surprise.State.LIVE, programme__state=Programme.State.LIVE).order_by("pk")


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
    if surprise.state == Surprise.State.LIVE:
        start_drafts([rule.reward_id], now=now, by=by)
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
    Surprise.objects.filter(pk=surprise.pk).update(state=state, started_at=surprise.started_at)
    record(verb=verb, by=by, now=now, subject=surprise, before={"state": before}, after={"state": state})
    return surprise
