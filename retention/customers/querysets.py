"""Reads of this room."""

import datetime as dt
import uuid

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from retention.customers.addresses import normal_phone
from retention.customers.models import Customer, Order
from retention.refusals import Refused
from retention.shop.models import Shop

#: Found by each way of looking; nobody reads further.
FOUND = 200


class NoSuchCustomer(Refused):
    code = "customers.no_such_customer"
    sentence = _("There is no such customer.")
    status = 404


def holding(now: dt.datetime) -> Q:
    """States of consent that are a yes at `now`, for the address they were given for."""
    return Q(is_given=True) & (Q(expires_at=None) | Q(expires_at__gt=now))


def known_as(public_id: uuid.UUID) -> Customer:
    """The living customer of this public id, with her statistics.

    Raises:
        NoSuchCustomer: nobody has it; she was merged into another, or erased.
    """
    found = Customer.objects.filter(public_id=public_id, merged_into=None, erased_at=None)
    if (customer := found.select_related("stats").first()) is None:
        raise NoSuchCustomer
    return customer


def find(text: str) -> list[int]:
    """Ids of customers by the beginning of an email, a reference or a name, by phone, or by an order's reference.

    Each way is one look into one index, so that it is as quick among a million as among ten.
    """
    text = text.strip()
    words = text.lower().split()
    if not words:
        return []
    customers = Customer.objects.filter(merged_into=None)
    ways = [
        customers.filter(email_normal__startswith=text.lower()),
        customers.filter(reference__startswith=text),
        customers.filter(family_name__istartswith=words[-1]) if len(words) == 1 else customers.none(),
        customers.filter(given_name__istartswith=text),
    ]
    if len(words) > 1:
        first, last = words[0], words[-1]
        ways.append(customers.filter(family_name__istartswith=last, given_name__istartswith=first))
        ways.append(customers.filter(family_name__istartswith=first, given_name__istartswith=last))
    found = {pk for way in ways for pk in way.order_by().values_list("pk", flat=True)[:FOUND]}
    country = Shop.objects.values_list("country", flat=True).first() or ""
    if any(sign.isdigit() for sign in text) and (phone := normal_phone(text, country)):
        found.update(customers.filter(phone=phone).order_by().values_list("pk", flat=True)[:FOUND])
    orders = Order.objects.filter(reference__startswith=text, customer__isnull=False)
    found.update(orders.order_by().values_list("customer_id", flat=True)[:FOUND])
    return sorted(found)
