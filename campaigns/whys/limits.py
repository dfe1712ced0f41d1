"""May she begin: hours, whom the first step is for, opening by and by, coming again, cooling down, limits of touches.

Asked in the order in which the jobs ask before a first step (`operations/stepping/gates`, `entering`), as of the
instant at which it would be taken.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _

from campaigns.goals import ORIGIN
from campaigns.local_days import resolve, zones_of
from campaigns.models import Touch
from campaigns.operations import quotas
from campaigns.operations.stepping.entering import day_of
from campaigns.operations.stepping.touched import target
from campaigns.selection import COOLING_DOWN, CUSTOMERS_LIMIT, LIMIT_REACHED, NOT_MEANT, TOO_SOON
from campaigns.waits import opens_at
from campaigns.whys.answers import Answer, Verdict, moment
from campaigns.whys.cases import Case
from campaigns.whys.values import explained
from retention.experiments.holdouts import Holdout
from retention.incentives.models import Grant
from retention.segments.models import Segment


def answers(case: Case, at: dt.datetime) -> Iterator[Answer]:
    """Nothing where she has begun, or where her touch has ended."""
    if case.touch is not None and (case.touch.begun_at is not None or case.touch.state != Touch.State.DUE):
        return
    yield from _hours(case, at)
    yield from _meant(case)
    yield from _ramp(case)
    yield from _again(case, at)
    yield from _cooling(case, at)
    yield from _quotas(case, at)


def _hours(case: Case, at: dt.datetime) -> Iterator[Answer]:
    if not case.running.windows:
        return
    (zone,) = zones_of([case.customer.time_zone])
    opens = opens_at(case.running.windows, at, resolve(zone, case.zone))
    if opens > at:
        sentence = _("Its hours are closed on her clock then; they open on %(at)s.") % {"at": moment(opens, case.zone)}
        yield Answer("limits", "campaigns.outside_hours", sentence, Verdict.WAITS, opens)


def _meant(case: Case) -> Iterator[Answer]:
    """The steps that she is led to, until one is meant for her or there is none."""
    plan, index = case.plan, 0
    while plan.steps[index].only_for is not None:
        segment = Segment.objects.get(pk=plan.steps[index].only_for)
        is_in, parts = explained(segment.rule, case.customer, case.now)
        words = {"step": index + 1, "segment": segment.name}
        if is_in:
            sentence = _("Step %(step)s is for “%(segment)s”, and she is in it.") % words
            yield Answer("limits", "campaigns.meant", sentence, Verdict.YES, parts=parts)
            return
        following = target(plan, index, plan.steps[index].otherwise)
        sentence = _("Step %(step)s is only for “%(segment)s”, and she is not in it.") % words
        verdict = Verdict.NO if following is None else Verdict.NOTE
        yield Answer("limits", NOT_MEANT, sentence, verdict, parts=parts)
        if following is None:
            return
        index = following


def _ramp(case: Case) -> Iterator[Answer]:
    ramp = case.reached.ramp if case.reached else None
    if not ramp:
        return
    if "percent" in ramp:
        is_open = Holdout(f"{case.campaign.public_id}:ramp", ramp["percent"]).holds(case.customer.pk)
    else:
        is_open = not quotas.is_full(campaign_id=case.campaign.pk, period=quotas.RAMP, limit=ramp["first"])
    if not is_open:
        sentence = _("It is opened by and by; she waits until it is opened to more customers.")
        yield Answer("limits", "campaigns.waits_for_ramp", sentence, Verdict.WAITS)


def _again(case: Case, at: dt.datetime) -> Iterator[Answer]:
    plan = case.running
    mine = Touch.objects.filter(campaign=case.campaign, customer=case.customer, begun_at__isnull=False)
    mine = mine.exclude(state=Touch.State.SKIPPED)
    if plan.limits.per_customer is not None and mine.count() >= plan.limits.per_customer:
        sentence = _("She had it as often as one customer may (%(limit)s).") % {"limit": plan.limits.per_customer}
        yield Answer("limits", CUSTOMERS_LIMIT, sentence, Verdict.NO)
    elif plan.re_entry is not None:
        since = at - dt.timedelta(days=plan.re_entry.days)
        if mine.filter(Q(ended_at=None) | Q(ended_at__gt=since)).exists():
            sentence = _("Her last time ended less than %(days)s days before.") % {"days": plan.re_entry.days}
            yield Answer("limits", TOO_SOON, sentence, Verdict.NO)


def _cooling(case: Case, at: dt.datetime) -> Iterator[Answer]:
    days = case.running.cool_down_days
    if days is None:
        return
    lately = Grant.objects.filter(
        customer=case.customer, origin=ORIGIN, state=Grant.State.ACTIVE, granted_at__gt=at - dt.timedelta(days=days)
    )
    last = lately.order_by("-granted_at").values_list("granted_at", flat=True).first()
    if last is not None:
        words = {"at": moment(last, case.zone), "days": days}
        sentence = _("A campaign gave her something on %(at)s, less than %(days)s days before.") % words
        yield Answer("limits", COOLING_DOWN, sentence, Verdict.NO, last)


def _quotas(case: Case, at: dt.datetime) -> Iterator[Answer]:
    limits, campaign_id = case.running.limits, case.campaign.pk
    if limits.touches is not None and quotas.is_full(
        campaign_id=campaign_id, period=quotas.IN_ALL, limit=limits.touches
    ):
        sentence = _("As many customers were touched as it allows (%(limit)s).") % {"limit": limits.touches}
        yield Answer("limits", LIMIT_REACHED, sentence, Verdict.NO)
    a_day = limits.touches_a_day
    if a_day is not None and quotas.is_full(campaign_id=campaign_id, period=day_of(at), limit=a_day):
        sentence = _("As many customers were touched as one day allows (%(limit)s); she waits for another.")
        yield Answer("limits", "campaigns.days_limit_reached", sentence % {"limit": a_day}, Verdict.WAITS)
