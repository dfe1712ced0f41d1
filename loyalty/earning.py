"""What one fact earns one member, rule by rule: pure, and the same for the sweep, for trying and for looking back.

Everything is reckoned exactly and rounded once: down, at the end of each rule. A tier's percent is part of a rule's own
reckoning; caps come after it; a bonus is reckoned from what the rules before it gave.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty.facts import ActivityFact, Fact, Line, OrderFact
from loyalty.rules import EarningRule, ProgrammeRule
from loyalty.rules.earning import Cap, ForActivity, Multiplied, OrderRule, Yearly
from loyalty.rules.pending import FromDate
from retention import clock
from retention.refusals import Refused


class NotNow(Refused):
    code = "loyalty.not_now"
    sentence = _("It was not the time of this rule.")


class OtherTier(Refused):
    code = "loyalty.other_tier"
    sentence = _("This rule is for members of other tiers.")


class OtherChannel(Refused):
    code = "loyalty.other_channel"
    sentence = _("This rule is for other channels.")


class OtherPaymentMethod(Refused):
    code = "loyalty.other_payment_method"
    sentence = _("This rule is for other ways to pay.")


class NotHerMonth(Refused):
    code = "loyalty.not_her_month"
    sentence = _("It was not the month of the member's birthday.")


class TooLate(Refused):
    code = "loyalty.too_late"
    sentence = _("What is earned from then on could be spent no more.")


class NothingMeant(Refused):
    code = "loyalty.nothing_meant"
    sentence = _("Nothing of it is what this rule is about.")


class TooLittle(Refused):
    code = "loyalty.too_little"
    sentence = _("It was too little for this rule.")


class EarnedBefore(Refused):
    code = "loyalty.earned_by_another_rule"
    sentence = _("A rule before this one gave for it already.")


class AtItsCap(Refused):
    code = "loyalty.at_its_cap"
    sentence = _("The member has had as much by this rule as it gives.")


class TooSoon(Refused):
    code = "loyalty.too_soon"
    sentence = _("The member earned by this rule a short time ago.")


class CodeUsed(Refused):
    code = "loyalty.code_used"
    sentence = _("This code has earned already.")


@dataclass(frozen=True, slots=True)
class Past:
    """What a rule gave before, and when what it was for happened."""

    rule: str
    at: dt.datetime
    amount: int


@dataclass
class State:
    """What is known of the member: her tier, what she earned by rules with caps, codes that earned for anybody."""

    zone: str = "UTC"
    tier: str = ""
    birth_month: int | None = None
    past: list[Past] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)

    def remember(self, fact: Fact, weighed: Iterable[Weighed]) -> None:
        """What she just earned is past for the next fact."""
        for each in weighed:
            if each.amount:
                self.past.append(Past(each.rule.key, fact.happened_at, each.amount))
                if each.code:
                    self.used.add((each.rule.key, each.code))


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one rule makes of one fact: an amount, and what it was made of; or why there is none.

    `worth` is before tiers, caps and rounding, 0 where the rule does not mean the fact; `why` says it as JSON: `worth`
    as text, `percent` of the tier, `before_cap`, `code`.
    """

    rule: EarningRule
    worth: Fraction = Fraction(0)
    amount: int = 0
    why: Mapping[str, Any] = field(default_factory=dict)
    refused: type[Refused] | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Earned:
    """What a fact earned by one rule."""

    rule_key: str
    amount: int
    why: Mapping[str, Any]
    counts_for_tier: bool = True
    code: str = ""


def earn(fact: Fact, rule: ProgrammeRule, state: State) -> list[Earned]:
    """What the fact earns, by rule; remembered in the state, so that the next fact is weighed after it."""
    weighed = weigh(fact, rule, state)
    state.remember(fact, weighed)
    return [
        Earned(each.rule.key, each.amount, each.why, each.rule.counts_for_tier, each.code)
        for each in weighed
        if each.amount
    ]


def weigh(fact: Fact, rule: ProgrammeRule, state: State) -> list[Weighed]:
    """What every rule about such facts makes of it, in their order, bonuses last; the state stays as it is."""
    at = fact.happened_at.astimezone(clock.zone(state.zone))
    if isinstance(fact, OrderFact):
        fact = fact.earning_on(rule.earns_on)
    if isinstance(rule.pending, FromDate) and rule.pending.is_over(at.date()):
        return [Weighed(each, refused=TooLate) for each in rule.earning if each.about == fact.about]
    weighed: list[Weighed] = []
    # What no rule has taken yet: lines of an order; of anything else the whole.
    left = list(fact.lines) if isinstance(fact, OrderFact) else []
    is_taken = False
    for each in rule.earning:
        if each.about != fact.about:
            continue
        if is_taken:
            weighed.append(Weighed(each, refused=EarnedBefore))
            continue
        found = _weigh(each, fact, left, at, rule.tiers.percent(state.tier), state)
        weighed.append(found)
        if rule.matching == "first" and found.worth > 0:
            left = [line for line in left if not (isinstance(each, OrderRule) and each.takes(line))]
            is_taken = not left
    bonuses = [each for each in rule.earning if isinstance(each, Multiplied)]
    return [*weighed, *(_bonus(each, fact, weighed, at, state) for each in bonuses if _is_bonus_of(each, weighed))]


