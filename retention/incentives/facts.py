"""Everything a checkout decision needs to know, read at once: the shopper, the products, the offers and their counters.

One statement reads it all. A second one follows only where a rule in play has limits beyond the simple ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from retention.customers.querysets import NoSuchCustomer
from retention.incentives import persons
from retention.incentives.baskets import Basket, Shopper
from retention.incentives.cart_conditions.shoppers import InSegments
from retention.incentives.catalogue import converted, known_lines
from retention.incentives.checkouts import Checkout
from retention.incentives.codes import readings
from retention.incentives.counting import Ask, Counted, Key, asks
from retention.incentives.models import Budget
from retention.incentives.policy import Policy
from retention.incentives.rules import BudgetLimits, IncentiveRule, with_terms
from retention.incentives.versions import limits_of, policy_of, rules_of
from retention.segments.models import Membership
from retention.shop.models import Shop
from retention.statements import array, read_row

#: Of a shop that never saved one; made once, as every checkout asks.
UNWRITTEN = Policy()


class OfferFacts(NamedTuple):
    """One offer of a checkout as it was read: by a code, or automatic (`code_id` None)."""

    code_id: int | None
    code: str | None
    version_id: int
    #: Whose code it is.
    customer_id: int | None
    state: str
    starts_at: dt.datetime | None
    expires_at: dt.datetime | None
    terms: Mapping[str, Any] | None
    budget_id: int | None
    incentive_id: int
    incentive_public_id: str
    incentive_name: str
    incentive_state: str
    is_stopped: bool
    total_used: int
    spent_minor: int
    #: None where they did not come with the offer and are read when they are asked for.
    code_used: int | None = None
    customer_used: int | None = None
    #: Of all her hashes, the one that is nearest to the limit.
    person_used: int | None = None
    #: Asked for by the caller by its name, live or not.
    is_named: bool = False
    #: Her own, given to apply by itself, and not typed.
    is_own: bool = False


@dataclass(frozen=True)
class Offer:
    """One offer with its rule, the grant's own terms folded in, and all that a use of it would count in."""

    facts: OfferFacts
    rule: IncentiveRule
    counted: Counted
    #: The version of the limits of its budget, where it has one.
    budget_version_id: int | None = None

    @property
    def is_automatic(self) -> bool:
        return self.facts.is_own or self.facts.code_id is None and not self.facts.is_named

    @cached_property
    def asks(self) -> list[Ask]:
        return asks(self.counted)


class Facts(NamedTuple):
    """What was read at once."""

    basket: Basket
    #: Keyed hashes of who she is, her email's last.
    persons: tuple[int, ...]
    offers: tuple[Offer, ...]
    #: What was typed and nobody has, in the order of typing.
    unknown: tuple[str, ...]
    policy: Policy
    policy_id: int | None
    base_currency: str
    #: Base currency for one unit of the basket's; None where no rate is known.
    rate: Decimal | None
    now: dt.datetime
    #: The shop's day.
    today: dt.date
    #: The counters and rolling counts of the offers as they were read; what is not there is zero.
    kept: Mapping[Key, int] = MappingProxyType({})

    @property
    def incentive_ids(self) -> list[int]:
        return [offer.facts.incentive_id for offer in self.offers]

    @property
    def rolling_keys(self) -> list[int]:
        """Who a rolling limit of this shopper looks for."""
        customer = self.basket.shopper.id
        return [*self.persons, persons.customer_key(customer)] if customer is not None else [*self.persons]

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


_READ = "SELECT checkout_facts_v2(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
#: Between codes and between product numbers: no text that comes in holds a control character.
_SEPARATOR = "\x1f"


def read_facts(checkout: Checkout, *, codes: Sequence[str], now: dt.datetime, with_automatic: bool = True) -> Facts:
    """Everything about these typed codes and (`with_automatic`) the live automatic offers in this checkout.

    Raises:
        NoSuchCustomer: she is named by a number that nobody has, and no email came with it.
    """
    buyer = checkout.buyer
    email = buyer.email_normal
    further = buyer.further_persons
    (read,) = read_row(
        _READ,
        [
            _SEPARATOR.join([text for typed in codes for text in _typed(typed)]),
            buyer.reference,
            buyer.public_id,
            email,
            persons.hash_key(),
            persons.email_key(email) if email else None,
            array(further),
            _SEPARATOR.join([line.sku for line in checkout.lines]),
            checkout.currency,
            checkout.order_reference or None,
            now.date(),
            with_automatic,
        ],
    )
    customer_id, email_key, orders, tiers, products, base, rate_text, zone, policy_id, offers = read
    rate = Decimal(rate_text) if rate_text else None
    if customer_id is None and not buyer.email and (buyer.reference or buyer.public_id):
        raise NoSuchCustomer
    found = {place: _offer_facts(values, is_typed=place <= len(codes)) for place, *values in offers}
    local = now.astimezone(ZoneInfo(zone))
    facts = Facts(
        basket=Basket(
            currency=checkout.currency,
            lines=known_lines(checkout.lines, products, checkout.currency, base=base, rate=rate, now=now),
            shipping_minor=checkout.shipping_minor,
            country=checkout.country,
            channel=checkout.channel,
            region=checkout.region,
            store=checkout.store,
            payment_method=checkout.payment_method,
            attributes=checkout.attributes,
            at=local,
            shopper=Shopper(customer_id, email_key is not None, orders, tiers=frozenset(tiers or ())),
        ),
        persons=(*further, email_key) if email_key is not None else tuple(further),
        offers=(),
        unknown=tuple([typed for place, typed in enumerate(codes, 1) if place not in found]),
        policy=policy_of(policy_id) if policy_id else UNWRITTEN,
        policy_id=policy_id,
        base_currency=base,
        rate=rate,
        now=now,
        today=local.date(),
    )
    return with_offers(facts, _once(found.values()))


