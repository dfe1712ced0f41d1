"""Data health: how much is known of the living customers, and what each thing known makes possible."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from retention.customers.models import ConsentState, CustomerStats

_KEY = "customers.health"


@dataclass(frozen=True)
class Facet:
    """One thing that may be known of a customer.

    Attributes:
        has: SQL over customer `c`: it is known; "" where another table knows.
        lacks: it is not, as a condition over `Customer`.
        enables: what it makes possible, with %(share)s.
    """

    key: str
    label: Any
    has: str
    lacks: Q
    enables: Any


@dataclass(frozen=True)
class Known:
    """How many of the living have it."""

    facet: Facet
    count: int
    of: int

    @property
    def lacking(self) -> int:
        return self.of - self.count

    @property
    def percent(self) -> int:
        """Whole percent, rounded down, so that 100 means everybody."""
        return 100 * self.count // self.of if self.of else 0

    @property
    def sentence(self) -> str:
        return str(self.facet.enables) % {"share": f"{self.percent} %"}


def _without_consent(channel: str, address: str) -> Q:
    given = ConsentState.objects.filter(
        customer=OuterRef("pk"), channel=channel, purpose="marketing", is_given=True, address=OuterRef(address)
    )
    return Q(~Exists(given))


FACETS = (
    Facet("email", _("Email"), "c.email_normal IS NOT NULL", Q(email=None), _("Mail of any kind can reach %(share)s.")),
    Facet(
        "email_consent", _("Consent to email"), "", _without_consent("email", "email_normal"),
        _("Marketing mail reaches %(share)s."),
    ),
    Facet("phone", _("Phone"), "c.phone IS NOT NULL", Q(phone=None), _("Text messages can reach %(share)s.")),
    Facet(
        "sms_consent", _("Consent to SMS"), "", _without_consent("sms", "phone"),
        _("Marketing by SMS reaches %(share)s."),
    ),
    Facet(
        "birthday", _("Birthday"), "c.birth_month IS NOT NULL", Q(birth_month=None),
        _("Birthday campaigns reach %(share)s."),
    ),
    Facet(
        "country", _("Country"), "c.country <> ''", Q(country=""),
        _("National holidays and limits by country are right for %(share)s."),
    ),
    Facet(
        "time_zone", _("Time zone"), "c.time_zone <> ''", Q(time_zone=""),
        _("%(share)s are written to by their own clock, the others by the shop's."),
    ),
    Facet(
        "language", _("Language"), "c.language <> ''", Q(language=""),
        _("%(share)s are written to in their language, the others in the shop's."),
    ),
    Facet(
        "signed_up_at", _("Sign-up date"), "c.signed_up_at IS NOT NULL", Q(signed_up_at=None),
        _("Anniversary campaigns reach %(share)s."),
    ),
    Facet(
        "orders", _("Orders"), "",
        Q(~Exists(CustomerStats.objects.filter(customer=OuterRef("pk"), orders__gt=0))),
        _("Win-back and all that goes by what was bought know %(share)s."),
    ),
)  # fmt: skip

_LIVING = "c.merged_into_id IS NULL AND c.erased_at IS NULL"
_CONSENTS = (
    "(SELECT count(*) FROM customers_consentstate s JOIN customers_customer c ON c.id = s.customer_id"
    " WHERE s.channel = '{channel}' AND s.purpose = 'marketing' AND s.is_given AND s.address = c.{address} AND "
    + _LIVING
    + ")"
)
#: Facets that are counted in tables of their own, which are shorter than all customers.
_ELSEWHERE = {
    "email_consent": _CONSENTS.format(channel="email", address="email_normal"),
    "sms_consent": _CONSENTS.format(channel="sms", address="phone"),
    "orders": "(SELECT count(*) FROM customers_customerstats t JOIN customers_customer c"
    " ON c.id = t.customer_id WHERE t.orders > 0 AND " + _LIVING + ")",
}
_ALL = (
    "SELECT "
    + ", ".join(["count(*)", *(_ELSEWHERE.get(f.key) or f"count(*) FILTER (WHERE {f.has})" for f in FACETS)])
    + " FROM customers_customer c WHERE "
    + _LIVING
)
#: How long a count is shown again, in seconds.
KEPT = 600


def known(*, now: dt.datetime, again: bool = False) -> tuple[dt.datetime, list[Known]]:
    """(as of when, everything of FACETS over all living customers); counted by one statement, and kept for a while."""
    kept = None if again else cache.get(_KEY)
    if kept is None:
        with connection.cursor() as cursor:
            cursor.execute(_ALL)
            kept = (now, cursor.fetchone())
        cache.set(_KEY, kept, KEPT)
    counted_at, (of, *counts) = kept
    return counted_at, [Known(facet, count, of) for facet, count in zip(FACETS, counts, strict=True)]
