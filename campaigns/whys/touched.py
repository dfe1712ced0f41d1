"""What the campaign did with her: her touch and its state, the arm she is in, and how far she is in the steps."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.arms import Arms
from campaigns.models import Campaign, Touch
from campaigns.selection import HELD_OUT
from campaigns.sentences import Names, step_words
from campaigns.whys.answers import Answer, Part, Verdict, moment, words
from campaigns.whys.cases import Case
from retention.messaging.models import Delivery


def answers(case: Case) -> Iterator[Answer]:
    if case.touch is None:
        yield from _would_be_held_out(case)
    else:
        yield from _experiment(case.touch)
        yield _touch(case, case.touch)
    yield _steps(case)


def _touch(case: Case, touch: Touch) -> Answer:
    """What became of the last touch decides, but where all its steps were taken: then its last message does."""
    parts = tuple(Part(_line(case, other)) for other in case.touches[1:])
    mine = [delivery for delivery in case.deliveries if delivery.origin_id == touch.pk]
    code, sentence, verdict = _standing(case, touch, mine[-1] if mine else None)
    is_through = touch.state in (Touch.State.WAITING, Touch.State.DONE) and not touch.reason
    is_deciding = not is_through or not mine
    return Answer("touch", code, sentence, verdict, touch.enlisted_at, parts, is_deciding)


def _standing(case: Case, touch: Touch, last: Delivery | None) -> tuple[str, str, Verdict]:
    at = {"at": moment(touch.enlisted_at, case.zone)}
    if touch.state == Touch.State.SKIPPED:
        sentence = _("The campaign reached her on %(at)s and passed her by.") % at
        params = last.params if last is not None and last.reason == touch.reason else None
        return touch.reason, f"{sentence} {words(touch.reason, params)}", Verdict.NO
    if touch.reason:
        sentence = _("The campaign reached her on %(at)s and took %(steps)s of its steps; then it ended.")
        sentence = sentence % {**at, "steps": touch.step}
        return touch.reason, f"{sentence} {words(touch.reason)}", Verdict.YES
    if touch.state == Touch.State.DUE:
        if case.campaign.state == Campaign.State.PAUSED:
            sentence = _("A step is to be taken for her, but the campaign is paused.")
            return "campaigns.paused", sentence, Verdict.WAITS
        which = {"step": touch.step + 1, "at": moment(touch.next_at or case.now, case.zone)}
        sentence = _("The campaign reached her; step %(step)s is taken on %(at)s.") % which
        return "campaigns.step_waits", sentence, Verdict.WAITS
    if touch.state == Touch.State.HELD:
        sentence = _("The campaign reached her on %(at)s; she waits until it is opened to more customers.") % at
        return "campaigns.waits_for_ramp", sentence, Verdict.WAITS
    if last is None:
        sentence = _("The campaign reached her on %(at)s, and every step was taken.") % at
        return "campaigns.given", sentence, Verdict.YES
    return "campaigns.reached", _("The campaign reached her on %(at)s and took its steps.") % at, Verdict.YES


def _line(case: Case, touch: Touch) -> str:
    at = moment(touch.due_at, case.zone)
    state = touch.get_state_display() if not touch.reason else words(touch.reason)
    return _("Before, on %(at)s: %(state)s") % {"at": at, "state": state}


def _experiment(touch: Touch) -> Iterator[Answer]:
    if touch.is_ghost:
        sentence = _("She is held out for the sake of proof: nothing is given to her, and no message leaves.")
        is_deciding = touch.state != Touch.State.SKIPPED
        yield Answer("experiment", HELD_OUT, sentence, Verdict.NO, touch.enlisted_at, is_deciding=is_deciding)
    elif touch.variant:
        sentence = _("She is in the arm “%(variant)s” of the test, for good.") % {"variant": touch.variant}
        yield Answer("experiment", "campaigns.in_variant", sentence, Verdict.NOTE, touch.enlisted_at)


def _would_be_held_out(case: Case) -> Iterator[Answer]:
    if any(holdout.holds(case.customer.pk) for holdout in Arms.of(case.campaign, case.plan).holdouts):
        sentence = _(
            "She is held out for the sake of proof: nothing would be given to her, and no message would leave."
        )
        yield Answer("experiment", HELD_OUT, sentence, Verdict.NO)


def _steps(case: Case) -> Answer:
    """What each step gives and says, whom it is only for, and which lie behind her."""
    plan, touch = case.plan, case.touch
    names = Names.of(plan)
    parts = []
    for index in range(len(plan.steps)):
        is_taken = touch is not None and touch.begun_at is not None and index < touch.step
        parts.append(Part(f"{index + 1}. {step_words(plan, index, names)}", True if is_taken else None))
    count = len(parts)
    sentence = ngettext("It has %(count)s step.", "It has %(count)s steps.", count) % {"count": count}
    return Answer("steps", "campaigns.steps", sentence, Verdict.NOTE, parts=tuple(parts))
