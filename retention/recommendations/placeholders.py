"""Products that messages show: lists to loop over, each with name, price, link and image."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention import money
from retention.recommendations.querysets import (
    Suggestion,
    back_in_stock,
    cart_url,
    favourites_on_offer,
    for_customers,
    look_of,
)
from retention.registries import Placeholder, placeholders

SAMPLE = {
    "sku": "LP-1",
    "name": "Blue Train",
    "price": "€24.90",
    "was": "€29.90",
    "url": "https://shop.example.com/blue-train",
    "image_url": "https://shop.example.com/blue-train.jpg",
}


def worded(suggestion: Suggestion, language: str) -> dict[str, Any]:
    """A product as messages show it, amounts in the reader's way; `was` only where it costs less than it did."""
    price, before = suggestion.price_minor, suggestion.compare_at_minor
    return {
        "sku": suggestion.sku,
        "name": suggestion.name,
        "price": money.show(price, suggestion.currency, language),
        "was": money.show(before, suggestion.currency, language) if before and before > price else None,
        "url": suggestion.url or None,
        "image_url": suggestion.image_url or None,
    }


class _OfCustomer(Placeholder):
    sample: ClassVar = [SAMPLE]
    find: ClassVar[Callable[..., dict[int, list[Suggestion]]]]

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        found = cls.find({delivery.customer_id for delivery in deliveries}, now=now)
        return {
            delivery.id: [worded(one, delivery.language) for one in found.get(delivery.customer_id, ())]
            for delivery in deliveries
        }


@placeholders.register
class Recommendations(_OfCustomer):
    key = "recommendations"
    label = _("Products for her, by what she bought: loop over them")
    find = staticmethod(for_customers)


@placeholders.register
class FavouritesOnOffer(_OfCustomer):
    key = "favourites_on_offer"
    label = _("Her favourites that cost less now: loop over them")
    find = staticmethod(favourites_on_offer)


@placeholders.register
class BackInStock(_OfCustomer):
    key = "back_in_stock"
    label = _("What she wanted and is there again: loop over them")
    find = staticmethod(back_in_stock)


@placeholders.register
class Look(Placeholder):
    """The whole look of the product that the occasion is about."""

    key = "look"
    label = _("What goes with the product that the message is about")
    sample: ClassVar = {"cart_url": "https://shop.example.com/cart?add=LP-1:1,LP-2:1", "products": [SAMPLE]}
    labels: ClassVar = {
        "cart_url": _("Address that puts the whole look into the cart"),
        "products": _("Its products: loop over them"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        about = {delivery.id: delivery.context.get("occasion", {}).get("sku") for delivery in deliveries}
        looks = _looks(filter(None, about.values()), now)
        return {
            delivery.id: {
                "cart_url": cart_url(one.sku for one in look) or None,
                "products": [worded(one, delivery.language) for one in look],
            }
            for delivery in deliveries
            if (look := looks.get(about[delivery.id]))
        }


def _looks(skus: Iterable[str], now: dt.datetime) -> dict[str, list[Suggestion]]:
    # Messages of one moment are about few products.
    return {sku: look_of(sku, now=now) for sku in set(skus)}
