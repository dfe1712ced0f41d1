"""Which offers fit this shopper and basket, best first, and which nearly do. Reads only."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from retention.incentives.checkouts import Checkout
from retention.incentives.decisions import Decision, decide_alone
from retention.incentives.facts import Facts, OfferFacts, read_facts, with_offers
from retention.incentives.rules import IncentiveRule, sentence
from retention.refusals import Refusal

#: Codes looked at: public ones, and as many of her own.
MOST = 1_000


@dataclass(frozen=True)
class Qualifying:
    """One offer that fits, or nearly does."""

    offer: OfferFacts
    rule: IncentiveRule
    decision: Decision

    @property
    def sentence(self) -> str:
        return sentence(self.rule)

    @property
    def missing(self) -> str:
        """What a near miss lacks, in words for the shopper: "Add 12.00 EUR to get Free shipping"."""
        return _("%(what)s to get %(offer)s") % {
            "what": " ".join(_lacking(reason) for reason in self.decision.reasons),
            "offer": " + ".join(effect.sentence() for effect in self.rule.effects),
        }


@dataclass(frozen=True)
class Qualified:
    """Offers that fit, the biggest discount first, and near misses."""

    offers: tuple[Qualifying, ...]
    near_misses: tuple[Qualifying, ...]


def qualify(*, checkout: Checkout, now: dt.datetime) -> Qualified:
    """Among the live public codes, the automatic offers and the customer's own codes, which fit and which nearly do.

    Each is looked at alone: what they come to together, `validate` says.

    Raises:
        NoSuchCustomer: the customer is named by a number that nobody has, and no email came with it.
    """
    facts = read_facts(checkout, codes=(), now=now)
    facts = with_offers(facts, [*[offer.facts for offer in facts.offers], *_codes(facts, now)])
    found = [Qualifying(offer.facts, offer.rule, decision) for offer, decision in decide_alone(facts)]
    fitting = sorted([one for one in found if one.decision.is_good], key=_best_first)
    return Qualified(tuple(fitting), tuple([one for one in found if one.decision.checked[0].is_near_miss]))


def _best_first(one: Qualifying) -> tuple:
    return (-one.decision.evaluation.discount_minor, one.offer.expires_at is None, one.offer.code_id or 0)


def _lacking(reason: Refusal) -> str:
    if "missing" in reason.params:
        return _("Add %(missing)s") % reason.params
    return _("Add %(n)s more of the named products") % {"n": reason.params["quantity"] - reason.params["found"]}


def _codes(facts: Facts, now: dt.datetime) -> list[OfferFacts]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH mine AS (
                SELECT * FROM incentives_code
                WHERE customer_id = %(customer)s AND state IN ('reserved', 'given') AND NOT is_card
                ORDER BY id DESC LIMIT %(most)s
            ), offered AS (
                SELECT * FROM incentives_code WHERE is_public AND state <> 'void' ORDER BY id DESC LIMIT %(most)s
            ), seen AS (SELECT * FROM mine UNION ALL SELECT * FROM offered)
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
