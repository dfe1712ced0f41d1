"""How often and how much: limits and budgets."""

from __future__ import annotations

from typing import Annotated

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field

from retention.incentives.baskets import amount_text
from retention.incentives.parts import Currency, Part

Count = Annotated[int, Field(ge=1, le=10**9)]


class Money(Part):
    """A budget. It names its currency, and only baskets in that currency may draw on it."""

    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: Currency


class Limits(Part):
    """How often and how much; none is no limit. Money is spent at redemption, `issued` counts grants."""

    total: Count | None = None
    per_customer: Count | None = None
    per_code: Count | None = None
    money: Money | None = None
    issued: Count | None = None
    issued_per_customer: Count | None = None

    def sentences(self) -> list[str]:
        words = []
        if self.total:
            words.append(ngettext("first shopper", "first %(n)s shoppers", self.total) % {"n": self.total})
        if self.per_customer:
            words.append(
                ngettext("once per customer", "%(n)s times per customer", self.per_customer) % {"n": self.per_customer}
            )
        if self.money:
            amount = amount_text(self.money.amount_minor, self.money.currency)
            words.append(_("%(amount)s in all") % {"amount": amount})
        if self.issued:
            words.append(ngettext("given once", "given to %(n)s customers at most", self.issued) % {"n": self.issued})
        return words
