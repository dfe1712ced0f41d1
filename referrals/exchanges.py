"""An advocate's code at the checkout's one box: it makes the referral, and the friend's welcome counts in its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from referrals import operations
from referrals.models import Advocate, Referral, Scheme
from referrals.operations.schemes import NotLive
from referrals.querysets import NoSuchAdvocate, advocate_of
from retention.actors import Actor
from retention.customers.models import Customer
from retention.customers.operations import save_customer
from retention.incentives.cart_conditions.base import CustomerUnknown
from retention.refusals import Refused
from retention.registries import Exchange, exchanges

BY = Actor.job("referrals.checkout")


class NotForHer(Refused):
    code = "referrals.not_for_her"
    sentence = _("This code is for customers whom a friend brings, once each.")


class BeingChecked(Refused):
    code = "referrals.being_checked"
    sentence = _("This recommendation must be checked by the shop before the customer can use it.")


@exchanges.register
class AdvocateCodes(Exchange):
    key = "referrals.advocates"
    secret = frozenset({NotLive.code})

    @classmethod
    def exchanged(cls, *, codes: Sequence[str], buyer: Any, order_reference: str, now: dt.datetime) -> dict[str, str]:
        found = {}
        for code in codes:
            advocate = _taking(code)
            if advocate is not None:
                found[code] = _welcome(advocate, _friend(buyer, now), order_reference, now)
        return found


def _taking(code: str) -> Advocate | None:
    """Whose code it is; None: it is strange.

    Raises:
        NotLive: her scheme takes no friends at present.
    """
    try:
        advocate = advocate_of(code)
    except NoSuchAdvocate:
        return None
    if advocate.scheme.state != Scheme.State.LIVE:
        raise NotLive(name=advocate.scheme.name)
    return advocate


def _friend(buyer: Any, now: dt.datetime) -> Customer:
    """Who buys; an email that nobody has yet is a guest's, as with her order a moment later."""
    living = Customer.objects.filter(merged_into=None, erased_at=None)
    ways = {"reference": buyer.reference, "public_id": buyer.public_id, "email_normal": buyer.email_normal}
    for name, value in ways.items():
        if value and (found := living.filter(**{name: value}).first()) is not None:
            return found
    if not buyer.email:
        raise CustomerUnknown
    return save_customer(customer_id=None, values={"email": buyer.email}, now=now, by=BY).customer


def _welcome(advocate: Advocate, friend: Customer, order_reference: str, now: dt.datetime) -> str:
    source = f"checkout:{advocate.pk}:{friend.pk}"
    try:
        referral = operations.refer(
            code=advocate.code, friend_id=friend.pk, source=source, order_reference=order_reference, now=now, by=BY
        ).referral
    except operations.FriendCounted:
        # She came by the link before and types its code as well: what she was given is hers to use.
        referral = Referral.objects.get(friend=friend, scheme_id=advocate.scheme_id)
        if referral.advocate_id != advocate.pk:
            raise NotForHer from None
    if referral.state == Referral.State.REVIEW:
        raise BeingChecked
    code = getattr(referral.friend_grant, "code", None)
    if referral.state == Referral.State.REJECTED or code is None:
        raise NotForHer
    return code.code
