"""What parts of a programme's rule are made of: keys, amounts, words, and which goods are meant."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field, StringConstraints

from loyalty.sentences import Teller
from retention.incentives.parts import Category, Part, Sku, Tag

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
#: By language; the shop's default language is asked for when a programme is saved.
Names = dict[
    Annotated[str, StringConstraints(max_length=12)],
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)],
]
#: Of the programme's unit, in its smallest part.
Amount = Annotated[int, Field(ge=1, le=10**9)]
#: Of the shop's base currency.
Minor = Annotated[int, Field(ge=1, le=10**12)]


class Goods(Part):
    """Some products, by themselves, their category (and those below it) or a tag; nothing chosen is everything."""

    products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()
    tags: Annotated[tuple[Tag, ...], Field(max_length=100)] = ()
    without_products: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    without_categories: Annotated[tuple[Category, ...], Field(max_length=100)] = ()
    without_tags: Annotated[tuple[Tag, ...], Field(max_length=100)] = ()

    @property
    def is_everything(self) -> bool:
        return self == Goods()

    @property
    def is_chosen(self) -> bool:
        return bool(self.products or self.categories or self.tags)

    def holds(self, sku: str, category: str, tags: Collection[str]) -> bool:
        without = self.without_products, self.without_categories, self.without_tags
        if any(without) and _names(sku, category, tags, *without):
            return False
        return not self.is_chosen or _names(sku, category, tags, self.products, self.categories, self.tags)

    def sentence(self, teller: Teller) -> str:
        words = teller.any_of((*self.categories, *self.tags, *self.products)) or teller.say("everything")
        without = teller.any_of((*self.without_categories, *self.without_tags, *self.without_products))
        return teller.say("but_not", what=words, without=without) if without else words


def _names(
    sku: str,
    category: str,
    tags: Collection[str],
    products: tuple[str, ...],
    categories: tuple[str, ...],
    any_tags: tuple[str, ...],
) -> bool:
    return (
        sku in products
        or any(tag in tags for tag in any_tags)
        or any(category == path or category.startswith(path + "/") for path in categories)
    )
