"""Facts over HTTP: customers, consents, products, orders, returns and activities, one by one or in batches."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Schema, Status

from retention import clock, registries
from retention.customers import shapes
from retention.customers.asks import consents_of
from retention.customers.models import Customer, CustomerStage, CustomerStats, Order, Product, Rfm
from retention.customers.operations import (
    BadFacts,
    ConsentRefused,
    ask_consent,
    give_consent,
    save_customer,
    withdraw_consent,
)
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, page
from retention.doors.problems import NotFound, problem
from retention.work.ingest import IngestResult, RowError, ingest

router = Router("Customers and facts")

_STATISTICS = (
    "orders", "items", "spend_minor", "refunds_minor", "discounts_minor", "average_order_minor", "first_order_at",
    "last_order_at", "days_between_orders", "discount_share", "favourite_category", "last_seen_at",
)  # fmt: skip
#: Rows of a batch may be long; what the server takes at most is said in settings.
MAX_BATCH_BODY = 8 * 2**20


class CustomerFilters(Schema):
    reference: str | None = None
    email: str | None = None


@router.get("customers/", scope="customers:read", response=Page[shapes.CustomerOut])
def list_customers(
    request: HttpRequest, filters: Query[CustomerFilters], cursor: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """Customers by id, or the one with this reference or email."""
    customers = Customer.objects.filter(merged_into=None, erased_at=None)
    if filters.reference is not None:
        customers = customers.filter(reference=filters.reference)
    if filters.email is not None:
        customers = customers.filter(email_normal=filters.email.strip().lower())
    return page(customers, cursor, limit)


@router.post("customers/", scope="customers:write", response={200: shapes.CustomerOut, 201: shapes.CustomerOut})
def put_customer(request: HttpRequest, body: shapes.CustomerIn) -> Any:
    """Make a customer, or change the one with this reference or email."""
    return _save(request, None, body)


@router.get("customers/{uuid:id}/", scope="customers:read", response=shapes.CustomerOut)
def get_customer(request: HttpRequest, id: uuid.UUID) -> Any:
    """One customer with her statistics, her stage and her RFM scores."""
    customer = known_as(id)
    placed = CustomerStage.objects.filter(customer=customer).values("since", key=F("stage__key")).first()
    customer.stage, customer.scores = placed, Rfm.objects.filter(customer=customer).first()
    stats = CustomerStats.of(customer)
    customer.statistics = {name: getattr(stats, name) for name in _STATISTICS}
    return customer


@router.patch("customers/{uuid:id}/", scope="customers:write", response=shapes.CustomerOut)
def change_customer(request: HttpRequest, id: uuid.UUID, body: shapes.CustomerIn) -> Any:
    """Change what is sent; the rest stays."""
    answer = _save(request, known_as(id).pk, body)
    return answer if isinstance(answer, HttpResponse) else answer.value


@router.get("customers/{uuid:id}/consents/", scope="customers:read", response=list[shapes.ConsentOut])
def list_consents(request: HttpRequest, id: uuid.UUID) -> Any:
    """What she agreed to; a channel and purpose that is not there is a no."""
    return consents_of(known_as(id), now=clock.now())


@router.post("customers/{uuid:id}/consents/", scope="consents:write", response=list[shapes.ConsentOut])
def add_consent(request: HttpRequest, id: uuid.UUID, body: shapes.ConsentIn) -> Any:
    """She said yes or no, or shall be asked to confirm a yes.

    The mail that asks is sent within seconds: at most one to an address in ten minutes, and three that nobody
    answered in ninety days, however often it is asked for. Its link works for seven days, for this address only.
    """
    customer, now = known_as(id), clock.now()
    values = body.dict(exclude={"event"} if body.event != "withdrawn" else {"event", "expires_at"})
    operation = {"asked": ask_consent, "given": give_consent, "withdrawn": withdraw_consent}[body.event]
    try:
        operation(customer_id=customer.pk, now=now, by=actor(request), **values)
    except ConsentRefused as refused:
        return _problem(refused.errors)
    return consents_of(customer, now=now)


@router.get("products/", scope="products:read", response=Page[shapes.ProductOut])
def list_products(request: HttpRequest, cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
    return page(Product.objects.all(), cursor, limit)


@router.get("products/{path:sku}/", scope="products:read", response=shapes.ProductOut)
def get_product(request: HttpRequest, sku: str) -> Any:
    return get_object_or_404(Product, sku=sku)


@router.post("products/", scope="products:write", response=shapes.ProductOut)
def put_product(request: HttpRequest, body: shapes.ProductIn) -> Any:
    """Make a product, or change the one with this SKU."""
    result = _bring(request, "products", body)
    return _problem(result.refused) if result.refused else Product.objects.get(sku=body.sku.strip())


@router.get("orders/{path:reference}/", scope="orders:read", response=shapes.OrderOut)
def get_order(request: HttpRequest, reference: str) -> Any:
    return _order(reference)


@router.post("orders/", scope="orders:write", response=shapes.OrderOut)
def put_order(request: HttpRequest, body: shapes.OrderIn) -> Any:
    """Record an order, or what became of it; the same one again changes nothing."""
    result = _bring(request, "orders", body)
    return _problem(result.refused) if result.refused else _order(body.reference.strip())


@router.post("returns/", scope="orders:write", response=shapes.OrderOut)
def put_return(request: HttpRequest, body: shapes.ReturnIn) -> Any:
    """Record what came back of an order; answers with the order as it is now."""
    result = _bring(request, "returns", body)
    return _problem(result.refused) if result.refused else _order(body.order_reference.strip())


@router.post("activities/", scope="activities:write", response={201: shapes.Ingested, 200: shapes.Ingested})
def add_activity(request: HttpRequest, body: shapes.ActivityIn) -> Any:
    """Record something a customer or a visitor did; the same reference again changes nothing."""
    result = _bring(request, "activities", body)
    return _problem(result.refused) if result.refused else Status(201 if result.new else 200, _figures(result))


@router.post("ingest/{kind}/", scope="ingest:write", response=shapes.Ingested, max_body=MAX_BATCH_BODY)
def ingest_batch(request: HttpRequest, kind: str, body: shapes.Batch) -> Any:
    """Up to 5,000 rows of one kind: customers, consents, products, stock, orders, returns, activities, codes.

    All of them or, when one cannot be, none; with `good_only` the good ones. Money may be sent as `price` in major
    units or as `price_minor`.
    """
    if kind not in registries.ingests:
        raise NotFound()
    result = ingest(kind, body.rows, now=clock.now(), by=actor(request), good_only=body.good_only, dry_run=body.dry_run)
    if result.refused and not (body.good_only or body.dry_run):
        return _problem(result.refused, rows="/rows")
    return _figures(result)


def _order(reference: str) -> Order:
    return get_object_or_404(
        Order.objects.select_related("customer").prefetch_related("lines__product"), reference=reference
    )


def _save(request: HttpRequest, customer_id: int | None, body: shapes.CustomerIn) -> Any:
    try:
        saved = save_customer(customer_id=customer_id, values=_said(body), now=clock.now(), by=actor(request))
    except BadFacts as refused:
        return _problem(refused.errors)
    return Status(201 if saved.is_new else 200, saved.customer)


def _bring(request: HttpRequest, kind: str, body: shapes.Closed) -> IngestResult:
    return ingest(kind, [_said(body)], now=clock.now(), by=actor(request))


def _said(body: shapes.Closed) -> Mapping[str, Any]:
    return body.dict(exclude_unset=True)


def _figures(result: IngestResult) -> dict[str, Any]:
    return {
        "new": result.new,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "refused": result.refused_rows,
        "errors": [_pointed(error, "/rows") for error in result.refused],
    }


def _problem(errors: Sequence[RowError], rows: str = "") -> HttpResponse:
    """Everything that is wrong, each with where it is in the body."""
    found = [_pointed(error, rows) for error in errors]
    detail = "; ".join(f"{error['pointer']}: {error['message']}" for error in found[:3])
    return problem(status=422, code="customers.bad_facts", detail=detail, errors=found)


def _pointed(error: RowError, rows: str) -> dict[str, str]:
    path = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in error.column.split(".") if part)
    return {
        "pointer": f"{rows}/{error.line - 1}{path}" if rows else path,
        "code": error.code,
        "message": error.message,
    }
