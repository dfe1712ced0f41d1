"""What to suggest, over HTTP; and what people say of two products."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Schema
from pydantic import ConfigDict, Field, StringConstraints

from retention import clock
from retention.customers.models import Product
from retention.customers.querysets import known_as
from retention.doors.endpoints import Router, actor
from retention.recommendations import operations, querysets

router = Router("Recommendations")
READ, WRITE = "recommendations:read", "recommendations:write"
Sku = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class SuggestionOut(Schema):
    sku: str
    name: str
    price_minor: int
    compare_at_minor: int | None
    currency: str
    url: str
    image_url: str
    why: str = Field(description="after, goes_with, together, on_offer or back_in_stock.")


class SuggestionsOut(Schema):
    items: list[SuggestionOut]
    look_cart_url: str = Field(description="Puts the product and what goes with it into the cart; or empty.")


class LinkIn(Schema):
    model_config = ConfigDict(extra="forbid")

    product: Sku
    other: Sku
    kind: Literal["goes_with", "after"] = "goes_with"
    position: Annotated[int, Field(ge=0, le=30_000)] = 0


class LinkOut(LinkIn):
    id: int


@router.get("recommendations/", scope=READ, response=SuggestionsOut)
def recommend(
    request: HttpRequest,
    customer: Annotated[uuid.UUID | None, Query(description="For her, by what she bought and likes.")] = None,
    product: Annotated[Sku | None, Query(description="Beside this product, by its SKU.")] = None,
    is_bought: Annotated[bool, Query(description="It is bought already: then what comes after it is first.")] = False,
    limit: Annotated[int, Query(ge=1, le=20)] = 4,
) -> Any:
    """Products to suggest: beside a product where one is named, else for a customer; both: beside it, then for her."""
    now, found = clock.now(), []
    look = ""
    if product is not None:
        sku = get_object_or_404(Product, sku=product).sku
        found += querysets.beside(sku, now=now, most=limit, is_bought=is_bought)
        whole = querysets.look_of(sku, now=now)
        look = querysets.cart_url(one.sku for one in whole) if len(whole) > 1 else ""
    if customer is not None:
        her = [known_as(customer).pk]
        for ask in (querysets.back_in_stock, querysets.for_customers, querysets.favourites_on_offer):
            found += ask(her, now=now, most=limit).get(her[0], [])
    once = {one.sku: one for one in reversed(found) if one.sku != product}
    items = [one for one in dict.fromkeys(one.sku for one in found) if one in once]
    return {"items": [once[sku] for sku in items][:limit], "look_cart_url": look}


@router.post("product-links/", scope=WRITE, response=LinkOut)
def add_link(request: HttpRequest, body: LinkIn) -> Any:
    """Say that one product goes with another, or is to be suggested after it."""
    product, other = (get_object_or_404(Product, sku=sku) for sku in (body.product, body.other))
    link = operations.save_link(
        link_id=None,
        product_id=product.pk,
        other_id=other.pk,
        kind=body.kind,
        position=body.position,
        now=clock.now(),
        by=actor(request),
    )
    return {"id": link.pk, "product": product.sku, "other": other.sku, "kind": link.kind, "position": link.position}
