"""What phones answer: STOP and START, and what the provider tells of text messages."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from retention.actors import Actor
from retention.customers.addresses import address_hash
from retention.customers.models import ConsentState, Customer
from retention.customers.operations import withdraw_consent
from retention.messaging import texting
from retention.messaging.models import Suppression, Way

BY = Actor("public:phone")


@transaction.atomic
def answer_text(*, number: str, text: str, now: dt.datetime) -> str:
    """A phone wrote to us. STOP ends marketing to this number at once, whoever has it; START lets it be asked again.

    Returns "stopped", "started" or "" for anything else. Said again, it changes nothing.
    """
    word = texting.said(text)
    if word in texting.STOP_WORDS:
        Suppression.objects.get_or_create(
            channel=Way.SMS,
            address_hash=address_hash(number),
            defaults={"why": Suppression.Why.UNSUBSCRIBED, "marketing_only": True, "since": now},
        )
        # A phone may be shared: its word counts for everybody who has it.
        for customer in Customer.objects.filter(phone=number, merged_into=None, erased_at=None).order_by("pk"):
            Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
            held = ConsentState.objects.filter(customer=customer, channel="sms", is_given=True)
            for purpose in sorted({"marketing", *held.values_list("purpose", flat=True)} - {"transactional"}):
                stopped = ConsentState.objects.filter(customer=customer, channel="sms", purpose=purpose, is_given=False)
                if not stopped.exists():
                    withdraw_consent(
                        customer_id=customer.pk, channel="sms", purpose=purpose, source="stop", now=now, by=BY
                    )
        return "stopped"
    if word in texting.START_WORDS:
        # Consent is given by her, not by a word that only takes back another.
        Suppression.objects.filter(
            channel=Way.SMS,
            address_hash=address_hash(number),
            why=Suppression.Why.UNSUBSCRIBED,
            marketing_only=True,
        ).delete()
        return "started"
    return ""
