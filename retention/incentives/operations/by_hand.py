"""What a grant yields for people to carry out, and its end: done, cancelled, checked in at the door."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.models import Code, Counter, Fulfilment, Grant, Ticket
from retention.incentives.querysets import code_of
from retention.incentives.rules import Access, Experience, IncentiveRule
from retention.refusals import Refused


class NoSuchFulfilment(Refused):
    code = "incentives.no_such_fulfilment"
    sentence = _("There is nothing like this on the work-list.")
    status = 404


class FulfilmentSettled(Refused):
    code = "incentives.fulfilment_settled"
    sentence = _("This is %(state)s since %(at)s.")


class NoSuchTicket(Refused):
    code = "incentives.no_such_ticket"
    sentence = _("This is not the code of a ticket.")
    status = 404


class TicketNotValid(Refused):
    code = "incentives.ticket_not_valid"
    sentence = _("This ticket was withdrawn.")


class TicketNotYet(Refused):
    code = "incentives.ticket_not_yet"
    sentence = _("This ticket is for %(starts_at)s on.")


class TicketOver(Refused):
    code = "incentives.ticket_over"
    sentence = _("This ticket was for the time before %(expired_at)s.")


class CheckedInBefore(Refused):
    code = "incentives.checked_in_before"
    sentence = _("Already checked in at %(at)s.")


def yield_by_hand(
    *, rule: IncentiveRule, grant_ids: Sequence[int], now: dt.datetime, with_tickets: bool = True
) -> None:
    """Within the transaction of a grant: what it adds to the work-list, and its tickets, by one statement an effect.

    Without codes of their own, as of a public offer, grants make no tickets: they come with the order that uses it.
    """
    for place, effect in enumerate(rule.effects):
        if isinstance(effect, Experience):
            wanted = {"place": place, "what": effect.name, "instructions": effect.instructions, "asked_at": now}
            Fulfilment.objects.bulk_create([Fulfilment(grant_id=pk, **wanted) for pk in grant_ids])
        elif isinstance(effect, Access) and effect.is_ticket and with_tickets:
            Ticket.objects.bulk_create([Ticket(grant_id=pk, name=effect.name) for pk in grant_ids])


def cancel_by_hand(*, grant_ids: Collection[int], now: dt.datetime, by: Actor) -> None:
    """Within the transaction that takes grants back or undoes them: what is not done yet is not to be done any more."""
    # Asked of the row itself: a guard in a join is not looked at again when the row was waited for.
    Fulfilment.objects.filter(grant_id__in=list(grant_ids), state=Fulfilment.State.OPEN).update(
        state=Fulfilment.State.CANCELLED, settled_at=now, settled_by=by.name
    )


def withdraw_by_hand(*, grant_ids: Collection[int], now: dt.datetime, by: Actor) -> None:
    """Within the transaction that undoes an order whole: what of it nobody carried out yet is off."""
    cancel_by_hand(grant_ids=grant_ids, now=now, by=by)
    Ticket.objects.filter(grant_id__in=list(grant_ids), checked_in_at=None, withdrawn_at=None).update(withdrawn_at=now)


def is_carried_out(grant_id: int) -> bool:
    """Whether some of it happened already: then the grant was used."""
    return (
        Fulfilment.objects.filter(grant_id=grant_id, state=Fulfilment.State.DONE).exists()
        or Ticket.objects.filter(grant_id=grant_id, checked_in_at__isnull=False).exists()
    )


@transaction.atomic
def settle_fulfilment(*, public_id: uuid.UUID, state: str, now: dt.datetime, by: Actor, note: str = "") -> Fulfilment:
    """Say that something on the work-list is done, or is cancelled; `state` is one of these two.

    Raises:
        NoSuchFulfilment
        FulfilmentSettled: somebody was faster.
    """
    changed = Fulfilment.objects.filter(public_id=public_id, state=Fulfilment.State.OPEN).update(
        state=Fulfilment.State(state), settled_at=now, settled_by=by.name, note=note
    )
    found = Fulfilment.objects.select_related("grant__customer").filter(public_id=public_id).first()
    if found is None:
        raise NoSuchFulfilment
    if not changed:
        raise FulfilmentSettled(state=found.get_state_display(), at=f"{found.settled_at:%Y-%m-%d %H:%M}")
    record(
        verb="incentives.settle_fulfilment",
        by=by,
        now=now,
        subject=found,
        customer_id=found.grant.customer_id,
        after={"state": found.state},
    )
    return found


@transaction.atomic
def check_in(*, code: str, now: dt.datetime, by: Actor) -> Ticket:
    """Let in the holder of a ticket, once.

    Raises:
        NoSuchTicket: the code is unknown, or lets in to nothing.
        TicketNotValid: it was withdrawn, or its offer is stopped.
        TicketNotYet, TicketOver: it is for another time.
        CheckedInBefore: with the instant `at`.
    """
    known = code_of(code)
    # The code first, as whoever withdraws a grant does: one of the two comes first.
    held = known and Code.objects.select_for_update(no_key=True).filter(pk=known.pk).first()
    ticket = held and Ticket.objects.select_related("grant__customer").filter(grant_id=held.grant_id).first()
    if not ticket:
        raise NoSuchTicket
    _refuse_invalid(held, ticket, now)
    free = Ticket.objects.filter(pk=ticket.pk, checked_in_at=None, withdrawn_at=None)
    if not free.update(checked_in_at=now, checked_in_by=by.name):
        ticket.refresh_from_db()
        at = ticket.checked_in_at
        if at is None:
            raise TicketNotValid
        raise CheckedInBefore(at=f"{at:%Y-%m-%d %H:%M} UTC", checked_in_at=at.isoformat())
    record(verb="incentives.check_in", by=by, now=now, subject=ticket, customer_id=ticket.grant.customer_id, after={})
    ticket.checked_in_at, ticket.checked_in_by = now, by.name
    return ticket


def _refuse_invalid(code: Code, ticket: Ticket, now: dt.datetime) -> None:
    # The row that stopping an offer changes: whoever is let in now came before.
    own = Counter.objects.select_for_update(no_key=True).get(
        incentive_id=code.incentive_id, scope=Counter.Scope.ISSUE, subject_id=0, currency="", period=""
    )
    if code.state == Code.State.VOID or ticket.grant.state != Grant.State.ACTIVE or own.is_stopped:
        raise TicketNotValid
    if code.starts_at and now < code.starts_at:
        raise TicketNotYet(starts_at=f"{code.starts_at:%Y-%m-%d %H:%M} UTC")
    if code.expires_at and now >= code.expires_at:
        raise TicketOver(expired_at=f"{code.expires_at:%Y-%m-%d %H:%M} UTC")
