"""What customers decide themselves by the links in their mail: to stop it, or to choose what they get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.core.signing import BadSignature
from django.db import transaction

from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
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
    """Withdraw the consent to marketing on the link's channel; again, or by a stranger's token, nothing happens.

    Queued messages ask for consent when they leave, so from this commit on none does.
    """
    found = customer_of(token)
    if found is None:
        return
    customer, channel = found
    # One at a time: mail providers send the same click twice at once.
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    state = ConsentState.objects.filter(customer=customer, channel=channel, purpose="marketing").first()
    if state is None or state.is_given:
        withdraw_consent(
            customer_id=customer.pk, channel=channel, purpose="marketing", source="unsubscribe", now=now, by=BY
        )


@transaction.atomic
def set_preferences(*, token: str, chosen: Collection[tuple[str, str]], now: dt.datetime) -> bool:
    """Give and withdraw so that exactly the `chosen` (channel, purpose) of those offered hold; False for a stranger."""
    found = customer_of(token)
    if found is None:
        return False
    customer, _channel = found
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    for choice in querysets.choices_of(customer):
        wanted = (choice.channel, choice.purpose) in chosen
        if wanted == choice.is_on:
            continue
        write = give_consent if wanted else withdraw_consent
        write(
            customer_id=customer.pk,
            channel=choice.channel,
            purpose=choice.purpose,
            source="preferences",
            now=now,
            by=BY,
        )
    return True
