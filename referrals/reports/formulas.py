"""Pure: k, cost and return of a referral programme, and what one would bring before it is launched.

Amounts are minor units of the shop's base currency. A figure that nothing can be said of is None, never nought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import scipy

from retention import money

#: So small a chance that an advocate has so many friends changes no cent.
_NOBODY = 1e-9


def k_factor(*, users: int, invitations: int, converted: int) -> float | None:
    """Invitations per user × conversion of an invitation: how many new customers each user brings."""
    if not users:
        return None
    if not invitations:
        return 0.0
    return (invitations / users) * (converted / invitations)


def cost_per_customer(*, reward_minor: int, running_minor: int, converted: int) -> int | None:
    """What one converted friend cost: both sides' rewards, and the running cost of the programme."""
    if not converted:
        return None
    return money.round_half_up(Decimal(reward_minor + running_minor) / converted)


def roi(*, ltv_minor: float, k: float, reward_minor: float) -> float | None:
    """((LTV × (1 + k)) − reward) / reward, both of one friend: 3.0 is three back for each one spent."""
    if reward_minor <= 0:
        return None
    return (ltv_minor * (1 + k) - reward_minor) / reward_minor


def average_by_place(friends_each: float, worth: Callable[[int], float]) -> float:
    """What one friend costs on average, where `worth(n)` is what an advocate's n-th costs.

    Friends come by chance: each advocate has a Poisson number of them, so that the share of n-th friends among all is
    P(N ≥ n) / mean; P(N ≥ n) is the regularised incomplete gamma function of n at the mean.
    """
    if friends_each <= 0:
        return worth(1)
    total, place = 0.0, 1
    while (chance := float(scipy.special.gammainc(place, friends_each))) > _NOBODY or place <= friends_each:
        total += chance * worth(place)
        place += 1
    return total / friends_each


@dataclass(frozen=True)
class Inputs:
    """What an estimate stands on.

    Attributes:
        customers: who could recommend the shop.
        joins, conversion: shares, 0 to 1: of customers who share their link, of invitations that become customers.
        invitations: by each who shares it, within the `months`.
        friend_minor, advocate_minor: what each side is worth for one converted friend.
        running_minor: a month, beside rewards.
        margin: the share of revenue that is left after the goods, 0 to 1.
    """

    customers: int
    joins: float
    invitations: float
    conversion: float
    ltv_minor: int
    friend_minor: int
    advocate_minor: int
    running_minor: int = 0
    months: int = 12
    margin: float = 1.0


@dataclass(frozen=True)
class Estimate:
    advocates: int
    invitations: int
    friends: int
    reward_minor: int
    running_minor: int
    revenue_minor: int
    k: float | None
    cost_per_customer_minor: int | None
    roi: float | None

    @property
    def cost_minor(self) -> int:
        return self.reward_minor + self.running_minor


def estimate(told: Inputs) -> Estimate:
    """What a scheme would bring within its months. Only whole people come; friends of friends are in k alone."""
    advocates = int(told.customers * told.joins)
    invitations = int(advocates * told.invitations)
    friends = int(invitations * told.conversion)
    reward = friends * (told.friend_minor + told.advocate_minor)
    running = told.running_minor * told.months
    k = k_factor(users=advocates, invitations=invitations, converted=friends)
    cost = cost_per_customer(reward_minor=reward, running_minor=running, converted=friends)
    return Estimate(
        advocates=advocates,
        invitations=invitations,
        friends=friends,
        reward_minor=reward,
        running_minor=running,
        revenue_minor=friends * told.ltv_minor,
        k=k,
        cost_per_customer_minor=cost,
        roi=roi(ltv_minor=told.ltv_minor * told.margin, k=k or 0.0, reward_minor=cost) if cost is not None else None,
    )
