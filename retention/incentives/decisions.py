"""Which offers hold for a basket, decided on values read once: dates, owner, limits, and then what they take off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention.incentives import discounts
from retention.incentives.baskets import Basket
from retention.incentives.cart_conditions import CustomerUnknown
from retention.incentives.counting import (
    Ask,
    BudgetSpent,
    CodeRedeemed,
    CustomerLimitReached,
    Key,
    TotalLimitReached,
    kept_of,
)
from retention.incentives.discounts import Applied, Evaluation, NotApplied, evaluate
from retention.incentives.discounts.combining import NotTogether, OthersAreBetter, TooManyOffers
from retention.incentives.discounts.offers import CeilingReached
from retention.incentives.facts import Facts, Offer
from retention.incentives.parts import WrongCurrency
from retention.incentives.rules.effects.base import (
    AtMinimumPrice,
    FreeProductMissing,
    NoEffect,
    NoShippingToPay,
    NothingInScope,
    SetIncomplete,
    TierNotReached,
    TooFewForTier,
)
from retention.refusals import Refusal, Refused

__all__ = ["BudgetSpent", "CodeRedeemed", "CustomerLimitReached", "TotalLimitReached"]


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


class NotStarted(Refused):
    code = "incentives.not_started"
    sentence = _("This code works from %(starts_at)s on.")


class CodeExpired(Refused):
    code = "incentives.code_expired"
    sentence = _("This code expired at %(expired_at)s.")


class OtherCustomer(Refused):
    code = "incentives.other_customer"
    sentence = _("This code belongs to another customer.")


#: Reasons of an offer that is good in itself and brings nothing here: it is not used up, and stops no other.
WITHOUT_EFFECT = frozenset(
    one.code
    for one in (
        *(AtMinimumPrice, NoEffect, NoShippingToPay, NothingInScope, SetIncomplete, TierNotReached, TooFewForTier),
        FreeProductMissing,
        *(CeilingReached, NotTogether, OthersAreBetter, TooManyOffers),
    )
)
#: The states in which a code does not work. A reserved one does: who types it was told it, if a moment too early.
_STATES = {"free": CodeNotGiven, "void": CodeVoid, "redeemed": CodeRedeemed}


@dataclass(frozen=True)
class Checked:
    """One offer: what it takes off, or every reason why not."""

    offer: Offer
    applied: Applied | None
    reasons: tuple[Refusal, ...] = ()
    is_near_miss: bool = False

    @property
    def is_refused(self) -> bool:
        """Something is wrong with it; otherwise it may still bring nothing here."""
        return any(reason.code not in WITHOUT_EFFECT for reason in self.reasons)


@dataclass(frozen=True)
class Decision:
    """What the offers do to the basket together."""

    evaluation: Evaluation
    #: In the order in which they were given.
    checked: tuple[Checked, ...]

    @property
    def applied(self) -> list[Checked]:
        return [one for one in self.checked if one.applied is not None]

    @property
    def reasons(self) -> tuple[Refusal, ...]:
        """Every reason against any of them, the one to tell first."""
        return tuple(reason for one in self.checked for reason in one.reasons)

    @property
    def is_good(self) -> bool:
        """They all hold."""
        return all(one.applied is not None for one in self.checked)


def decide(facts: Facts) -> Decision:
    """Which of the offers hold for the basket now, and what they take off together."""
    refused: dict[int, tuple[Refusal, ...]] = {}
    claimed: dict[Key, int] = {}
    for place, offer in enumerate(facts.offers):
        if reasons := tuple(_reasons(offer, facts, claimed)):
            refused[place] = reasons
        else:
            _claim(claimed, [ask for ask in offer.asks if not ask.key.currency], 1)
    while True:
        good = [place for place in range(len(facts.offers)) if place not in refused]
        evaluation = _evaluated(facts, good)
        applied: dict[Any, Applied] = {one.key: one for one in evaluation.applied}
        over = _over_budget(facts, applied)
        if not over:
            break
        refused |= over
    missed = {one.key: one for one in evaluation.not_applied}
    for one in _alone(facts, refused):
        missed[one.key] = one
    return Decision(
        evaluation, tuple([_checked(place, facts, refused, applied, missed) for place in range(len(facts.offers))])
    )


def holds(offer: Offer, facts: Facts) -> bool:
    """Whether nothing but the basket could speak against the offer: dates, owner, limits of uses."""
    return next(_reasons(offer, facts, {}), None) is None


def _checked(
    place: int,
    facts: Facts,
    refused: Mapping[int, tuple[Refusal, ...]],
    applied: Mapping[Any, Applied],
    missed: Mapping[Any, NotApplied],
) -> Checked:
    reasons = refused.get(place, ())
    not_applied = missed.get(place)
    if not_applied is not None:
        # A limit per customer and a condition may both ask who she is; she is told once.
        reasons += tuple([reason for reason in not_applied.reasons if reason not in reasons])
    near = not_applied is not None and not_applied.is_near_miss and place not in refused
    return Checked(facts.offers[place], applied.get(place), reasons, near)


def _alone(facts: Facts, refused: Mapping[int, Sequence[Refusal]]) -> Sequence[NotApplied]:
    """What the basket lacks for offers that were refused before: who asks is told every reason at once."""
    return _evaluated(facts, refused).not_applied if refused else ()


def _evaluated(facts: Facts, places: Iterable[int]) -> Evaluation:
    offers = [discounts.Offer(place, facts.offers[place].rule, facts.offers[place].is_automatic) for place in places]
    return evaluate(offers, facts.basket, facts.policy.stacking)


def _reasons(offer: Offer, facts: Facts, claimed: Mapping[Key, int]) -> Iterator[Refusal]:
    code, now = offer.facts, facts.now
    if code.incentive_state == "draft":
        yield NotLive().as_refusal()
    if code.incentive_state == "stopped" or code.is_stopped:
        yield Stopped().as_refusal()
    if code.state in _STATES:
        yield _STATES[code.state]().as_refusal()
    if code.starts_at and now < code.starts_at:
        yield NotStarted(starts_at=code.starts_at.isoformat()).as_refusal()
    if code.expires_at and now >= code.expires_at:
        yield CodeExpired(expired_at=code.expires_at.isoformat()).as_refusal()
    yield from _owner(offer, facts.basket)
    told: list[Refusal] = []
    for ask in offer.asks:
        if ask.most is None or ask.key.currency:
            continue
        if ask.key.scope == "code" and code.state in _STATES:
            continue
        reason = ask.refusal(kept_of(facts.kept, ask.key) + claimed.get(ask.key, 0), 1, facts.basket.currency)
        # A customer is counted under several names; she is told once.
        if reason is not None and reason not in told:
            told.append(reason)
            yield reason


def _owner(offer: Offer, basket: Basket) -> Iterator[Refusal]:
    rule, owner = offer.rule, offer.facts.customer_id
    is_bound = owner is not None and rule.codes.kind == "unique" and rule.codes.is_bound
    is_limited = rule.uses_per_customer or any(limit.per == "customer" for limit in rule.limits.windows)
    if not basket.shopper.is_known:
        if is_bound or is_limited:
            yield CustomerUnknown().as_refusal()
    elif is_bound and basket.shopper.id != owner:
        yield OtherCustomer().as_refusal()
    # A limit of money names its currency, and only baskets in that one may draw on it.
    moneys = [limit.money for limit in rule.limits.windows if limit.money]
    moneys += [limit.money for limit in offer.counted.budget.limits if limit.money] if offer.counted.budget else []
    if any(money.currency != basket.currency for money in moneys):
        yield WrongCurrency(currency=basket.currency).as_refusal()


def _claim(claimed: dict[Key, int], asks: Sequence[Ask], amount: int) -> None:
    for key in {ask.key for ask in asks}:
        claimed[key] = claimed.get(key, 0) + amount


def _over_budget(facts: Facts, applied: Mapping[Any, Applied]) -> dict[int, tuple[Refusal, ...]]:
    """The first offer whose discount passes a limit of money: without it the others may be worth more."""
    claimed: dict[Key, int] = {}
    for place, offer in enumerate(facts.offers):
        if place not in applied:
            continue
        discount = applied[place].discount_minor
        asks = [ask for ask in offer.asks if ask.key.currency]
        reasons = [
            ask.refusal(kept_of(facts.kept, ask.key) + claimed.get(ask.key, 0), discount, facts.basket.currency)
            for ask in asks
        ]
        if any(reasons):
            return {place: tuple(reason for reason in reasons if reason is not None)}
        _claim(claimed, asks, discount)
    return {}
