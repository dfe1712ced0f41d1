"""Which goods an effect works on."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils.translation import gettext as _
from pydantic import Field, model_validator

from retention.incentives.baskets import Line
from retention.incentives.cart_conditions import Category, Part, Sku, Tag, some


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
