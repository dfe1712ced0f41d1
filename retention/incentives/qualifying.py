"""Which offers fit this shopper and basket, best first, and which nearly do. Reads only."""

import datetime as dt
import json
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from retention.incentives.decisions import Decision, decide
from retention.incentives.facts import Checkout, CodeFacts, Facts, Used, read_facts
from retention.incentives.rules import sentence
from retention.incentives.versions import rules_of
from retention.refusals import Refusal

#: Codes looked at: public ones, and as many of her own.
MOST = 1_000


@dataclass(frozen=True)
class Qualifying:
    """One offer that fits, or nearly does."""

    code: CodeFacts
    decision: Decision

    @property
    def sentence(self) -> str:
        return sentence(self.decision.rule)

    @property
    def missing(self) -> str:
        """What a near miss lacks, in words for the shopper: "Add 12.00 EUR to get Free shipping"."""
        return _("%(what)s to get %(offer)s") % {
            "what": " ".join(_lacking(reason) for reason in self.decision.reasons),
            "offer": " + ".join(effect.sentence() for effect in self.decision.rule.effects),
        }


@dataclass(frozen=True)
class Qualified:
    """Offers that fit, the biggest discount first, and near misses."""

    offers: tuple[Qualifying, ...]
    near_misses: tuple[Qualifying, ...]


def qualify(*, checkout: Checkout, now: dt.datetime) -> Qualified:
    """Among the live public codes and the customer's own ones, which fit this basket now and which nearly do.

    Raises:
        NoSuchCustomer: the customer is named by a number that nobody has, and no email came with it.
    """
    facts = read_facts(checkout, code="", now=now)
    codes = _codes(facts, now)
    rules_of(code.version_id for code in codes)
    found = [Qualifying(code, decide(code, facts.basket, now=now)) for code in codes]
    fitting = [one for one in found if one.decision.is_good]
    fitting.sort(key=lambda one: (-one.decision.evaluation.discount_minor, one.code.expires_at is None, one.code.id))
    return Qualified(tuple(fitting), tuple(one for one in found if one.decision.is_near_miss))


def _lacking(reason: Refusal) -> str:
    if "missing" in reason.params:
        return _("Add %(missing)s") % reason.params
    return _("Add %(n)s more of the named products") % {"n": reason.params["quantity"] - reason.params["found"]}


def _codes(facts: Facts, now: dt.datetime) -> list[CodeFacts]:
    shopper = facts.basket.shopper
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH mine AS (
                SELECT * FROM incentives_code
                WHERE customer_id = %(customer)s AND state IN ('reserved', 'given')
                ORDER BY id DESC LIMIT %(most)s
            ), offered AS (
                SELECT * FROM incentives_code WHERE is_public AND state <> 'void' ORDER BY id DESC LIMIT %(most)s
            ), seen AS (SELECT * FROM mine UNION ALL SELECT * FROM offered)
            SELECT seen.id, seen.code, seen.version_id, seen.customer_id, seen.is_public, seen.state, seen.starts_at,
                   seen.expires_at, seen.incentive_id, incentive.public_id::text, incentive.name, incentive.state,
                   g.terms::text, own.redeemed, coalesce(each.redeemed, 0), greatest(hers.redeemed, email.redeemed, 0),
                   money.spent_minor, own.is_stopped
            FROM seen
            JOIN incentives_incentive incentive ON incentive.id = seen.incentive_id AND incentive.state = 'live'
            JOIN incentives_counter own ON own.incentive_id = seen.incentive_id AND own.scope = 'incentive'
                 AND own.subject_id = 0 AND own.currency = ''
            LEFT JOIN incentives_counter money ON money.incentive_id = seen.incentive_id AND money.scope = 'incentive'
                 AND money.subject_id = 0 AND money.currency = %(currency)s
            LEFT JOIN incentives_counter each ON each.incentive_id = seen.incentive_id AND each.scope = 'code'
                 AND each.subject_id = seen.id AND each.currency = ''
            LEFT JOIN incentives_counter hers ON hers.incentive_id = seen.incentive_id AND hers.scope = 'customer'
                 AND hers.subject_id = %(customer)s AND hers.currency = ''
            LEFT JOIN incentives_counter email ON email.incentive_id = seen.incentive_id AND email.scope = 'email'
                 AND email.subject_id = %(email)s AND email.currency = ''
            LEFT JOIN incentives_grant g ON g.id = seen.grant_id
            WHERE coalesce(seen.expires_at, 'infinity') > %(now)s
            """,
            {
                "customer": shopper.id,
                "email": facts.email_key,
                "currency": facts.basket.currency,
                "now": now,
                "most": MOST,
            },
        )
        return [_code(row, facts.basket.currency) for row in cursor.fetchall()]


def _code(row: tuple, currency: str) -> CodeFacts:
    *columns, terms, total, each, customer, spent, is_stopped = row
    return CodeFacts(
        *columns,
        terms=json.loads(terms) if terms else {},
        used=Used(total, each, customer, {currency: spent or 0}, is_stopped),
    )
