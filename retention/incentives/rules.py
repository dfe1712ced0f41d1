"""The whole of what an incentive is, as the JSON of its version: what it gives, to whom, how often, until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from retention.incentives import codes as code_texts
from retention.incentives.baskets import Line, amount_text, amounts_text
from retention.incentives.cart_conditions import (
    Amounts,
    Category,
    Condition,
    Currency,
    MinimumAmount,
    Part,
    Sku,
    Tag,
    some,
)
from retention.refusals import Refused

Count = Annotated[int, Field(ge=1, le=10**9)]
#: In-place codes of an incentive without an issue limit are taken to be at least so many.
EXPECTED_CODES = 1_000
#: A pool with fewer codes left than this is told of, unless the rule says otherwise.
WARN_BELOW = 100


class Scope(Part):
    """Which goods an effect works on. Exclusions hold for the whole order as well as for chosen lines."""

    on: Literal["order", "lines"] = "order"
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()
    tags: Annotated[tuple[Tag, ...], Field(max_length=100)] = ()
    without_products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    without_categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()
    without_tags: Annotated[tuple[Tag, ...], Field(max_length=100)] = ()
    without_low_margin: bool = False
    without_discounted: bool = False

    @model_validator(mode="after")
    def lines_are_chosen(self) -> Scope:
        if (self.on == "lines") != bool(self.products or self.categories or self.tags):
            raise ValueError("choose products, categories or tags for `lines`, and none for `order`")
        return self

    def holds(self, line: Line) -> bool:
        if self.without_low_margin and line.is_low_margin or self.without_discounted and line.is_discounted:
            return False
        if _chosen(line, self.without_products, self.without_categories, self.without_tags):
            return False
        return self.on == "order" or _chosen(line, self.products, self.categories, self.tags)

    def sentence(self) -> str:
        words = [some((*self.categories, *self.tags, *self.products)) if self.on == "lines" else _("the order")]
        without = (*self.without_categories, *self.without_tags, *self.without_products)
        if without:
            words.append(_("not %(what)s") % {"what": some(without)})
        if self.without_low_margin:
            words.append(_("not low-margin products"))
        if self.without_discounted:
            words.append(_("not on sale items"))
        return ", ".join(words)


def _chosen(line: Line, products: tuple[str, ...], categories: tuple[str, ...], tags: tuple[str, ...]) -> bool:
    return (
        line.sku in products or any(line.is_in_category(path) for path in categories) or not line.tags.isdisjoint(tags)
    )


class PercentOff(Part):
    """So many hundredths of a percent off the goods in scope; `cap` is the most it may come to, by currency."""

    kind: Literal["percent"] = "percent"
    basis_points: Annotated[int, Field(ge=1, le=10_000)]
    scope: Scope = Scope()
    cap: Amounts = {}

    def sentence(self) -> str:
        percent = f"{self.basis_points / 100:.2f}".rstrip("0").rstrip(".")
        words = _("%(percent)s %% off %(what)s") % {"percent": percent, "what": self.scope.sentence()}
        return words + (_(", at most %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else "")


class AmountOff(Part):
    """An amount off the goods in scope together; where `is_from_grant`, each grant's own terms say how much."""

    kind: Literal["amount"] = "amount"
    amounts: Amounts = {}
    is_from_grant: bool = False
    scope: Scope = Scope()

    @model_validator(mode="after")
    def says_how_much(self) -> AmountOff:
        if not self.amounts and not self.is_from_grant:
            raise ValueError("say how much, in at least one currency")
        return self

    def sentence(self) -> str:
        amount = amounts_text(self.amounts.items()) if self.amounts else _("An amount set for each customer")
        return _("%(amount)s off %(what)s") % {"amount": amount, "what": self.scope.sentence()}


class FreeShipping(Part):
    """The shipping is free; `cap` is the most that is paid for it, by currency."""

    kind: Literal["free_shipping"] = "free_shipping"
    cap: Amounts = {}

    def sentence(self) -> str:
        words = _("Free shipping")
        return words + (_(" up to %(cap)s") % {"cap": amounts_text(self.cap.items())} if self.cap else "")


Effect = Annotated[PercentOff | AmountOff | FreeShipping, Field(discriminator="kind")]


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


def _is_normal(text: str) -> str:
    try:
        return code_texts.check_normal(text)
    except Refused as refused:
        raise ValueError(str(refused)) from None


class UniqueCodes(Part):
    """One code for each customer: made in place from the pattern, or taken from a pool made or imported before.

    A pool with fewer codes left than `warn_below` is told of; 0 is never.
    """

    kind: Literal["unique"] = "unique"
    pattern: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_#\- ]{6,40}$")] = "##########"
    charset: Literal["letters_and_digits", "letters", "digits"] = "letters_and_digits"
    is_from_pool: bool = False
    warn_below: Annotated[int, Field(ge=0, le=10**6)] = WARN_BELOW
    is_bound: bool = True
    is_usable_again: bool = True

    @property
    def as_pattern(self) -> code_texts.Pattern:
        return code_texts.Pattern(self.pattern, self.charset)


class PublicCode(Part):
    """One code that everybody may type; limits keep it in bounds."""

    kind: Literal["public"] = "public"
    text: Annotated[str, AfterValidator(_is_normal)]
    is_usable_again: bool = True


CodeSettings = Annotated[UniqueCodes | PublicCode, Field(discriminator="kind")]


