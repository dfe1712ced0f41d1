"""The signed links to a customer's own page of a programme: whose, of which, and until when."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.core.signing import BadSignature

from loyalty.models import Programme
from retention.customers.models import Customer
from retention.messaging import tokens

_PAGE = "loyalty.member"
#: A link is good for so long; newer messages bring newer links.
GOOD_FOR = dt.timedelta(days=90)


def member_url(customer: uuid.UUID, programme: uuid.UUID, *, now: dt.datetime) -> str:
    """The address of her page of a programme, member or not; opaque, and good for ninety days."""
    until = int((now + GOOD_FOR).timestamp())
    token = tokens.page_token(_PAGE, customer.bytes + programme.bytes + until.to_bytes(6, "big"))
    return f"{settings.BASE_URL}/m/{token}"


def read_member(token: str, *, now: dt.datetime) -> tuple[Customer, Programme] | None:
    """Whose page of which programme; None: forged, too old, or of somebody or something that is gone."""
    try:
        payload = tokens.read_page_token(_PAGE, token)
    except BadSignature:
        return None
    if len(payload) != 38 or int.from_bytes(payload[32:], "big") <= now.timestamp():
        return None
    customer = Customer.objects.filter(
        public_id=uuid.UUID(bytes=payload[:16]), merged_into=None, erased_at=None
    ).first()  # fmt: skip
    programme = Programme.objects.select_related("unit").filter(
        public_id=uuid.UUID(bytes=payload[16:32]), archived_at=None
    ).exclude(state=Programme.State.DRAFT).first()  # fmt: skip
    return (customer, programme) if customer and programme else None


def programme_url(programme: Programme) -> str:
    """The public page that says how a programme works."""
    return f"{settings.BASE_URL}/club/{programme.key}"
