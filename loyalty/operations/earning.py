"""The sweep of earning: what came since a programme's mark, weighed in chunks, written down, and let out by `grant`.

A chunk locks its members by their numbers, so that caps hold however many sweeps are at it; a fact that has earned in
the programme never earns again. Running it again does nothing more.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from loyalty.earning import Earned, earn
from loyalty.facts import ActivityFact, DayFact, Fact, OrderFact
from loyalty.models import Programme
from loyalty.operations.days import due_days, looked_at_days
from loyalty.operations.due import EARNING_STATES, Rules, due_facts, ids_of, in_time, rules_by_time
from loyalty.operations.earning_rows import (
    Row,
    count_earned,
    drop,
    earned_before,
    insert_earnings,
    lock_members,
    read_states,
)
from loyalty.operations.members import Who, join, open_programme
from loyalty.operations.programmes import JOB, watermark_of
from loyalty.reading import activities, orders
from loyalty.rules.pending import Moment
from retention.actors import Actor
from retention.bulk import batches
from retention.customers.models import Order
from retention.incentives import operations as incentives
from retention.incentives.facts import shop_currency
from retention.incentives.operations.grants import MOST
from retention.ledger.days import shop_zone
from retention.marks import safe_mark
from retention.work.models import Watermark

#: Facts of one transaction.
CHUNK = 2_000
ORIGIN = "loyalty.earning"


@dataclass
class Swept:
    """Facts looked at, what they earned, and why what they earned was not given."""

    due: int = 0
    granted: int = 0
    skipped: Tally[str] = field(default_factory=Tally)

    def as_dict(self) -> dict[str, Any]:
        return {"due": self.due, "granted": self.granted, "skipped": dict(self.skipped)}


def earn_due(*, now: dt.datetime, progress: Callable[[int, int], None]) -> Swept:
    """Let every live programme's members earn for what came since it looked last."""
    swept = Swept()
    for programme in live_programmes():
        _follow(programme, swept, now=now, progress=progress)
    return swept


def earn_now(*, programme_id: int, order: Order, now: dt.datetime, by: Actor) -> Swept:
    """Let one order earn without waiting for the sweep; what it earned already, or never will, changes nothing.

    Raises:
        NoSuchProgramme, NotLaunched, ProgrammeEnded
    """
    programme, swept = open_programme(programme_id), Swept()
    if order.state in EARNING_STATES and order.customer_id is not None:
        facts = [fact for fact in orders([order.pk], shop_currency()) if in_time(programme, fact.happened_at)]
        earn_for(programme=programme, rules=rules_by_time(programme), facts=facts, swept=swept, now=now, by=by)
    return swept


def count_due(*, now: dt.datetime) -> int:
    """How many facts `earn_due` would look at."""
    until = safe_mark()
    found = [(programme, rules_by_time(programme)) for programme in live_programmes()]
    return sum(
        len(due_facts(programme, rules, until)) + len(due_days(programme, rules.at(now)[1], now))
        for programme, rules in found
    )


def live_programmes() -> list[Programme]:
    return list(Programme.objects.filter(state=Programme.State.LIVE, archived_at=None).order_by("pk"))


def _follow(programme: Programme, swept: Swept, *, now: dt.datetime, progress: Callable[[int, int], None]) -> None:
    until, rules = safe_mark(), rules_by_time(programme)
    due, days = due_facts(programme, rules, until), due_days(programme, rules.at(now)[1], now)
    for done, facts in enumerate(_chunks(due, days), start=1):
        if earn_for(programme=programme, rules=rules, facts=facts, swept=swept, now=now, by=Actor.job(JOB)) is None:
            return  # Paused or ended meanwhile: the mark stays, and what is in its time is caught up.
        progress(min(done * CHUNK, len(due) + len(days)), len(due) + len(days))
    Watermark.objects.filter(key=watermark_of(programme.pk)).update(mark=until, at=now)
    looked_at_days(programme, now)


def _chunks(due: list[tuple[str, int]], days: list[DayFact]) -> Iterator[list[Fact]]:
    for chunk in batches(due, CHUNK):
        yield [*orders(ids_of("order", chunk), shop_currency()), *activities(ids_of("activity", chunk))]
    yield from batches(days, CHUNK)


