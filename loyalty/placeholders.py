"""What messages may say of memberships and tiers; looked up when the message is made."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from babel.dates import format_date
from django.utils.translation import gettext_lazy as _

from loyalty import reading
from loyalty.catalogue import reward_rules, rewards_of
from loyalty.earning import State, earn
from loyalty.forecasts import forecasts, show_counted
from loyalty.links import member_url, programme_url
from loyalty.models import Member, Passing, Programme, Reward
from loyalty.operations.adjusting import ORIGIN as ADJUSTMENT
from loyalty.operations.milestones import milestone_of
from loyalty.operations.tiers import RUNNING
from loyalty.rules.rewards import Standing, refusal
from loyalty.rules.tiers import TierStep
from loyalty.versions import rule_of
from retention import clock, money, texts
from retention.customers.models import Order
from retention.ledger.days import shop_zone
from retention.ledger.models import Account, Entry
from retention.ledger.querysets import Balance, balances
from retention.ledger.versions import rule_of as unit_rule_of
from retention.registries import Placeholder, placeholders
from retention.shop.models import Shop

#: In an occasion's words: key of the programme that it is about.
PROGRAMME = "programme"
YEAR = dt.timedelta(days=365)


@placeholders.register
class LoyaltyWords(Placeholder):
    """Of the programme that the occasion is about, else of the first that she joined; nil of who is in none.

    Words of what she does not have are nil, such as the next tier of who has the highest.
    """

    key = "loyalty"
    label = _("Her programme: points, tier, what is missing")
    sample: ClassVar = {
        "programme": "Club",
        "points": "1,240 Points",
        "pending": "60 Points",
        "tier": "Silver",
        "tier_until": "31 December 2027",
        "tier_missing": "180 Points",
        "perks": ["A sale of your own in May", "Free express delivery"],
        "next_tier": "Gold",
        "next_tier_missing": "320 Points",
        "next_reward": "A tote bag",
        "next_reward_missing": "60 Points",
        "reward": "Free coffee",
        "page_url": "https://retention.example.com/m/sample",
        "how_it_works_url": "https://retention.example.com/club/club",
    }
    labels: ClassVar = {
        "programme": _("The programme's name"),
        "points": _("What she can spend"),
        "pending": _("What she can spend later; nil where nothing waits"),
        "tier": _("Her tier"),
        "tier_until": _("Its last day; nil where it has none"),
        "tier_missing": _("What is missing to keep it then; nil where nothing is"),
        "perks": _("What her tier brings: a list"),
        "next_tier": _("The next tier"),
        "next_tier_missing": _("What is missing to it"),
        "next_reward": _("The nearest reward that she cannot have yet"),
        "next_reward_missing": _("What is missing to it"),
        "reward": _("The dearest reward that she can have now"),
        "page_url": _("Link to her own page, where she takes rewards; hers alone, and good for ninety days"),
        "how_it_works_url": _("Link to the page that says how the programme works"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        hers: dict[int, list[Member]] = {}
        members = Member.objects.filter(
            customer__in={one.customer_id for one in deliveries}, left_at=None, programme__state__in=RUNNING
        )
        for member in members.select_related("programme__unit", "tier", "customer").order_by("joined_at", "pk"):
            hers.setdefault(member.customer_id, []).append(member)
        chosen = {one.id: _chosen(one, hers.get(one.customer_id, [])) for one in deliveries}
        meant = {member.pk: member for member in chosen.values() if member}
        lookup = _Lookup([*meant.values()], now)
        return {one.id: lookup.words(member, one) for one in deliveries if (member := chosen[one.id])}


def _chosen(delivery: Any, members: list[Member]) -> Member | None:
    about = delivery.context.get("occasion")
    key = about.get(PROGRAMME) if isinstance(about, dict) else None
    named = [member for member in members if member.programme.key == key]
    return next(iter(named or members), None)


class _Lookup:
    """Everything that these members' words need, read by a fixed number of statements."""

    def __init__(self, members: list[Member], now: dt.datetime) -> None:
        self.ahead = forecasts(members, now=now)
        shop = Shop.objects.first()
        self.currency, self.default = (shop.currency, shop.default_language) if shop else ("EUR", "en")
        units = {one.programme.unit_id for one in members}
        accounts = Account.objects.filter(unit__in=units, customer__in=[one.customer_id for one in members])
        whose = {pk: (customer, unit) for pk, customer, unit in accounts.values_list("pk", "customer_id", "unit_id")}
        self.held: dict[tuple[int | None, int], Balance] = {
            whose[found.account_id]: found for found in balances(list(whose), now=now)
        }
        self.rewards: dict[int, list[Reward]] = {}
        for programme in {one.programme_id for one in members}:
            self.rewards[programme] = list(rewards_of(programme).filter(price__gt=0).order_by("price", "pk"))
        self.rules = reward_rules(reward.version_id for some in self.rewards.values() for reward in some)
        self.now = now

    def words(self, member: Member, delivery: Any) -> dict[str, Any]:
        programme, language = member.programme, delivery.language or self.default
        rule, unit = rule_of(programme.version_id), unit_rule_of(programme.unit)
        held = self.held.get((member.customer_id, programme.unit_id))
        has = held.available if held else 0
        ahead = self.ahead[member.pk]

        def counted(amount: int | None) -> str | None:
            if not amount:
                return None
            return show_counted(rule.tiers, amount, unit=unit, currency=self.currency, language=language)

        rewards = [one for one in self.rewards[member.programme_id] if self._is_hers(one, ahead.tier)]
        beyond = next((one for one in rewards if one.price > has), None)
        within = [one for one in rewards if one.price <= has]
        mine, above = rule.tiers.step(ahead.tier), rule.tiers.step(ahead.next)
        found = {
            "programme": texts.choose(rule.names, language, self.default),
            "points": unit.show(has, language),
            "pending": unit.show(held.pending, language) if held and held.pending else None,
            "tier": self._name(mine, language),
            "tier_until": _day(ahead.last_day, language),
            "tier_missing": counted(ahead.to_keep),
            "perks": [texts.choose(perk.names, language, self.default) for perk in mine.perks] if mine else None,
            "next_tier": self._name(above, language),
            "next_tier_missing": counted(ahead.missing) if above else None,
            "next_reward": beyond and self._reward(beyond, language),
            "next_reward_missing": unit.show(beyond.price - has, language) if beyond else None,
            "reward": self._reward(within[-1], language) if within else None,
            "page_url": member_url(member.customer.public_id, programme.public_id, now=self.now),
            "how_it_works_url": programme_url(programme),
        }
        return {name: value for name, value in found.items() if value}

    def _name(self, step: TierStep | None, language: str) -> str | None:
        return texts.choose(step.names, language, self.default) if step else None

    def _is_hers(self, reward: Reward, tier: str) -> bool:
        """Whether she can have it, if she has enough; what is for a segment is not promised here."""
        rule = self.rules[reward.version_id]
        return rule.is_in_catalogue and refusal(rule, Standing(self.now, tier, available=rule.price)) is None

    def _reward(self, reward: Reward, language: str) -> str:
        return texts.choose(self.rules[reward.version_id].names, language, self.default)


