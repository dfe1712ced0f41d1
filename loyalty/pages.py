"""What customers read of a programme: how it works, made of its live rules, and where one of them stands in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from babel.dates import format_date

from loyalty.catalogue import OPEN, Offered, offered_to, reward_rules, rewards_of
from loyalty.forecasts import forecasts, show_counted
from loyalty.models import Claim, Completion, Member, Passing, Programme, Reward
from loyalty.operations.challenges import Progress, progress_of
from loyalty.operations.milestones import milestone_of
from loyalty.rules import ProgrammeRule
from loyalty.rules.tiers import expiry_words
from loyalty.tellers import Tellers
from loyalty.versions import rule_of
from retention import clock
from retention.customers.models import Customer
from retention.incentives.models import Code
from retention.ledger.models import Account, Entry
from retention.ledger.querysets import balances, entries_among
from retention.ledger.versions import rule_of as unit_rule_of
from retention.shop.models import Shop
from retention.texts import choose

#: So much of what happened is shown.
_LATEST = 20


class Reader:
    """How one reader reads amounts, days and names."""

    def __init__(self, programme: Programme, language: str) -> None:
        self.shop = Shop.objects.get()
        self.language = language or self.shop.default_language
        self.unit = unit_rule_of(programme.unit)
        self.zone = clock.zone(self.shop.time_zone)

    def named(self, names: Mapping[str, str]) -> str:
        return choose(names, self.language, self.shop.default_language)

    def told(self, texts: Mapping[str, str]) -> str:
        """Words that need not be there."""
        return self.named(texts) if texts.get(self.shop.default_language) else ""

    def amount(self, amount: int) -> str:
        return self.unit.show(amount, self.language)

    def day(self, at: dt.datetime | dt.date | None) -> str:
        if at is None:
            return ""
        day = at.astimezone(self.zone).date() if isinstance(at, dt.datetime) else at
        return format_date(day, "long", locale=self.language.replace("-", "_"))

    def last_day(self, until: dt.datetime | None) -> str:
        """Of what ends at an instant."""
        return self.day(until - dt.timedelta(seconds=1)) if until else ""


def how_it_works(programme: Programme, *, language: str, now: dt.datetime) -> dict[str, Any]:
    """Sentences of the rules that hold now: earning, tiers with their perks, rewards, and how long value lasts."""
    reader, rule = Reader(programme, language), rule_of(programme.version_id)
    rewards = list(rewards_of(programme.pk))
    rules = reward_rules(one.version_id for one in rewards)
    shown = [rules[one.version_id] for one in rewards if _is_public(rules[one.version_id], now)]
    called = {one.pk: rules[one.version_id] for one in rewards}

    teller = Tellers(reader.language).of(programme)

    def threshold(amount: int | None) -> str:
        if not amount:
            return ""
        currency = reader.shop.currency
        return show_counted(rule.tiers, amount, unit=reader.unit, currency=currency, language=reader.language)

    return {
        "name": reader.named(rule.names),
        "is_open": programme.state in OPEN,
        "earning": [reader.told(one.names) or one.sentence(teller) for one in rule.earning],
        "when": rule.when_sentences(teller),
        "expiry": expiry_words(reader.unit.expiry, teller),
        "inactive_days": rule.expires_after_inactive_days,
        "tier_rules": rule.tiers.sentences(teller),
        "tiers": [
            {
                "name": reader.named(step.names), "from": threshold(step.threshold), "percent": step.percent,
                "is_invited": step.threshold is None,
                "perks": [reader.named(perk.names) for perk in step.perks],
            }
            for step in rule.tiers.steps
        ],
        "rewards": [
            {
                "name": reader.named(one.names), "about": reader.told(one.descriptions), "image_url": one.image_url,
                "price": reader.amount(one.price) if one.price else "",
                "tiers": [reader.named(step.names) for step in rule.tiers.steps if step.key in one.tiers],
            }
            for one in shown
        ],
        "milestones": [
            {
                "name": reader.named(one.names), "what": one.sentence(teller),
                "gives": [reader.named(called[pk].names) for pk in one.gives.rewards if pk in called],
            }
            for one in rule.milestones
        ],
    }  # fmt: skip


def _is_public(rule: Any, now: dt.datetime) -> bool:
    is_over = rule.ends_at is not None and rule.ends_at <= now
    return rule.is_in_catalogue and not rule.segment_id and not is_over


@dataclass
class Hers:
    """Where a customer stands in a programme. Without `member` she is in none; amounts and days are words."""

    name: str
    member: Member | None = None
    available: str = ""
    spendable: int = 0
    pending: str = ""
    expires_next: str = ""
    expires_on: str = ""
    tier: str = ""
    tier_until: str = ""
    next_tier: str = ""
    next_missing: str = ""
    offers: list[dict[str, Any]] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)
    challenges: list[dict[str, Any]] = field(default_factory=list)
    badges: list[str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


def hers(customer: Customer, programme: Programme, *, language: str, now: dt.datetime) -> Hers:
    """Everything her page of a programme shows."""
    reader = Reader(programme, language)
    rule = rule_of(programme.version_id)
    rows = Member.objects.select_related("programme__unit", "tier", "customer")
    member = rows.filter(customer=customer, programme=programme).first()
    page = Hers(reader.named(rule.names), member)
    _add_balance(page, customer, programme, reader, now)
    if member is None:
        return page
    if member.left_at is None:
        _add_tier(page, member, reader, now)
        page.choices = _choices(member, reader, now)
        page.challenges = [_challenge(one, reader) for one in progress_of(member, now=now) if not one.completed_at]
    page.offers = [_offer(one, rule, reader, page.spendable) for one in offered_to(member, now=now)]
    done = Completion.objects.filter(member=member, has_badge=True).select_related("challenge")
    page.badges = [one.challenge.name for one in done]
    page.taken = [_taken(one, reader) for one in _claims(member)]
    return page


def _add_balance(page: Hers, customer: Customer, programme: Programme, reader: Reader, now: dt.datetime) -> None:
    account = Account.objects.filter(customer=customer, unit=programme.unit).first()
    if account is None:
        page.available = reader.amount(0)
        return
    (held,) = balances([account.pk], now=now)
    page.available, page.spendable = reader.amount(held.available), held.available
    page.pending = reader.amount(held.pending) if held.pending else ""
    if held.expires_next_at:
        page.expires_next, page.expires_on = reader.amount(held.expires_next), reader.last_day(held.expires_next_at)
    moved = list(entries_among([account.pk])[:_LATEST])
    bought = {one.entry_id: _claimed(one, reader) for one in Claim.objects.filter(entry__in=moved)}
    page.history = [_moved(one, account, reader, bought.get(one.pk, "")) for one in moved]


def _add_tier(page: Hers, member: Member, reader: Reader, now: dt.datetime) -> None:
    tiers = rule_of(member.programme.version_id).tiers
    ahead = forecasts([member], now=now)[member.pk]
    mine, above = tiers.step(ahead.tier), tiers.step(ahead.next)
    page.tier = reader.named(mine.names) if mine else ""
    page.tier_until = reader.day(ahead.last_day)
    if above and ahead.missing:
        page.next_tier = reader.named(above.names)
        page.next_missing = show_counted(
            tiers, ahead.missing, unit=reader.unit, currency=reader.shop.currency, language=reader.language
        )


def _moved(entry: Entry, account: Account, reader: Reader, bought: str) -> dict[str, Any]:
    """`bought`: the reward that it was spent on."""
    is_out = entry.from_account_id == account.pk
    return {
        "day": reader.day(entry.effective_at), "verb": entry.verb, "is_out": is_out, "bought": bought,
        "amount": reader.amount(-entry.amount if is_out else entry.amount),
    }  # fmt: skip


def _offer(one: Offered, rule: ProgrammeRule, reader: Reader, spendable: int) -> dict[str, Any]:
    """`rest`: what she would have left of what she can spend."""
    tiers = [reader.named(step.names) for step in rule.tiers.steps if step.key in one.rule.tiers]
    return {
        "id": one.reward.public_id, "name": reader.named(one.rule.names), "about": reader.told(one.rule.descriptions),
        "image_url": one.rule.image_url, "price": reader.amount(one.rule.price) if one.rule.price else "",
        "can_have": one.can_have, "why": one.refusal.code if one.refusal else "", "left": one.left,
        "short": reader.amount(one.short) if one.short else "", "tiers": tiers,
        "rest": reader.amount(spendable - one.rule.price) if one.can_have and one.rule.price else "",
    }  # fmt: skip


def _choices(member: Member, reader: Reader, now: dt.datetime) -> list[dict[str, Any]]:
    found = []
    for passing in Passing.objects.filter(member=member, state=Passing.State.OPEN, choose_until__gt=now):
        milestone = milestone_of(passing)
        numbers = milestone.gives.rewards if milestone else ()
        rewards = Reward.objects.filter(pk__in=numbers, state=Reward.State.LIVE, archived_at=None)
        rules = reward_rules(one.version_id for one in rewards)
        found.append(
            {
                "id": passing.public_id, "name": reader.named(milestone.names) if milestone else "",
                "until": reader.last_day(passing.choose_until),
                "rewards": [
                    {"id": one.public_id, "name": reader.named(rules[one.version_id].names)} for one in rewards
                ],
            }
        )  # fmt: skip
    return found


def _challenge(one: Progress, reader: Reader) -> dict[str, Any]:
    return {
        "name": reader.named(one.rule.names), "about": reader.told(one.rule.descriptions), "done": one.done,
        "target": one.target, "until": reader.last_day(one.rule.ends_at), "is_money": one.rule.task.kind == "spend",
    }  # fmt: skip


def _claims(member: Member) -> list[Claim]:
    rows = Claim.objects.filter(member=member, state=Claim.State.CLAIMED)
    return list(rows.select_related("grant__code").order_by("-pk")[:_LATEST])


def _taken(claim: Claim, reader: Reader) -> dict[str, Any]:
    code = getattr(claim.grant, "code", None)
    usable = code.code if code and code.state == Code.State.GIVEN else ""
    is_used = code is not None and code.state == Code.State.REDEEMED
    return {
        "name": _claimed(claim, reader), "code": usable, "is_used": is_used, "day": reader.day(claim.claimed_at),
    }  # fmt: skip


def _claimed(claim: Claim, reader: Reader) -> str:
    """What she took, as it was called then."""
    return reader.named(reward_rules([claim.version_id])[claim.version_id].names)
