"""What an offer gives beside a discount: money back or on account, cards, points, trials, access, experiences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, StringConstraints, model_validator

from retention.incentives.baskets import amounts_text
from retention.incentives.carts import Cart
from retention.incentives.parts import Amounts, Category, Points, Sku, Word, percent_text, some
from retention.incentives.rules.effects.base import GIVES, Effect, NoEffect, Taken, her_scope, nothing_in
from retention.incentives.scopes import Scope
from retention.incentives.sharing import percent_of
from retention.refusals import Refusal

Days = Annotated[int, Field(ge=1, le=3_660)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class Benefit(Effect):
    """Given when the order is redeemed, or when a grant gives it; takes nothing off the basket."""

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        return GIVES

    def bound(self, cart: Cart) -> int:
        return 0


class CashBack(Benefit):
    """So much of what is paid for the goods in scope comes back once they can be returned no more.

    `days` is how long after the order that is; `cap` is the most that comes back.
    """

    kind: Literal["cash_back"] = "cash_back"
    basis_points: Points | None = None
    amounts: Amounts = {}
    scope: Scope = Scope()
    cap: Amounts = {}
    days: Annotated[int, Field(ge=0, le=366)] = 14

    @model_validator(mode="after")
    def says_how_much(self) -> CashBack:
        if bool(self.basis_points) == bool(self.amounts):
            raise ValueError("say a percentage or an amount")
        if self.scope.on == "shipping":
            raise ValueError("cash comes back for goods, not for shipping")
        return self

    @property
    def currencies(self) -> list[Amounts]:
        return [*self.scope.amounts, *[amounts for amounts in (self.amounts, self.cap) if amounts]]

    def work(self, cart: Cart, *, is_initial: bool) -> Taken | Refusal:
        if not cart.piles(self.scope):
            return nothing_in(cart, self.scope)
        return GIVES if self.benefit(cart) else NoEffect().as_refusal()

    def bound(self, cart: Cart) -> int:
        lines = [cart.goods.lines[at] for at in cart.goods.in_scope(self.scope)]
        return self._back(sum([line.amount_minor for line in lines]), cart.basket.currency)

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        currency = cart.basket.currency
        paid = sum([left * count for _at, left, count in cart.piles(self.scope)])
        back = self._back(paid, currency)
        if not back:
            return None
        return {"kind": self.kind, "amount_minor": back, "currency": currency, "days": self.days}

    def _back(self, paid: int, currency: str) -> int:
        back = percent_of(paid, self.basis_points) if self.basis_points else min(paid, self.amounts[currency])
        return min(back, self.cap.get(currency, back))

    def for_her(self, own: Mapping[str, Any]) -> Self:
        return self.model_copy(update={"scope": her_scope(self.scope, own)})

    def sentence(self) -> str:
        if self.basis_points:
            much = _("%(percent)s %%") % {"percent": percent_text(self.basis_points)}
        else:
            much = amounts_text(self.amounts.items())
        words = {"much": much, "what": self.scope.sentence(), "days": self.days}
        said = _("%(much)s cash back on %(what)s after %(days)s days") % words
        return said + (_(", at most %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else "")


class MoneyGiven(Benefit):
    """An amount that is hers to spend; where `is_from_grant`, each grant's terms say how much. `days` is how long."""

    kind: str
    amounts: Amounts = {}
    is_from_grant: bool = False
    days: Days | None = None

    @model_validator(mode="after")
    def says_how_much(self) -> Self:
        if not self.amounts and not self.is_from_grant:
            raise ValueError("say how much, in at least one currency")
        return self

    @property
    def currencies(self) -> list[Amounts]:
        return [self.amounts] if self.amounts else []

    @property
    def is_missing_amount(self) -> bool:
        return not self.amounts

    def bound(self, cart: Cart) -> int:
        return self.amounts[cart.basket.currency]

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        currency = cart.basket.currency
        return {
            "kind": self.kind,
            "amount_minor": self.amounts[currency],
            "currency": currency,
            "days": self.days,
        }

    def for_her(self, own: Mapping[str, Any]) -> Self:
        if self.is_from_grant and own.get("amounts"):
            return self.model_copy(update={"amounts": own["amounts"]})
        return self

    def _amount_words(self) -> str:
        return amounts_text(self.amounts.items()) if self.amounts else _("An amount set for each customer")

    def _days_words(self) -> str:
        return ngettext(", for one day", ", for %(n)s days", self.days) % {"n": self.days} if self.days else ""


