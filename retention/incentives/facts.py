"""Everything a checkout decision needs to know, read at once: the shopper, the products, the code and its counters."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings

from retention import money
from retention.customers.querysets import NoSuchCustomer
from retention.incentives.baskets import Basket, Line, Shopper
from retention.incentives.codes import readings
from retention.shop.models import ExchangeRate, Shop
from retention.statements import read_row


@dataclass(frozen=True)
class Buyer:
    """Who buys, as the caller names her: by one of these, or nobody known. The first that is found counts."""

    reference: str | None = None
    public_id: uuid.UUID | None = None
    email: str | None = None

    @property
    def email_normal(self) -> str | None:
        return self.email.strip().lower() if self.email else None


@dataclass(frozen=True)
class Checkout:
    """A basket at a checkout, as the caller gives it; amounts in minor units of its currency.

    Where the catalogue knows a product, its own facts count more than what a line says of it.
    """

    currency: str
    lines: tuple[Line, ...]
    shipping_minor: int = 0
    country: str = ""
    channel: str = ""
    buyer: Buyer = Buyer()
    order_reference: str = ""


class Used(NamedTuple):
    """The counters of one offer as they were read; `spent` by currency."""

    total: int
    code: int
    customer: int
    spent: Mapping[str, int]
    is_stopped: bool = False


class CodeFacts(NamedTuple):
    """One code with its incentive, as it was read."""

    id: int
    code: str
    version_id: int
    customer_id: int | None
    is_public: bool
    state: str
    starts_at: dt.datetime | None
    expires_at: dt.datetime | None
    incentive_id: int
    incentive_public_id: str
    incentive_name: str
    incentive_state: str
    terms: Mapping[str, Any]
    used: Used


@dataclass(frozen=True)
class Facts:
    """What was read at once."""

    basket: Basket
    email_key: int | None
    #: None where nobody has such a code.
    code: CodeFacts | None
    base_currency: str
    #: Base currency for one unit of the basket's; None where no rate is known.
    rate: Decimal | None

    def in_base(self, minor: int) -> int:
        """An amount of the basket's currency in the base currency, at the day's rate.

        Raises:
            ValueError: there is no rate.
        """
        if self.rate is None:
            raise ValueError("no rate")
        if self.basket.currency == self.base_currency:
            return minor
        return converted(minor, self.basket.currency, self.base_currency, self.rate)


class _Read(NamedTuple):
    """The row of `checkout_facts_v1`, in its order."""

    customer_id: int | None
    email_key: int | None
    orders: int | None
    code_id: int | None
    code: str
    version_id: int
    owner_id: int | None
    is_public: bool
    state: str
    starts_at: dt.datetime | None
    expires_at: dt.datetime | None
    terms: Mapping[str, Any] | None
    incentive_id: int
    incentive_public_id: str
    incentive_name: str
    incentive_state: str
    total_used: int
    is_stopped: bool
    spent_minor: int | None
    code_used: int | None
    customer_used: int | None
    email_used: int | None
    #: Lists of sku, category, tags, minimum price, its currency, is_low_margin.
    products: Sequence[Sequence[Any]] | None
    base_currency: str
    rate: Decimal | None


_READ = "SELECT * FROM checkout_facts_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
#: Between product numbers: no text that comes in holds a control character.
_SEPARATOR = "\x1f"


def read_facts(checkout: Checkout, *, code: str, now: dt.datetime) -> Facts:
    """Everything about one typed code in this checkout, by one query.

    Raises:
        NoSuchCustomer: she is named by a number that nobody has, and no email came with it.
    """
    buyer = checkout.buyer
    email = buyer.email_normal
    typed, read_as = (*readings(code), None, None)[:2]
    read = _Read._make(
        read_row(
            _READ,
            [
                typed,
                read_as,
                buyer.reference,
                buyer.public_id,
                email,
                email_hash_key(),
                email_key(email) if email else None,
                _SEPARATOR.join([line.sku for line in checkout.lines]),
                checkout.currency,
                checkout.order_reference or None,
                now.date(),
            ],
        )
    )
    if read.customer_id is None and not buyer.email and (buyer.reference or buyer.public_id):
        raise NoSuchCustomer
    return Facts(
        basket=_basket(checkout, read, now),
        email_key=read.email_key,
        code=_code(read, checkout.currency) if read.code_id is not None else None,
        base_currency=read.base_currency,
        rate=read.rate,
    )


def converted(minor: int, currency: str, other: str, rate: Decimal) -> int:
    """An amount in another currency, `rate` of which are worth one of its own."""
    scale = money.digits(other) - money.digits(currency)
    return money.round_half_up((Decimal(minor) * rate).scaleb(scale))


@cache
def email_hash_key() -> bytes:
    """The key of the hash that guests are counted under; made from the installation's, and of use for nothing else."""
    return hashlib.sha256(b"retention.incentives.email\0" + settings.ADDRESS_HASH_KEY.encode()).digest()


