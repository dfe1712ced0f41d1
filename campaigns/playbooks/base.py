"""What a playbook is made of, and how the data it needs is counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from retention.customers.models import ConsentState, Customer
from retention.registries import Playbook


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


def living() -> QuerySet[Customer]:
    return Customer.objects.filter(merged_into=None, erased_at=None)


def with_consent() -> QuerySet[Customer]:
    given = ConsentState.objects.filter(
        customer=OuterRef("pk"), channel="email", purpose="marketing", is_given=True, address=OuterRef("email_normal")
    )
    return living().filter(Exists(given))


class CampaignPlaybook(Playbook):
    """A playbook that makes one campaign with one step.

    Attributes:
        occasion: key of the occasion; `args` are its arguments.
        template: key of the ready template.
        audience, excluded: keys of ready segments; "" is everyone, nobody.
        needs: label → query of the customers who have it.
    """

    icon: ClassVar[str] = "campaign"
    occasion: ClassVar[str] = ""
    args: ClassVar[dict[str, Any]] = {}
    template: ClassVar[str] = ""
    audience: ClassVar[str] = ""
    excluded: ClassVar[str] = ""
    lateness_hours: ClassVar[int] = 48
    needs: ClassVar[dict[Any, Callable[[], QuerySet[Customer]]]] = {}

    @classmethod
    def occasion_args(cls, *, now: dt.datetime, zone: str) -> dict[str, Any]:
        """The arguments of its occasion, for a draft made now."""
        return dict(cls.args)

    @classmethod
    def incentive(cls, *, currency: str) -> dict[str, Any] | None:
        """The rule of what it gives, as JSON; None: it gives nothing."""
        return None

    @classmethod
    def readiness(cls, *, now: dt.datetime) -> list[Need]:
        everyone = living().count()
        needs = {_("may be written to by email"): with_consent, **cls.needs}
        return [Need(str(label), rows().count(), everyone) for label, rows in needs.items()]


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
