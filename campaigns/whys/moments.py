"""When the occasion fell or will fall for her, by its own query narrowed to her; and whether a look would take her."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.local_days import zones_of
from campaigns.models import Campaign
from campaigns.operations.life import ENDED
from campaigns.selection import MENDABLE
from campaigns.whys.answers import DUE_NOW, Answer, Part, Verdict, moment, words
from campaigns.whys.cases import Case
from retention.customers.models import Customer
from retention.marks import safe_mark
from retention.registries import Window
from retention.segments.querysets import TooSlow, within_ms

#: So many of the last times that it fell are asked about.
MOST_LOOKS = 3
#: A page does not wait longer for one question.
MOST_MS = 5_000
#: What an occasion needs to know of her: key → (column of the customer or her statistics, words where it is empty).
NEEDS = {
    "birthday": ("birth_month", gettext_lazy("Her birthday is not known.")),
    "anniversary": ("signed_up_at", gettext_lazy("It is not known when she signed up.")),
    "signed_up": ("signed_up_at", gettext_lazy("It is not known when she signed up.")),
    "holiday": ("country", gettext_lazy("Her country is not known.")),
    "days_since_last_order": ("stats__last_order_at", gettext_lazy("She never ordered.")),
}


@dataclass(frozen=True)
class Fall:
    """One time the occasion falls for her."""

    occasion: str
    due_at: dt.datetime


def answers(case: Case) -> Iterator[Answer]:
    try:
        falls = _falls(case)
        if case.touch is not None:
            yield _of_touch(case, falls)
        else:
            yield _untouched(case, falls)
    except TooSlow:
        sentence = _("Looking for it took too long; ask again when the shop is less busy.")
        yield Answer("occasion", "campaigns.occasion_not_counted", sentence, Verdict.NOTE)


def _falls(case: Case) -> list[Fall]:
    """Every time it falls for her around now, whoever is meant, the first first."""
    days = dt.timedelta(days=case.days)
    since = min(case.now - days, _since(case))
    zones = zones_of([case.customer.time_zone])
    window = Window(max(since, case.now - 3 * days), case.now + days, case.zone, zones, case.customer.pk)
    found = case.plan.of.due_sql(case.plan.cleaned_args(), window)
    if found is None:
        return []
    sql, params = found
    statement = f"SELECT o.occasion, o.due_at FROM ({sql}) o WHERE o.customer_id = %s ORDER BY 2, 1"  # noqa: S608
    with within_ms(MOST_MS) as cursor:
        cursor.execute(statement, [*params, case.customer.pk])
        return [Fall(*row) for row in cursor.fetchall()]


def _since(case: Case) -> dt.datetime:
    """From when on occasions count for it."""
    return case.plan.of.opens_at(case.plan.cleaned_args(), case.opens_at)


def _look(case: Case, fall: Fall, *, changed: tuple[int, int] | None = None) -> str | None:
    """The reason that a look now would skip her with, "" where it would take her, None where it would not see her."""
    pk, zones = case.customer.pk, zones_of([case.customer.time_zone])
    until = fall.due_at + dt.timedelta(seconds=1)
    due = case.selection.due(fall.due_at, until, from_id=pk, until_id=pk + 1, zones=zones, changed=changed)
    if due is None:
        return None
    statement = f"SELECT d.reason FROM ({due.text}) d WHERE d.customer_id = %s AND d.occasion = %s"  # noqa: S608
    with within_ms(MOST_MS) as cursor:
        cursor.execute(statement, [*due.params, pk, fall.occasion])
        found = cursor.fetchone()
    return found[0] if found else None


def _of_touch(case: Case, falls: list[Fall]) -> Answer:
    assert case.touch is not None
    at = moment(case.touch.due_at, case.zone)
    parts = tuple(
        Part(_("It falls again on %(at)s.") % {"at": moment(fall.due_at, case.zone)})
        for fall in falls
        if fall.due_at > case.now and fall.occasion not in {touch.occasion for touch in case.touches}
    )[:1]
    sentence = _("It fell for her on %(at)s: %(when)s.") % {"at": at, "when": _when(case)}
    return Answer("occasion", "campaigns.occasion_fell", sentence, Verdict.YES, case.touch.due_at, parts)


def _untouched(case: Case, falls: list[Fall]) -> Answer:
    past = [fall for fall in falls if fall.due_at <= case.now]
    ahead = [fall for fall in falls if fall.due_at > case.now]
    ends_at = case.plan.ends_at
    if case.campaign.state == Campaign.State.ENDED:
        ahead = []
    if not past and not ahead:
        return _never(case)
    since = _since(case)
    counted = [fall for fall in past if fall.due_at >= since]
    for fall in counted[: -MOST_LOOKS - 1 : -1]:
        if (reason := _look(case, fall)) is not None:
            return _fell(case, fall, reason)
    if ahead and (ends_at is None or ahead[0].due_at < ends_at):
        return _ahead(case, ahead[0], _look(case, ahead[0]))
    if ahead:
        at = {"at": moment(ahead[0].due_at, case.zone)}
        sentence = _("It falls for her on %(at)s, after the campaign's end.") % at
        return Answer("occasion", "campaigns.falls_after_end", sentence, Verdict.NO, ahead[0].due_at)
    last = past[-1]
    at = {"at": moment(last.due_at, case.zone)}
    if not counted:
        sentence = _("It fell for her on %(at)s, before the campaign began, and does not fall again soon.") % at
        return Answer("occasion", "campaigns.before_launch", sentence, Verdict.NO, last.due_at)
    if case.campaign.state == Campaign.State.ENDED:
        return Answer("occasion", ENDED, _("It fell for her on %(at)s; the campaign has ended.") % at, Verdict.NOTE)
    return Answer("occasion", "campaigns.occasion_fell", _("It fell for her on %(at)s.") % at, Verdict.YES, last.due_at)


def _never(case: Case) -> Answer:
    column, sentence = NEEDS.get(case.plan.occasion, ("", ""))
    parts: tuple[Part, ...] = ()
    if column and not Customer.objects.filter(pk=case.customer.pk).values_list(column, flat=True)[0]:
        parts = (Part(str(sentence), False),)
    told = _("It did not fall for her in the last %(days)s days, nor does it in the next ones: %(when)s.") % {
        "days": case.days, "when": _when(case)}  # fmt: skip
    return Answer("occasion", "campaigns.no_occasion", told, Verdict.NO, parts=parts)


def _fell(case: Case, fall: Fall, reason: str) -> Answer:
    """It fell, she has no touch of it, and by what is known now a look would take her."""
    at = {"at": moment(fall.due_at, case.zone)}
    if case.campaign.state == Campaign.State.ENDED:
        sentence = _("It fell for her on %(at)s; the campaign ended without her.") % at
        return Answer("occasion", ENDED, sentence, Verdict.NO, fall.due_at)
    if reason and not _is_told_by_consent(case, reason):
        return Answer("occasion", reason, words(reason), Verdict.NO, fall.due_at)
    reached = case.reached
    was_looked_at = reached is not None and fall.due_at < reached.at
    if reached is not None and was_looked_at and _look(case, fall, changed=(reached.mark, safe_mark())) is None:
        sentence = (
            _(
                "It fell for her on %(at)s; when the campaign looked, she was not meant, and nothing was learned of her"
                " since."
            )
            % at
        )  # noqa: E501
        return Answer("occasion", "campaigns.not_meant_then", sentence, Verdict.NO, fall.due_at)
    sentence = _("It fell for her on %(at)s; the next look takes her.") % at
    return Answer("occasion", DUE_NOW, sentence, Verdict.WAITS, fall.due_at)


def _ahead(case: Case, fall: Fall, reason: str | None) -> Answer:
    at = {"at": moment(fall.due_at, case.zone), "when": _when(case)}
    if reason and not _is_told_by_consent(case, reason):
        sentence = _("It falls for her on %(at)s: %(when)s. As things stand she would be skipped.") % at
        return Answer("occasion", reason, f"{sentence} {words(reason)}", Verdict.NO, fall.due_at)
    sentence = _("It falls for her on %(at)s: %(when)s.") % at
    return Answer("occasion", "campaigns.not_yet", sentence, Verdict.WAITS, fall.due_at)


def _is_told_by_consent(case: Case, reason: str) -> bool:
    """Of one channel the answer about consent says it, with what stands behind it."""
    return reason in MENDABLE and len(case.selection.ways) == 1


def _when(case: Case) -> str:
    return str(case.plan.of.sentence(case.plan.cleaned_args()))
