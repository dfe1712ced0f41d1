"""The whole of what a scheme is, as the JSON of its version: who is given what for bringing whom, and after what."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, StringConstraints, field_validator, model_validator

from referrals.rules.checks import USUAL, AnyCheck
from referrals.rules.scenarios import FirstOrder, Scenario
from retention.incentives.parts import Part

Id = Annotated[int, Field(gt=0)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
ShareChannel = Literal["email", "sms", "chat", "social", "app"]


class Level(Part):
    """What the advocate is given for each rewarded friend from so many on; `is_once`: for that very one alone."""

    from_count: Count = 1
    incentive_id: Id
    is_once: bool = False


class Caps(Part):
    """How many friends of one advocate are rewarded at most: in all, and in each month and year of the shop."""

    in_all: Count | None = None
    per_month: Count | None = None
    per_year: Count | None = None


class Share(Part):
    """What an advocate may send her friends on one channel, by language: Liquid with `PLACEHOLDERS` of `referrals`.

    A persona's words are for the advocates in its segment; those without are for everybody else.
    """

    channel: ShareChannel
    persona: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    segment_id: Id | None = None
    subjects: dict[Language, Line] = {}
    texts: Annotated[dict[Language, Body], Field(min_length=1)]


class Variant(Part):
    """One side of a test: what differs from the scheme's own. What is left empty is the scheme's."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
    weight: Annotated[int, Field(ge=1, le=100)] = 50
    friend_incentive: Id | None = None
    levels: Annotated[tuple[Level, ...], Field(max_length=20)] = ()
    texts: Annotated[tuple[Share, ...], Field(max_length=50)] = ()


