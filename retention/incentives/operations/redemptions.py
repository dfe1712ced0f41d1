"""At a checkout: what a code would take off, its use, and undoing that use. One read, one write."""

import datetime as dt
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _
from pydantic_core import to_json

from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.decisions import Decision, NoSuchCode, decide
from retention.incentives.facts import Checkout, CodeFacts, Facts, read_facts
from retention.incentives.models import Redemption
from retention.incentives.querysets import redemptions
from retention.incentives.versions import rule_of
from retention.refusals import Refusal, Refused
from retention.statements import fetch_row

#: How often a redemption is decided anew when what it was decided on changed before it was written.
TRIES = 5


class SourceReused(Refused):
    code = "incentives.source_reused"
    sentence = _("This source came before with another request.")
    status = 422


class NoRate(Refused):
    code = "incentives.no_rate"
    sentence = _("There is no exchange rate for %(currency)s on this day.")


class TooBusy(Refused):
    code = "incentives.too_busy"
    sentence = _("Too many are using this offer at this moment. Try again.")


class NoSuchRedemption(Refused):
    code = "incentives.no_such_redemption"
    sentence = _("There is no such redemption.")
    status = 404


class RolledBackBefore(Refused):
    code = "incentives.rolled_back_before"
    sentence = _("This redemption was rolled back before.")


@dataclass(frozen=True)
class Validated:
    """What a code would do to a basket; nothing was written."""

    code: CodeFacts
    decision: Decision


@dataclass(frozen=True)
class Redeemed:
    """One use at a checkout, as it is answered; the same whether it was made now or found under its source."""

    public_id: str
    code: str
    incentive_id: str
    incentive_name: str
    order_reference: str
    redeemed_at: dt.datetime
    effects: Mapping[str, Any]
    is_repeated: bool


def validate(*, code: str, checkout: Checkout, now: dt.datetime) -> Validated:
    """What the code would take off this basket now, or every reason why not.

    Raises:
        NoSuchCode: nobody has this code.
        NoSuchCustomer: the customer is named by a number that nobody has, and no email came with it.
    """
    facts = read_facts(checkout, code=code, now=now)
    return Validated(_known(facts), decide(facts.code, facts.basket, now=now))


def redeem(*, source: str, request_hash: bytes, code: str, checkout: Checkout, now: dt.datetime) -> Redeemed:
    """Use the code for this basket: atomic, and once a `source`, whose answer is given again when it comes again.

    Raises:
        SourceReused: the source came before with another `request_hash`.
        NoSuchCode, NoSuchCustomer, NoRate: as they say.
        Refused: the first reason why the code does not hold, such as CodeExpired or BelowMinimum.
    """
    for _try in range(TRIES):
        try:
            facts = read_facts(checkout, code=code, now=now)
            decision = _decided(facts, now)
        except Refused:
            # What the first request of this source did may be the very reason that the second one is refused.
            if (found := _found(source, request_hash)) is not None:
                return found
            raise
        effects = decision.evaluation.as_json()
        try:
            public_id = _write(source, request_hash, facts, decision, effects, checkout.order_reference, now)
        except _Overtaken:
            # Someone was faster; what she changed is read now, and gives the precise reason if there is one.
            continue
        if public_id is None:
            return _found(source, request_hash)
        return Redeemed(
            public_id=public_id,
            code=facts.code.code,
            incentive_id=facts.code.incentive_public_id,
            incentive_name=facts.code.incentive_name,
            order_reference=checkout.order_reference,
            redeemed_at=now,
            effects=effects,
            is_repeated=False,
        )
    raise TooBusy


@transaction.atomic
def roll_back(*, public_id: uuid.UUID, source: str, reason: str, now: dt.datetime, by: Actor) -> Redemption:
    """Undo one redemption whole. Its money always comes back; its use where the rule says codes are usable again.

    The same `source` again changes nothing and returns the same row.

    Raises:
        NoSuchRedemption, RolledBackBefore
        SourceReused: the source undid another redemption, or came with another reason.
    """
    redemption = Redemption.objects.filter(public_id=public_id).first()
    if redemption is None:
        raise NoSuchRedemption
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT roll_back_v1(%s, %s, %s, %s, %s)",
                [now, public_id, source, reason, rule_of(redemption.version_id).codes.is_usable_again],
            )
            outcome = cursor.fetchone()[0]
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) == "one_rollback_a_source":
            raise SourceReused from None
        raise
    if outcome == "already":
        raise RolledBackBefore
    if outcome == "repeated" and redemption.rollback_reason != reason:
        raise SourceReused
    if outcome == "rolled_back":
        record(
            verb="incentives.roll_back",
            by=by,
            now=now,
            subject=redemption,
            customer_id=redemption.customer_id,
            after={"reason": reason},
        )
    return Redemption.objects.select_related("code").get(pk=redemption.pk)


def as_refused(refusal: Refusal) -> Refused:
    """A refusal as the exception of its code."""
    return Refused.by_code[refusal.code](**refusal.params)


def _known(facts: Facts) -> CodeFacts:
    if facts.code is None:
        raise NoSuchCode
    return facts.code


def _decided(facts: Facts, now: dt.datetime) -> Decision:
    decision = decide(_known(facts), facts.basket, now=now)
    if not decision.is_good:
        raise as_refused(decision.reasons[0])
    if facts.rate is None:
        raise NoRate(currency=facts.basket.currency)
    return decision


def _found(source: str, request_hash: bytes) -> Redeemed | None:
    """What was redeemed under this source before."""
    redemption = redemptions().filter(source=source).first()
    if redemption is None:
        return None
    if bytes(redemption.request_hash) != request_hash:
        raise SourceReused
    incentive = redemption.code.incentive
    return Redeemed(
        public_id=str(redemption.public_id),
        code=redemption.code.code,
        incentive_id=str(incentive.public_id),
        incentive_name=incentive.name,
        order_reference=redemption.order_reference,
        redeemed_at=redemption.redeemed_at,
        effects=redemption.effects,
        is_repeated=True,
    )


class _Overtaken(Exception):
    """A guard refused: what was read is out of date."""


_WRITE = "SELECT redeem_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
#: The SQLSTATE of a guard that refuses.
_GUARD = "RR001"


def _write(
    source: str,
    request_hash: bytes,
    facts: Facts,
    decision: Decision,
    effects: Mapping[str, Any],
    order_reference: str,
    now: dt.datetime,
) -> str | None:
    """The redemption's public id, or None where the source came before.

    Raises:
        _Overtaken
    """
    code, rule, basket = facts.code, decision.rule, facts.basket
    discount = decision.evaluation.discount_minor
    budget = rule.limits.money
    parameters = [
        now,
        source,
        request_hash,
        code.id,
        code.version_id,
        code.incentive_id,
        code.is_public,
        basket.shopper.id,
        facts.email_key,
        order_reference,
        basket.currency,
        discount,
        facts.in_base(discount),
        to_json(effects).decode(),
        rule.uses_per_code,
        rule.uses_per_customer,
        rule.limits.total,
        budget.amount_minor if budget else None,
    ]
    try:
        # Alone it is a transaction of its own; inside another one, a refusal must leave that as it was.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return fetch_row(_WRITE, parameters)[0]
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) == _GUARD:
            raise _Overtaken from None
        raise
