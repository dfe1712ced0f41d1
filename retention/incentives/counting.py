"""What one use of an offer counts in: the counters it moves, with the limits they must keep to. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from retention.incentives.baskets import amount_text
from retention.incentives.rules import BudgetLimits, CustomerLimit, IncentiveRule, Within, period
from retention.refusals import Refusal, Refused

#: Rows for one incentive in a rush.
STRIPES = 16
#: In this order counters are locked, everywhere: what is one person's first, what all share last.
_RANKS = {"code": 0, "person": 1, "customer": 2, "budget": 3, "stripe": 4, "incentive": 5}


class CodeRedeemed(Refused):
    code = "incentives.code_redeemed"
    sentence = _("This code was used already.")


class CodeHeld(Refused):
    code = "incentives.code_held"
    sentence = _("This code is held for another basket until %(until)s.")


class TotalLimitReached(Refused):
    code = "incentives.total_limit_reached"
    sentence = _("This offer has been used as often as it may be (%(limit)s).")


class CustomerLimitReached(Refused):
    code = "incentives.customer_limit_reached"
    sentence = _("The customer has used this offer as often as she may (%(limit)s).")


class LimitReached(Refused):
    code = "incentives.limit_reached"
    sentence = _("A limit is reached: %(limit)s.")


class BudgetSpent(Refused):
    code = "incentives.budget_spent"
    sentence = _("Of this offer's budget %(left)s are left; this discount would be %(discount)s.")


class MoneyLimitReached(Refused):
    code = "incentives.money_limit_reached"
    sentence = _("Of a limit (%(limit)s) %(left)s are left; this discount would be %(discount)s.")


#: What holds may be the reason of: those that ran out, and a basket's own.
USED_UP = {
    one.code
    for one in (
        CodeHeld, CodeRedeemed, TotalLimitReached, CustomerLimitReached, LimitReached, BudgetSpent, MoneyLimitReached,
    )
}  # fmt: skip


class Key(NamedTuple):
    """One counter; `since` is of a rolling limit, which is counted over the uses themselves and kept nowhere."""

    incentive_id: int
    scope: str
    subject_id: int
    period: str = ""
    currency: str = ""
    since: dt.datetime | None = None


class Ask(NamedTuple):
    """A counter that a use moves, by one or by the money it takes, and what it must not pass (None: it may)."""

    key: Key
    most: int | None = None
    #: Where it is one of the grid: it says itself.
    limit: Within | None = None

    def refusal(self, kept: int, amount: int, currency: str) -> Refusal | None:
        """Why it cannot move by so much more, or None."""
        if self.most is None or kept + amount <= self.most:
            return None
        if self.key.currency:
            left = self.most - kept
            words = {"left": amount_text(left, currency), "left_minor": left, "discount": amount_text(amount, currency)}
            if self.limit:
                return MoneyLimitReached(limit=self.limit.sentence(), **words).as_refusal()
            return BudgetSpent(**words).as_refusal()
        if self.limit:
            return LimitReached(limit=self.limit.sentence()).as_refusal()
        if self.key.scope == "code":
            return CodeRedeemed().as_refusal()
        return (TotalLimitReached if self.key.scope == "incentive" else CustomerLimitReached)(
            limit=self.most
        ).as_refusal()


class Counted(NamedTuple):
    """Who uses what, when: everything that says which counters a use moves."""

    rule: IncentiveRule
    incentive_id: int
    code_id: int | None
    customer_id: int | None
    persons: Sequence[int]
    currency: str
    now: dt.datetime
    #: The shop's day.
    today: dt.date
    budget_id: int | None = None
    budget: BudgetLimits | None = None
    allowance: Sequence[CustomerLimit] = ()


def asks(use: Counted) -> list[Ask]:
    """Every counter that the use moves, and every limit that it must keep to."""
    rule, incentive, currency = use.rule, use.incentive_id, use.currency
    limits, per_code, per_customer = rule.limits, rule.uses_per_code, rule.uses_per_customer
    found = [Ask(Key(incentive, "incentive", 0), limits.total)]
    if use.code_id is not None and per_code and (rule.codes.kind == "public" or per_code > 1):
        found.append(Ask(Key(incentive, "code", use.code_id), per_code))
    found += [Ask(Key(incentive, "person", person), per_customer) for person in use.persons]
    if use.customer_id is not None:
        found.append(Ask(Key(incentive, "customer", use.customer_id), per_customer))
    money = limits.money
    most = money.amount_minor if money and money.currency == currency else None
    found.append(Ask(Key(incentive, "incentive", 0, "", currency), most))
    if limits.windows:
        subjects = {
            "incentive": [("incentive", 0)],
            "code": [("code", use.code_id)] if use.code_id is not None else [],
            "customer": _customer(use),
        }
        for window in limits.windows:
            found += _within(window, incentive, subjects[window.per], use)
            if window.is_rolling and window.per == "code" and use.code_id is not None:
                # Its lifetime row is what a rolling count is taken under.
                found.append(Ask(Key(incentive, "code", use.code_id), per_code))
    if use.budget_id is not None:
        found += [Ask(Key(0, "budget", use.budget_id)), Ask(Key(0, "budget", use.budget_id, "", currency))]
        for limit in use.budget.limits if use.budget else ():
            if not limit.issued:
                found += _within(limit, 0, [("budget", use.budget_id)], use)
    for allowance in use.allowance:
        found += _within(allowance, 0, _customer(use), use)
        if allowance.is_rolling:
            found += [Ask(Key(0, scope, subject)) for scope, subject in _customer(use)]
    return found


def is_rolling(use: Counted) -> bool:
    """Whether a rolling limit may ask for this use by its person."""
    return any(window.is_rolling and window.per == "customer" for window in use.rule.limits.windows) or any(
        limit.is_rolling for limit in use.allowance
    )


def moves(uses: Iterable[Iterable[tuple[Ask, int]]]) -> list[tuple[Key, int, int | None]]:
    """(counter, by how much, up to what) for each counter once, in the order in which they are locked.

    A use moves a counter once, however many limits ask for it; several uses move it together.
    """
    amounts: dict[Key, int] = {}
    mosts: dict[Key, int] = {}
    for asked in uses:
        moved = {}
        for ask, amount in asked:
            if ask.key.since is None:
                moved[ask.key] = amount
                if ask.most is not None:
                    mosts[ask.key] = min(ask.most, mosts.get(ask.key, ask.most))
        for key, amount in moved.items():
            amounts[key] = amounts.get(key, 0) + amount
    return [(key, amounts[key], mosts.get(key)) for key in sorted(amounts, key=_locking) if amounts[key]]


def striped(key: Key, stripe: int) -> Key:
    """The stripe's row in place of the incentive's own, for all time."""
    return key._replace(scope="stripe", subject_id=stripe)


def is_own(key: Key) -> bool:
    """Whether it is an incentive's own lifetime row, of its count or its money."""
    return key.scope == "incentive" and not key.period


def kept_of(kept: Mapping[Key, int], key: Key) -> int:
    return kept.get(key, 0)


def _locking(key: Key) -> tuple:
    return (bool(key.currency), _RANKS[key.scope], key.incentive_id, key.subject_id, key.period, key.currency)


def _customer(use: Counted) -> list[tuple[str, int]]:
    persons = [("person", person) for person in use.persons]
    return [*persons, ("customer", use.customer_id)] if use.customer_id is not None else persons


def _within(limit: Within, incentive: int, subjects: list[tuple[str, int | None]], use: Counted) -> list[Ask]:
    if limit.currency and limit.currency != use.currency:
        return []
    if limit.is_rolling:
        # One question for all of a person's names: a use under any of them counts once.
        since = limit.since(use.now)
        return [
            Ask(Key(incentive, scope, subject, "", limit.currency, since), limit.most, limit)
            for scope, subject in subjects[:1]
        ]
    name = period(limit.within, use.today)
    return [Ask(Key(incentive, scope, subject, name, limit.currency), limit.most, limit) for scope, subject in subjects]
