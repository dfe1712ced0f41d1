"""Challenges: written, started and stopped; seen as members do them, and what they bring given."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from loyalty.catalogue import challenge_rule
from loyalty.models import Challenge, Completion, Earning, Member, Programme
from loyalty.operations.claims import give_rewards
from loyalty.operations.kinds import refuse_unknown_activities
from loyalty.operations.rewards import NoSuchReward, refuse_unknown, rewards_in, shop_name, start_drafts
from loyalty.operations.telling import Told, tell
from loyalty.rules.challenges import Activities, ChallengeRule
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.incentives import operations as incentives
from retention.marks import safe_mark
from retention.refusals import Refusal, Refused
from retention.work.models import Watermark

JOB = "loyalty.challenges"
ORIGIN = "loyalty.completion"
#: Completions given in one transaction.
_GIVEN = 1_000

#: Of the members with news since the mark: how much of it each did, at most, and when the last of that was.
_REACHED = """
    SELECT m.id, m.customer_id, coalesce(max(done.n), 0)
    FROM loyalty_member m
    JOIN loyalty_programme programme ON programme.id = m.programme_id
    CROSS JOIN LATERAL ({done}) done
    WHERE m.programme_id = %(programme)s AND m.left_at IS NULL AND {whom}
    GROUP BY m.id
"""
_SINCE = """
    fact.customer_id = m.customer_id AND fact.at < %(ends_at)s AND fact.at <= %(now)s
    AND fact.at >= CASE WHEN programme.joining = 'everyone' THEN %(starts_at)s::timestamptz
                        ELSE greatest(%(starts_at)s::timestamptz, m.joined_at) END
"""
_IN_ALL = "SELECT {measure} AS n FROM ({facts}) fact WHERE {since}"
_WITHIN = """
    SELECT (SELECT {measure} FROM ({facts}) fact
            WHERE {since} AND fact.at <= last.at AND fact.at > last.at - %(days)s * interval '1 day') AS n
    FROM (SELECT fact.at FROM ({facts}) fact WHERE {since}) last
"""
_LATELY = """
    SELECT {measure} AS n FROM ({facts}) fact WHERE {since} AND fact.at > %(now)s - %(days)s * interval '1 day'
"""
_NEWS = """
    m.customer_id IN (
        SELECT f.customer_id FROM {table} f
        WHERE f.xid >= %(mark)s::text::xid8 AND f.xid < %(until)s::text::xid8
        UNION SELECT c.customer_id FROM segments_membershipchange c
        WHERE c.segment_id = %(segment)s AND c.xid >= %(mark)s::text::xid8 AND c.xid < %(until)s::text::xid8
        UNION SELECT j.customer_id FROM loyalty_member j
        WHERE j.xid >= %(mark)s::text::xid8 AND j.xid < %(until)s::text::xid8)
    AND (%(segment)s::bigint IS NULL OR EXISTS (
        SELECT FROM segments_membership s WHERE s.segment_id = %(segment)s AND s.customer_id = m.customer_id))
    AND NOT EXISTS (SELECT FROM loyalty_completion d WHERE d.challenge_id = %(challenge)s AND d.member_id = m.id)