def with_offers(facts: Facts, offers: Iterable[OfferFacts]) -> Facts:
    """The facts with these offers in play, and every counter that they ask for."""
    offers = list(offers)
    rules = rules_of([offer.version_id for offer in offers])
    facts = with_segments(facts, rules.values())
    budgets = _budget_versions([offer.budget_id for offer in offers if offer.budget_id is not None])
    made = tuple([_offer(facts, one, rules[one.version_id], budgets.get(one.budget_id)) for one in offers])
    kept: dict[Key, int] = {}
    for offer in made:
        kept.update(_kept(offer.facts, facts))
    if missing := [ask.key for offer in made for ask in offer.asks if ask.most is not None and ask.key not in kept]:
        kept.update(_read_kept(missing, facts.rolling_keys))
    return facts._replace(offers=made, kept=kept)


def shop_currency() -> str:
    """The base currency of the installation."""
    return Shop.objects.values_list("currency", flat=True).get()


def _offer_facts(values: Sequence[Any], *, is_typed: bool) -> OfferFacts:
    """An offer as `checkout_facts_v2` tells it, instants as texts."""
    code_id, code, version_id, owner_id, state, starts_at, expires_at, *others = values
    starts, expires = [at and dt.datetime.fromisoformat(at) for at in (starts_at, expires_at)]
    is_own = code_id is not None and not is_typed
    return OfferFacts(code_id, code, version_id, owner_id, state, starts, expires, *others, is_own=is_own)


def _typed(code: str) -> tuple[str, str]:
    itself, read_as, *_none = *readings(code), "", ""
    return itself, read_as


def _once(offers: Iterable[OfferFacts]) -> list[OfferFacts]:
    """A code typed twice is one code."""
    return list({offer.code_id or -offer.incentive_id: offer for offer in offers}.values())


def _offer(facts: Facts, offer: OfferFacts, rule: IncentiveRule, budget_version: int | None) -> Offer:
    rule = with_terms(rule, offer.terms or {})
    counted = Counted(
        rule=rule,
        incentive_id=offer.incentive_id,
        code_id=offer.code_id,
        customer_id=facts.basket.shopper.id,
        persons=facts.persons,
        currency=facts.basket.currency,
        now=facts.now,
        today=facts.today,
        budget_id=offer.budget_id,
        budget=limits_of(budget_version) if budget_version else BudgetLimits() if offer.budget_id else None,
        allowance=facts.policy.allowance,
    )
    return Offer(offer, rule, counted, budget_version)


def _kept(offer: OfferFacts, facts: Facts) -> Iterable[tuple[Key, int]]:
    """The counters that came with the offer itself."""
    incentive = offer.incentive_id
    yield Key(incentive, "incentive", 0), offer.total_used
    yield Key(incentive, "incentive", 0, "", facts.basket.currency), offer.spent_minor
    if offer.code_used is not None and offer.code_id is not None:
        yield Key(incentive, "code", offer.code_id), offer.code_used
    if offer.customer_used is not None and (customer := facts.basket.shopper.id) is not None:
        yield Key(incentive, "customer", customer), offer.customer_used
    if offer.person_used is not None:
        for person in facts.persons:
            yield Key(incentive, "person", person), offer.person_used


def with_segments(facts: Facts, rules: Iterable[IncentiveRule]) -> Facts:
    """Which of the segments that these rules ask for she is in."""
    shopper = facts.basket.shopper
    asked = {
        segment
        for rule in rules
        for condition in rule.conditions
        if isinstance(condition, InSegments)
        for segment in condition.segments
    }
    if not asked or shopper.id is None:
        return facts
    hers = Membership.objects.filter(customer_id=shopper.id, segment_id__in=asked).values_list("segment_id", flat=True)
    return facts._replace(basket=replace(facts.basket, shopper=replace(shopper, segments=frozenset(hers))))


def _budget_versions(budget_ids: list[int]) -> dict[int | None, int]:
    if not budget_ids:
        return {}
    return dict(Budget.objects.filter(pk__in=budget_ids, version__isnull=False).values_list("pk", "version_id"))


def _read_kept(keys: Sequence[Key], rolling_keys: list[int]) -> dict[Key, int]:
    """What these counters say, and for rolling ones what the uses themselves say."""
    keys = list(dict.fromkeys(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.at,
                   CASE WHEN asked.since IS NULL THEN coalesce(counter.redeemed + counter.spent_minor, 0)
                        ELSE rolling_used_v1(asked.incentive_id, asked.scope, asked.subject_id, %s::bigint[],
                                             asked.since, asked.currency) END
            FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[])
                 WITH ORDINALITY AS asked (incentive_id, scope, subject_id, period, currency, since, at)
            LEFT JOIN incentives_counter counter
              ON (counter.incentive_id, counter.scope, counter.subject_id, counter.period, counter.currency)
               = (asked.incentive_id, asked.scope, asked.subject_id, asked.period, asked.currency)
            """,
            [rolling_keys, *[list(column) for column in zip(*keys, strict=True)]],
        )
        return {keys[at - 1]: used for at, used in cursor.fetchall()}