def _day(day: dt.date | None, language: str) -> str | None:
    return format_date(day, "long", locale=language.replace("-", "_")) if day else None


@placeholders.register
class InvitationWords(Placeholder):
    """Of who is in no programme: what her orders of a year would have earned her; nil where that is nothing.

    It is of the first programme that people join, by its rules as they are, with no tier.
    """

    key = "invitation"
    label = _("What her orders would have earned her as a member")
    sample: ClassVar = {"programme": "Club", "points": "420 Points", "worth": "€4.20"}
    labels: ClassVar = {
        "programme": _("The programme's name"),
        "points": _("What her orders of a year would have earned her"),
        "worth": _("What that is worth at a checkout; nil where it pays for nothing"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        joined = Programme.objects.filter(state=Programme.State.LIVE, joining=Programme.Joining.REQUEST)
        programme = joined.select_related("unit").order_by("launched_at").first()
        shop = Shop.objects.first()
        if programme is None or shop is None:
            return {}
        hers = {one.customer_id for one in deliveries}
        hers -= {*Member.objects.filter(programme=programme, left_at=None).values_list("customer", flat=True)}
        ids = Order.objects.filter(customer__in=hers, placed_at__gte=now - YEAR, placed_at__lte=now)
        facts = reading.orders(list(ids.filter(state__in=Order.BOUGHT).values_list("pk", flat=True)), shop.currency)
        rule, unit = rule_of(programme.version_id), unit_rule_of(programme.unit)
        states: dict[int, State] = {}
        sums: dict[int, int] = {}
        for fact in sorted(facts, key=lambda fact: (fact.happened_at, fact.id)):
            state = states.setdefault(fact.customer_id, State(zone=shop.time_zone))
            sums[fact.customer_id] = sums.get(fact.customer_id, 0) + sum(e.amount for e in earn(fact, rule, state))
        found = {}
        for one in deliveries:
            if amount := sums.get(one.customer_id):
                language = one.language or shop.default_language
                found[one.id] = {
                    "programme": texts.choose(rule.names, language, shop.default_language),
                    "points": unit.show(amount, language),
                }
                if unit.is_payable_in(shop.currency) and (minor := unit.in_minor(amount, shop.currency)):
                    found[one.id]["worth"] = money.show(minor, shop.currency, language)
        return found


@placeholders.register
class ChoiceWords(Placeholder):
    """Of the open choice of hers that closes first; nil of who has none."""

    key = "choice"
    label = _("The reward that she may choose")
    sample: ClassVar = {"name": "First hundred", "until": "31 December 2027", "rewards": "a mug, a tote bag"}
    labels: ClassVar = {
        "name": _("What she passed"),
        "until": _("The last day on which she can choose"),
        "rewards": _("What she can choose from"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        rows = Passing.objects.filter(
            state=Passing.State.OPEN, choose_until__gt=now, member__left_at=None,
            member__customer__in={one.customer_id for one in deliveries},
        ).select_related("member").order_by("-choose_until", "-pk")  # fmt: skip
        hers = {row.member.customer_id: row for row in rows}
        default = (Shop.objects.first() or Shop()).default_language
        told = {pk: (row, milestone) for pk, row in hers.items() if (milestone := milestone_of(row))}
        wanted = {number for _row, milestone in told.values() for number in milestone.gives.rewards}
        rewards = Reward.objects.filter(pk__in=wanted, state=Reward.State.LIVE, archived_at=None).in_bulk()
        rules = reward_rules(reward.version_id for reward in rewards.values())
        found = {}
        for one in deliveries:
            if one.customer_id in told:
                row, milestone = told[one.customer_id]
                language = one.language or default
                names = [rules[rewards[pk].version_id].names for pk in milestone.gives.rewards if pk in rewards]
                last = (row.choose_until - dt.timedelta(seconds=1)).astimezone(clock.zone(shop_zone())).date()
                found[one.id] = {
                    "name": texts.choose(milestone.names, language, default),
                    "until": _day(last, language),
                    "rewards": ", ".join(texts.choose(name, language, default) for name in names),
                }
        return found


@placeholders.register
class AdjustmentWords(Placeholder):
    """Of the correction by hand that the mail tells of: looked up when it is made."""

    key = "adjustment"
    label = _("Correction of her balance")
    sample: ClassVar = {
        "amount": "50 Points",
        "is_less": False,
        "reason": "The parcel was late",
        "balance": "1,240 Points",
    }
    labels: ClassVar = {
        "amount": _("How much was added or taken"),
        "is_less": _("Whether it was taken"),
        "reason": _("The reason that was given"),
        "balance": _("What she has now"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        ours = {one.origin_id: one for one in deliveries if one.origin == ADJUSTMENT}
        entries = Entry.objects.filter(pk__in=ours).select_related("unit__version", "from_account", "to_account")
        found = {}
        for entry in entries:
            one, unit = ours[entry.pk], unit_rule_of(entry.unit)
            is_less = entry.from_account.customer_id == one.customer_id
            hers = entry.from_account if is_less else entry.to_account
            language = one.language or "en"
            found[one.id] = {
                "amount": unit.show(entry.amount, language),
                "is_less": is_less,
                "reason": entry.reason,
                "balance": unit.show(hers.balance, language),
            }
        return found
