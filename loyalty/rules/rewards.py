"""What a reward is and costs and who may have it, as the JSON of its version; and why a member cannot have it now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, StringConstraints, model_validator

from loyalty.rules.parts import Key, Names
from retention.incentives.parts import Category, Part
from retention.refusals import Refused

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
#: By language, like `Names`.
Descriptions = dict[Annotated[str, StringConstraints(max_length=12)], Words]
Picture = Annotated[str, StringConstraints(pattern=r"^(https://\S+)?$", max_length=300)]

_PER = {
    "life": gettext_lazy("in all"),
    "day": gettext_lazy("a day"),
    "week": gettext_lazy("a week"),
    "month": gettext_lazy("a month"),
    "year": gettext_lazy("a year"),
}


class RewardGone(Refused):
    code = "loyalty.reward_gone"
    sentence = gettext_lazy("This reward is gone.")


class RewardNotYet(Refused):
    code = "loyalty.reward_not_yet"
    sentence = gettext_lazy("This reward can be had from %(starts_at)s on.")


class RewardLimit(Refused):
    code = "loyalty.reward_limit"
    sentence = gettext_lazy("She had this reward as often as she may: %(limit)s.")


class ForOtherTiers(Refused):
    code = "loyalty.for_other_tiers"
    sentence = gettext_lazy("This reward is for members of %(tiers)s.")


class OtherSegment(Refused):
    code = "loyalty.other_segment"
    sentence = gettext_lazy("This reward is not for her.")


class PointsShort(Refused):
    code = "loyalty.points_short"
    sentence = gettext_lazy("%(short)s more are needed.")


class RewardPlan(Part):
    """An entry of the catalogue, but for the rows of others that it names.

    Attributes:
        price: in the programme's unit, in its smallest part; 0 costs nothing.
        stock: how many there are in all; empty: as many as are wanted.
        tiers: keys of the tiers that may have it; none: every member.
        per_customer, within: how often each may take it, in all or in a day, week, month or year of the shop's
            calendar.
        categories: what it has to do with; whoever likes them is shown it first.
        gives_back: its points come back when it is returned.
        is_in_catalogue: otherwise it is only given: by milestones, challenges and surprises.
    """

    names: Annotated[Names, Field(min_length=1)]
    descriptions: Descriptions = {}
    kind: Literal["coupon", "gift_card", "credit", "product", "experience", "donation"]
    price: Annotated[int, Field(ge=0, le=10**12)]
    stock: Annotated[int, Field(ge=0, le=10**9)] | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    tiers: Annotated[tuple[Key, ...], Field(max_length=20)] = ()
    per_customer: Annotated[int, Field(ge=1, le=10**6)] | None = None
    within: Literal["life", "day", "week", "month", "year"] = "life"
    categories: Annotated[tuple[Category, ...], Field(max_length=20)] = ()
    image_url: Picture = ""
    gives_back: bool = True
    is_in_catalogue: bool = True

    @model_validator(mode="after")
    def window_is_half_open(self) -> Self:
        if any(at is not None and at.tzinfo is None for at in (self.starts_at, self.ends_at)):
            raise ValueError("an instant has a zone")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("it begins before it ends")
        return self

    def limit(self) -> str:
        """`once a month`."""
        n = self.per_customer or 0
        return f"{ngettext('once', '%(n)s times', n) % {'n': n}} {_PER[self.within]}"


class RewardRule(RewardPlan):
    """The whole of one entry of the catalogue: what it gives, and the segment that may have it, if not all may.

    `incentive_id` is 0 for as long as what it gives is not there either: both are saved at once then.
    """

    incentive_id: Annotated[int, Field(ge=0)]
    segment_id: Annotated[int, Field(ge=1)] | None = None

    def sentences(self, named: Mapping[str, str]) -> list[str]:
        """What limits it, for the marketer; `named`: what the tiers are called, by their keys."""
        words = []
        if self.stock is not None:
            words.append(ngettext("one in stock", "%(n)s in stock", self.stock) % {"n": self.stock})
        if self.tiers:
            words.append(_("for %(tiers)s") % {"tiers": ", ".join(named.get(key, key) for key in self.tiers)})
        if self.segment_id:
            words.append(_("for one segment"))
        if self.per_customer:
            words.append(self.limit())
        if not self.is_in_catalogue:
            words.append(_("not in the catalogue, only given"))
        if not self.gives_back:
            words.append(_("its points do not come back"))
        return words


@dataclass(frozen=True)
class Standing:
    """What decides whether a member may have a reward at an instant.

    Attributes:
        tier: key of hers; empty: none.
        segments: numbers of those she is in, of those that were asked for.
        taken, hers: how many of the reward everybody took, and she within its limit.
        available: what she can spend.
        tier_names: by key, in her words.
    """

    now: dt.datetime
    tier: str = ""
    segments: Set[int] = frozenset()
    taken: int = 0
    hers: int = 0
    available: int = 0
    tier_names: Mapping[str, str] = field(default_factory=dict)


def refusal(rule: RewardRule, standing: Standing) -> Refused | None:
    """Why she cannot have it now: what she cannot change first, her points last; None: she can."""
    if rule.ends_at and rule.ends_at <= standing.now:
        return RewardGone()
    if rule.starts_at and rule.starts_at > standing.now:
        return RewardNotYet(starts_at=f"{rule.starts_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC")
    if rule.stock is not None and standing.taken >= rule.stock:
        return RewardGone()
    if rule.tiers and standing.tier not in rule.tiers:
        return ForOtherTiers(tiers=", ".join(standing.tier_names.get(key, key) for key in rule.tiers))
    if rule.segment_id and rule.segment_id not in standing.segments:
        return OtherSegment()
    if rule.per_customer and standing.hers >= rule.per_customer:
        return RewardLimit(limit=rule.limit())
    if standing.available < rule.price:
        return PointsShort(short=rule.price - standing.available)
    return None


def liking(categories: Iterable[str], favourite: str, suggested: Iterable[str]) -> int:
    """How much a reward of these categories fits a customer: 2 her favourite, 1 what is suggested to her, 0 neither."""
    paths = tuple(categories)
    if favourite and any(_is_within(favourite, path) for path in paths):
        return 2
    return int(any(_is_within(category, path) for category in suggested for path in paths))


def _is_within(category: str, path: str) -> bool:
    return category == path or category.startswith(f"{path}/")
