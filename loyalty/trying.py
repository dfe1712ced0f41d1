"""What a basket or an order would earn and why, rule by rule, by the same engine as the sweep; nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.earning import State, Weighed, weigh
from loyalty.facts import Line, OrderFact
from loyalty.models import Member
from loyalty.operations.due import Rules
from loyalty.operations.earning_rows import read_states
from loyalty.operations.members import Who
from loyalty.rules import ProgrammeRule
from loyalty.rules.pending import Moment, Waiting
from loyalty.sentences import Teller
from retention import money
from retention.customers.models import Product
from retention.incentives.facts import shop_currency
from retention.incentives.parts import percent_text
from retention.ledger.days import shop_zone
from retention.refusals import Refused
from retention.shop.models import ExchangeRate


class NoRate(Refused):
    code = "loyalty.no_rate"
    sentence = gettext_lazy("There is no exchange rate for %(currency)s.")


@dataclass(frozen=True)
class TriedLine:
    """One product of a basket; a product that the shop does not know is in no category."""

    sku: str
    quantity: int
    unit_price_minor: int
    discount_minor: int = 0


@dataclass(frozen=True)
class TriedBasket:
    """What would be bought, and what of it gift cards, and points or other balances, would pay; in `currency`."""

    currency: str
    lines: Sequence[TriedLine]
    shipping_minor: int = 0
    discount_minor: int = 0
    tax_minor: int = 0
    by_card_minor: int = 0
    by_balance_minor: int = 0
    channel: str = ""
    payment_method: str = ""


@dataclass(frozen=True)
class TriedRule:
    """What one rule makes of it, in words."""

    key: str
    sentence: str
    amount: int
    why: str


@dataclass(frozen=True)
class Tried:
    """The whole answer; `waiting` says when it would count."""

    rules: tuple[TriedRule, ...]
    tier: str
    waiting: Waiting
    waiting_words: str

    @property
    def total(self) -> int:
        return sum(rule.amount for rule in self.rules)


def try_order(
    rule: ProgrammeRule, fact: OrderFact, *, teller: Teller, member: Member | None = None, tier: str | None = None
) -> Tried:
    """What this order would earn by this rule: of a member with what she earned before, or of anybody in a tier."""
    zone = shop_zone()
    state = State(zone=zone, tier=tier or "")
    if member is not None:
        hers = member.tier.key if member.tier else ""
        who = Who(
            member.pk, member.customer_id, member.joined_at, member.left_at, tier if tier is not None else hers,
            member.customer.birth_month,
        )  # fmt: skip
        rules = Rules((fact.happened_at,), (0,), (rule,), zone)
        state = read_states(member.programme_id, rules, [fact], {member.customer_id: who})[member.pk]
    weighed = weigh(fact, rule, state)
    moment = Moment(fact.happened_at, fact.customer_id, member.programme_id if member else 0, None)
    return Tried(
        rules=tuple(
            TriedRule(each.rule.key, capfirst(each.rule.sentence(teller)), each.amount, words(each)) for each in weighed
        ),
        tier=state.tier,
        waiting=rule.pending.waiting(moment, zone),
        waiting_words=rule.pending.sentence(teller),
    )


def as_order(basket: TriedBasket, *, customer_id: int, now: dt.datetime) -> OrderFact:
    """A basket as the order that it would be if it were paid now, at today's rate.

    Raises:
        NoRate: nobody said what its currency is worth.
    """
    known = {
        product.sku: product for product in Product.objects.filter(sku__in=[line.sku for line in basket.lines])
    }  # fmt: skip
    lines = tuple(_line(line, known.get(line.sku)) for line in basket.lines)
    goods = sum(line.total_minor for line in lines)
    discount = min(basket.discount_minor, goods)
    total = goods - discount + basket.shipping_minor
    return OrderFact(
        id=0,
        customer_id=customer_id,
        happened_at=now,
        lines=lines,
        total_minor=total,
        rate=_rate(basket.currency, shop_currency(), now),
        shipping_minor=basket.shipping_minor,
        discount_minor=discount,
        tax_minor=min(basket.tax_minor, total),
        by_card_minor=min(basket.by_card_minor, total),
        by_balance_minor=min(basket.by_balance_minor, total),
        channel=basket.channel,
        payment_method=basket.payment_method,
    )


def again(fact: OrderFact, *, now: dt.datetime) -> OrderFact:
    """An order of the shop's as if it were paid now."""
    return replace(fact, happened_at=now)


def words(each: Weighed) -> str:
    """What an amount was made of, or why there is none, as a sentence."""
    if each.refused is not None:
        return str(each.refused.sentence)
    parts = [_("%(worth)s reckoned") % {"worth": each.why["worth"]}]
    if "percent" in each.why:
        parts.append(_("times %(times)s for the tier") % {"times": percent_text(each.why["percent"])})
    if "before_cap" in each.why:
        parts.append(_("%(before)s before the cap") % {"before": each.why["before_cap"]})
    return ", ".join([*parts, _("rounded down")])


def _rate(currency: str, base: str, now: dt.datetime) -> Fraction:
    """What a minor unit is worth in the base currency's today."""
    if currency == base:
        return Fraction(1)
    known = ExchangeRate.objects.filter(currency=currency, on__lte=now.date()).order_by("-on").first()
    if known is None:
        raise NoRate(currency=currency)
    return Fraction(known.rate) * Fraction(10 ** money.digits(base), 10 ** money.digits(currency))


def _line(line: TriedLine, product: Product | None) -> Line:
    total = max(line.quantity * line.unit_price_minor - line.discount_minor, 0)
    tags = frozenset(product.tags) if product else frozenset()
    category = product.category if product else ""
    return Line(line.sku, category, tags, line.quantity, line.quantity, line.unit_price_minor, total)