"""


class NoSuchChallenge(Refused):
    code = "loyalty.no_such_challenge"
    sentence = _("There is no such challenge.")
    status = 404


class ChallengeState(Refused):
    code = "loyalty.challenge_state"
    sentence = _("This challenge is %(state)s.")


@dataclass(frozen=True)
class Progress:
    """How far a member is with a challenge: `done` of `target`, and whether she did it."""

    challenge: Challenge
    rule: ChallengeRule
    done: int
    target: int
    completed_at: dt.datetime | None


@transaction.atomic
def create_challenge(
    *, programme_id: int, rule: ChallengeRule, now: dt.datetime, by: Actor, why: str = ""
) -> Challenge:
    """Write a new challenge as a draft with its first version.

    Raises:
        NameMissing, RewardNamesNobody, NoSuchReward
    """
    challenge = Challenge.objects.create(programme_id=programme_id, **_columns(rule))
    _write(challenge, rule, edited=None, now=now, by=by, why=why)
    record(verb="loyalty.create_challenge", by=by, now=now, subject=challenge, after={"version": 1})
    return challenge


@transaction.atomic
def save_challenge(
    *, challenge_id: int, rule: ChallengeRule, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> Challenge:
    """Save the whole rule as the next version; whoever did it before has done it.

    Raises:
        NoSuchChallenge, NameMissing, RewardNamesNobody, NoSuchReward
        EditedMeanwhile: someone saved after version number `edited` was read.
    """
    challenge = _locked(challenge_id)
    _write(challenge, rule, edited=edited, now=now, by=by, why=why)
    # Under the new rule somebody may have done it with nothing new: all are looked at again.
    Watermark.objects.filter(key=_mark_key(challenge.pk)).update(mark=0)
    record(
        verb="loyalty.save_challenge", by=by, now=now, subject=challenge, before={"version": edited},
        after={"version": challenge.version.number},
    )  # fmt: skip
    return challenge


@transaction.atomic
def start_challenge(*, challenge_id: int, now: dt.datetime, by: Actor) -> Challenge:
    """What members do from now on counts; started again, what they did meanwhile counts too.

    A draft of a reward goes live with it.

    Raises:
        NoSuchChallenge
        ChallengeState: it is live already.
        UnknownActivity: it waits for what cannot be told.
    """
    challenge = _locked(challenge_id)
    if challenge.state == Challenge.State.LIVE:
        raise ChallengeState(state=challenge.get_state_display())
    start_drafts(_rewards(challenge_rule(challenge.version_id)), now=now, by=by)
    task = challenge_rule(challenge.version_id).task
    refuse_unknown_activities([task.activity] if isinstance(task, Activities) else [])
    challenge.launched_at = challenge.launched_at or now
    Watermark.objects.get_or_create(key=_mark_key(challenge.pk), defaults={"mark": safe_mark(), "at": now})
    return _become(challenge, Challenge.State.LIVE, "loyalty.start_challenge", now=now, by=by)


@transaction.atomic
def stop_challenge(*, challenge_id: int, now: dt.datetime, by: Actor) -> Challenge:
    """Nobody does it any more; badges stay.

    Raises:
        NoSuchChallenge
        ChallengeState: it is not live.
    """
    challenge = _locked(challenge_id)
    if challenge.state != Challenge.State.LIVE:
        raise ChallengeState(state=challenge.get_state_display())
    return _become(challenge, Challenge.State.STOPPED, "loyalty.stop_challenge", now=now, by=by)


def complete_challenges(*, now: dt.datetime, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """See who did which challenge since it was last looked, and give what it brings. Again it does nothing more."""
    live = list(_live(now))
    completed = 0
    for done, challenge in enumerate(live, start=1):
        completed += _look(challenge, now)
        if progress:
            progress(done, len(live))
    given, refused = _give_due(now)
    return {"due": completed, "granted": given, "skipped": {"loyalty.refused": refused} if refused else {}}


def due_challenges(*, now: dt.datetime) -> int:
    """How many members would be seen to have done one now, and completions that wait to be given."""
    due = sum(len(_reached(challenge, _mark(challenge), safe_mark(), now)) for challenge in _live(now))
    return due + Completion.objects.filter(state=Completion.State.DUE).count()


def progress_of(member: Member, *, now: dt.datetime) -> list[Progress]:
    """How far a member is with each challenge that runs and that she may do, and those that she did."""
    done = dict(Completion.objects.filter(member=member).values_list("challenge_id", "completed_at"))
    challenges = {one.pk: one for one in _live(now, programme_id=member.programme_id)}
    challenges |= {one.pk: one for one in Challenge.objects.filter(pk__in=done).select_related("programme")}
    found = []
    for challenge in sorted(challenges.values(), key=lambda one: one.pk):
        rule = challenge_rule(challenge.version_id)
        target = rule.task.target
        if challenge.pk in done:
            found.append(Progress(challenge, rule, target, target, done[challenge.pk]))
            continue
        statement, params = _statement(challenge, _LATELY if rule.within_days else _IN_ALL, "m.id = %(member)s", now)
        with connection.cursor() as cursor:
            cursor.execute(statement, {**params, "member": member.pk})
            row = cursor.fetchone()
        if row and _is_meant(rule, member):
            found.append(Progress(challenge, rule, min(int(row[2]), target), target, None))
    return found


def _is_meant(rule: ChallengeRule, member: Member) -> bool:
    return not rule.segment_id or member.customer.memberships.filter(segment_id=rule.segment_id).exists()


def _live(now: dt.datetime, **of: Any):
    """Challenges that run; those that ended are looked at for a day more, since facts come late."""
    ended = now - dt.timedelta(days=1)
    return (
        Challenge.objects.filter(state=Challenge.State.LIVE, programme__state=Programme.State.LIVE, **of)
        .exclude(ends_at__lte=ended).exclude(starts_at__gt=now).select_related("programme").order_by("pk")
    )  # fmt: skip


def _look(challenge: Challenge, now: dt.datetime) -> int:
    mark, until = _mark(challenge), safe_mark()
    rule = challenge_rule(challenge.version_id)
    with transaction.atomic():
        reached = _reached(challenge, mark, until, now)
        state = Completion.State.DUE if rule.reward_id or rule.points else Completion.State.DONE
        Completion.objects.bulk_create(
            [
                Completion(
                    challenge=challenge, member_id=member_id, version_id=challenge.version_id, has_badge=rule.badge,
                    state=state, completed_at=now,
                )
                for member_id, _customer_id in reached
            ],
            ignore_conflicts=True,
        )  # fmt: skip
        about = {"programme": challenge.programme.key, "badge": challenge.name}
        told = [Told(customer_id, f"loyalty.badge:{challenge.pk}:{pk}", about) for pk, customer_id in reached]
        tell(kind="loyalty.badge_earned", told=told if rule.badge else [], now=now)
        Watermark.objects.filter(key=_mark_key(challenge.pk)).update(mark=until, at=now)
    return len(reached)


def _reached(challenge: Challenge, mark: int, until: int, now: dt.datetime) -> list[tuple[int, int]]:
    """(member, customer) of those who did it and are not known to have done it."""
    rule = challenge_rule(challenge.version_id)
    table = "customers_activity" if isinstance(rule.task, Activities) else "customers_order"
    statement, params = _statement(challenge, _WITHIN if rule.within_days else _IN_ALL, _NEWS.format(table=table), now)
    params |= {"mark": mark, "until": until, "segment": rule.segment_id, "challenge": challenge.pk}
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} HAVING coalesce(max(done.n), 0) >= %(target)s", params)
        return [(member_id, customer_id) for member_id, customer_id, _n in cursor.fetchall()]


def _statement(challenge: Challenge, counted: str, whom: str, now: dt.datetime) -> tuple[str, dict[str, Any]]:
    rule = challenge_rule(challenge.version_id)
    facts, params = rule.task.facts()
    done = counted.format(measure=rule.task.measure, facts=facts, since=_SINCE)
    starts = max(at for at in (challenge.launched_at, rule.starts_at) if at)
    return _REACHED.format(done=done, whom=whom), {
        **params, "programme": challenge.programme_id, "starts_at": starts, "ends_at": rule.ends_at or "infinity",
        "now": now, "days": rule.within_days, "target": rule.task.target,
    }  # fmt: skip


def _give_due(now: dt.datetime) -> tuple[int, int]:
    given, refused = 0, 0
    while True:
        with transaction.atomic():
            rows = Completion.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            due = list(
                rows.filter(state=Completion.State.DUE).select_related("challenge__programme", "member")
                .order_by("pk")[:_GIVEN]
            )  # fmt: skip
            if not due:
                return given, refused
            by_version: dict[int, list[Completion]] = defaultdict(list)
            for one in due:
                by_version[one.version_id].append(one)
            for version_id, some in sorted(by_version.items()):
                _give(challenge_rule(version_id), some, now)
            Completion.objects.bulk_update(due, ["state", "claim", "grant", "refusal"])
        refused += sum(one.state == Completion.State.REFUSED for one in due)
        given += sum(one.state == Completion.State.DONE for one in due)


def _give(rule: ChallengeRule, some: Sequence[Completion], now: dt.datetime) -> None:
    whys: dict[int, Refusal] = {}
    if rule.points:
        whys |= _give_points(rule.points, some, now)
    if rule.reward_id:
        sources = [_source(one) for one in some]
        try:
            done = give_rewards(
                reward_id=rule.reward_id, member_ids=[one.member_id for one in some], sources=sources, origin=ORIGIN,
                origin_ids=[one.pk for one in some], now=now, by=Actor.job(JOB),
            )  # fmt: skip
            claims, refused = done.claims, done.refused
        except NoSuchReward as none:
            claims, refused = {}, dict.fromkeys(sources, none.as_refusal())
        for one in some:
            one.claim_id = claims.get(_source(one))
        whys |= {one.pk: refused[_source(one)] for one in some if _source(one) in refused}
    for one in some:
        why = whys.get(one.pk)
        one.state = Completion.State.REFUSED if why else Completion.State.DONE
        one.refusal = why.code if why else ""


def _give_points(points: int, some: Sequence[Completion], now: dt.datetime) -> Mapping[int, Refusal]:
    """Points are earned like all others: an earning each, and a grant under the programme's incentive."""
    programme = some[0].challenge.programme
    # Locked in the order of all who count something of members.
    members = (
        Member.objects.select_for_update(no_key=True).filter(pk__in=[one.member_id for one in some]).order_by("pk")
    )
    customers = {member.pk: member.customer_id for member in members}
    earned = Earning.objects.bulk_create(
        [
            Earning(
                member_id=one.member_id, rule="challenge", version_id=one.version_id, about=f"challenge:{one.pk}",
                given=points, amount=points, counts_for_tier=False, why={"challenge": one.challenge_id},
                earned_at=one.completed_at, recorded_at=now,
            )
            for one in some
        ]
    )  # fmt: skip
    done = incentives.grant(
        incentive_id=programme.incentive_id, sources=[f"earning:{one.pk}" for one in earned],
        customer_ids=[customers[one.member_id] for one in earned], origin="loyalty.earning",
        origin_ids=[one.pk for one in earned], terms=[{"points": points}] * len(earned), now=now,
        by=Actor.job(JOB), is_given=True,
    )  # fmt: skip
    whys: dict[int, Refusal] = {}
    for one, hers in zip(some, earned, strict=True):
        source = f"earning:{hers.pk}"
        one.grant_id = done.grants.get(source)
        if source in done.refused:
            whys[one.pk] = done.refused[source]
    Earning.objects.filter(pk__in=[hers.pk for hers in earned if f"earning:{hers.pk}" in done.refused]).delete()
    got = [one.member_id for one in some if one.pk not in whys]
    Member.objects.filter(pk__in=got).update(earned=F("earned") + points, active_at=now)
    return whys


