"""How often and how much: limits of an incentive, of a budget over several, and of one customer over all."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from retention.incentives.baskets import amount_text
from retention.incentives.parts import Currency, Part

Count = Annotated[int, Field(ge=1, le=10**9)]

_CALENDAR = {
    "life": gettext_lazy("in all"),
    "day": gettext_lazy("a day"),
    "week": gettext_lazy("a week"),
    "month": gettext_lazy("a month"),
}
_ROLLING = {
    "day": gettext_lazy("in any 24 hours"),
    "week": gettext_lazy("in any 7 days"),
    "month": gettext_lazy("in any 30 days"),
}
_WHOSE = {
    "incentive": "",
    "customer": gettext_lazy("per customer"),
    "code": gettext_lazy("per code"),
}
_LENGTHS = {"day": dt.timedelta(days=1), "week": dt.timedelta(days=7), "month": dt.timedelta(days=30)}


class Money(Part):
    """A budget. It names its currency, and only baskets in that currency may draw on it."""

    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: Currency


class Within(Part):
    """So many uses, or so much money, within some time: a day, week or month of the shop's calendar, or a rolling one.

    A rolling month is thirty days.
    """

    within: Literal["day", "week", "month", "life"] = "life"
    is_rolling: bool = False
    uses: Count | None = None
    money: Money | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> Within:
        if (self.uses is None) == (self.money is None):
            raise ValueError("a limit is of uses or of money")
        if self.is_rolling and self.within == "life":
            raise ValueError("a rolling limit is within a day, week or month")
        return self

    @property
    def most(self) -> int:
        """Uses, or minor units."""
        return self.money.amount_minor if self.money else self.uses or 0

    @property
    def currency(self) -> str:
        """Of the money; empty for uses."""
        return self.money.currency if self.money else ""

    def since(self, now: dt.datetime) -> dt.datetime:
        """Where a rolling one begins."""
        return now - _LENGTHS[self.within]

    def sentence(self) -> str:
        """`3 uses per customer a week`, `50.00 EUR in any 24 hours`."""
        if self.money:
            what = amount_text(self.money.amount_minor, self.money.currency)
        else:
            what = ngettext("one use", "%(n)s uses", self.uses) % {"n": self.uses}
        when = (_ROLLING if self.is_rolling else _CALENDAR)[self.within]
        return " ".join(filter(None, (what, self._whose(), str(when))))

    def _whose(self) -> str:
        return ""


def period(within: str, day: dt.date) -> str:
    """The name of the day's calendar period, as counters have it; empty for all time."""
    match within:
        case "day":
            return f"D{day}"
        case "week":
            return f"W{day - dt.timedelta(days=day.weekday())}"
        case "month":
            return f"M{day:%Y-%m}"
        case "year":
            return f"Y{day:%Y}"
    return ""


class WindowLimit(Within):
    """A limit of one incentive: of all its uses, or of each customer's, or of each code's."""

    per: Literal["incentive", "customer", "code"] = "incentive"

    @model_validator(mode="after")
    def can_be_counted(self) -> WindowLimit:
        if self.is_rolling and self.per == "incentive":
            raise ValueError("a rolling limit is per customer or per code")
        return self

    def _whose(self) -> str:
        return str(_WHOSE[self.per])


class CustomerLimit(Within):
    """What one customer may use of all incentives together."""

    def _whose(self) -> str:
        return str(_WHOSE["customer"])


class BudgetLimit(Within):
    """A limit over everything that is granted under a budget: of grants, or of what came of them at the checkout."""

    issued: Count | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> BudgetLimit:
        if [self.uses, self.money, self.issued].count(None) != 2:
            raise ValueError("a limit is of grants, of uses or of money")
        if self.is_rolling and self.within == "life":
            raise ValueError("a rolling limit is within a day, week or month")
        return self

    def sentence(self) -> str:
        if not self.issued:
            return super().sentence()
        when = (_ROLLING if self.is_rolling else _CALENDAR)[self.within]
        return f"{ngettext('one grant', '%(n)s grants', self.issued) % {'n': self.issued}} {when}"


class BudgetLimits(Part):
    """All limits of a budget."""

    limits: Annotated[tuple[BudgetLimit, ...], Field(max_length=20)] = ()

    def sentences(self) -> list[str]:
        return [limit.sentence() for limit in self.limits]


class Limits(Part):
    """How often and how much; none is no limit. Money is spent at redemption, `issued` counts grants.

    `expects_rush` spreads the incentive's own counts over stripes, for when hundreds a second press the button.
    """

    total: Count | None = None
    per_customer: Count | None = None
    per_code: Count | None = None
    money: Money | None = None
    issued: Count | None = None
    issued_per_customer: Count | None = None
    windows: Annotated[tuple[WindowLimit, ...], Field(max_length=20)] = ()
    expects_rush: bool = False

    def sentences(self) -> list[str]:
        words = []
        if self.total:
            words.append(ngettext("first shopper", "first %(n)s shoppers", self.total) % {"n": self.total})
        if self.per_customer:
            words.append(
                ngettext("once per customer", "%(n)s times per customer", self.per_customer) % {"n": self.per_customer}
            )
        if self.per_code and self.per_code > 1:
            words.append(_("%(n)s times per code") % {"n": self.per_code})
        if self.money:
            amount = amount_text(self.money.amount_minor, self.money.currency)
            words.append(_("%(amount)s in all") % {"amount": amount})
        words += [limit.sentence() for limit in self.windows]
        if self.issued:
            words.append(ngettext("given once", "given to %(n)s customers at most", self.issued) % {"n": self.issued})
        if self.issued_per_customer:
            n = self.issued_per_customer
            words.append(ngettext("given once to each", "given %(n)s times to each", n) % {"n": n})
        return words
