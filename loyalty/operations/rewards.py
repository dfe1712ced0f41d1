"""The catalogue's life: a reward is written, saved, started and stopped."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Programme, Reward, RewardCount, Tier
from loyalty.rules.rewards import RewardRule
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.incentives.operations.benefits import is_gift, needs_code
from retention.incentives.rules import Access, Experience, FreeProduct, GiftCard, IncentiveRule
from retention.incentives.versions import rule_of as incentive_rule
from retention.refusals import Refused
from retention.segments.models import Segment
from retention.shop.models import Shop
from retention.texts import choose


class NoSuchReward(Refused):
    code = "loyalty.no_such_reward"
    sentence = _("There is no such reward.")
    status = 404


class RewardNeedsOffer(Refused):
    code = "loyalty.reward_needs_offer"
    sentence = _("What this reward gives does not fit it: %(problem)s")
    status = 422


class RewardNamesNobody(Refused):
    code = "loyalty.reward_names_nobody"
    sentence = _("There is no %(what)s in this programme.")
    status = 422


class NameMissing(Refused):
    code = "loyalty.name_missing"
    sentence = _("A name in the shop's first language (%(language)s) is needed.")
    status = 422


class StockTaken(Refused):
    code = "loyalty.stock_taken"
    sentence = _("%(taken)s were taken already; the stock cannot be less.")


class RewardState(Refused):
    code = "loyalty.reward_state"
    sentence = _("This reward is %(state)s.")


@transaction.atomic
def create_reward(
    *,
    programme_id: int,
    rule: RewardRule,
    now: dt.datetime,
    by: Actor,
    why: str = "",
    gives: IncentiveRule | None = None,
) -> Reward:
    """Write a new reward as a draft with its first version; `gives` is a new incentive that is written with it.

    Raises:
        NameMissing, RewardNeedsOffer, RewardNamesNobody
    """
    rule = _with_new(rule, gives, now=now, by=by, why=why)
    reward = Reward(programme_id=programme_id, **_columns(rule))
    _refuse_misfit(reward, rule)
    reward.save()
    _save(reward, rule, edited=None, now=now, by=by, why=why)
    RewardCount.objects.create(reward=reward, most=rule.stock)
    record(verb="loyalty.create_reward", by=by, now=now, subject=reward, after={"version": 1})
    return reward


@transaction.atomic
def save_reward(
    *,
    reward_id: int,
    rule: RewardRule,
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    why: str = "",
    gives: IncentiveRule | None = None,
) -> Reward:
    """Save the whole rule as the next version; claims follow it at once, those made before keep theirs.

    `gives` is a new incentive that is written with it, and goes live at once where the reward is live.

    Raises:
        NoSuchReward, NameMissing, RewardNeedsOffer, RewardNamesNobody
        StockTaken: more were taken than there would be.
        EditedMeanwhile: someone saved after version number `edited` was read.
    """
    reward = locked_reward(reward_id)
    rule = _with_new(rule, gives, now=now, by=by, why=why)
    _refuse_misfit(reward, rule)
    if gives and reward.state == Reward.State.LIVE:
        incentives.go_live(incentive_id=rule.incentive_id, now=now, by=by)
    count = RewardCount.objects.select_for_update(no_key=True).get(reward=reward, member=None)
    if rule.stock is not None and count.taken > rule.stock:
        raise StockTaken(taken=count.taken)
    RewardCount.objects.filter(pk=count.pk).update(most=rule.stock)
    _save(reward, rule, edited=edited, now=now, by=by, why=why)
    record(
        verb="loyalty.save_reward", by=by, now=now, subject=reward, before={"version": edited},
        after={"version": reward.version.number},
    )  # fmt: skip
    return reward


@transaction.atomic
def start_reward(*, reward_id: int, now: dt.datetime, by: Actor) -> Reward:
    """Show it to members and let them take it; a draft of an incentive goes live with it.

    Raises:
        NoSuchReward
        RewardState: it is live already.
        RewardNeedsOffer: what it gives is stopped.
    """
    reward = locked_reward(reward_id)
    if reward.state == Reward.State.LIVE:
        raise RewardState(state=reward.get_state_display())
    if reward.incentive.state == Incentive.State.DRAFT:
        incentives.go_live(incentive_id=reward.incentive_id, now=now, by=by)
    elif reward.incentive.state == Incentive.State.STOPPED:
        raise RewardNeedsOffer(problem=_("it is stopped."))
    return _become(reward, Reward.State.LIVE, verb="loyalty.start_reward", now=now, by=by)


def start_drafts(reward_ids: Iterable[int], *, now: dt.datetime, by: Actor) -> None:
    """Within the transaction of what gives them and goes live: those that are drafts go live with it."""
    drafts = Reward.objects.filter(pk__in=set(reward_ids), state=Reward.State.DRAFT, archived_at=None)
    for reward_id in drafts.order_by("pk").values_list("pk", flat=True):
        start_reward(reward_id=reward_id, now=now, by=by)


@transaction.atomic
def stop_reward(*, reward_id: int, now: dt.datetime, by: Actor) -> Reward:
    """Take it out of the catalogue; once this commits, nobody gets it any more.

    Raises:
        NoSuchReward
        RewardState: it is not live.
    """
    reward = locked_reward(reward_id)
    if reward.state != Reward.State.LIVE:
        raise RewardState(state=reward.get_state_display())
    # Claims hold this row to their end: one of the two comes first.
    RewardCount.objects.select_for_update(no_key=True).get(reward=reward, member=None)
    return _become(reward, Reward.State.STOPPED, verb="loyalty.stop_reward", now=now, by=by)


def locked_reward(reward_id: int) -> Reward:
    """The reward, locked against other edits until the transaction ends.

    Raises:
        NoSuchReward
    """
    rows = Reward.objects.select_for_update(no_key=True, of=("self",)).select_related("incentive", "version")
    reward = rows.filter(pk=reward_id, archived_at=None).first()
    if reward is None:
        raise NoSuchReward
    return reward


def reward_by(public_id: uuid.UUID) -> Reward:
    """
    Raises:
        NoSuchReward
    """
    reward = Reward.objects.select_related("version", "programme__unit", "incentive").filter(
        public_id=public_id, archived_at=None
    ).first()  # fmt: skip
    if reward is None:
        raise NoSuchReward
    return reward


def rewards_in(programme_id: int, reward_ids: Iterable[int]) -> None:
    """
    Raises:
        NoSuchReward: one of these is not in this programme.
    """
    wanted = set(reward_ids)
    if Reward.objects.filter(programme_id=programme_id, pk__in=wanted, archived_at=None).count() < len(wanted):
        raise NoSuchReward


def refuse_unknown(programme: Programme, *, tiers: tuple[str, ...] = (), segment_id: int | None = None) -> None:
    """
    Raises:
        RewardNamesNobody: a tier or segment that is not there.
    """
    known = set(Tier.objects.filter(programme=programme, archived_at=None).values_list("key", flat=True))
    if unknown := [key for key in tiers if key not in known]:
        raise RewardNamesNobody(what=_("tier “%(key)s”") % {"key": unknown[0]})
    if segment_id and not Segment.objects.filter(pk=segment_id, archived_at=None).exists():
        raise RewardNamesNobody(what=_("segment № %(pk)s") % {"pk": segment_id})


def shop_name(names: dict[str, str]) -> str:
    """The name by which staff know it: in the shop's first language.

    Raises:
        NameMissing
    """
    language = (Shop.objects.first() or Shop()).default_language
    if not names.get(language):
        raise NameMissing(language=language)
    return names[language]


def _with_new(
    rule: RewardRule, gives: IncentiveRule | None, *, now: dt.datetime, by: Actor, why: str
) -> RewardRule:  # fmt: skip
    if gives is None:
        return rule
    made = incentives.create_incentive(rule=gives, now=now, by=by, why=why)
    return rule.model_copy(update={"incentive_id": made.pk})


def _columns(rule: RewardRule) -> dict:
    return {
        "name": shop_name(rule.names), "kind": rule.kind, "price": rule.price, "incentive_id": rule.incentive_id,
    }  # fmt: skip


def _save(reward: Reward, rule: RewardRule, *, edited: int | None, now: dt.datetime, by: Actor, why: str) -> None:
    reward.version = save_version(
        of=reward, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why
    )  # fmt: skip
    Reward.objects.filter(pk=reward.pk).update(version=reward.version, **_columns(rule))
    for name, value in _columns(rule).items():
        setattr(reward, name, value)


def _become(reward: Reward, state: str, *, verb: str, now: dt.datetime, by: Actor) -> Reward:
    before, reward.state = reward.state, state
    Reward.objects.filter(pk=reward.pk).update(state=state)
    record(verb=verb, by=by, now=now, subject=reward, before={"state": before}, after={"state": state})
    return reward


def _refuse_misfit(reward: Reward, rule: RewardRule) -> None:
    refuse_unknown(reward.programme, tiers=rule.tiers, segment_id=rule.segment_id)
    given = Incentive.objects.filter(pk=rule.incentive_id, archived_at=None).first()
    if given is None:
        raise RewardNeedsOffer(problem=_("there is no such incentive."))
    if problem := _misfit(rule.kind, incentive_rule(given.version_id)):
        raise RewardNeedsOffer(problem=problem)


def _misfit(kind: str, gives: IncentiveRule) -> object:
    """Why an incentive is not what a reward of this kind gives; empty: it is."""
    if needs_code(gives) and gives.codes.kind != "unique":
        return _("it has no code for each customer.")
    if gives.is_from_grant:
        return _("its amount is set for each customer.")
    effects = gives.effects
    match kind:
        case "coupon" if is_gift(gives):
            return _("it is not a coupon.")
        case "gift_card" if not any(isinstance(effect, GiftCard) for effect in effects):
            return _("it is not a gift card.")
        case "credit" if needs_code(gives):
            return _("it is not credit.")
        case "product" if not any(isinstance(effect, FreeProduct | Experience) for effect in effects):
            return _("it is neither a free product nor something for the work-list.")
        case "experience" if not any(isinstance(effect, Experience | Access) for effect in effects):
            return _("it is neither an experience nor a ticket.")
        case "donation" if not any(isinstance(effect, Experience) for effect in effects):
            return _("it is nothing for the work-list.")
    return ""


def named(names: dict[str, str], language: str) -> str:
    """A name in the reader's language, or in the shop's."""
    return choose(names, language, (Shop.objects.first() or Shop()).default_language)
