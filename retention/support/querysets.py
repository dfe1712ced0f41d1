"""What the sorry desk reads: finding a customer at once, and what she is worth, bought, complained of and was given."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers
from django.db import models
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from retention.customers.models import Activity, ConsentState, Customer, CustomerStats, Order, OrderLine
from retention.incentives.models import Code, Redemption
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.support.models import AgentLimit, Allowance, Case, Compensation
from retention.support.suggestions import History

#: More than this many people of one name are no answer; the agent types on.
FOUND_AT_MOST = 12
#: No email is longer, nor anything else that is looked for.
LONGEST = 254
#: The kind of activity under which other systems report complaints.
COMPLAINT = "complaint"


@dataclass(frozen=True)
class Found:
    """One customer, and by what she was found: `email`, `order`, `code`, `phone`, `reference` or `name`."""

    customer: Customer
    by: str
    order: Order | None = None


def find(text: str, *, shop: Shop) -> list[Found]:
    """Customers by whatever the agent has: every look-up is one index range, and at most twelve come back.

    An exact answer (email, order, code, phone, reference) ends the search; only then are prefixes tried.
    """
    text = " ".join(text.replace("\x00", "").split())[:LONGEST]
    if len(text) < 2:
        return []
    for by, look_up in (("email", _by_email), ("order", _by_order), ("code", _by_code), ("phone", _by_phone)):
        found = look_up(text, shop)
        if found:
            return [Found(customer, by, order) for customer, order in _alive(found)]
    exact = Customer.objects.filter(reference=text).select_related("stats")[:1]
    return [
        Found(customer, by, None)
        for by, customers in (("reference", exact), ("name", _by_prefix(text)))
        for customer, _order in _alive((customer, None) for customer in customers)
    ][:FOUND_AT_MOST]


def _alive(found: Iterable[tuple[Customer, Order | None]]) -> list[tuple[Customer, Order | None]]:
    """The living: a merged customer's tombstone leads to the one who remains, an erased one to nobody."""
    living: dict[int, tuple[Customer, Order | None]] = {}
    for customer, order in found:
        while customer.merged_into_id:
            customer = customer.merged_into
        if customer.erased_at is None:
            living.setdefault(customer.pk, (customer, order))
    return list(living.values())


def _by_email(text: str, shop: Shop) -> list[tuple[Customer, Order | None]]:
    if "@" not in text:
        return []
    email = text.lower()
    exact = list(Customer.objects.filter(email_normal=email, merged_into=None)[:1])
    return [(customer, None) for customer in exact]


def _by_order(text: str, shop: Shop) -> list[tuple[Customer, Order | None]]:
    reference = text.removeprefix("#")
    orders = Order.objects.select_related("customer").filter(customer__isnull=False)
    return [(order.customer, order) for order in orders.filter(reference__in={reference, reference.upper()})[:1]]


def _by_code(text: str, shop: Shop) -> list[tuple[Customer, Order | None]]:
    normal = re.sub(r"[\s-]", "", text).upper()
    code = Code.objects.select_related("customer").filter(code=normal).first()
    if code is None:
        return []
    if code.customer:
        return [(code.customer, None)]
    used = Redemption.objects.filter(uses__code=code, customer__isnull=False).select_related("customer").order_by("-id")
    return [(redemption.customer, None) for redemption in used[:FOUND_AT_MOST]]


def _by_phone(text: str, shop: Shop) -> list[tuple[Customer, Order | None]]:
    if not re.fullmatch(r"\+?[\d\s()./-]{6,}", text):
        return []
    try:
        number = phonenumbers.parse(text, shop.country or None)
    except phonenumbers.NumberParseException:
        return []
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return [(customer, None) for customer in Customer.objects.filter(phone=e164, merged_into=None)[:FOUND_AT_MOST]]


def _by_prefix(text: str) -> Iterable[Customer]:
    """By the beginning of the email, or of the names in either order; in the order of the index, unsorted."""
    people = Customer.objects.filter(merged_into=None, erased_at=None).select_related("stats")
    words = text.split(" ")
    if len(words) == 1:
        asked = [
            Q(family_name__istartswith=text),
            Q(given_name__istartswith=text),
            Q(email_normal__startswith=text.lower()),
        ]
    else:
        first, last = words[0], " ".join(words[1:])
        asked = [
            Q(family_name__istartswith=last, given_name__istartswith=first),
            Q(family_name__istartswith=first, given_name__istartswith=last),
        ]
    # One query each, so that each walks its own index and stops at the limit; an OR would read both whole.
    for question in asked:
        yield from people.filter(question)[:FOUND_AT_MOST]


class Standing(models.TextChoices):
    """What has become of a compensation."""

    ON_ITS_WAY = "on-its-way", _("on its way")
    GIVEN = "given", _("given")
    USED = "used", _("used")
    EXPIRED = "expired", _("expired")
    UNDONE = "undone", _("undone")
    NOT_SENT = "not-sent", _("not sent")
    VOID = "void", _("void")

    @property
    def is_open(self) -> bool:
        """Its code works, and it can be undone."""
        return self in (Standing.ON_ITS_WAY, Standing.GIVEN)