class GiftCard(MoneyGiven):
    """A card with a balance, for everything or only for some products and categories."""

    kind: Literal["gift_card"] = "gift_card"
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        given = super().benefit(cart)
        return given and {**given, "products": list(self.products), "categories": list(self.categories)}

    def for_her(self, own: Mapping[str, Any]) -> Self:
        changed = super().for_her(own)
        products, categories = own.get("products", ()), own.get("categories", ())
        if products or categories:
            changed = changed.model_copy(update={"products": tuple(products), "categories": tuple(categories)})
        return changed

    def sentence(self) -> str:
        said = _("Gift card of %(amount)s") % {"amount": self._amount_words()}
        only = some((*self.categories, *self.products))
        return said + (_(" for %(what)s") % {"what": only} if only else "") + self._days_words()


class StoreCredit(MoneyGiven):
    """Credit on her account."""

    kind: Literal["store_credit"] = "store_credit"

    def sentence(self) -> str:
        return _("%(amount)s store credit") % {"amount": self._amount_words()} + self._days_words()


class Cash(MoneyGiven):
    """Money that is paid out, such as to an affiliate."""

    kind: Literal["cash"] = "cash"

    def sentence(self) -> str:
        return _("%(amount)s in cash") % {"amount": self._amount_words()}


class PointsGiven(Benefit):
    """Points of a unit of the ledger, or money of one; where `is_from_grant`, each grant's terms may say how many."""

    kind: Literal["points"] = "points"
    points: Annotated[int, Field(ge=1, le=10**12)] | None = None
    is_from_grant: bool = False
    unit: Word = "points"
    days: Days | None = None

    @model_validator(mode="after")
    def says_how_many(self) -> PointsGiven:
        if self.points is None and not self.is_from_grant:
            raise ValueError("say how many")
        return self

    @property
    def is_missing_amount(self) -> bool:
        return self.points is None

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        return {"kind": self.kind, "points": self.points, "unit": self.unit, "days": self.days}

    def for_her(self, own: Mapping[str, Any]) -> Self:
        if self.is_from_grant and own.get("points"):
            return self.model_copy(update={"points": own["points"]})
        return self

    def sentence(self) -> str:
        if self.points is None:
            return _("%(unit)s as each grant says") % {"unit": self.unit}
        return _("%(n)s %(unit)s") % {"n": self.points, "unit": self.unit}


class FreeTrial(Benefit):
    """Something may be used for some days without paying."""

    kind: Literal["free_trial"] = "free_trial"
    name: Name
    days: Days

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        return {"kind": self.kind, "name": self.name, "days": self.days}

    def sentence(self) -> str:
        words = {"n": self.days, "name": self.name}
        return ngettext("One day of %(name)s free", "%(n)s days of %(name)s free", self.days) % words


class Access(Benefit):
    """Entry to an event, something before others, or a community; a ticket is checked in at the door by its code."""

    kind: Literal["access"] = "access"
    to: Literal["event", "early_access", "community"]
    name: Name
    is_ticket: bool = False

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        return {"kind": self.kind, "to": self.to, "name": self.name, "is_ticket": self.is_ticket}

    def sentence(self) -> str:
        said = {
            "event": _("A seat at %(name)s"),
            "early_access": _("Early access to %(name)s"),
            "community": _("Access to %(name)s"),
        }
        return said[self.to] % {"name": self.name}


class Experience(Benefit):
    """A present or an experience that people of the shop make happen, by a work-list."""

    kind: Literal["experience"] = "experience"
    name: Name
    instructions: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)] = ""

    def benefit(self, cart: Cart) -> dict[str, Any] | None:
        return {"kind": self.kind, "name": self.name}

    def sentence(self) -> str:
        return self.name