class Landing(Part):
    """Where the personal link leads: to a page with the friend's offer, or at once to the shop with a visitor's key."""

    leads_to: Literal["page", "shop"] = "page"
    shop_url: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^(https?://.*)?$")] = ""
    titles: dict[Language, Line] = {}
    texts: dict[Language, Body] = {}


class SchemeRule(Part):
    """The rule whole. Incentives and segments are numbers of rows; amounts are in the shop's base currency."""

    kind: Literal["customers", "partners"] = "customers"
    names: Annotated[dict[Language, Line], Field(min_length=1)]
    friend_incentive: Id | None = None
    #: Templates of the messages that bring the friend her welcome and the advocate her reward; empty: the ready ones.
    friend_message: Id | None = None
    advocate_message: Id | None = None
    #: Otherwise the shop tells both of them itself.
    has_messages: bool = True
    levels: Annotated[tuple[Level, ...], Field(max_length=20)] = ()
    scenario: Scenario = FirstOrder()
    within_days: Annotated[int, Field(ge=1, le=730)] = 60
    hold_days: Annotated[int, Field(ge=0, le=365)] = 14
    attribution: Literal["first", "last"] = "first"
    link_days: Annotated[int, Field(ge=1, le=365)] = 30
    #: So long visits by links are kept; those that brought a friend stay with her referral.
    visit_days: Annotated[int, Field(ge=1, le=1095)] = 400
    checks: Annotated[tuple[AnyCheck, ...], Field(max_length=20)] = USUAL
    review_from: Annotated[int, Field(ge=1, le=1000)] = 60
    at_deadline: Literal["approve", "reject", "wait"] = "wait"
    review_days: Annotated[int, Field(ge=1, le=90)] = 7
    caps: Caps = Caps()
    claws_back: bool = True
    texts: Annotated[tuple[Share, ...], Field(max_length=50)] = ()
    landing: Landing = Landing()
    #: Who may take part by herself; empty: every customer.
    segment_id: Id | None = None
    #: Tried against each other, advocate by advocate (see `referrals.arms`). Another number draws the lot anew.
    variants: Annotated[tuple[Variant, ...], Field(max_length=4)] = ()
    experiment: Annotated[int, Field(ge=1, le=1_000)] = 1

    @field_validator("levels")
    @classmethod
    def in_order(cls, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        counts = [(level.from_count, level.is_once) for level in levels]
        if len(set(counts)) < len(counts):
            raise ValueError("two levels begin with the same friend")
        return tuple(sorted(levels, key=lambda level: (level.from_count, level.is_once)))

    @model_validator(mode="after")
    def parts_fit(self) -> SchemeRule:
        kinds = [check.kind for check in self.checks]
        if len(set(kinds)) < len(kinds):
            raise ValueError("the same check is there twice")
        if self.kind == "partners" and self.levels:
            raise ValueError("partners are paid in cash, not by levels")
        if self.kind == "customers" and not self.levels and self.friend_incentive is None:
            raise ValueError("say what is given: to the friend, to the advocate, or to both")
        shares = [(share.channel, share.persona) for share in self.texts]
        if len(set(shares)) < len(shares):
            raise ValueError("two texts are for the same channel and persona")
        keys = [variant.key for variant in self.variants]
        if len(set(keys)) < len(keys) or len(keys) == 1:
            raise ValueError("a test has two variants or more, each with its own key")
        if self.landing.leads_to == "shop" and not self.landing.shop_url:
            raise ValueError("say where in the shop the link leads")
        return self

    @property
    def incentive_ids(self) -> frozenset[int]:
        sides: tuple[SchemeRule | Variant, ...] = (self, *self.variants)
        friends = {side.friend_incentive for side in sides if side.friend_incentive}
        return frozenset(friends | {level.incentive_id for side in sides for level in side.levels})

    def with_variant(self, key: str) -> SchemeRule:
        """The rule as it is for the advocates of this variant; an unknown or empty key is the scheme's own."""
        chosen = next((variant for variant in self.variants if variant.key == key), None)
        if chosen is None:
            return self
        differs = {name: getattr(chosen, name) for name in ("friend_incentive", "levels", "texts")}
        return self.model_copy(update={name: value for name, value in differs.items() if value})

    @property
    def template_ids(self) -> frozenset[int]:
        return frozenset(filter(None, (self.friend_message, self.advocate_message)))

    def level_at(self, count: int, had: Collection[int] = ()) -> Level | None:
        """What the advocate's `count`-th rewarded friend is worth: the highest level that this one has reached.

        `had`: incentives that she has for being at this number before. A friend whose order came back makes the next
        one the third, say, once more; what is given once is not given again while she has it.
        """
        reached = [
            level
            for level in self.levels
            if level.from_count <= count
            and not (level.is_once and (level.from_count < count or level.incentive_id in had))
        ]
        return max(reached, key=lambda level: (level.from_count, level.is_once), default=None)

    @property
    def visits_kept(self) -> int:
        """Days; never fewer than a link counts."""
        return max(self.visit_days, self.link_days)

    def languages(self) -> frozenset[str]:
        return frozenset(self.names)

    def sentences(self, currency: str) -> list[str]:
        """The rule in the marketer's words, a line each; what is given is named by whoever shows it."""
        held = ngettext(
            "rewarded a day later, if nothing was returned",
            "rewarded %(n)s days later, if nothing was returned",
            self.hold_days,
        )
        lines = [
            _("%(what)s within %(days)s days") % {"what": self.scenario.sentence(currency), "days": self.within_days},
            held % {"n": self.hold_days} if self.hold_days else _("rewarded at once"),
            _("%(which)s link of the last %(days)s days counts")
            % {"which": _("the first") if self.attribution == "first" else _("the last"), "days": self.link_days},
        ]
        caps = (
            (self.caps.in_all, _("%(n)s friends of one advocate in all")),
            (self.caps.per_month, _("%(n)s friends of one advocate a month")),
            (self.caps.per_year, _("%(n)s friends of one advocate a year")),
        )
        return lines + [words % {"n": most} for most, words in caps if most]
