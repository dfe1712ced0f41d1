"""Whether a code holds for a basket, decided on values read once: dates, owner, limits, and then what it takes off."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from retention.incentives.baskets import Basket, amount_text
from retention.incentives.cart_conditions import CustomerUnknown
from retention.incentives.discounts import Evaluation, Offer, evaluate
from retention.incentives.facts import CodeFacts
from retention.incentives.rules import IncentiveRule, with_terms
from retention.incentives.versions import rule_of
from retention.refusals import Refusal, Refused


class NotLive(Refused):
    code = "incentives.not_live"
    sentence = _("This offer is not live.")


class Stopped(Refused):
    code = "incentives.stopped"
    sentence = _("This offer was stopped.")


class Ended(Refused):
    code = "incentives.ended"
    sentence = _("This offer has ended.")


class NoSuchCode(Refused):
    code = "incentives.no_such_code"
    sentence = _("There is no such code.")
    status = 404


class CodeNotGiven(Refused):
    code = "incentives.code_not_given"
    sentence = _("This code has not been given to anybody yet.")


class CodeVoid(Refused):
    code = "incentives.code_void"
    sentence = _("This code was withdrawn.")


class CodeRedeemed(Refused):
    code = "incentives.code_redeemed"
    sentence = _("This code was used already.")


class NotStarted(Refused):
    code = "incentives.not_started"
    sentence = _("This code works from %(starts_at)s on.")


class CodeExpired(Refused):
    code = "incentives.code_expired"
    sentence = _("This code expired at %(expired_at)s.")


class OtherCustomer(Refused):
    code = "incentives.other_customer"
    sentence = _("This code belongs to another customer.")


class TotalLimitReached(Refused):
    code = "incentives.total_limit_reached"
    sentence = _("This offer has been used as often as it may be (%(limit)s).")


class CustomerLimitReached(Refused):
    code = "incentives.customer_limit_reached"
    sentence = _("The customer has used this offer as often as she may (%(limit)s).")


class BudgetSpent(Refused):
    code = "incentives.budget_spent"
    sentence = _("Of this offer's budget %(left)s are left; this discount would be %(discount)s.")


@dataclass(frozen=True)
class Decision:
    """What a code would do: reasons where it does not hold, else what it takes off."""

    rule: IncentiveRule
    evaluation: Evaluation | None
    reasons: tuple[Refusal, ...] = ()
    is_near_miss: bool = False

    @property
    def is_good(self) -> bool:
        return not self.reasons


def decide(code: CodeFacts, basket: Basket, *, now: dt.datetime) -> Decision:
    """Whether the code holds for the basket now, and what it takes off."""
    rule = with_terms(rule_of(code.version_id), code.terms)
    reasons = tuple(_reasons(code, rule, basket, now))
    evaluation = evaluate([Offer(code.id, rule)], basket)
    if evaluation.not_applied:
        missed = evaluation.not_applied[0]
        return Decision(rule, evaluation, reasons + missed.reasons, missed.is_near_miss and not reasons)
    if not reasons and (over := _over_budget(code, rule, evaluation)) is not None:
        reasons = (over,)
    return Decision(rule, evaluation, reasons)


def _reasons(code: CodeFacts, rule: IncentiveRule, basket: Basket, now: dt.datetime):
    if code.incentive_state == "draft":
        yield NotLive().as_refusal()
    if code.incentive_state == "stopped" or code.used.is_stopped:
        yield Stopped().as_refusal()
    if code.state in _STATES:
        yield _STATES[code.state]().as_refusal()
    if code.starts_at and now < code.starts_at:
        yield NotStarted(starts_at=code.starts_at.isoformat()).as_refusal()
    if code.expires_at and now >= code.expires_at:
        yield CodeExpired(expired_at=code.expires_at.isoformat()).as_refusal()
    if code.customer_id is not None and rule.codes.kind == "unique" and rule.codes.is_bound:
        if not basket.shopper.is_known:
            yield CustomerUnknown().as_refusal()
        elif basket.shopper.id != code.customer_id:
            yield OtherCustomer().as_refusal()
    yield from _limits(code, rule, basket)


#: The states in which a code does not work. A reserved one does: who types it was told it, if a moment too early.
_STATES = {"free": CodeNotGiven, "void": CodeVoid, "redeemed": CodeRedeemed}


def _limits(code: CodeFacts, rule: IncentiveRule, basket: Basket):
    limits, used = rule.limits, code.used
    if limits.total and used.total >= limits.total:
        yield TotalLimitReached(limit=limits.total).as_refusal()
    if rule.uses_per_code and used.code >= rule.uses_per_code and code.state not in _STATES:
        yield CodeRedeemed().as_refusal()
    per_customer = rule.uses_per_customer
    if per_customer and not basket.shopper.is_known:
        yield CustomerUnknown().as_refusal()
    elif per_customer and used.customer >= per_customer:
        yield CustomerLimitReached(limit=per_customer).as_refusal()


def _over_budget(code: CodeFacts, rule: IncentiveRule, evaluation: Evaluation) -> Refusal | None:
    budget, discount = rule.limits.money, evaluation.discount_minor
    if budget is None:
        return None
    left = budget.amount_minor - code.used.spent.get(budget.currency, 0)
    if discount <= left:
        return None
    return BudgetSpent(
        left=amount_text(left, budget.currency), left_minor=left, discount=amount_text(discount, budget.currency)
    ).as_refusal()
