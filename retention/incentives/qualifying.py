"""Which offers fit this shopper and basket, best first, and which nearly do. Reads only."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from retention.incentives.carts import Cart
from retention.incentives.checkouts import Checkout
from retention.incentives.decisions import Checked, Decision, decide, holds
from retention.incentives.discounts import Evaluation
from retention.incentives.discounts.offers import Missed, attempt, hints, missed_from_the_start
from retention.incentives.facts import Facts, Offer, OfferFacts, read_facts, with_offers, with_segments
from retention.incentives.rules import IncentiveRule, sentence, with_terms
from retention.incentives.rules.effects.base import NextTier, NextTierByUnits
from retention.incentives.versions import rule_of, rules_of
from retention.refusals import Refusal

#: Codes looked at: public ones, and as many of her own; and what is told of each sort.
MOST, TOLD = 1_000, 20
HINTS = frozenset([NextTier.code, NextTierByUnits.code])


@dataclass(frozen=True)
class Qualifying:
    """One offer that fits, with what it comes to; or one that nearly does (more), with what is missing for that."""

    offer: OfferFacts
    rule: IncentiveRule
    evaluation: Evaluation | None = None
    reasons: tuple[Refusal, ...] = ()

    @property
    def sentence(self) -> str:
        return sentence(self.rule)

    @property
    def missing(self) -> str:
        """What a near miss lacks, in words for the shopper: "Add 12.00 EUR to get Free shipping"."""
        if all(reason.code in HINTS for reason in self.reasons):
            return " ".join(str(reason) for reason in self.reasons)
        return _("%(what)s to get %(offer)s") % {
            "what": " ".join(_lacking(reason) for reason in self.reasons),
            "offer": " + ".join(effect.sentence() for effect in self.rule.effects),
        }


@dataclass(frozen=True)
class Qualified:
    """Offers that fit, the biggest discount first, and near misses: the best twenty of each.

    One that fits is among the near misses too where a fuller basket would reach its next step.
    """

    offers: tuple[Qualifying, ...]
    near_misses: tuple[Qualifying, ...]


def qualify(*, checkout: Checkout, now: dt.datetime) -> Qualified:
    """Among the live public codes, the automatic offers and the customer's own codes, which fit and which nearly do.

    Each is looked at alone: what they come to together, `validate` says. Most fail by what they ask of the basket; only
    the others' limits are read, and only the best of those are worked out in full.

    Raises:
        NoSuchCustomer: the customer is named by a number that nobody has, and no email came with it.
    """
    facts = read_facts(checkout, codes=(), now=now, with_automatic=False)
    live = _live(facts, now)
    facts = with_segments(facts, rules_of([offer.version_id for offer in live]).values())
    cart = Cart.of(facts.basket)
    looked_at = [(offer, _look(offer, cart)) for offer in live]
    facts = with_offers(facts, [offer for offer, look in looked_at if look is not None])
    looks = [look for _offer, look in looked_at if look is not None]
    in_play = [(offer, look) for offer, look in zip(facts.offers, looks, strict=True) if holds(offer, facts)]
    near = [(offer, look) for offer, look in in_play if isinstance(look, Missed)]
    fitting = [(offer, cart.total_minor - look.total_minor) for offer, look in in_play if isinstance(look, Cart)]
    fitting.sort(key=_best_first)
    worked_out = list(islice(_worked_out(facts, [offer for offer, _discount in fitting]), TOLD))
    missed = [Qualifying(offer.facts, offer.rule, reasons=look.reasons) for offer, look in near]
    return Qualified(
        tuple([offer for offer, _checked in worked_out]),
        tuple([*[hint for _offer, checked in worked_out for hint in hinted(checked)], *missed][:TOLD]),
    )


def near_misses(decision: Decision) -> list[Qualifying]:
    """Of offers that were looked at together: which nearly hold, or hold and would do more for a fuller basket."""
    missed = [
        Qualifying(one.offer.facts, one.offer.rule, reasons=one.reasons)
        for one in decision.checked
        if one.applied is None and one.is_near_miss
    ]
    return [*[hint for one in decision.applied for hint in hinted(one)], *missed]


def hinted(one: Checked) -> Iterator[Qualifying]:
    """An offer that applies, as a near miss of what it would do more."""
    if one.applied is not None and one.applied.before is not None:
        found = hints(one.offer.rule, one.applied.before)
        if found:
            yield Qualifying(one.offer.facts, one.offer.rule, reasons=tuple(found))


def _look(offer: OfferFacts, cart: Cart) -> Cart | Missed | None:
    """The basket after this offer alone, what it nearly lacks, or None where it is not for this basket."""
    rule = with_terms(rule_of(offer.version_id), offer.terms or {})
    missed = missed_from_the_start(rule, cart)
    after = missed if missed is not None else attempt(rule, cart)
    return None if isinstance(after, Missed) and not after.is_near_miss else after


def _worked_out(facts: Facts, offers: Iterable[Offer]) -> Iterator[tuple[Qualifying, Checked]]:
    for offer in offers:
        decision = decide(facts._replace(offers=(offer,)))
        # A discount may be more than is left of a budget.
        if decision.is_good:
            yield Qualifying(offer.facts, offer.rule, decision.evaluation), decision.checked[0]


def _best_first(fitting: tuple[Offer, int]) -> tuple[int, bool, int]:
    offer, discount = fitting
    return (-discount, offer.facts.expires_at is None, offer.facts.code_id or 0)


def _lacking(reason: Refusal) -> str:
    if "missing" in reason.params:
        return _("Add %(missing)s") % reason.params
    return _("Add %(n)s more of the named products") % {"n": reason.params["quantity"] - reason.params["found"]}


def _live(facts: Facts, now: dt.datetime) -> list[OfferFacts]:
    """The live offers that this shopper could use, by what their rows say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH mine AS (
                SELECT * FROM incentives_code
                WHERE customer_id = %(customer)s AND state IN ('reserved', 'given') AND NOT is_card
                ORDER BY id DESC LIMIT %(most)s
            ), offered AS (
                SELECT * FROM incentives_code WHERE is_public AND state <> 'void' ORDER BY id DESC LIMIT %(most)s
            ), seen AS (
                SELECT id, code, version_id, customer_id, state, starts_at, expires_at, grant_id, incentive_id FROM mine
                UNION ALL
                SELECT id, code, version_id, customer_id, state, starts_at, expires_at, grant_id, incentive_id
                FROM offered
                UNION ALL
                SELECT NULL, NULL, version_id, NULL, 'given', starts_at, ends_at, NULL, id FROM incentives_incentive
                WHERE code_kind = 'automatic' AND state = 'live'
            )
            SELECT seen.id, seen.code, seen.version_id, seen.customer_id, seen.state, seen.starts_at,
                   seen.expires_at, g.terms::text, g.budget_id, seen.incentive_id, incentive.public_id::text,
                   incentive.name, incentive.state, own.is_stopped,
                   own.redeemed + coalesce(stripes.redeemed, 0),
                   coalesce(money.spent_minor, 0) + coalesce(stripes.spent_minor, 0), coalesce(each.redeemed, 0),
                   coalesce(hers.redeemed, 0),
                   coalesce((SELECT max(person.redeemed) FROM incentives_counter person
                             WHERE person.incentive_id = seen.incentive_id AND person.scope = 'person'
                               AND person.subject_id = ANY(%(persons)s) AND person.period = ''
                               AND person.currency = ''), 0)
            FROM seen
            JOIN incentives_incentive incentive ON incentive.id = seen.incentive_id AND incentive.state = 'live'
            JOIN incentives_counter own ON own.incentive_id = seen.incentive_id AND own.scope = 'incentive'
                 AND own.subject_id = 0 AND own.period = '' AND own.currency = ''
            LEFT JOIN incentives_counter money ON money.incentive_id = seen.incentive_id AND money.scope = 'incentive'
                 AND money.subject_id = 0 AND money.period = '' AND money.currency = %(currency)s
            LEFT JOIN LATERAL (
                SELECT sum(stripe.redeemed - coalesce(stripe.most, 0)) FILTER (WHERE stripe.currency = '') AS redeemed,
                       sum(stripe.spent_minor - coalesce(stripe.most, 0))
                       FILTER (WHERE stripe.currency = %(currency)s) AS spent_minor
                FROM incentives_counter stripe
                WHERE own.is_striped AND stripe.incentive_id = own.incentive_id AND stripe.scope = 'stripe'
            ) stripes ON own.is_striped
            LEFT JOIN incentives_counter each ON each.incentive_id = seen.incentive_id AND each.scope = 'code'
                 AND each.subject_id = seen.id AND each.period = '' AND each.currency = ''
            LEFT JOIN incentives_counter hers ON hers.incentive_id = seen.incentive_id AND hers.scope = 'customer'
                 AND hers.subject_id = %(customer)s AND hers.period = '' AND hers.currency = ''
            LEFT JOIN incentives_grant g ON g.id = seen.grant_id
            WHERE coalesce(seen.expires_at, 'infinity') > %(now)s
            """,
            {
                "customer": facts.basket.shopper.id,
                "persons": list(facts.persons),
                "currency": facts.basket.currency,
                "now": now,
                "most": MOST,
            },
        )
        return [_offer(row) for row in cursor.fetchall()]


def _offer(row: tuple) -> OfferFacts:
    offer = OfferFacts(*row)
    terms: Any = offer.terms
    return offer._replace(terms=json.loads(terms)) if terms else offer