@dataclass(frozen=True)
class Given:
    """One compensation as the desk shows it."""

    compensation: Compensation
    standing: Standing


@dataclass(frozen=True)
class Dossier:
    """Everything the desk shows of one customer, read by a fixed number of bounded queries."""

    customer: Customer
    orders: list[Order]
    cases: list[Case]
    given: list[Given]
    consents: list[ConsentState]
    codes: list[Code]
    complaints: int


def dossier(customer: Customer, *, order: Order | None = None, now: dt.datetime) -> Dossier:
    """Her latest orders, and before them the one she came with, however old."""
    first = models.Case(models.When(pk=order.pk if order else None, then=0), default=1)
    orders = (
        Order.objects.filter(customer=customer)
        .order_by(first, "-placed_at")
        .prefetch_related(Prefetch("lines", OrderLine.objects.select_related("product").order_by("position")))
    )
    given = compensations().filter(case__customer=customer)
    codes = Code.objects.filter(customer=customer, state__in=[Code.State.GIVEN, Code.State.RESERVED])
    return Dossier(
        customer=customer,
        orders=list(orders[:8]),
        cases=list(Case.objects.filter(customer=customer).select_related("reason", "order")[:8]),
        given=[Given(found, standing(found, now=now)) for found in given[:8]],
        consents=list(ConsentState.objects.filter(customer=customer).order_by("channel", "purpose")[:20]),
        codes=list(codes.filter(Q(expires_at=None) | Q(expires_at__gt=now)).select_related("incentive")[:8]),
        complaints=Case.objects.filter(customer=customer).count()
        + Activity.objects.filter(customer=customer, kind=COMPLAINT).count(),
    )


def compensations() -> QuerySet[Compensation]:
    """Newest first, with all that a line about one needs."""
    return Compensation.objects.select_related(
        "case__reason", "case__order", "case__customer", "product", "grant__code", "given_by", "undone_by"
    )


def given_by(staff_id: int, *, now: dt.datetime) -> list[Given]:
    """What one member of staff gave lately."""
    return [Given(found, standing(found, now=now)) for found in compensations().filter(given_by=staff_id)[:20]]


def code_of(compensation: Compensation) -> Code | None:
    """Its code; none any more where an unsent one went back to its pool."""
    return getattr(compensation.grant, "code", None)


def standing(compensation: Compensation, *, now: dt.datetime) -> Standing:
    if compensation.undone_at:
        return Standing.UNDONE if compensation.undone_why == "undone" else Standing.NOT_SENT
    code = code_of(compensation)
    if code is None or code.state == Code.State.VOID:
        return Standing.VOID
    if code.state == Code.State.REDEEMED:
        return Standing.USED
    if code.expires_at and code.expires_at <= now:
        return Standing.EXPIRED
    return Standing.ON_ITS_WAY if code.state == Code.State.RESERVED else Standing.GIVEN


def delivery(compensation: Compensation, *, origin: str) -> Delivery | None:
    return Delivery.objects.filter(origin=origin, origin_id=compensation.pk).first()


def recent(customer: Customer, *, since: dt.datetime) -> list[Compensation]:
    """What she was given since then and has not been taken back."""
    return list(compensations().filter(case__customer=customer, undone_at=None, given_at__gte=since)[:5])


def same_complaint(case: Case, *, since: dt.datetime) -> Compensation | None:
    """What was given since then for the same line, the same order, or, without either, the same reason."""
    earlier = Compensation.objects.filter(
        case__customer_id=case.customer_id, undone_at=None, given_at__gte=since
    ).exclude(case=case)
    if case.line_id:
        return earlier.filter(Q(case__line_id=case.line_id) | Q(case__order_id=case.order_id, case__line=None)).first()
    if case.order_id:
        return earlier.filter(case__order_id=case.order_id).first()
    return earlier.filter(case__reason_id=case.reason_id).first()


@dataclass(frozen=True)
class Budget:
    """What one member of staff may give, in minor units of the base currency; all zero without a limit."""

    per_case_minor: int
    per_day_minor: int
    left_minor: int


def budget(staff_id: int, *, day: dt.date) -> Budget:
    limit = AgentLimit.objects.filter(staff_id=staff_id).first()
    if limit is None:
        return Budget(0, 0, 0)
    spent = Allowance.objects.filter(staff_id=staff_id, day=day).values_list("spent_minor", flat=True).first() or 0
    return Budget(limit.per_case_minor, limit.per_day_minor, max(limit.per_day_minor - spent, 0))


def history(customer: Customer, *, order: Order | None, line: OrderLine | None, since: dt.datetime) -> History:
    """What a suggestion looks at, in the base currency."""
    stats = CustomerStats.of(customer)
    basis = None
    if line is not None and line.order.total_minor:
        # The line's share of what the whole order was worth in the base currency.
        basis = line.order.base_minor * line.total_minor // line.order.total_minor
    elif order is not None:
        basis = order.base_minor
    return History(
        basis_minor=basis,
        average_minor=stats.average_order_minor,
        orders=stats.orders,
        recent=Compensation.objects.filter(case__customer=customer, undone_at=None, given_at__gte=since).count(),
    )
