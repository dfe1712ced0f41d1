"""May she be written to: her address, her consent now and when it counted, and addresses never written to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.reachability import Way
from campaigns.selection import NO_ADDRESS, NO_CONSENT
from campaigns.whys.answers import Answer, Part, Verdict, moment
from campaigns.whys.cases import Case
from retention.customers.addresses import address_hash
from retention.customers.models import Consent, ConsentState
from retention.customers.querysets import holding
from retention.messaging.models import Suppression


def answers(case: Case) -> Iterator[Answer]:
    for way in case.selection.ways:
        yield from _by(case, way, is_only=len(case.selection.ways) == 1)


def _by(case: Case, way: Way, *, is_only: bool) -> Iterator[Answer]:
    channel = way.channel
    address = {"email": case.customer.email_normal, "sms": case.customer.phone}.get(str(channel), "")
    # What was decided about her touch is told by the touch; of several channels none decides alone.
    no = Verdict.NO if case.touch is None and is_only else Verdict.NOTE
    if address is None:
        yield Answer("consent", NO_ADDRESS, _("There is no address on %(channel)s.") % {"channel": channel}, no)
        return
    for purpose in way.purposes:
        yield _agreed(case, channel, purpose, address, no)
    if not way.purposes:
        sentence = _("The first message is transactional; it needs no consent.")
        yield Answer("consent", "campaigns.needs_no_consent", sentence, Verdict.YES)
    if address:
        yield from _suppressed(case, channel, address)


def _agreed(case: Case, channel: str, purpose: str, address: str, no: Verdict) -> Answer:
    states = ConsentState.objects.filter(holding(case.now), customer=case.customer, channel=channel, purpose=purpose)
    given = states.filter(address=address).first() if address else states.first()
    then = (_then(case, channel, purpose, address, case.touch.enlisted_at),) if case.touch else ()
    words = {"purpose": purpose, "channel": channel}
    if given is not None:
        words["at"] = moment(given.occurred_at, case.zone)
        sentence = _("She agreed to %(purpose)s on %(channel)s on %(at)s, for her present address.") % words
        return Answer("consent", "campaigns.agreed", sentence, Verdict.YES, given.occurred_at, then)
    sentence = _("She has not agreed to %(purpose)s on %(channel)s for her present address, or it has ended.") % words
    return Answer("consent", NO_CONSENT, sentence, no, parts=then)


def _then(case: Case, channel: str, purpose: str, address: str, at: dt.datetime) -> Part:
    """What the events say of that instant, for the address that she has now."""
    said = Consent.objects.filter(customer=case.customer, channel=channel, purpose=purpose, occurred_at__lte=at)
    last = said.exclude(event=Consent.Event.ASKED).order_by("-occurred_at", "-id").first()
    words = {"then": moment(at, case.zone)}
    if last is None:
        return Part(_("By %(then)s, when the campaign reached her, nothing had been said.") % words, False)
    words |= {"event": last.get_event_display(), "at": moment(last.occurred_at, case.zone)}
    is_hers = not address or bytes(last.address_hash) == address_hash(address)
    is_given = last.event == Consent.Event.GIVEN and (last.expires_at is None or last.expires_at > at) and is_hers
    sentence = _("At %(then)s, when the campaign reached her, the last word was “%(event)s” of %(at)s.") % words
    return Part(sentence if is_hers else f"{sentence} {_('It was for another address.')}", is_given)


def _suppressed(case: Case, channel: str, address: str) -> Iterator[Answer]:
    row = Suppression.objects.filter(channel=channel, address_hash=address_hash(address)).first()
    if row is None:
        return
    words = {"at": moment(row.since, case.zone), "why": row.get_why_display()}
    sentence = _("Nothing is sent to her address since %(at)s: %(why)s.") % words
    if row.marketing_only:
        sentence = _("No marketing is sent to her address since %(at)s: %(why)s.") % words
    # The guard at the moment of sending says so too, and decides.
    yield Answer("consent", "campaigns.address_suppressed", sentence, Verdict.NOTE, row.since)
