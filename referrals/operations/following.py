"""The sweeps that move referrals on: each reads what came since its mark or is due, and doing it again does nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from referrals.models import Referral
from referrals.operations.checks import check, to_pending, to_review, verdicts_of, with_welcome
from referrals.operations.claiming import insert
from referrals.operations.commissions import take_back_commission
from referrals.operations.moving import Move, lock, move
from referrals.operations.rewarding import reverse, reward
from referrals.reasons import CameBack, DeadlinePassed, NotInTime
from referrals.rules import SchemeRule
from referrals.scenarios import Met, met
from referrals.versions import rules_of
from retention.actors import Actor
from retention.bulk import batches
from retention.marks import safe_mark
from retention.work.models import Watermark

State = Referral.State
JOB = "referrals.follow"
BY = Actor.job(JOB)
CHUNK = 500
_REVERSIBLE = (State.HOLD, State.REVIEW, State.APPROVED, State.REWARDED)
Progress = Callable[[int, int], None]

# Of a visitor who became known after she followed links: the first or the last of them, as each scheme says.
_CLAIMS = """
SELECT DISTINCT ON (friend.id, scheme.id) friend.id, scheme.id, scheme.version_id, visit.advocate_id, visit.id,
       visit.visited_at
FROM customers_knownvisitor fresh
JOIN customers_customer joined ON joined.id = fresh.customer_id
JOIN customers_customer friend ON friend.id = coalesce(joined.merged_into_id, joined.id) AND friend.erased_at IS NULL
JOIN customers_knownvisitor known ON known.customer_id = fresh.customer_id AND known.visitor_key IS NOT NULL
JOIN referrals_visit visit ON visit.visitor_key = known.visitor_key AND visit.visited_at <= known.joined_at
JOIN referrals_advocate advocate ON advocate.id = visit.advocate_id AND advocate.blocked_at IS NULL
 AND advocate.customer_id IS DISTINCT FROM friend.id
JOIN referrals_scheme scheme ON scheme.id = advocate.scheme_id AND scheme.state = 'live'
JOIN audit_version version ON version.id = scheme.version_id
WHERE fresh.xid >= %(since)s::text::xid8 AND fresh.xid < %(until)s::text::xid8
  AND visit.visited_at > fresh.joined_at - (version.data ->> 'link_days')::int * interval '1 day'
  AND NOT EXISTS (SELECT FROM referrals_referral before
                  WHERE before.friend_id = friend.id AND before.scheme_id = scheme.id)
ORDER BY friend.id, scheme.id,
         CASE WHEN version.data ->> 'attribution' = 'last' THEN -extract(epoch FROM visit.visited_at)
              ELSE extract(epoch FROM visit.visited_at) END,
         CASE WHEN version.data ->> 'attribution' = 'last' THEN -visit.id ELSE visit.id END
LIMIT %(most)s
"""
_MAY_QUALIFY = """
SELECT id FROM referrals_referral
WHERE state = 'pending' AND (due_at <= %(now)s OR xid >= %(since)s::text::xid8 AND xid < %(until)s::text::xid8)
UNION
SELECT referral.id FROM customers_order bought
JOIN referrals_referral referral ON referral.friend_id = bought.customer_id AND referral.state = 'pending'
WHERE bought.xid >= %(since)s::text::xid8 AND bought.xid < %(until)s::text::xid8
UNION
SELECT referral.id FROM customers_activity activity
JOIN referrals_referral referral ON referral.friend_id = activity.customer_id AND referral.state = 'pending'
WHERE activity.xid >= %(since)s::text::xid8 AND activity.xid < %(until)s::text::xid8
ORDER BY 1
"""
_MAY_REVERSE = """
SELECT DISTINCT referral.id FROM customers_order bought
JOIN referrals_referral referral ON referral.friend_id = bought.customer_id
 AND referral.qualified_at IS NOT NULL AND referral.state IN ('hold', 'review', 'approved', 'rewarded')
WHERE bought.xid >= %(since)s::text::xid8 AND bought.xid < %(until)s::text::xid8
  AND bought.state IN ('cancelled', 'returned', 'partially_returned')