def email_key(email: str) -> int:
    """What a guest with this email is counted under; the SQL functions say the same of a customer's own."""
    return int.from_bytes(hashlib.sha256(email_hash_key() + email.encode()).digest()[:8], "big", signed=True)


def _basket(checkout: Checkout, read: _Read, now: dt.datetime) -> Basket:
    catalogue = {sku: facts for sku, *facts in read.products or ()}
    foreign = {facts[3] for facts in catalogue.values() if facts[2] and facts[3] != checkout.currency}
    rates = _rates(foreign, checkout.currency, read.base_currency, read.rate, now) if foreign else {}
    return Basket(
        currency=checkout.currency,
        lines=_known_lines(checkout.lines, catalogue, checkout.currency, rates) if catalogue else checkout.lines,
        shipping_minor=checkout.shipping_minor,
        country=checkout.country,
        channel=checkout.channel,
        shopper=Shopper(read.customer_id, read.email_key is not None, read.orders or 0),
    )


def _known_lines(
    lines: Iterable[Line], catalogue: Mapping[str, Sequence[Any]], currency: str, rates: Mapping[str, Decimal]
) -> tuple[Line, ...]:
    return tuple(
        [_known_line(line, catalogue[line.sku], currency, rates) if line.sku in catalogue else line for line in lines]
    )


def _known_line(line: Line, known: Sequence[Any], currency: str, rates: Mapping[str, Decimal]) -> Line:
    category, tags, minimum, product_currency, is_low_margin = known
    is_unpriced = False
    if minimum and product_currency != currency:
        is_unpriced = product_currency not in rates
        minimum = 0 if is_unpriced else converted(minimum, product_currency, currency, rates[product_currency])
    return line._replace(
        category=category,
        tags=frozenset(tags),
        is_low_margin=is_low_margin,
        minimum_price_minor=minimum,
        is_unpriced=is_unpriced,
    )


def _rates(
    currencies: set[str], currency: str, base: str, rate: Decimal | None, now: dt.datetime
) -> dict[str, Decimal]:
    """How many of `currency` each of these is worth today, for minimum prices kept in other currencies: rare."""
    if not rate:
        return {}
    in_base = dict(
        ExchangeRate.objects.filter(currency__in=currencies, on__lte=now.date())
        .order_by("currency", "-on")
        .distinct("currency")
        .values_list("currency", "rate")
    )
    in_base[base] = Decimal(1)
    return {other: in_base[other] / rate for other in currencies if other in in_base}


def _code(read: _Read, currency: str) -> CodeFacts:
    return CodeFacts(
        id=read.code_id,
        code=read.code,
        version_id=read.version_id,
        customer_id=read.owner_id,
        is_public=read.is_public,
        state=read.state,
        starts_at=read.starts_at,
        expires_at=read.expires_at,
        incentive_id=read.incentive_id,
        incentive_public_id=read.incentive_public_id,
        incentive_name=read.incentive_name,
        incentive_state=read.incentive_state,
        terms=read.terms or {},
        used=Used(
            total=read.total_used,
            code=read.code_used or 0,
            # By number and by email: the nearer to the limit decides.
            customer=max(read.customer_used or 0, read.email_used or 0),
            spent={currency: read.spent_minor or 0},
            is_stopped=read.is_stopped,
        ),
    )


def shop_currency() -> str:
    """The base currency of the installation."""
    return Shop.objects.values_list("currency", flat=True).get()
