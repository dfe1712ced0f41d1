"""Pages of facts: products, orders, activities, consents; and the kinds of activity that shops declare."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from retention import money
from retention.customers.admin.customers import Facts
from retention.customers.admin.exports import OrderResource, ProductResource
from retention.customers.models import (
    Activity,
    ActivityKind,
    Consent,
    Order,
    OrderLine,
    Price,
    Product,
    Return,
    Stock,
)
from retention.customers.operations.declarations import save_activity_kind
from retention.customers.operations.products import save_product
from retention.doors.console import EditAdmin, FactAdmin, acting
from retention.doors.imports import IngestAdmin


class PricesTab(Facts):
    model = Price
    fields = readonly_fields = ("starts_at", "price_minor", "compare_at_minor")
    verbose_name_plural = _("Price history")


class StockTab(Facts):
    model = Stock
    fields = readonly_fields = ("place", "quantity")
    ordering = ("place",)
    verbose_name_plural = _("Stock")


@admin.register(Product)
class ProductAdmin(EditAdmin, IngestAdmin):
    is_versioned = False
    resource_classes = [ProductResource]
    list_display = ("name", "sku", "category", "price", "is_low_margin", "archived_at")
    list_filter = ("is_low_margin",)
    search_fields = ("^sku", "^name")
    fields = (
        ("sku", "name"), "category", ("currency", "price_minor"), ("minimum_price_minor", "unit_cost_minor"),
        ("compare_at_minor", "is_low_margin"), "tags", ("season_from", "season_until"),
        ("launched_on", "replenish_days"), "url", "how_to_url", "image_url",
    )  # fmt: skip
    inlines = (PricesTab, StockTab)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("sku",) if obj else ()

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        sku = form.instance.sku if change else values.get("sku", "")
        return save_product(sku=sku, values=values, **acting(request))

    @display(description=_("Price"), ordering="price_minor")
    def price(self, product: Product) -> str:
        return money.show(product.price_minor, product.currency)


class LinesTab(Facts):
    model = OrderLine
    fields = readonly_fields = (
        "position", "product", "quantity", "unit_price_minor", "discount_minor", "total_minor", "returned_quantity",
    )  # fmt: skip
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("product")


class ReturnsTab(Facts):
    model = Return
    fields = readonly_fields = ("reference", "occurred_at", "reason", "amount_minor")


@admin.register(Order)
class OrderAdmin(FactAdmin, IngestAdmin):
    resource_classes = [OrderResource]
    list_display = ("reference", "placed_at", "who", "state", "total", "channel", "country")
    list_filter = ("state", ("placed_at", RangeDateTimeFilter))
    list_select_related = ("customer",)
    ordering = ("-placed_at",)
    search_fields = ("^reference",)
    raw_id_fields = ("customer",)
    inlines = (LinesTab, ReturnsTab)

    @display(description=_("Customer"))
    def who(self, order: Order) -> str:
        return str(order.customer) if order.customer else "—"

    @display(description=_("Total"))
    def total(self, order: Order) -> str:
        return money.show(order.total_minor, order.currency)


@admin.register(Activity)
class ActivityAdmin(FactAdmin):
    list_display = ("kind", "occurred_at", "customer", "product", "recorded_at")
    list_filter = (("occurred_at", RangeDateTimeFilter),)
    list_select_related = ("customer", "product")
    ordering = ("-id",)
    search_fields = ("=reference", "=customer__reference", "=customer__email_normal")


@admin.register(ActivityKind)
class ActivityKindAdmin(EditAdmin):
    is_versioned = False
    list_display = ("label", "key", "is_built_in")
    fields = ("key", "label", "schema")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("key",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # The built-in ones are ours: the next seeding would undo an edit.
        return super().has_change_permission(request, obj) and not getattr(obj, "is_built_in", False)

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model:
        return save_activity_kind(kind=form.instance, **acting(request))


@admin.register(Consent)
class ConsentAdmin(FactAdmin):
    list_display = ("occurred_at", "customer", "channel", "purpose", "event", "source")
    list_filter = ("channel", "event", ("occurred_at", RangeDateTimeFilter))
    list_select_related = ("customer",)
    ordering = ("-id",)
    search_fields = ("=reference", "=customer__reference", "=customer__email_normal")
    exclude = ("address_hash",)