def _source(completion: Completion) -> str:
    return f"challenge:{completion.pk}"


def _mark_key(challenge_id: int) -> str:
    return f"{JOB}:{challenge_id}"


def _mark(challenge: Challenge) -> int:
    return Watermark.objects.values_list("mark", flat=True).get(key=_mark_key(challenge.pk))


def _locked(challenge_id: int) -> Challenge:
    rows = Challenge.objects.select_for_update(no_key=True, of=("self",)).select_related("programme", "version")
    challenge = rows.filter(pk=challenge_id, archived_at=None).first()
    if challenge is None:
        raise NoSuchChallenge
    return challenge


def _columns(rule: ChallengeRule) -> dict[str, Any]:
    return {"name": shop_name(rule.names), "starts_at": rule.starts_at, "ends_at": rule.ends_at}


def _write(
    challenge: Challenge, rule: ChallengeRule, *, edited: int | None, now: dt.datetime, by: Actor, why: str
) -> None:
    refuse_unknown(challenge.programme, segment_id=rule.segment_id)
    rewards_in(challenge.programme_id, _rewards(rule))
    if challenge.state == Challenge.State.LIVE:
        start_drafts(_rewards(rule), now=now, by=by)
    challenge.version = save_version(
        of=challenge, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why
    )
    Challenge.objects.filter(pk=challenge.pk).update(version=challenge.version, **_columns(rule))


def _become(challenge: Challenge, state: str, verb: str, *, now: dt.datetime, by: Actor) -> Challenge:
    before, challenge.state = challenge.state, state
    Challenge.objects.filter(pk=challenge.pk).update(state=state, launched_at=challenge.launched_at)
    record(verb=verb, by=by, now=now, subject=challenge, before={"state": before}, after={"state": state})
    return challenge


def _rewards(rule: ChallengeRule) -> list[int]:
    return [rule.reward_id] if rule.reward_id else []
