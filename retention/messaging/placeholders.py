"""The words every template may use; what only some messages know is declared by its room with `FromContext`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from retention import clock, money
from retention.customers.asks import LASTS, Ask, open_asks
from retention.customers.models import Consent, Order
from retention.messaging import bringing, tokens, words
from retention.messaging.brand import Brand, current_brand, readable_on
from retention.messaging.models import Way
from retention.messaging.outgoing import CONFIRMATIONS, Outgoing
from retention.messaging.purposes import names_of
from retention.messaging.ways import consent_of
from retention.registries import Placeholder, placeholders
from retention.shop.models import Shop


def samples() -> dict[str, Any]:
    """Every placeholder's sample by its key."""
    return {placeholder.key: placeholder.sample for placeholder in placeholders}


def listed() -> list[tuple[str, str, str]]:
    """(as typed, label, sample) of every placeholder, for people to choose from."""
    rows = []
    for placeholder in placeholders:
        if isinstance(placeholder.sample, Mapping):
            rows += [
                (
                    f"{placeholder.key}.{name}",
                    str(placeholder.labels.get(name, name)),
                    "–" if value is None else str(value),
                )
                for name, value in placeholder.sample.items()
            ]
        else:
            rows.append((placeholder.key, str(placeholder.label), str(placeholder.sample)))
    return rows


def resolve(keys: set[str], deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, dict[str, Any]]:
    """Delivery id → the values of these placeholders; one query a placeholder, however many deliveries."""
    values: dict[int, dict[str, Any]] = {delivery.id: {} for delivery in deliveries}
    for key in sorted(keys & set(placeholders.keys())):
        for delivery_id, value in placeholders[key].values(deliveries, now=now).items():
            values[delivery_id][key] = value
    for delivery in deliveries:
        values[delivery.id].update(delivery.fixed)
    return values


