"""Her messages: each with its life; whether the one that waits may leave now; and one that would be, asked the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from campaigns.goals import ORIGIN
from campaigns.reachability import usable_ways
from campaigns.whys.answers import Answer, Part, Verdict, moment, words
from campaigns.whys.cases import Case
from retention import registries
from retention.messaging.models import Delivery, Template
from retention.messaging.outgoing import Outgoing
from retention.messaging.querysets import outgoing, sample_outgoing
from retention.registries import Skip

#: Still on their way.
WAITING = frozenset({Delivery.State.QUEUED, Delivery.State.HELD, Delivery.State.CLAIMED})
#: No delivery has this id.
MADE_UP = -1


def answers(case: Case) -> Iterator[Answer]:
    if case.touch is None:
        yield from _would_be(case)
        return
    mine = [one for one in case.deliveries if one.origin_id == case.touch.pk]
    for delivery in mine:
        told = of_delivery(case, delivery)
        yield replace(told, is_deciding=delivery is mine[-1])
        if delivery.state in WAITING:
            yield from _asked(case, outgoing(Delivery.objects.filter(pk=delivery.pk))[0])


def of_delivery(case: Case, delivery: Delivery) -> Answer:
    """What became of one message."""
    code, sentence, verdict = _standing(case, delivery)
    return Answer("delivery", code, sentence, verdict, delivery.ended_at or delivery.queued_at)


def _standing(case: Case, delivery: Delivery) -> tuple[str, str, Verdict]:
    state = Delivery.State
    what = {
        "template": delivery.template.name,
        "channel": delivery.get_channel_display(),
        "at": moment(delivery.ended_at or delivery.not_before, case.zone),
    }
    if delivery.state == state.SENT:
        return "messaging.sent", _("“%(template)s” was sent on %(channel)s on %(at)s.") % what, Verdict.YES
    if delivery.state in WAITING or delivery.state == state.SENDING:
        sentence = _("“%(template)s” is in the outbox and leaves on %(channel)s from %(at)s on.") % what
        skip = _skip_now(case, delivery)
        if delivery.state == state.HELD:
            sentence = _("“%(template)s” is held back; it is asked about again from %(at)s on.") % what
            skip = skip or Skip(delivery.reason, delivery.params, delivery.not_before)
        if skip is None:
            return "messaging.queued", sentence, Verdict.WAITS
        verdict = Verdict.WAITS if skip.until else Verdict.NO
        return skip.code, f"{sentence} {words(skip.code, skip.params)}", verdict
    if delivery.state == state.WITHHELD:
        sentence = _("“%(template)s” would have left on %(at)s, and was withheld: she is held out.") % what
        return "messaging.withheld", sentence, Verdict.NO
    sentence = _("“%(template)s” was not sent on %(channel)s.") % what
    if delivery.state == state.UNKNOWN:
        sentence = _("Whether “%(template)s” arrived is not known.") % what
    told = f"{sentence} {words(delivery.reason, delivery.params)}".strip()
    return delivery.reason or f"messaging.{delivery.state}", told, Verdict.NO


def _skip_now(case: Case, delivery: Delivery) -> Skip | None:
    """The first guard's no, were it sent now; one that is being handed over has been asked."""
    if delivery.state not in WAITING:
        return None
    one = outgoing(Delivery.objects.filter(pk=delivery.pk))[0]
    return next((skip for _guard, skip in _refusals(one, case) if skip), None)


def _would_be(case: Case) -> Iterator[Answer]:
    """The guards about the first message, if it were in the outbox now."""
    ways = case.selection.ways
    usable = usable_ways(ways, [case.customer.pk], case.now).get(case.customer.pk) if len(ways) > 1 else None
    first = next(iter(usable or ways), None)
    template = Template.objects.filter(pk=first.template_id).first() if first else None
    if template is None or template.version_id is None:
        return
    made_up = sample_outgoing(template, case.customer, case.customer.language, template.channel)
    made_up.id, made_up.origin, made_up.priority = MADE_UP, ORIGIN, case.plan.priority
    yield from _asked(case, made_up)


def _refusals(one: Outgoing, case: Case) -> Iterator[tuple[type[registries.SendGuard], Skip | None]]:
    """Every guard's answer about one message, in the order in which they are asked."""
    for guard in sorted(registries.guards, key=lambda guard: (guard.order, guard.key)):
        yield guard, guard.refusals([one], now=case.now).get(one.id)


def _asks(guard: type[registries.SendGuard]) -> str:
    return _("Asked before it leaves: %(guard)s") % {"guard": guard.key.replace(".", ": ").replace("_", " ")}


def _asked(case: Case, one: Outgoing) -> Iterator[Answer]:
    is_real = one.id != MADE_UP
    refused = [(guard, skip) for guard, skip in _refusals(one, case) if skip is not None]
    asked = tuple(Part(_asks(guard), skip is None) for guard, skip in _refusals(one, case))
    if not refused:
        sentence = _("If its message left now, nothing would hold it back.")
        yield Answer("message", "messaging.may_leave", sentence, Verdict.YES, parts=asked)
    for _guard, skip in refused:
        if skip.until is not None:
            words_ = {"why": words(skip.code, skip.params), "until": moment(skip.until, case.zone)}
            sentence = _("If its message were to leave now, it would be held until %(until)s: %(why)s") % words_
            verdict = Verdict.WAITS
        else:
            sentence = _("If its message were to leave now, it would not be sent: %(why)s") % {
                "why": words(skip.code, skip.params)
            }
            verdict = Verdict.NO
        yield Answer("message", skip.code, sentence, Verdict.NOTE if is_real else verdict, skip.until, asked)
        asked = ()