def _weigh(rule: EarningRule, fact: Fact, left: list[Line], at: dt.datetime, percent: int, state: State) -> Weighed:
    if (refused := _unheld(rule, at, state)) is not None:
        return Weighed(rule, refused=refused)
    if isinstance(rule, OrderRule) and isinstance(fact, OrderFact):
        if (refused := _other_way(rule, fact)) is not None:
            return Weighed(rule, refused=refused)
        lines = [line for line in left if rule.takes(line)]
        if not lines:
            return Weighed(rule, refused=NothingMeant)
        worth = rule.worth(fact, lines)
    elif isinstance(rule, ForActivity | Yearly) and rule.means(fact):
        worth = rule.worth(fact)
    else:
        return Weighed(rule, refused=NothingMeant)
    if worth.numerator <= 0:
        return Weighed(rule, refused=TooLittle)
    return _bounded(rule, fact, worth, percent if rule.is_multiplied else 100, at, state)


def _unheld(rule: EarningRule, at: dt.datetime, state: State) -> type[Refused] | None:
    if not rule.when.holds(at):
        return NotNow
    if rule.when.in_birth_month and state.birth_month != at.month:
        return NotHerMonth
    return OtherTier if rule.for_tiers and state.tier not in rule.for_tiers else None


def _other_way(rule: OrderRule | Multiplied, fact: Fact) -> type[Refused] | None:
    """Why an order that came or was paid in this way is not meant; nothing but an order came in any."""
    order = fact if isinstance(fact, OrderFact) else None
    if rule.channels and (order is None or order.channel not in rule.channels):
        return OtherChannel
    if rule.payment_methods and (order is None or order.payment_method not in rule.payment_methods):
        return OtherPaymentMethod
    return None


def _bounded(rule: EarningRule, fact: Fact, worth: Fraction, percent: int, at: dt.datetime, state: State) -> Weighed:
    code = rule.code(fact) if isinstance(rule, ForActivity) and isinstance(fact, ActivityFact) else ""
    if code and (rule.key, code) in state.used:
        return Weighed(rule, worth, refused=CodeUsed)
    if rule.cool_down_hours and _is_too_soon(rule, fact, state):
        return Weighed(rule, worth, refused=TooSoon)
    reckoned = worth.numerator * percent // (worth.denominator * 100)
    amount = min([reckoned, *(_room(cap, rule.key, at, state) for cap in rule.caps)])
    if amount <= 0:
        return Weighed(rule, worth, refused=AtItsCap if reckoned > 0 else TooLittle)
    why: dict[str, Any] = {"worth": _text(worth)}
    if percent != 100:
        why["percent"] = percent
    if amount < reckoned:
        why["before_cap"] = reckoned
    if code:
        why["code"] = code
    return Weighed(rule, worth, amount, why, code=code)


def _room(cap: Cap, key: str, at: dt.datetime, state: State) -> int:
    """What a cap still lets through; as good as everything where it counts times and has some left."""
    zone, stretch = at.tzinfo, cap.stretch(at)
    amounts = [
        past.amount
        for past in state.past
        if past.rule == key and past.amount and cap.stretch(past.at.astimezone(zone)) == stretch
    ]
    if cap.of == "times":
        return 10**18 if len(amounts) < cap.most else 0
    return max(cap.most - sum(amounts), 0)


def _is_too_soon(rule: EarningRule, fact: Fact, state: State) -> bool:
    rest = dt.timedelta(hours=rule.cool_down_hours)
    return any(past.rule == rule.key and past.amount and abs(fact.happened_at - past.at) < rest for past in state.past)


def _is_bonus_of(bonus: Multiplied, weighed: list[Weighed]) -> bool:
    """Whether any of these rules is one that it multiplies: by name, or where it names none, of orders."""
    return any(_is_meant(bonus, each) for each in weighed)


def _is_meant(bonus: Multiplied, each: Weighed) -> bool:
    return each.rule.key in bonus.of if bonus.of else each.rule.about == "order"


def _bonus(bonus: Multiplied, fact: Fact, weighed: list[Weighed], at: dt.datetime, state: State) -> Weighed:
    if (refused := _unheld(bonus, at, state)) is not None:
        return Weighed(bonus, refused=refused)
    if (refused := _other_way(bonus, fact)) is not None:
        return Weighed(bonus, refused=refused)
    base = sum(each.amount for each in weighed if _is_meant(bonus, each))
    if not base:
        return Weighed(bonus, refused=TooLittle)
    return _bounded(bonus, fact, Fraction(base * (bonus.percent - 100), 100), 100, at, state)


def _text(worth: Fraction) -> str:
    """`12.5`, to four places."""
    return f"{worth.numerator / worth.denominator:.4f}".rstrip("0").rstrip(".")