def for_all(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of one delivery's values that every delivery of this moment shares."""
    return {key: value for key, value in values.items() if key in placeholders and placeholders[key].is_for_all}


# Registered where they are written.
Coupon, Gift = bringing.Coupon, bringing.Gift


class FromContext(Placeholder):
    """What the origin put into the delivery's context under this key: only the room that queues it knows."""

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        return {delivery.id: delivery.context[cls.key] for delivery in deliveries if cls.key in delivery.context}


@placeholders.register
class Customer(Placeholder):
    key = "customer"
    label = _("Customer")
    sample: ClassVar = {"first_name": "Anna", "last_name": "Meyer", "full_name": "Anna Meyer"}
    labels: ClassVar = {
        "first_name": _("First name"),
        "last_name": _("Family name"),
        "full_name": _("Whole name"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        return {
            delivery.id: {
                "first_name": delivery.first_name or None,
                "last_name": delivery.last_name or None,
                "full_name": " ".join(filter(None, (delivery.first_name, delivery.last_name))) or None,
            }
            for delivery in deliveries
        }


@placeholders.register
class ShopWords(Placeholder):
    key = "shop"
    label = _("Shop")
    is_for_all = True
    sample: ClassVar = {
        "name": "Our shop",
        "website_url": "https://shop.example.com",
        "logo_url": None,
        "postal_address": "1 Main Street, Springfield",
        "color": "#1f2937",
        "color_text": "#ffffff",
    }
    labels: ClassVar = {
        "name": _("Name of the shop"),
        "website_url": _("Address of the shop's site"),
        "logo_url": _("Address of the logo's picture"),
        "postal_address": _("Postal address"),
        "color": _("Brand colour"),
        "color_text": _("Black or white: what is readable on the brand colour"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        shop = Shop.objects.get()
        value = {
            "name": shop.name,
            "website_url": shop.website_url or None,
            "logo_url": shop.logo_url or None,
            "postal_address": " · ".join(filter(None, map(str.strip, shop.postal_address.splitlines()))) or None,
            "color": shop.brand_color,
            "color_text": readable_on(shop.brand_color),
        }
        return dict.fromkeys((delivery.id for delivery in deliveries), value)


@placeholders.register
class BrandWords(Placeholder):
    key = "brand"
    label = _("Brand kit")
    is_for_all = True
    sample: ClassVar = Brand().values("en")
    labels: ClassVar = {
        "font": _("Fonts of the brand kit"),
        "text": _("Colour of words"),
        "paper": _("Colour of the paper"),
        "page": _("Colour around the paper"),
        "soft": _("Colour of words around the paper"),
        "corners": _("Roundness of corners"),
        "footer": _("Words under every mail"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        brand = current_brand()
        by_language = {language: brand.values(language) for language in {delivery.language for delivery in deliveries}}
        return {delivery.id: by_language[delivery.language] for delivery in deliveries}


@placeholders.register
class LastOrder(Placeholder):
    key = "last_order"
    label = _("Last order")
    sample: ClassVar = {"reference": "10294", "total": "€49.90", "placed_on": "3 May 2026", "placed_date": "2026-05-03"}
    labels: ClassVar = {
        "reference": _("Number of the last order"),
        "total": _("What was paid for it"),
        "placed_on": _("Day it was placed, in words"),
        "placed_date": _("The same as 2026-05-03, for the filter `date`"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        orders = {
            order.customer_id: order
            for order in Order.objects.filter(
                customer_id__in={delivery.customer_id for delivery in deliveries}, state__in=Order.BOUGHT
            )
            .order_by("customer_id", "-placed_at")
            .distinct("customer_id")
        }
        return {
            delivery.id: cls._words(orders[delivery.customer_id], delivery)
            for delivery in deliveries
            if delivery.customer_id in orders
        }

    @staticmethod
    def _words(order: Order, delivery: Outgoing) -> dict[str, Any]:
        day = order.placed_at.astimezone(clock.zone(delivery.zone)).date()
        return {
            "reference": order.reference,
            "total": money.show(order.total_minor, order.currency, str(words.locale(delivery.language))),
            "placed_on": words.show_date(day, delivery.language),
            "placed_date": day.isoformat(),
        }


@placeholders.register
class UnsubscribeUrl(Placeholder):
    key = "unsubscribe_url"
    label = _("Address at which one stops getting these mails")
    sample = f"{settings.BASE_URL}/u/sample"

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        return {
            delivery.id: tokens.unsubscribe_url(delivery.customer_public_id, _consent_channel(delivery))
            for delivery in deliveries
        }


@placeholders.register
class PreferencesUrl(Placeholder):
    key = "preferences_url"
    label = _("Address at which one chooses what to get")
    sample = f"{settings.BASE_URL}/p/sample"

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        return {
            delivery.id: tokens.preferences_url(delivery.customer_public_id, _consent_channel(delivery))
            for delivery in deliveries
        }


@placeholders.register
class Occasion(FromContext):
    """Why the message comes; campaigns put these words into the context."""

    key = "occasion"
    label = _("Occasion")
    sample: ClassVar = {
        "name": "New Year’s Day",
        "years": 3,
        "product": "Wool blanket",
        "product_url": "https://shop.example.com/blanket",
        "image_url": "https://shop.example.com/blanket.jpg",
        "how_to_url": "https://shop.example.com/blanket/care",
        "restore_url": "https://shop.example.com/cart/sample",
        "order": "10294",
        "products": ["Wool blanket", "Wool scarf"],
        "theme": "music",
        "date": "2026-06-21",
        "number": 5,
        "amount": 100,
        "short": 10,
        "reason": "faulty",
    }
    labels: ClassVar = {
        "name": _("Name of the holiday or the event"),
        "years": _("Which anniversary it is: 3 for the third year"),
        "product": _("Name of the product it is about"),
        "product_url": _("Address of the product"),
        "image_url": _("Address of the product's picture"),
        "how_to_url": _("Address of the product's guide"),
        "restore_url": _("Address that brings the cart back"),
        "order": _("Number of the order it is about"),
        "products": _("Names of all new products: loop over them"),
        "theme": _("Theme of the event"),
        "date": _("Day of the event, for the filter `date`"),
        "number": _("Which order it is: 5 for the fifth"),
        "amount": _("The amount she is close to"),
        "short": _("How much is missing to it"),
        "reason": _("Why it was returned"),
    }


@placeholders.register
class Confirmation(Placeholder):
    """Only mails that ask for a confirmation have it; what it asks is read at the moment of sending."""

    key = "confirmation"
    label = _("Confirmation of a sign-up")
    sample: ClassVar = {
        "url": f"{settings.BASE_URL}/c/sample",
        "what": "Offers and news by email",
        "until": "19 May 2026",
    }
    labels: ClassVar = {
        "url": _("Address of the page with the button that confirms"),
        "what": _("What she would get, in her language"),
        "until": _("Last day on which the button works"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        asking = [delivery for delivery in deliveries if delivery.origin == CONFIRMATIONS]
        newest = Consent.objects.in_bulk([delivery.origin_id for delivery in asking])
        open_of: dict[int, list[Ask]] = {}
        for ask in open_asks([delivery.customer_id for delivery in asking], now=now):
            open_of.setdefault(ask.customer_id, []).append(ask)
        return {
            delivery.id: cls._words(newest[delivery.origin_id], open_of.get(delivery.customer_id, []), delivery)
            for delivery in asking
        }

    @staticmethod
    def _words(newest: Consent, found: list[Ask], delivery: Outgoing) -> dict[str, Any]:
        # Looked at afterwards, when all is answered, the mail still says what it was about.
        asked = [(ask.channel, ask.purpose) for ask in found if ask.id <= newest.pk] or [
            (newest.channel, newest.purpose)
        ]
        last = (newest.recorded_at + LASTS).astimezone(clock.zone(delivery.zone)).date()
        return {
            "url": tokens.confirmation_url(newest.pk),
            "what": " · ".join(names_of(dict.fromkeys(asked), delivery.language)),
            "until": words.show_date(last, delivery.language),
        }


def _consent_channel(delivery: Outgoing) -> str:
    consent = consent_of(delivery.channel, delivery.address_normal)
    return consent[0] if consent else Way.EMAIL.value