@transaction.atomic
def earn_for(
    *, programme: Programme, rules: Rules, facts: Sequence[Fact], swept: Swept, now: dt.datetime, by: Actor
) -> list[Row] | None:
    """Let the members behind these facts earn, in a constant number of statements; None: it is not live any more."""
    if not _is_live(programme.pk):
        return None
    swept.due += len(facts)
    members = _members(programme, rules, facts, now, by)
    facts = [fact for fact in facts if fact.customer_id in members]
    facts = sorted(earned_before(programme.pk, facts), key=lambda fact: (fact.happened_at, fact.about, _id(fact)))
    zone = shop_zone()
    states = read_states(programme.pk, rules, facts, members, zone)
    rows = [
        _row(programme, member, fact, version, earned, rule.pending.waiting(_moment(programme, fact), zone))
        for fact in facts
        for member in [members[fact.customer_id]]
        for version, rule in [rules.at(fact.happened_at)]
        if _counts(member, rule, fact)
        for earned in earn(fact, rule, states[member.id])
    ]
    return _give(programme, insert_earnings(programme.pk, rows, now), swept, now=now, by=by)


def _is_live(programme_id: int) -> bool:
    with connection.cursor() as cursor:
        # Whoever pauses or ends it waits for this chunk.
        cursor.execute("SELECT state FROM loyalty_programme WHERE id = %s FOR SHARE", [programme_id])
        return cursor.fetchone() == (Programme.State.LIVE,)


def _members(programme: Programme, rules: Rules, facts: Sequence[Fact], now: dt.datetime, by: Actor) -> dict[int, Who]:
    """Customer → member, locked; where everyone is in it, who was not becomes one, unless she left."""
    customers = sorted({fact.customer_id for fact in facts})
    members = lock_members(programme.pk, customers)
    coming = {
        fact.customer_id
        for fact in facts
        if fact.customer_id not in members and rules.at(fact.happened_at)[1].joining == "everyone"
    }
    if coming:
        join(programme_id=programme.pk, customer_ids=sorted(coming), now=now, by=by, again=False)
        members |= lock_members(programme.pk, sorted(coming))
    return members


def _counts(member: Who, rule: Any, fact: Fact) -> bool:
    """Whether she was in it then, or came soon enough after."""
    if member.left_at is not None and fact.happened_at >= member.left_at:
        return False
    since = member.joined_at - dt.timedelta(days=rule.look_back_days)
    return rule.joining == "everyone" or fact.happened_at >= since


def _moment(programme: Programme, fact: Fact) -> Moment:
    if isinstance(fact, OrderFact):
        return Moment(fact.happened_at, fact.customer_id, programme.pk, fact.id, fact.fulfilled_at)
    return Moment(fact.happened_at, fact.customer_id, programme.pk)


def _row(programme: Programme, member: Who, fact: Fact, version: int, earned: Earned, waiting: Any) -> Row:
    terms = {
        "points": earned.amount,
        "active_at": waiting.active_at and waiting.active_at.isoformat(),
        "pending_event": waiting.event,
        "expires_at": waiting.expires_at and waiting.expires_at.isoformat(),
    }
    return Row(
        member=member,
        rule=earned.rule_key,
        version=version,
        order_id=fact.id if isinstance(fact, OrderFact) else None,
        activity_id=fact.id if isinstance(fact, ActivityFact) else None,
        about=fact.name if isinstance(fact, DayFact) else "",
        amount=earned.amount,
        counts_for_tier=earned.counts_for_tier,
        why=earned.why,
        code=earned.code,
        earned_at=fact.happened_at,
        terms={name: value for name, value in terms.items() if value},
    )


def _give(programme: Programme, rows: list[Row], swept: Swept, *, now: dt.datetime, by: Actor) -> list[Row]:
    given: list[Row] = []
    for some in batches(rows, MOST):
        granted = incentives.grant(
            incentive_id=programme.incentive_id,
            sources=[row.source for row in some],
            customer_ids=[row.member.customer_id for row in some],
            origin=ORIGIN,
            origin_ids=[row.id for row in some],
            terms=[row.terms for row in some],
            is_given=True,
            now=now,
            by=by,
        )
        swept.skipped.update(refusal.code for refusal in granted.refused.values())
        drop([row.id for row in some if row.source in granted.refused])
        given += [row for row in some if row.source not in granted.refused]
    count_earned(given)
    swept.granted += len(given)
    return given


def _id(fact: Fact) -> int | str:
    return fact.name if isinstance(fact, DayFact) else fact.id
