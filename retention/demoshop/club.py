"""The demo shop's club: a programme with three tiers, five rewards and a challenge, and who is in it for a year."""

import datetime as dt
import random
from typing import Any

from loyalty import operations as loyalty
from loyalty.catalogue import available_to
from loyalty.models import Member, Programme, Reward
from loyalty.operations import challenges, claims, rewards
from loyalty.operations.earning import earn_due
from loyalty.operations.tiers import retier
from loyalty.rules import ProgrammeRule
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.rewards import RewardRule
from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule

YEAR = dt.timedelta(days=365)
SEED = 11
MEMBERS = 400
CLAIMS = 25
RULE: dict[str, Any] = {
    "names": {"en": "Side B Club", "ko": "사이드 B 클럽", "ru": "Клуб Side B"},
    "joining": "request",
    "look_back_days": 1,
    "earning": [
        {
            "kind": "per_amount", "key": "purchases", "amount": 1, "per_minor": 100,
            "names": {
                "en": "One point for every dollar", "ko": "1달러마다 1포인트", "ru": "Один балл за каждый доллар",
            },
        },
        {
            "kind": "activity", "key": "reviews", "activity": "reviewed", "amount": 10,
            "caps": [{"most": 3, "of": "times", "per": "month"}],
            "names": {"en": "Ten points for a review", "ko": "리뷰를 쓰시면 10포인트", "ru": "Десять баллов за отзыв"},
        },
    ],
    "tiers": {
        "measure": "points",
        "window": {"kind": "rolling", "months": 12},
        "steps": [
            {"key": "listener", "names": {"en": "Listener", "ko": "리스너", "ru": "Слушатель"}, "threshold": 0},
            {
                "key": "collector", "names": {"en": "Collector", "ko": "컬렉터", "ru": "Коллекционер"},
                "threshold": 60, "percent": 125,
                "perks": [
                    {"names": {"en": "Releases a day early", "ko": "신보를 하루 먼저", "ru": "Новинки на день раньше"}}
                ],
            },
            {
                "key": "curator", "names": {"en": "Curator", "ko": "큐레이터", "ru": "Куратор"},
                "threshold": 200, "percent": 150,
                "perks": [
                    {"names": {"en": "Seats at our evenings", "ko": "감상회 초대", "ru": "Место на наших вечерах"}}
                ],
            },
        ],
    },
}  # fmt: skip
#: What a reward is, and what it gives.
REWARDS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {
            "names": {"en": "Free shipping", "ko": "무료 배송", "ru": "Бесплатная доставка"}, "kind": "coupon",
            "price": 20,
        },
        {"kind": "free_shipping", "cap": {"USD": 1_200}},
    ),
    (
        {
            "names": {"en": "Plant a tree", "ko": "나무 한 그루 심기", "ru": "Посадить дерево"}, "kind": "donation",
            "price": 30,
        },
        {"kind": "experience", "name": "Plant a tree in the customer's name"},
    ),
    (
        {
            "names": {"en": "10 % off an order", "ko": "주문 10 % 할인", "ru": "Скидка 10 % на заказ"},
            "kind": "coupon", "price": 50, "per_customer": 1, "within": "month",
        },
        {"kind": "percent", "basis_points": 1_000},
    ),
    (
        {
            "names": {"en": "Mystery single", "ko": "미스터리 싱글", "ru": "Сингл-сюрприз"}, "kind": "product",
            "price": 75, "stock": 40,
            "descriptions": {"en": "One 7-inch of our choice, with your next parcel."},
        },
        {"kind": "experience", "name": "Mystery single", "instructions": "Put a 7-inch into the next parcel."},
    ),
    (
        {
            "names": {"en": "Gift card of 10 USD", "ko": "10달러 기프트 카드", "ru": "Подарочная карта на 10 USD"},
            "kind": "gift_card", "price": 150, "tiers": ["collector", "curator"],
        },
        {"kind": "gift_card", "amounts": {"USD": 1_000}},
    ),
)  # fmt: skip
CHALLENGE: dict[str, Any] = {
    "names": {"en": "Explorer", "ko": "탐험가", "ru": "Исследователь"},
    "descriptions": {"en": "Three different records within 90 days."},
    "task": {"kind": "products", "count": 3},
    "within_days": 90,
    "points": 25,
}


def open_club(*, now: dt.datetime, by: Actor) -> None:
    """The programme as it was written a year ago, and who joined it then; the same customers every time."""
    said: dict[str, Any] = {"now": now - YEAR, "by": by}
    rule = ProgrammeRule.model_validate(RULE)
    club = loyalty.create_programme(key="club", unit_key="points", rule=rule, why="Demo.", **said)
    made = [_reward(club, told, gives, said) for told, gives in REWARDS]
    gives = {"kind": "choice", "reward_ids": [made[0].pk, made[2].pk], "days": 30, "default_id": made[0].pk}
    milestone = {"key": "third_order", "measure": "orders", "at": 3, "gives": gives, "names": {
        "en": "Your third order", "ko": "세 번째 주문", "ru": "Третий заказ",
    }}  # fmt: skip
    rule = ProgrammeRule.model_validate({**RULE, "milestones": [milestone]})
    loyalty.save_programme(programme_id=club.pk, rule=rule, edited=1, why="Demo.", **said)
    loyalty.launch_programme(programme_id=club.pk, **said)
    buyers = Customer.objects.filter(orders__placed_at__gte=now - YEAR).order_by("pk").distinct()
    everyone = list(buyers.values_list("pk", flat=True))
    draw = random.Random(SEED)  # noqa: S311
    loyalty.join(programme_id=club.pk, customer_ids=draw.sample(everyone, min(MEMBERS, len(everyone))), **said)
    made_up = ChallengeRule.model_validate(CHALLENGE)
    challenge = challenges.create_challenge(programme_id=club.pk, rule=made_up, why="Demo.", **said)
    challenges.start_challenge(challenge_id=challenge.pk, **said)


def live_a_year(*, now: dt.datetime, by: Actor) -> None:
    """What members earned since, where that took them, and what some of them took for it.

    Facts are followed by marks, so this comes after the club itself is committed.
    """
    earn_due(now=now, progress=_quietly)
    retier(now=now, by=by, progress=_quietly)
    offered = list(Reward.objects.filter(programme__key="club", state=Reward.State.LIVE, price__lte=75))
    members = Member.objects.select_related("programme__unit").filter(programme__key="club", earned__gte=20)
    for place, member in enumerate(members.order_by("-earned", "pk")[:CLAIMS]):
        reward = offered[place % len(offered)]
        if available_to(member, now=now) >= reward.price:
            source = f"demoshop:{member.pk}"
            claims.claim(reward_id=reward.pk, member_id=member.pk, source=source, now=now, by=by)


def _quietly(done: int, total: int) -> None:
    """Nobody watches."""


def _reward(club: Programme, told: dict[str, Any], gives: dict[str, Any], said: dict[str, Any]) -> Reward:
    offer = IncentiveRule.model_validate({"name": f"Club: {told['names']['en']}", "effects": [gives]})
    incentive = incentives.create_incentive(rule=offer, why="Demo.", **said)
    rule = RewardRule.model_validate({**told, "incentive_id": incentive.pk})
    reward = rewards.create_reward(programme_id=club.pk, rule=rule, why="Demo.", **said)
    return rewards.start_reward(reward_id=reward.pk, **said)