ORDER BY 1
"""
_APPROVED = """
SELECT DISTINCT ON (advocate_id) id FROM referrals_referral
WHERE state = 'approved' AND due_at <= %s AND NOT id = ANY(%s::bigint[]) ORDER BY advocate_id, id
"""


def claim_due(*, now: dt.datetime, progress: Progress) -> int:
    """Claim friends whose visits turned out to be theirs, and check whatever is claimed; how many were claimed."""
    done = 0
    with _since("claims", now) as window:
        while found := _claims(window, CHUNK):
            with transaction.atomic():
                done += len(insert(found, now=now, by=BY))
            progress(done, done)
            if len(found) < CHUNK:
                break
    for chunk in batches(_ids(state=State.CLAIMED), CHUNK):
        check(chunk, now=now, by=BY)
        progress(done, done)
    return done


def qualify_due(*, now: dt.datetime, progress: Progress) -> int:
    """Friends who did it: on to the hold; those whose time is over lapse. How many were moved."""
    with _since("qualifying", now) as window:
        return _in_chunks(_fetch(_MAY_QUALIFY, {**window, "now": now}), _qualify, now, progress)


def decide_due(*, now: dt.datetime, progress: Progress) -> int:
    """Holds that are over and reviews whose deadline has passed; how many were moved."""
    due = _ids(state__in=[State.HOLD, State.REVIEW], due_at__lte=now)
    return _in_chunks(due, _decide, now, progress)


def claw_back_due(*, now: dt.datetime, progress: Progress) -> int:
    """Referrals whose order came back, before the reward or after it; how many were reversed, or are pending again."""
    with _since("returns", now) as window:
        return _in_chunks(_fetch(_MAY_REVERSE, window), _reverse, now, progress)


def reward_due(*, now: dt.datetime, progress: Progress) -> int:
    """Reward what is approved, each advocate's friends in their order; how many were moved."""
    done, tried = 0, []
    while found := _fetch(_APPROVED, [now, tried]):
        for chunk in batches(found, CHUNK):
            done += reward(chunk, now=now, by=BY)
            progress(done, done)
        tried += found
    return done


def count_due(*, now: dt.datetime) -> dict[str, int]:
    """How many referrals each sweep would look at now."""
    found = {}
    for key, sql in (("claims", ""), ("qualifying", _MAY_QUALIFY), ("returns", _MAY_REVERSE)):
        window = {"since": _mark(key), "until": safe_mark()}
        found[key] = len(_fetch(sql, {**window, "now": now})) if sql else len(_claims(window, CHUNK))
    found["checks"] = len(_ids(state=State.CLAIMED))
    found["decisions"] = len(_ids(state__in=[State.HOLD, State.REVIEW], due_at__lte=now))
    found["rewards"] = len(_ids(state=State.APPROVED, due_at__lte=now))
    return found


def _claims(window: dict[str, int], most: int) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS, {**window, "most": most})
        return [
            {
                "friend_id": friend, "scheme_id": scheme, "version_id": version, "advocate_id": advocate,
                "visit_id": visit, "since_at": at, "source": f"visit:{visit}:{friend}",
            }
            for friend, scheme, version, advocate, visit, at in cursor.fetchall()
        ]  # fmt: skip


def _qualify(ids: Sequence[int], now: dt.datetime) -> int:
    held = [each for each in lock(ids) if each.state == State.PENDING]
    rules, done = rules_of(each.version_id for each in held), _met(held)
    moves = []
    for each in held:
        rule = rules[each.version_id]
        if (found := done.get(each.pk)) is not None:
            moves.append(_hold(each, found, rule.hold_days))
        elif each.due_at is not None and each.due_at <= now:
            moves.append(Move(each.pk, each.state, State.LAPSED, [NotInTime(days=rule.within_days).as_refusal()]))
    return len(move(moves, now=now, by=BY))


def _decide(ids: Sequence[int], now: dt.datetime) -> int:
    held = lock(ids, skipping=True)
    due = [each for each in held if each.due_at is not None and each.due_at <= now]
    over = [each for each in due if each.state == State.HOLD]
    late = [each for each in due if each.state == State.REVIEW]
    moves = [*_after_hold(over, now), *_at_deadline(late)]
    return len(move(with_welcome(due, moves, now=now, by=BY), now=now, by=BY))


