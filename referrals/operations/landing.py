"""A friend leaves her email behind a personal link: she is claimed, and asked whether she wants news as well."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower

from referrals.operations.claiming import FriendCounted, refer
from referrals.operations.schemes import NotLive
from retention.actors import Actor
from retention.customers.models import Customer
from retention.customers.operations import ConsentRefused, ask_consent, save_customer

BY = Actor.job("referrals.landing")


@transaction.atomic
def take_friend(
    *,
    code: str,
    email: str,
    language: str,
    wants_news: bool,
    visitor_key: str,
    network: str,
    now: dt.datetime,
) -> None:
    """Make her a customer unless she is one, claim her for the advocate, and ask for her consent if she wants news.

    Her welcome goes to the address by mail, so that only its owner has it; consent needs her click in a mail of its
    own. It says nothing of what came of it: a stranger learns nothing from it about whose address it is.

    Raises:
        NoSuchAdvocate
        BadFacts: it is no email.
    """
    friend = Customer.objects.filter(email_normal=Lower(Value(email)), merged_into=None).first()
    if friend is None:
        values = {"email": email, "language": language, "source": "referral"}
        friend = save_customer(customer_id=None, values=values, now=now, by=BY).customer
    if wants_news:
        try:
            ask_consent(
                customer_id=friend.pk, channel="email", purpose="marketing", source="referral page", now=now, by=BY
            )
        except ConsentRefused:
            pass  # such as an address that may never be written to
    try:
        with transaction.atomic():
            refer(
                code=code, friend_id=friend.pk, source=f"landing:{visitor_key}:{friend.pk}", visitor_key=visitor_key,
                network=network, now=now, by=BY,
            )  # fmt: skip
    except (FriendCounted, NotLive):
        pass
