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

from django.db import transaction

from loyalty.earning import Earned, earn
from loyalty.facts import ActivityFact, DayFact, Fact, OrderFact
from loyalty.models import Programme
from loyalty.operations.days import due_days, looked_at_days
from loyalty.operations.due import Rules, due_facts, ids_of, rules_by_time
from loyalty.operations.earning_rows import (
    Locked,
    Row,
    count_earned,
    drop,
    insert_earnings,
    lock_members,
    read_states,
)
from loyalty.operations.members import Who, join
from loyalty.operations.programmes import JOB, watermark_of
from loyalty.reading import activities, orders
from loyalty.rules.pending import Moment
from retention.actors import Actor
from retention.bulk import batches
from retention.incentives import operations as incentives
from retention.incentives.facts import shop_currency
from retention.incentives.operations.grants import MOST
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
    found = _locked(programme, rules, facts, now, by)
    if found is None:
        return None
    swept.due += len(facts)
    members, zone = found.members, rules.zone
    facts = [fact for fact in facts if fact.customer_id in members and not found.has_earned(fact)]
    facts = sorted(facts, key=lambda fact: (fact.happened_at, fact.about, _id(fact)))
    states = read_states(programme.pk, rules, facts, members)
    rows = [
        _row(programme, member, fact, version, earned, rule.pending.waiting(_moment(programme, fact), zone))
        for fact in facts
        for member in [members[fact.customer_id]]
        for version, rule in [rules.at(fact.happened_at)]
        if _counts(member, rule, fact)
        for earned in earn(fact, rule, states[member.id])
    ]
    return _give(programme, insert_earnings(programme.pk, rows, now), swept, now=now, by=by)


def _locked(programme: Programme, rules: Rules, facts: Sequence[Fact], now: dt.datetime, by: Actor) -> Locked | None:
    """Members, locked; where everyone is in it, who was not becomes one, unless she left. None: it is not live."""
    found = lock_members(programme.pk, facts)
    if found is None:
        return None
    coming = {
        fact.customer_id
        for fact in facts
        if fact.customer_id not in found.members and rules.at(fact.happened_at)[1].joining == "everyone"
    }
    if not coming:
        return found
    join(programme_id=programme.pk, customer_ids=sorted(coming), now=now, by=by, again=False)
    return lock_members(programme.pk, facts)


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
