"""Tiers: kept as the rules have them, reached as soon as it takes, and kept or lost when their time is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Min

from loyalty.counted import Asked, counted, out_of_place, with_facts_in, with_late_news, with_news
from loyalty.ladders import Ladder, ladder_of
from loyalty.models import Member, Programme, Tier, TierChange
from loyalty.operations.moving import CHUNK, Move, Moved, Place, locked, move
from loyalty.rules import ProgrammeRule
from loyalty.rules.tiers import CalendarYear, Standing, local_day, look, look_at_end
from retention import texts
from retention.actors import Actor
from retention.bulk import batches, chunks
from retention.incentives import operations as incentives
from retention.incentives.models import ShopperTier
from retention.marks import safe_mark
from retention.shop.models import Shop
from retention.work.models import Watermark

Progress = Callable[[int, int], None]
#: Numbers of members that one statement looks through.
RANGE = 50_000
RUNNING = (Programme.State.LIVE, Programme.State.PAUSED)
#: Ways to a tier that returns cannot undo.
BY_HAND = (TierChange.Why.INVITED, TierChange.Why.STAFF)


@dataclass(frozen=True, slots=True)
class Term:
    """A tier's time that is over: since when it counted what was done to keep it, and the end of the next."""

    since: dt.datetime | None
    next_end: dt.datetime | None


def running_ladders() -> Iterator[Ladder]:
    """Of every programme that runs or rests and has, or had, tiers."""
    for programme in Programme.objects.filter(state__in=RUNNING, archived_at=None).order_by("pk"):
        ladder = ladder_of(programme)
        if ladder.rows or ladder.gone:
            yield ladder


@transaction.atomic
def sync_tiers(*, programme: Programme, rule: ProgrammeRule, now: dt.datetime) -> None:
    """Keep the rows of tiers as the rules have them; everybody is looked at again by them at the next sweep.

    Nobody loses a tier by new rules: members of one that is gone go to the nearest below it, and others keep theirs
    until its time is over. Where it takes less from now on, they rise at once.
    """
    shop = Shop.objects.first()
    language = shop.default_language if shop else "en"
    for step in rule.tiers.steps:
        for names in (step.names, *(perk.names for perk in step.perks)):
            texts.check_texts(names, language)
    # Ranks are unique among those that are there: all go, and come back in their new order.
    Tier.objects.filter(programme=programme, archived_at=None).update(archived_at=now)
    for rank, step in enumerate(rule.tiers.steps, 1):
        Tier.objects.update_or_create(
            programme=programme, key=step.key,
            defaults={"name": step.names[language], "rank": rank, "threshold": step.threshold, "archived_at": None},
        )  # fmt: skip
    Watermark.objects.filter(key__in=[watermark_of(programme.pk), sliding_watermark_of(programme.pk)]).delete()


def watermark_of(programme_id: int) -> str:
    """Up to where the facts were read for the tiers of a programme."""
    return f"loyalty.tiers:{programme_id}"


def sliding_watermark_of(programme_id: int) -> str:
    """Up to where entries were read for expiry by inactivity."""
    return f"loyalty.sliding:{programme_id}"


def retier(*, now: dt.datetime, by: Actor, progress: Progress) -> Moved:
    """Look at members with new facts, and at those of whose facts some count no longer: who reaches a tier has it.

    In chunks, each a transaction; the mark moves when all are done, so it may stop anywhere and run again, and two at
    once do nothing twice.
    """
    done, before = Moved(), 0
    for ladder in running_ladders():
        key = watermark_of(ladder.programme.pk)
        mark, safe = Watermark.objects.filter(key=key).first(), safe_mark()
        _count_late(ladder, mark, done, now=now, by=by)
        upto = 0
        for some, seen, upto in _to_look_at(ladder, mark, now):
            if some:
                with transaction.atomic():
                    done.add(_look_at(ladder, some, now=now, by=by))
            progress(before + seen, before + upto)
        before += upto
        Watermark.objects.update_or_create(key=key, defaults={"mark": safe, "at": now})
    ended = Programme.objects.filter(state=Programme.State.ENDED).values("key")
    for programme in ShopperTier.objects.filter(programme__in=ended).values_list("programme", flat=True).distinct():
        incentives.drop_tiers(programme=programme)
    progress(before, before)
    return done