def _after_hold(held: Sequence[Referral], now: dt.datetime) -> Iterator[Move]:
    """What was paid since the claim may show more than the checks saw then."""
    rules, verdicts, done = rules_of(each.version_id for each in held), verdicts_of(held), _met(held)
    for each in held:
        rule, verdict = rules[each.version_id], verdicts[each.pk]
        stands = done.get(each.pk)
        if stands is None:
            yield _came_back(each, rule, now)
        elif stands.order_id != each.order_id:
            yield _hold(each, stands, rule.hold_days)
        elif verdict.is_hard and verdict.score > each.cleared_score:
            yield Move(each.pk, each.state, State.REJECTED, verdict.reasons, score=verdict.score)
        elif verdict.score >= rule.review_from and verdict.score > each.cleared_score:
            yield to_review(each, verdict, rule, now)
        else:
            yield Move(each.pk, each.state, State.APPROVED, verdict.reasons, due_at=now, score=verdict.score)


def _at_deadline(held: Sequence[Referral]) -> Iterator[Move]:
    rules = rules_of(each.version_id for each in held)
    for each in held:
        rule = rules[each.version_id]
        passed = DeadlinePassed(days=rule.review_days).as_refusal()
        if rule.at_deadline == "approve":
            yield approved(each, [passed])
        elif rule.at_deadline == "reject":
            yield Move(each.pk, each.state, State.REJECTED, [passed])


def approved(referral: Referral, reasons: Sequence[Any], staff: int | None = None) -> Move:
    """Out of the review: on to the reward, or first to what the friend has not done yet."""
    rule = rules_of([referral.version_id])[referral.version_id]
    onward = (
        to_pending(referral, rule)
        if referral.qualified_at is None
        else Move(referral.pk, referral.state, State.APPROVED, due_at=referral.qualified_at)
    )
    return replace(onward, reasons=reasons, cleared=referral.score, staff=staff)


def _reverse(ids: Sequence[int], now: dt.datetime) -> int:
    held = [each for each in lock(ids) if each.qualified_at is not None and each.state in _REVERSIBLE]
    done = _met(held)
    gone = [each for each in held if each.pk not in done]
    rules = rules_of(each.version_id for each in gone)
    given = [each for each in gone if each.state == State.REWARDED]
    moves = [_came_back(each, rules[each.version_id], now) for each in gone if each.state != State.REWARDED]
    moved = move([*reverse(given, now=now, by=BY), *moves], now=now, by=BY)
    for each in given:
        if each.pk in moved and each.advocate.partner_id is not None:
            each.state = State.REVERSED
            take_back_commission(referral=each, now=now, by=BY)
    return len(moved)


def _came_back(referral: Referral, rule: SchemeRule, now: dt.datetime) -> Move:
    """Before the reward an order that came back is as none: the friend may place another while her time lasts."""
    again, reasons = to_pending(referral, rule), [CameBack().as_refusal()]
    if again.due_at is not None and again.due_at > now:
        return replace(again, reasons=reasons)
    return Move(referral.pk, referral.state, State.REVERSED, reasons)


def _hold(referral: Referral, found: Met, days: int) -> Move:
    return Move(
        referral.pk, referral.state, State.HOLD, due_at=found.at + dt.timedelta(days=days), order_id=found.order_id,
        qualified_at=found.at,
    )  # fmt: skip


def _met(held: Iterable[Referral]) -> dict[int, Met]:
    by_version: dict[int, list[int]] = defaultdict(list)
    for each in held:
        by_version[each.version_id].append(each.pk)
    rules, found = rules_of(by_version), {}
    for version_id, ids in sorted(by_version.items()):
        found |= met(ids, rules[version_id].scenario, rules[version_id].within_days)
    return found


def _in_chunks(
    ids: Sequence[int], work: Callable[[Sequence[int], dt.datetime], int], now: dt.datetime, progress: Progress
) -> int:
    done = 0
    for chunk in batches(ids, CHUNK):
        with transaction.atomic():
            done += work(chunk, now)
        progress(done, len(ids))
    return done


@contextmanager
def _since(key: str, now: dt.datetime) -> Iterator[dict[str, int]]:
    """What came since the last time this was done whole; kept once it is."""
    until = safe_mark()
    yield {"since": _mark(key), "until": until}
    Watermark.objects.update_or_create(key=f"{JOB}.{key}", defaults={"mark": until, "at": now})


def _mark(key: str) -> int:
    return Watermark.objects.filter(key=f"{JOB}.{key}").values_list("mark", flat=True).first() or 0


def _ids(**where: Any) -> list[int]:
    return list(Referral.objects.filter(**where).order_by("pk").values_list("pk", flat=True))


def _fetch(sql: str, params: Any) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [pk for (pk,) in cursor.fetchall()]
