"""Saving one product: the same checks and price history as an import of one row."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import Product
from retention.work.ingest import ingest


@transaction.atomic
def save_product(*, sku: str, values: Mapping[str, Any], now: dt.datetime, by: Actor) -> Product:
    """Make a product, or change what is said of the one with this SKU.

    Raises:
        ValidationError: by column.
    """
    result = ingest("products", [{**values, "sku": sku}], now=now, by=by)
    if result.refused:
        found: dict[str, list[str]] = {}
        for error in result.refused:
            # Forms name an amount by what it is, whatever units it travels in.
            found.setdefault(error.column.removesuffix("_minor") or "__all__", []).append(error.message)
        raise ValidationError(found)
    product = Product.objects.get(sku=sku.strip())
    if result.new or result.changed:
        after = {"fields": sorted(values), "is_new": bool(result.new)}
        record(verb="customers.save_product", by=by, now=now, subject=product, after=after)
    return product