def _count_late(ladder: Ladder, mark: Watermark | None, done: Moved, *, now: dt.datetime, by: Actor) -> None:
    """Whom facts of last year, told only in this one, take to a tier then: it is hers as long as it would have been."""
    opened = ladder.since(now)
    if mark is None or mark.mark is None or opened is None or not isinstance(ladder.rules.window, CalendarYear):
        return
    last = local_day(opened, ladder.zone) - dt.timedelta(days=1)
    since = ladder.rules.counts_from(last, ladder.zone)
    assert since is not None
    late = with_late_news(ladder.measure, programme_id=ladder.programme.pk, mark=mark.mark, since=since, until=opened)
    for some in batches(late, CHUNK):
        with transaction.atomic():
            members = [one for one in locked(some) if one.left_at is None]
            asked = [Asked(one.pk, one.customer_id, since, opened) for one in members]
            sums = counted(ladder.measure, asked)
            found = (_late(ladder, one, sums[one.pk], last, now) for one in members)
            done.add(move(ladder, [one for one in found if one is not None], now=now, by=by))


def _late(ladder: Ladder, member: Place, counts: int, last: dt.date, now: dt.datetime) -> Move | None:
    rank = ladder.rules.reached(counts)
    until = ladder.until(rank, last)
    if rank <= ladder.rank(member) or until is not None and until <= now:
        return None
    return Move(member, ladder.rows[rank], TierChange.Why.REACHED, counts, until, is_up=True)


def _to_look_at(ladder: Ladder, mark: Watermark | None, now: dt.datetime) -> Iterator[tuple[list[int], int, int]]:
    """Members to be looked at, and how many of how many were passed with them: of everybody, by their numbers."""
    programme_id, measure = ladder.programme.pk, ladder.measure
    if mark is None or mark.mark is None or mark.at is None:
        yield from _among_all(ladder, now)
        return
    found = with_news(measure, programme_id=programme_id, mark=mark.mark)
    before, since = ladder.since(mark.at), ladder.since(now)
    if before is not None and since is not None and before < since:
        aged = with_facts_in(measure, programme_id=programme_id, since=before, until=since)
        found = sorted({*found, *aged})
    for n, some in enumerate(batches(found, CHUNK)):
        yield some, n * CHUNK + len(some), len(found)


def _among_all(ladder: Ladder, now: dt.datetime) -> Iterator[tuple[list[int], int, int]]:
    """Whoever is not where the rules have her, found by range of numbers."""
    ends = Member.objects.filter(programme_id=ladder.programme.pk).aggregate(low=Min("pk"), high=Max("pk"))
    if ends["low"] is None:
        return
    first, upto = ends["low"], ends["high"] - ends["low"] + 1
    for low, high in chunks(first, ends["high"], RANGE):
        seen = min(high - first, upto)
        for some in batches(out_of_place(ladder, low=low, high=high, now=now), CHUNK):
            yield some, seen, upto
        yield [], seen, upto


def count_to_look_at() -> int:
    """How many members `retier` would look at for their new facts."""
    found = 0
    for ladder in running_ladders():
        mark = Watermark.objects.filter(key=watermark_of(ladder.programme.pk)).values_list("mark", flat=True).first()
        found += len(with_news(ladder.measure, programme_id=ladder.programme.pk, mark=mark or 0))
    return found


def _look_at(ladder: Ladder, ids: Sequence[int], *, now: dt.datetime, by: Actor) -> Moved:
    members, since = locked(ids), ladder.since(now)
    sums = counted(ladder.measure, [Asked(one.pk, one.customer_id, since) for one in members])
    left = _since_rising(ladder, members, sums, now)
    ends = ladder.until(1, local_day(now, ladder.zone))
    found = (_next(ladder, one, sums[one.pk], left.get(one.pk), ends) for one in members)
    done = move(ladder, [one for one in found if one is not None], now=now, by=by)
    done.looked_at = len(members)
    return done


def _next(ladder: Ladder, member: Place, counts: int, left: Standing | None, ends: dt.datetime | None) -> Move | None:
    """Where a member who was looked at goes; None: nothing about her changes. `ends`: of a tier that begins today."""
    if member.left_at is not None:
        return Move(member, None, TierChange.Why.LEFT, counts, None) if member.tier_id else None
    before = ladder.rank(member)
    rank, why = look(ladder.rules, left or Standing(before, counts))
    if ladder.has_gone(member) and why != "reached":
        why = "rules"
    until = member.tier_until
    if why == "reached" or until is None or not rank:
        # Of those who stay, the rules had no end until they were changed.
        until = ends if rank else None
    elif ladder.rules.downgrade == "none":
        until = None
    if not why and (counts, until) == (member.qualifying, member.tier_until):
        return None
    return Move(member, ladder.rows.get(rank), why, counts, until, is_up=why == "reached")


