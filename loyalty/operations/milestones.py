"""Milestones: seen as they are passed, given by themselves or as a choice, and settled when a choice runs out."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Claim, Passing, Programme
from loyalty.operations.claims import Given, give_rewards
from loyalty.operations.rewards import NoSuchReward
from loyalty.operations.telling import Told, tell
from loyalty.rules.milestones import Choice, Milestone
from loyalty.versions import rule_of
from retention.actors import Actor
from retention.audit.operations import record
from retention.bulk import chunks
from retention.ledger.operations.transfers import as_refused
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.work.models import Watermark

JOB = "loyalty.milestones"
ORIGIN = "loyalty.passing"
#: Members looked at by one statement, the first time a milestone is met.
_CHUNK = 50_000
#: Passings given in one transaction.
_GIVEN = 1_000
#: Times of one milestone that are written at once; more follow with the next fact of hers.
_TIMES = 1_000

#: What counts of an order is what was not returned whole.
_KEPT = """
    o.state IN ('paid', 'fulfilled', 'partially_returned') AND o.customer_id = m.customer_id
    AND o.placed_at >= {since}
"""
_REFUNDED = f"""
    SELECT sum(r.base_minor) FROM customers_return r JOIN customers_order o ON o.id = r.order_id WHERE {_KEPT}
"""  # noqa: S608
_MEASURES = {
    "points": "m.earned",
    "orders": f"(SELECT count(*) FROM customers_order o WHERE {_KEPT})",  # noqa: S608
    "spend": f"""
        (SELECT coalesce(sum(o.base_minor), 0) - coalesce(({_REFUNDED}), 0) FROM customers_order o WHERE {_KEPT})
    """,  # noqa: S608
}
#: Whom new facts are about; what counts is asked again of these alone.
_ORDERED = """
    m.customer_id IN (SELECT o.customer_id FROM customers_order o
                      WHERE o.xid >= %(mark)s::text::xid8 AND o.xid < %(until)s::text::xid8)
"""
_EARNED = """
    m.id IN (SELECT e.member_id FROM loyalty_earning e
             WHERE e.xid >= %(mark)s::text::xid8 AND e.xid < %(until)s::text::xid8)
"""
_PASSED = """
    INSERT INTO loyalty_passing (member_id, milestone, times, version_id, state, choose_until, refusal, passed_at)
    SELECT her.id, %(key)s, passed.times, %(version)s, %(state)s, %(choose_until)s, '', %(now)s
    FROM (
        SELECT m.id, {measure} / %(at)s AS passed,
               coalesce((SELECT max(p.times) FROM loyalty_passing p
                         WHERE p.member_id = m.id AND p.milestone = %(key)s), 0) AS had
        FROM loyalty_member m
        WHERE m.programme_id = %(programme)s AND m.left_at IS NULL AND m.id >= %(low)s AND m.id < %(high)s
          AND (%(everybody)s OR m.xid >= %(mark)s::text::xid8 AND m.xid < %(until)s::text::xid8 OR {news})
    ) her
    CROSS JOIN LATERAL generate_series(her.had + 1, least(her.passed, her.had + {times}, {most})) passed (times)
    ON CONFLICT (member_id, milestone, times) DO NOTHING
    RETURNING id, (SELECT customer_id FROM loyalty_member WHERE loyalty_member.id = member_id)
