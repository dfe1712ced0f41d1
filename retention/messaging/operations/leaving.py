"""What customers decide themselves by the links in their mail: to stop it, all or part, or to choose what they get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.core.signing import BadSignature
from django.db import transaction

from retention.actors import Actor
from retention.customers.addresses import address_hash
from retention.customers.asks import open_asks
from retention.customers.models import Consent, ConsentState, Customer
from retention.customers.operations import give_consent, withdraw_consent
from retention.messaging import querysets, tokens

BY = Actor("public:link")


def customer_of(token: str) -> tuple[Customer, str] | None:
    """The customer whose link it is, or whom she was merged into, and the channel; None for strangers and the lost."""
    try:
        public_id, channel = tokens.read_customer_token(token)
    except (BadSignature, ValueError):
        return None
    customer = Customer.objects.filter(public_id=public_id).first()
    while customer is not None and customer.merged_into_id is not None:
        customer = Customer.objects.get(pk=customer.merged_into_id)
    if customer is None or customer.erased_at is not None:
        return None
    return customer, channel


@transaction.atomic
def unsubscribe(*, token: str, now: dt.datetime) -> None:
    """Withdraw the consent to marketing on the link's channel, given or only asked.

    Again, or by a stranger's token, nothing happens.
    Queued messages ask for consent when they leave, so from this commit on none does.
    """
    found = customer_of(token)
    if found is None:
        return
    customer, channel = found
    # One at a time: mail providers send the same click twice at once.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    state = ConsentState.objects.filter(customer=customer, channel=channel, purpose="marketing").first()
    asked = {(ask.channel, ask.purpose) for ask in open_asks([customer.pk], now=now)}
    if state is None or state.is_given or (channel, "marketing") in asked:
        withdraw_consent(
            customer_id=customer.pk, channel=channel, purpose="marketing", source="unsubscribe", now=now, by=BY
        )


@transaction.atomic
def set_preferences(*, token: str, chosen: Collection[tuple[str, str]], now: dt.datetime) -> bool:
    """Give and withdraw so that exactly the `chosen` (channel, purpose) of those offered hold; False for a stranger.

    Where the shop has double opt-in and her address was never confirmed, what she chooses is asked by mail first.
    """
    found = customer_of(token)
    if found is None:
        return False
    customer, _channel = found
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    proof = _proof(customer)
    for choice in querysets.choices_of(customer, language="", now=now):
        channel, purpose = choice.channel, choice.purpose
        wanted = (channel, purpose) in chosen
        if wanted == (choice.is_on or choice.is_asked):
            continue
        if wanted:
            give_consent(
                customer_id=customer.pk,
                channel=channel,
                purpose=purpose,
                source="preferences",
                proof=proof if channel == "email" else "",
                now=now,
                by=BY,
            )
        else:
            withdraw_consent(
                customer_id=customer.pk, channel=channel, purpose=purpose, source="preferences", now=now, by=BY
            )
    return True


@transaction.atomic
def stop_everything(*, token: str, now: dt.datetime) -> bool:
    """Withdraw every consent but to transactional mail, on every channel, given or only asked; False for a stranger.

    Again it writes nothing. What is queued asks for consent when it leaves, so from this commit on none does.
    """
    found = customer_of(token)
    if found is None:
        return False
    customer, channel = found
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    stopped = ConsentState.objects.filter(customer=customer, is_given=False)
    over = set(stopped.values_list("channel", "purpose"))
    asked = {(ask.channel, ask.purpose) for ask in open_asks([customer.pk], now=now)}
    held = ConsentState.objects.filter(customer=customer, is_given=True).exclude(purpose="transactional")
    # That she wants no marketing on the link's channel is written down even if she never said yes to any.
    wanted = {(channel, "marketing")} - over
    for one_channel, purpose in sorted(wanted | asked | set(held.values_list("channel", "purpose"))):
        withdraw_consent(
            customer_id=customer.pk, channel=one_channel, purpose=purpose, source="stop_everything", now=now, by=BY
        )
    return True


def _proof(customer: Customer) -> str:
    """What her link proves: that she reads this very address, if she confirmed or said yes to anything there before."""
    if not customer.email_normal:
        return ""
    known = Consent.objects.filter(
        customer=customer, channel="email", event=Consent.Event.GIVEN, address_hash=address_hash(customer.email_normal)
    )
    return "By the link in a mail to this address." if known.exists() else ""