def _since_rising(
    ladder: Ladder, members: Sequence[Place], sums: dict[int, int], now: dt.datetime
) -> dict[int, Standing]:
    """Where returns lower: of those who came to their tier by what counted, what is left of it."""
    if ladder.rules.returned != "lower":
        return {}
    suspects = [one for one in members if one.left_at is None and ladder.rules.reached(sums[one.pk]) < ladder.rank(one)]
    changes = TierChange.objects.filter(member__in=[one.pk for one in suspects]).order_by("member", "-pk")
    by_hand = {pk for pk, why in changes.distinct("member").values_list("member", "why") if why in BY_HAND}
    rises = changes.filter(why=TierChange.Why.REACHED).distinct("member").values_list("member", "changed_at")
    risen_at = {pk: at for pk, at in rises if pk not in by_hand}
    earned = [one for one in suspects if one.pk in risen_at]
    asked = [Asked(one.pk, one.customer_id, ladder.since(risen_at[one.pk])) for one in earned]
    left = counted(ladder.measure, asked) if asked else {}
    return {one.pk: Standing(ladder.rank(one), sums[one.pk], True, left[one.pk]) for one in earned}


def keep_tiers(*, now: dt.datetime, by: Actor, progress: Progress) -> Moved:
    """Look at members whose tier's time and grace are over: who did enough keeps it for another time, others fall.

    Each look moves her end on, so it may stop anywhere and run again; who missed several ends has them one by one.
    """
    # Who missed several ends is looked at more than once.
    done, total = Moved(), count_ending(now=now)
    for ladder in running_ladders():
        while ids := _ending(ladder, now):
            with transaction.atomic():
                done.add(_look_at_end(ladder, ids, now=now, by=by))
            progress(done.looked_at, max(total, done.looked_at))
    progress(done.looked_at, done.looked_at)
    return done


def count_ending(*, now: dt.datetime) -> int:
    """How many members `keep_tiers` would look at."""
    running = Programme.objects.filter(state__in=RUNNING, archived_at=None)
    return Member.objects.filter(programme__in=running, tier_until__lte=now).count()


def _ending(ladder: Ladder, now: dt.datetime) -> list[int]:
    due = Member.objects.filter(programme=ladder.programme, tier_until__lte=now)
    return list(due.order_by("tier_until", "pk").values_list("pk", flat=True)[:CHUNK])


def _look_at_end(ladder: Ladder, ids: Sequence[int], *, now: dt.datetime, by: Actor) -> Moved:
    members = [one for one in locked(ids) if one.tier_until is not None and one.tier_until <= now]
    terms = {until: _term(ladder, until) for until in {one.tier_until for one in members} if until}
    asked = [
        Asked(one.pk, one.customer_id, terms[one.tier_until].since, one.tier_until) for one in members if one.tier_until
    ]
    sums = counted(ladder.measure, asked)
    ends = ladder.until(1, local_day(now, ladder.zone))
    done = move(ladder, [_at_end(ladder, one, sums[one.pk], terms, ends) for one in members], now=now, by=by)
    done.looked_at = len(members)
    return done


def _term(ladder: Ladder, until: dt.datetime) -> Term:
    rules, last = ladder.rules, ladder.rules.last_day_of(until, ladder.zone)
    return Term(rules.counts_from(last, ladder.zone), rules.looked_at(rules.next_last_day(last), ladder.zone))


def _at_end(
    ladder: Ladder, member: Place, counts: int, terms: Mapping[dt.datetime, Term], ends: dt.datetime | None
) -> Move:
    if member.left_at is not None:
        return Move(member, None, TierChange.Why.LEFT, counts, None)
    rank, why = look_at_end(ladder.rules, ladder.rank(member), counts)
    if ladder.has_gone(member):
        why = why or TierChange.Why.RULES
    if why or member.tier_until is None:
        until = ends
    else:
        until = terms[member.tier_until].next_end
    return Move(member, ladder.rows.get(rank), why, counts, until if rank else None, is_up=why == "reached")