"""


class NoSuchChoice(Refused):
    code = "loyalty.no_such_choice"
    sentence = _("There is no such choice.")
    status = 404


class ChoiceOver(Refused):
    code = "loyalty.choice_over"
    sentence = _("There is nothing to choose any more.")


class NotAChoice(Refused):
    code = "loyalty.not_a_choice"
    sentence = _("This reward is not one of those to choose from.")


def pass_milestones(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """See who passed what since it was last looked, end choices that ran out, and give what is due."""
    programmes = list(Programme.objects.filter(state=Programme.State.LIVE).select_related("version"))
    for done, programme in enumerate(programmes, start=1):
        for milestone in rule_of(programme.version_id).milestones:
            _look(programme, milestone, now)
        if progress:
            progress(done, len(programmes))
    ended = end_choices(now=now)
    given, refused = give_due(now=now, progress=progress)
    return {
        "due": given + refused + ended,
        "granted": given,
        "skipped": {"loyalty.refused": refused} if refused else {},
    }


def due_milestones(*, now: dt.datetime) -> int:
    """How many passings wait to be given, and choices to be ended."""
    due = Passing.objects.filter(state=Passing.State.DUE).count()
    return due + Passing.objects.filter(state=Passing.State.OPEN, choose_until__lte=now).count()


@transaction.atomic
def choose(*, passing: uuid.UUID, reward_id: int, now: dt.datetime, by: Actor) -> Claim:
    """A member chooses one of a milestone's rewards; the same again returns the same claim.

    Raises:
        NoSuchChoice, NotAChoice
        ChoiceOver: she chose another one, or time is up.
        Refused: the reward cannot be given; her choice stays open.
    """
    hers = _locked(passing)
    if hers.state == Passing.State.GIVEN and hers.claim.reward_id == reward_id:
        return hers.claim
    if hers.state != Passing.State.OPEN or hers.choose_until <= now:
        raise ChoiceOver
    milestone = milestone_of(hers)
    if milestone is None or reward_id not in milestone.gives.rewards:
        raise NotAChoice
    given = _give(reward_id, [hers], now=now, by=by)
    for why in given.refused.values():
        raise as_refused(why)
    return Claim.objects.get(pk=given.claims[_source(hers.pk)])


def end_choices(*, now: dt.datetime) -> int:
    """What was not chosen in time is given by default, or lapses, as its milestone says; how many."""
    ended = 0
    while True:
        with transaction.atomic():
            rows = Passing.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            over = list(rows.filter(state=Passing.State.OPEN, choose_until__lte=now).order_by("choose_until")[:_GIVEN])
            if not over:
                return ended
            due = [one.pk for one in over if _without_choice(one) is not None]
            Passing.objects.filter(pk__in=[one.pk for one in over]).update(state=Passing.State.LAPSED, ended_at=now)
            Passing.objects.filter(pk__in=due).update(state=Passing.State.DUE, ended_at=None)
        ended += len(over)


def give_due(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> tuple[int, int]:
    """Give what passed milestones bring by themselves: how many were given, and how many could not be."""
    given, refused = 0, 0
    while True:
        with transaction.atomic():
            rows = Passing.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related(
                "member"
            )
            due = list(rows.filter(state=Passing.State.DUE).order_by("pk")[:_GIVEN])
            if not due:
                return given, refused
            by_reward: dict[int | None, list[Passing]] = defaultdict(list)
            for one in due:
                by_reward[_without_choice(one)].append(one)
            for reward_id, some in sorted(by_reward.items(), key=lambda item: item[0] or 0):
                done = _give(reward_id, some, now=now, by=Actor.job(JOB)) if reward_id else Given({}, {})
                left = [one for one in some if _source(one.pk) not in done.claims]
                for one in left:
                    one.state, one.ended_at = Passing.State.REFUSED, now
                    why = done.refused.get(_source(one.pk))
                    one.refusal = why.code if why else NotAChoice.code
                Passing.objects.bulk_update(left, ["state", "ended_at", "refusal"])
                given, refused = given + len(some) - len(left), refused + len(left)
        if progress:
            progress(given + refused, given + refused)


@transaction.atomic
def give_again(*, passing: uuid.UUID, now: dt.datetime, by: Actor) -> Passing:
    """What could not be given is due again, such as after its stock was filled up.

    Raises:
        NoSuchChoice
        ChoiceOver: it was not refused.
    """
    hers = _locked(passing)
    if hers.state != Passing.State.REFUSED:
        raise ChoiceOver
    hers.state, hers.refusal, hers.ended_at = Passing.State.DUE, "", None
    hers.save(update_fields=["state", "refusal", "ended_at"])
    record(verb="loyalty.give_again", by=by, now=now, subject=hers, customer_id=hers.member.customer_id)
    return hers


def milestone_of(passing: Passing) -> Milestone | None:
    """What was passed, as it was written then."""
    found = (each for each in rule_of(passing.version_id).milestones if each.key == passing.milestone)
    return next(found, None)


def _look(programme: Programme, milestone: Milestone, now: dt.datetime) -> None:
    key = f"{JOB}:{programme.pk}:{milestone.key}"
    seen = Watermark.objects.filter(key=key).first()
    until = safe_mark()
    # One that was written while the programme ran is not for those who were past it by then.
    is_late = seen is None and programme.version.saved_at > programme.launched_at and not milestone.reaches_back
    for low, high in _ranges(programme.pk) if seen is None else [(0, 2**62)]:
        with transaction.atomic():
            rows = _pass(programme, milestone, seen.mark if seen else None, until, is_late, low, high, now)
            if not is_late:
                _tell(programme, milestone, rows, now)
    Watermark.objects.update_or_create(key=key, defaults={"mark": until, "at": now})


def _pass(
    programme: Programme, milestone: Milestone, mark: int | None, until: int, is_late: bool, low: int, high: int,
    now: dt.datetime,
) -> list[tuple[int, int]]:  # fmt: skip
    gives = milestone.gives
    is_choice = isinstance(gives, Choice)
    state = Passing.State.BEFORE if is_late else Passing.State.OPEN if is_choice else Passing.State.DUE
    ends = now + dt.timedelta(days=gives.days) if isinstance(gives, Choice) and not is_late else None
    since = (
        "'-infinity'" if milestone.reaches_back else "%(since)s" if programme.joining == "everyone" else "m.joined_at"
    )
    statement = _PASSED.format(
        measure=_MEASURES[milestone.measure].format(since=since), times=_TIMES,
        most=2**31 - 1 if milestone.is_repeated else 1, news=_EARNED if milestone.measure == "points" else _ORDERED,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "key": milestone.key, "at": milestone.at, "version": programme.version_id, "state": state, "now": now,
                "choose_until": ends, "programme": programme.pk, "low": low, "high": high, "everybody": mark is None,
                "mark": mark or 0, "until": until, "since": programme.launched_at,
            },
        )  # fmt: skip
        return cursor.fetchall()


def _tell(programme: Programme, milestone: Milestone, rows: list[tuple[int, int]], now: dt.datetime) -> None:
    about = {
        "programme": programme.key, "milestone": milestone.key, "is_choice": isinstance(milestone.gives, Choice),
    }  # fmt: skip
    told = [Told(customer_id, f"{ORIGIN}:{pk}", about) for pk, customer_id in rows]
    tell(kind="loyalty.milestone_reached", told=told, now=now)


def _ranges(programme_id: int) -> Iterator[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM loyalty_member WHERE programme_id = %s", [programme_id])
        low, high = cursor.fetchone()
    return chunks(low, high, _CHUNK) if low else iter(())


def _give(reward_id: int, passings: list[Passing], *, now: dt.datetime, by: Actor) -> Given:
    """Give a reward for passings, all locked; those that got it say so."""
    sources = [_source(one.pk) for one in passings]
    try:
        given = give_rewards(
            reward_id=reward_id, member_ids=[one.member_id for one in passings], sources=sources, origin=ORIGIN,
            origin_ids=[one.pk for one in passings], now=now, by=by,
        )  # fmt: skip
    except NoSuchReward as refused:
        return Given({}, dict.fromkeys(sources, refused.as_refusal()))
    got = [one for one in passings if _source(one.pk) in given.claims]
    for one in got:
        one.state, one.claim_id, one.ended_at = Passing.State.GIVEN, given.claims[_source(one.pk)], now
    Passing.objects.bulk_update(got, ["state", "claim", "ended_at"])
    return given


def _without_choice(passing: Passing) -> int | None:
    """The reward that comes by itself; None: nothing."""
    milestone = milestone_of(passing)
    gives = milestone.gives if milestone else None
    return gives.default_id if isinstance(gives, Choice) else gives.reward_id if gives else None


def _source(passing_id: int) -> str:
    return f"milestone:{passing_id}"


def _locked(public_id: uuid.UUID) -> Passing:
    rows = Passing.objects.select_for_update(no_key=True, of=("self",)).select_related("member", "claim")
    hers = rows.filter(public_id=public_id).first()
    if hers is None:
        raise NoSuchChoice
    return hers
