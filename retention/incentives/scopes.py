"""Which goods an effect or a condition is about."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, model_validator

from retention.incentives.baskets import Line, amounts_text
from retention.incentives.parts import Amounts, Category, Part, Sku, Tag, Units, some


class Scope(Part):
    """The whole order, chosen lines of it, or its shipping.

    A line is chosen by product, category or tag (any of them), by the price of a unit (from and to, both included, as
    the basket says it), or by both together. Exclusions hold for the whole order as well as for chosen lines.
    `units_each` is the most units of one product, `units` the most of all; `pick` says which ones those are, by what
    they cost at that moment. Units that cost nothing are never among them.
    """

    on: Literal["order", "lines", "shipping"] = "order"
    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()
    tags: Annotated[tuple[Tag, ...], Field(max_length=100)] = ()
    price_from: Amounts = {}
    price_to: Amounts = {}
    without_products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    without_categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()
    without_tags: Annotated[tuple[Tag, ...], Field(max_length=100)] = ()
    without_low_margin: bool = False
    without_discounted: bool = False
    units: Units | None = None
    units_each: Units | None = None
    pick: Literal["dearest", "cheapest"] = "dearest"

    @model_validator(mode="after")
    def lines_are_chosen(self) -> Scope:
        if self.on == "shipping" and self.model_dump(exclude_defaults=True).keys() != {"on"}:
            raise ValueError("shipping has no products to choose from")
        if (self.on == "lines") != self._is_choosing():
            raise ValueError("choose products, categories, tags or prices for `lines`, and none for `order`")
        return self

    @model_validator(mode="after")
    def prices_are_a_range(self) -> Scope:
        if self.price_from and self.price_to and self.price_from.keys() != self.price_to.keys():
            raise ValueError("say both ends of the price range in the same currencies")
        if any(self.price_to.get(currency, least) < least for currency, least in self.price_from.items()):
            raise ValueError("the highest price cannot be below the lowest")
        return self

    def _is_choosing(self) -> bool:
        return bool(self.products or self.categories or self.tags or self.price_from or self.price_to)

    @property
    def is_everything(self) -> bool:
        """Whether it means all goods of every order."""
        is_excluding = self.without_low_margin or self.without_discounted or self._is_excluding()
        return self.on == "order" and not is_excluding

    def _is_excluding(self) -> bool:
        return bool(self.without_products or self.without_categories or self.without_tags)

    @property
    def amounts(self) -> list[Amounts]:
        """The amounts that must name a basket's currency."""
        return [amounts for amounts in (self.price_from, self.price_to) if amounts]

    def holds(self, line: Line, currency: str) -> bool:
        """Whether the line's goods are meant, however many units of them."""
        if self.without_low_margin and line.is_low_margin or self.without_discounted and line.is_discounted:
            return False
        if self._is_excluding() and _names(line, self.without_products, self.without_categories, self.without_tags):
            return False
        if self.on == "order":
            return True
        if (self.products or self.categories or self.tags) and not _names(
            line, self.products, self.categories, self.tags
        ):
            return False
        return not (
            self.price_from
            and line.unit_price_minor < self.price_from[currency]
            or self.price_to
            and line.unit_price_minor > self.price_to[currency]
        )

    def sentence(self) -> str:
        if self.on == "shipping":
            return _("shipping")
        words = [some((*self.categories, *self.tags, *self.products)) or _("products")]
        if self.on == "order":
            words = [_("the order")]
        if self.price_from:
            words.append(_("from %(amounts)s each") % {"amounts": amounts_text(self.price_from.items())})
        if self.price_to:
            words.append(_("up to %(amounts)s each") % {"amounts": amounts_text(self.price_to.items())})
        return ", ".join([*words, *self._units_words(), *self._without_words()])

    def _units_words(self) -> list[str]:
        words = []
        if self.units and self.pick == "cheapest":
            words.append(ngettext("the cheapest unit", "the cheapest %(n)s units", self.units) % {"n": self.units})
        elif self.units:
            words.append(ngettext("the dearest unit", "the dearest %(n)s units", self.units) % {"n": self.units})
        if self.units_each:
            words.append(
                ngettext("one unit of each product", "%(n)s units of each product", self.units_each)
                % {"n": self.units_each}
            )
        return words

    def _without_words(self) -> list[str]:
        words = []
        without = (*self.without_categories, *self.without_tags, *self.without_products)
        if without:
            words.append(_("not %(what)s") % {"what": some(without)})
        if self.without_low_margin:
            words.append(_("not low-margin products"))
        if self.without_discounted:
            words.append(_("not on sale items"))
        return words


def _names(line: Line, products: tuple[str, ...], categories: tuple[str, ...], tags: tuple[str, ...]) -> bool:
    if line.sku in products or tags and not line.tags.isdisjoint(tags):
        return True
    return bool(categories) and any(line.is_in_category(path) for path in categories)