class Validity(Part):
    """From when until when codes work, and for how many hours after they were given."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    hours_after_given: Annotated[int, Field(ge=1, le=24 * 3660)] | None = None

    @model_validator(mode="after")
    def is_half_open(self) -> Validity:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("the end must come after the start")
        return self

    def end_of(self, given_at: dt.datetime | None) -> dt.datetime | None:
        """When a code given at that instant ends, None for never (or for not before it is given)."""
        ends = [self.ends_at] if self.ends_at else []
        if self.hours_after_given and given_at:
            ends.append(given_at + dt.timedelta(hours=self.hours_after_given))
        return min(ends, default=None)


class IncentiveRule(Part):
    """The whole rule: one effect on the goods, one on the shipping, or both; all its conditions must hold."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    effects: Annotated[tuple[Effect, ...], Field(min_length=1, max_length=2)]
    conditions: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    limits: Limits = Limits()
    codes: CodeSettings = UniqueCodes()
    validity: Validity = Validity()

    @model_validator(mode="after")
    def parts_fit(self) -> IncentiveRule:
        if len({isinstance(effect, FreeShipping) for effect in self.effects}) != len(self.effects):
            raise ValueError("give one discount on the goods and one on the shipping at the most")
        kinds = [condition.kind for condition in self.conditions]
        if len(set(kinds)) != len(kinds):
            raise ValueError("each kind of condition can be asked once")
        if isinstance(self.codes, UniqueCodes):
            self._check_unique_codes(self.codes)
        elif self.validity.hours_after_given:
            raise ValueError("a public code is given to nobody, so its hours would never begin")
        elif any(effect.kind == "amount" and effect.is_from_grant for effect in self.effects):
            raise ValueError("an amount set for each customer needs one code for each customer")
        self._check_budget()
        return self

    def _check_unique_codes(self, codes: UniqueCodes) -> None:
        if not codes.is_from_pool:
            try:
                codes.as_pattern.check_space(self.limits.issued or EXPECTED_CODES)
            except Refused as refused:
                raise ValueError(str(refused)) from None

    def _check_budget(self) -> None:
        budget = self.limits.money
        for effect in self.effects:
            if budget and effect.kind == "amount" and effect.amounts and budget.currency not in effect.amounts:
                raise ValueError(f"the budget is in {budget.currency}, and the discount has no amount in it")

    @property
    def minimum(self) -> MinimumAmount | None:
        return next((c for c in self.conditions if isinstance(c, MinimumAmount)), None)

    @property
    def is_from_grant(self) -> bool:
        return any(effect.kind == "amount" and effect.is_from_grant for effect in self.effects)

    @property
    def uses_per_customer(self) -> int | None:
        """How often one customer may use it; what is for the first order is once, however fast she orders twice."""
        is_first_order = any(condition.kind == "first_order" for condition in self.conditions)
        return 1 if is_first_order else self.limits.per_customer

    @property
    def uses_per_code(self) -> int | None:
        """How often one code may be used: as the limits say; without them a unique one once, a public one for ever."""
        return self.limits.per_code or (1 if self.codes.kind == "unique" else None)


class Terms(Part):
    """What was decided for one customer and frozen on her grant."""

    amount_minor: Annotated[int, Field(gt=0, le=10**12)] | None = None
    currency: Currency | None = None
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()

    @model_validator(mode="after")
    def amount_names_its_currency(self) -> Terms:
        if (self.amount_minor is None) != (self.currency is None):
            raise ValueError("an amount names its currency")
        return self


def with_terms(rule: IncentiveRule, terms: Mapping[str, Any]) -> IncentiveRule:
    """The rule as it holds for one grant: its own amount in place of "set for each customer", its products as scope."""
    if not terms:
        return rule
    own = Terms.model_validate(terms)
    return rule.model_copy(update={"effects": tuple(_with_terms(effect, own) for effect in rule.effects)})


def _with_terms(effect: PercentOff | AmountOff | FreeShipping, own: Terms) -> PercentOff | AmountOff | FreeShipping:
    if isinstance(effect, FreeShipping):
        return effect
    changes: dict[str, Any] = {}
    if own.products:
        chosen = {"on": "lines", "products": own.products, "categories": (), "tags": ()}
        changes["scope"] = effect.scope.model_copy(update=chosen)
    if isinstance(effect, AmountOff) and effect.is_from_grant and own.currency:
        changes["amounts"] = {own.currency: own.amount_minor}
    return effect.model_copy(update=changes)


def sentence(rule: IncentiveRule) -> str:
    """The rule in the marketer's words: "20 % off Shoes, from 50.00 EUR, first 500 shoppers, once per customer"."""
    words = [_(" and ").join(effect.sentence() for effect in rule.effects)]
    words += [condition.sentence() for condition in rule.conditions]
    words += rule.limits.sentences()
    if rule.validity.hours_after_given:
        hours = rule.validity.hours_after_given
        words.append(
            ngettext("for one day", "for %(n)s days", hours // 24) % {"n": hours // 24}
            if hours % 24 == 0
            else ngettext("for one hour", "for %(n)s hours", hours) % {"n": hours}
        )
    if rule.validity.ends_at:
        words.append(_("until %(end)s UTC") % {"end": f"{rule.validity.ends_at.astimezone(dt.UTC):%Y-%m-%d %H:%M}"})
    return ", ".join(words)
