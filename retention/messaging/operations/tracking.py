"""What is heard of messages after they left: opens and clicks by our own links, the rest by providers' webhooks."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction

from retention.actors import Actor
from retention.customers.addresses import address_hash, normal_email
from retention.customers.models import Customer
from retention.customers.operations import withdraw_consent
from retention.incentives.models import Grant
from retention.incentives.operations import void_grant
from retention.incentives.operations.grant_life import GrantEnded, GrantUsed
from retention.messaging import machines, querysets, reasons, rendering, tallies, words
from retention.messaging.links import targets
from retention.messaging.models import CompiledTemplate, Delivery, Event, Suppression
from retention.messaging.placeholders import resolve
from retention.messaging.ways import addresses_of, consent_of
from retention.registries import outcomes

BY = Actor("public:provider")
Kind = Event.Kind
#: Further hits of one kind on one message within the same hour are not written down.
_AN_HOUR = "%Y%m%d%H"


@dataclass(frozen=True)
class Told:
    """One thing that a provider says of a message, in our words.

    Attributes:
        source: unique for ever: provider and its own number of the event.
        reference: the delivery's public id, where the provider hands it back.
        recipient: the address it is about, where it says so; only its hash is kept.
    """

    kind: str
    source: str
    at: dt.datetime
    reference: uuid.UUID | None
    recipient: str = ""
    is_machine: bool = False
    detail: str = ""
    channel: str = "email"


@transaction.atomic
def record_told(*, told: Told, now: dt.datetime) -> bool:
    """Write it down and do what follows; said again, or about nothing of ours, it changes nothing. Whether it was new.

    A hard bounce suppresses the address, takes an unused coupon back and ends the message as bounced; a complaint
    suppresses marketing to the address and withdraws its consent; so does unsubscribing at the provider.
    """
    delivery = _locked(told.reference)
    if delivery is None:
        # A test mail, or one of another program at the same provider; a dead address is dead all the same.
        if told.kind in (Kind.BOUNCED, Kind.COMPLAINED) and told.recipient:
            _suppress(told, told.recipient, now)
        return False
    if not _write(delivery, told.kind, told.source, told.at, now, told.is_machine, detail=told.detail):
        return False
    if told.kind == Kind.BOUNCED:
        _bounced(delivery, told, now)
    elif told.kind == Kind.COMPLAINED:
        _suppress(told, told.recipient or _address(delivery), now)
        _withdraw(delivery, "complaint", now)
    elif told.kind == Kind.UNSUBSCRIBED:
        _withdraw(delivery, "provider", now)
    return True


@transaction.atomic
def record_open(
    *, reference: uuid.UUID, now: dt.datetime, is_machine_call: bool = False, is_person: bool = False
) -> bool:
    """The pixel of a message was fetched, or the shop saw her read it; whether there is such a message."""
    delivery = _locked(reference)
    if delivery is None or delivery.left_at is None:
        return False
    is_machine = not is_person and (is_machine_call or now - delivery.left_at < machines.TOO_FAST)
    source = f"own:open:{delivery.pk}:{int(is_machine)}:{now.strftime(_AN_HOUR)}"
    _write(delivery, Kind.OPENED, source, now, now, is_machine)
    return True


@transaction.atomic
def record_click(*, reference: uuid.UUID, number: int, now: dt.datetime, is_machine_call: bool) -> str | None:
    """A counted link was followed; where it leads, or None where there is no such link.

    The target is filled anew with her values: no message keeps its words.
    """
    delivery = _locked(reference)
    if delivery is None:
        return None
    target = _target(delivery, number, now)
    if target is None:
        return None
    if delivery.left_at is not None:
        others = delivery.events.filter(kind=Kind.CLICKED, at__gt=now - machines.AT_ONCE).exclude(link=number)
        is_machine = is_machine_call or now - delivery.left_at < machines.TOO_FAST or others.exists()
        source = f"own:click:{delivery.pk}:{number}:{int(is_machine)}:{now.strftime(_AN_HOUR)}"
        _write(delivery, Kind.CLICKED, source, now, now, is_machine, link=number)
    return target


def _locked(reference: uuid.UUID | None) -> Delivery | None:
    """One event of a message at a time, so that its first one is known."""
    if reference is None:
        return None
    return Delivery.objects.select_for_update(of=["self"], no_key=True).filter(public_id=reference).first()


def _write(
    delivery: Delivery,
    kind: str,
    source: str,
    at: dt.datetime,
    now: dt.datetime,
    is_machine: bool,
    *,
    link: int | None = None,
    detail: str = "",
) -> bool:
    """The event and its count; False where it was heard before."""
    if Event.objects.filter(source=source).exists():
        return False
    is_first = not delivery.events.filter(kind=kind, is_machine=is_machine).exists()
    Event.objects.create(
        delivery=delivery,
        kind=kind,
        at=at,
        recorded_at=now,
        is_machine=is_machine,
        link=link,
        source=source,
        detail=detail[:60],
    )
    if is_first:
        tallies.note([(kind, [delivery])], at=now, is_machine=is_machine)
    return True


def _target(delivery: Delivery, number: int, now: dt.datetime) -> str | None:
    compiled = CompiledTemplate.objects.filter(version=delivery.version_id, language=delivery.language).first()
    leads = targets(compiled.html) if compiled else ()
    if not 0 <= number < len(leads):
        return None
    (outgoing,) = querysets.outgoing(Delivery.objects.filter(pk=delivery.pk))
    template = words.parse(leads[number], delivery.language, is_html=False)
    values = resolve(words.used(template), [outgoing], now=now)[outgoing.id]
    try:
        target = rendering.one_line(words.render(template, values)).replace("&amp;", "&")
    except words.FAILURES:
        return None
    return target if target.lower().startswith(("http://", "https://")) else None


def _bounced(delivery: Delivery, told: Told, now: dt.datetime) -> None:
    _suppress(told, told.recipient or _address(delivery), now)
    if delivery.state not in (Delivery.State.SENT, Delivery.State.UNKNOWN):
        return
    if delivery.state == Delivery.State.UNKNOWN:
        tallies.note([("unknown", [delivery])], at=now, by=-1)
        tallies.note([("sent", [delivery])], at=now)
    delivery.state, delivery.reason, delivery.params = Delivery.State.BOUNCED, reasons.BOUNCED, {"detail": told.detail}
    delivery.claimed_by = ""
    delivery.save(update_fields=["state", "reason", "params", "claimed_by"])
    if delivery.grant_id is not None and Grant.objects.filter(pk=delivery.grant_id, origin=delivery.origin).exists():
        try:
            with transaction.atomic():
                void_grant(grant_id=delivery.grant_id, now=now, by=BY, reason="bounced")
        except (GrantUsed, GrantEnded):
            # Whoever used it did get it.
            pass
    if delivery.origin in outcomes:
        outcomes[delivery.origin].bounced([delivery], now=now)


def _suppress(told: Told, address: str, now: dt.datetime) -> None:
    if not address:
        return
    normal = normal_email(address) if told.channel == "email" else address
    is_complaint = told.kind == Kind.COMPLAINED
    why = Suppression.Why.COMPLAINT if is_complaint else Suppression.Why.BOUNCE
    row, is_new = Suppression.objects.get_or_create(
        channel=told.channel,
        address_hash=address_hash(normal),
        defaults={"why": why, "marketing_only": is_complaint, "since": now},
    )
    if not is_new and row.marketing_only and not is_complaint:
        row.marketing_only, row.why, row.since = False, why, now
        row.save(update_fields=["marketing_only", "why", "since"])


def _withdraw(delivery: Delivery, source: str, now: dt.datetime) -> None:
    customer = _survivor(delivery.customer)
    consent = consent_of(delivery.channel, None)
    if customer.erased_at is None and consent:
        withdraw_consent(
            customer_id=customer.pk, channel=consent[0], purpose="marketing", source=source, now=now, by=BY
        )


def _survivor(customer: Customer) -> Customer:
    while customer.merged_into_id is not None:
        customer = Customer.objects.get(pk=customer.merged_into_id)
    return customer


def _address(delivery: Delivery) -> str:
    return addresses_of(delivery.customer, delivery.channel)[1] or ""
