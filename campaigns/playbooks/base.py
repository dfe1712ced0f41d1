"""What a playbook is made of: where it stands in the gallery, what it plans step by step, and what data it needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.needs import living, with_consent
from retention.customers.models import Customer
from retention.registries import Playbook

WEEK = 24 * 7
DAY_HOURS = 24

Count = Callable[[], QuerySet[Customer]]


class Group(Enum):
    """The moment that a playbook waits for; the gallery shows them in this order."""

    START = _("The beginning")
    DATES = _("Dates")
    BOUGHT = _("After a purchase")
    LEFT = _("Begun and left")
    SILENCE = _("Silence")
    VALUE = _("Value that waits")
    NEWS = _("News and surprises")


class Aim(Enum):
    """What a marketer wants; one searches the gallery by it."""

    FIRST_ORDER = _("Win the first order")
    SECOND_ORDER = _("Win the next order")
    BASKET = _("Sell more at a time")
    BACK = _("Win customers back")
    LOYALTY = _("Thank and keep")
    REACH = _("Be allowed and able to write")
    VOICE = _("Reviews, answers, recommendations")


@dataclass(frozen=True)
class Need:
    """One kind of data a playbook needs, and how much of it is there.

    Attributes:
        label: of what is counted, such as "have a birthday".
        have, of: how many of how many.
    """

    label: str
    have: int
    of: int

    @property
    def percent(self) -> int:
        return self.have * 100 // self.of if self.of else 0

    @property
    def is_enough(self) -> bool:
        """A tenth is worth a campaign; nobody at all is not."""
        return self.have > 0 and self.percent >= 10

    def sentence(self) -> str:
        return _t("%(percent)s %% %(label)s (%(have)s of %(of)s)") % {
            "percent": self.percent, "label": self.label, "have": f"{self.have:,}", "of": f"{self.of:,}"}  # fmt: skip


@dataclass(frozen=True)
class ReadyStep:
    """One step of a draft.

    Attributes:
        template: key of the ready template.
        gift: the rule of what it gives, as JSON, made in the shop's currency; None: it gives nothing.
        wait: after the step before, as the plan has it.
    """

    template: str
    gift: Callable[[str], dict[str, Any]] | None = None
    wait: Mapping[str, Any] = field(default_factory=lambda: {"hours": 0})


@dataclass(frozen=True)
class ReadySegment:
    """In the arguments of an occasion: the ready segment of this key."""

    key: str


@dataclass(frozen=True)
class DateAttribute:
    """In the arguments of an occasion: an attribute for dates, declared with the draft where it is not there yet."""

    key: str
    label: Promise


class CampaignPlaybook(Playbook):
    """A playbook that makes one campaign.

    Attributes:
        group, aims: where it stands in the gallery, and what it is searched by.
        occasion: key of the occasion; `args` are its arguments.
        template: key of the ready template of its one step; `incentive` is what that gives.
        steps: instead of the two, where it has several.
        audience, excluded: keys of ready segments; "" is everyone, nobody.
        needs: label → query of the customers who have it.
        bounds: further fields of the plan, such as its goal.
    """

    group: ClassVar[Group]
    aims: ClassVar[tuple[Aim, ...]] = ()
    icon: ClassVar[str] = "campaign"
    occasion: ClassVar[str] = ""
    args: ClassVar[dict[str, Any]] = {}
    template: ClassVar[str] = ""
    steps: ClassVar[tuple[ReadyStep, ...]] = ()
    audience: ClassVar[str] = ""
    excluded: ClassVar[str] = ""
    lateness_hours: ClassVar[int] = 48
    needs: ClassVar[dict[Any, Count]] = {}
    bounds: ClassVar[dict[str, Any]] = {}

    @classmethod
    def occasion_args(cls, *, now: dt.datetime, zone: str) -> dict[str, Any]:
        """The arguments of its occasion, for a draft made now."""
        return dict(cls.args)

    @classmethod
    def incentive(cls, *, currency: str) -> dict[str, Any] | None:
        """The rule of what its one step gives, as JSON; None: it gives nothing."""
        return None

    @classmethod
    def planned_steps(cls) -> tuple[ReadyStep, ...]:
        if cls.steps:
            return cls.steps
        return (ReadyStep(cls.template, lambda currency: cls.incentive(currency=currency)),)

    @classmethod
    def all_needs(cls) -> dict[Any, Count]:
        return {_("may be written to by email"): with_consent, **cls.needs}

    @classmethod
    def readiness(cls, *, now: dt.datetime) -> list[Need]:
        everyone = living().count()
        return [Need(str(label), rows().count(), everyone) for label, rows in cls.all_needs().items()]


class ComingPlaybook(Playbook):
    """A playbook whose facts a room brings that is not there yet: it can be read, and makes no draft."""

    group: ClassVar[Group]
    aims: ClassVar[tuple[Aim, ...]] = ()
    icon: ClassVar[str] = "schedule"
    #: What it comes with, such as "loyalty".
    comes_with: ClassVar[Any] = ""

    @classmethod
    def readiness(cls, *, now: dt.datetime) -> list[Need]:
        return []


def percent_off(name: str, percent: int, *, hours: int, **more: Any) -> dict[str, Any]:
    """So many percent off, never on low-margin products, one code for each customer, good for so many hours."""
    scope = {"without_low_margin": True}
    return {
        "name": name,
        "effects": [{"kind": "percent", "basis_points": percent * 100, "scope": scope}],
        "codes": {"kind": "unique", "is_bound": True},
        "validity": {"hours_after_given": hours},
        **more,
    }


def free_shipping(name: str, *, hours: int) -> dict[str, Any]:
    return {
        "name": name,
        "effects": [{"kind": "free_shipping"}],
        "codes": {"kind": "unique", "is_bound": True},
        "validity": {"hours_after_given": hours},
    }
