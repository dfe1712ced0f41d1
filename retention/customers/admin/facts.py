"""Pages of facts: products, orders, activities, consents; and the kinds of activity that shops declare."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from retention import money
from retention.customers.admin.customers import Facts, WordsInput, amount, kind_words, shop_currency
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
from retention.doors.console import DaysFilter, EditAdmin, FactAdmin, acting
from retention.doors.console.words import noted
from retention.doors.imports import IngestAdmin

#: No product costs more, in major units.
MOST = 10**10


class PricesTab(Facts):
    model = Price
    fields = readonly_fields = ("starts_at", "price", "compare_at")
    verbose_name_plural = _("Price history")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("product")

    @display(description=_("Price"))
    def price(self, row: Price) -> str:
        return amount(row.price_minor, row.product.currency)

    @display(description=_("Compare at"))
    def compare_at(self, row: Price) -> str:
        return amount(row.compare_at_minor, row.product.currency)


class StockTab(Facts):
    model = Stock
    fields = readonly_fields = ("place", "quantity")
    ordering = ("place",)
    verbose_name_plural = _("Stock")


class ProductForm(forms.ModelForm):
    """Amounts in major units of the product's currency; cleaned they are minor units."""

    AMOUNTS = ("price", "minimum_price", "unit_cost", "compare_at")
    price = forms.DecimalField(label=_("Price"), min_value=0, max_value=MOST, widget=UnfoldAdminDecimalFieldWidget)
    minimum_price = forms.DecimalField(
        label=_("Minimum price"), required=False, min_value=0, max_value=MOST, widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("No discount goes below it."),
    )  # fmt: skip
    unit_cost = forms.DecimalField(
        label=_("Unit cost"), required=False, min_value=0, max_value=MOST, widget=UnfoldAdminDecimalFieldWidget
    )
    compare_at = forms.DecimalField(
        label=_("Compare at"), required=False, min_value=0, max_value=MOST, widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("The former price that a shop crosses out."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        product = self.instance
        for name in self.AMOUNTS if product.pk else ():
            minor = getattr(product, f"{name}_minor")
            self.initial[name] = None if minor is None else money.to_major(minor, product.currency)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        currency = given.get("currency") or self.instance.currency
        for name in self.AMOUNTS:
            try:
                given[name] = None if given.get(name) is None else money.to_minor(given[name], currency)
            except money.BadMoney as bad:
                self.add_error(name if currency in money.currency_codes() else "currency", str(bad))
        return given


@admin.register(Product)
class ProductAdmin(EditAdmin, IngestAdmin):
    is_versioned = False
    form = ProductForm
    resource_classes = [ProductResource]
    list_display = ("name", "sku", "category", "price", "is_low_margin", "archived_at")
    list_filter = ("is_low_margin",)
    search_fields = ("sku__startswith", "name__istartswith")
    search_help_text = _("The beginning of a SKU or a name")
    sortable_by = ("sku",)
    fields = (
        ("sku", "name"), "category", ("currency", "price"), ("minimum_price", "unit_cost"),
        ("compare_at", "is_low_margin"), "tags", ("season_from", "season_until"),
        ("launched_on", "replenish_days"), "url", "how_to_url", "image_url",
    )  # fmt: skip
    inlines = (PricesTab, StockTab)
    formfield_overrides = {**EditAdmin.formfield_overrides, ArrayField: {"widget": WordsInput}}
    labels = {"url": _("Page"), "how_to_url": _("How-to page"), "image_url": _("Picture"),
              "replenish_days": _("Bought again after days")}  # fmt: skip
    help_texts = {"tags": _("With commas between them."), "category": _("Path from the top, such as Music/Jazz/Vinyl.")}
    empty_hint = _("Import a file, or let your shop send its catalogue through the API.")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("sku",) if obj else ()

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model:
        changed = set(form.changed_data)
        if "currency" in changed:
            changed |= set(form.AMOUNTS)  # the same digits are another amount in another currency
        amounts = {name: form.cleaned_data[name] for name in form.AMOUNTS if name in changed}
        if "minimum_price" in amounts:
            amounts["minimum_price"] = amounts["minimum_price"] or 0
        values = {name: form.cleaned_data[name] for name in changed - set(amounts)}
        values |= {f"{name}_minor": minor for name, minor in amounts.items()}
        sku = form.instance.sku if change else values.get("sku", "")
        return save_product(sku=sku, values=values, **acting(request))

    @display(description=_("Price"), ordering="price_minor")
    def price(self, product: Product) -> str:
        return amount(product.price_minor, product.currency)

    # What someone who may only read sees in the places of the form's fields.

    @display(description=_("Minimum price"))
    def minimum_price(self, product: Product) -> str:
        return amount(product.minimum_price_minor, product.currency)

    @display(description=_("Unit cost"))
    def unit_cost(self, product: Product) -> str:
        return amount(product.unit_cost_minor, product.currency)

    @display(description=_("Compare at"))
    def compare_at(self, product: Product) -> str:
        return amount(product.compare_at_minor, product.currency)


class LinesTab(Facts):
    model = OrderLine
    fields = readonly_fields = (
        "position", "product", "quantity", "unit_price", "discount", "total", "returned_quantity",
    )  # fmt: skip
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("product", "order")

    @display(description=_("Unit price"))
    def unit_price(self, line: OrderLine) -> str:
        return amount(line.unit_price_minor, line.order.currency)

    @display(description=_("Discount"))
    def discount(self, line: OrderLine) -> str:
        return amount(line.discount_minor, line.order.currency)

    @display(description=_("Total"))
    def total(self, line: OrderLine) -> str:
        return amount(line.total_minor, line.order.currency)


class ReturnsTab(Facts):
    model = Return
    fields = readonly_fields = ("reference", "occurred_at", "reason", "refunded")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("order")

    @display(description=_("Amount"))
    def refunded(self, row: Return) -> str:
        return amount(row.amount_minor, row.order.currency)


@admin.register(Order)
class OrderAdmin(FactAdmin, IngestAdmin):
    resource_classes = [OrderResource]
    list_display = ("reference", "placed_at", "who", "state", "total", "channel", "country")
    list_filter = ("state", ("placed_at", DaysFilter))
    list_select_related = ("customer",)
    empty_hint = _("Import a file, or let your shop send its orders through the API.")
    ordering = ("-placed_at",)
    search_fields = ("reference__startswith",)
    search_help_text = _("The beginning of an order's reference")
    sortable_by = ("reference", "placed_at")
    fields = (
        ("reference", "state"), ("customer", "email"), ("total", "in_base"), ("discount", "shipping", "tax"),
        ("channel", "store", "payment_method"), "codes", ("address", "postcode", "city"), ("region", "country"),
        ("placed_at", "paid_at"), ("fulfilled_at", "cancelled_at"), "recorded_at",
    )  # fmt: skip
    readonly_fields = ("total", "in_base", "shipping", "tax", "discount")
    raw_id_fields = ("customer",)
    inlines = (LinesTab, ReturnsTab)

    @display(description=_("Customer"))
    def who(self, order: Order) -> str:
        return str(order.customer) if order.customer else "—"

    @display(description=_("Total"))
    def total(self, order: Order) -> str:
        return amount(order.total_minor, order.currency)

    @display(description=_("In the base currency"))
    def in_base(self, order: Order) -> str:
        return amount(order.base_minor, shop_currency())

    @display(description=_("Shipping"))
    def shipping(self, order: Order) -> str:
        return amount(order.shipping_minor, order.currency)

    @display(description=_("Tax"))
    def tax(self, order: Order) -> str:
        return amount(order.tax_minor, order.currency)

    @display(description=_("Discount"))
    def discount(self, order: Order) -> str:
        return amount(order.discount_minor, order.currency)


@admin.register(Activity)
class ActivityAdmin(FactAdmin):
    list_display = ("shown_kind", "occurred_at", "customer", "product", "recorded_at")
    fields = (
        "shown_kind", "occurred_at", "customer", "product", "order", "told", "reference", "visitor_key", "recorded_at",
    )  # fmt: skip
    readonly_fields = ("shown_kind", "told")
    labels = {"visitor_key": _("Visitor"), "recorded_at": _("Told to us")}
    empty_hint = _("What customers do reaches this list through the API or a file: visits, carts, sign-ups, reviews.")
    list_filter = (("occurred_at", DaysFilter),)
    list_select_related = ("customer", "product")
    ordering = ("-id",)
    search_fields = ("reference__exact", "customer__reference__exact", "customer__email_normal__exact")
    search_help_text = _("Its reference, or the customer's reference or email, whole")

    @display(description=_("Kind"))
    def shown_kind(self, activity: Activity) -> str:
        return kind_words(activity.kind)

    @display(description=_("Told with it"))
    def told(self, activity: Activity) -> str:
        return noted(activity.properties)


@admin.register(ActivityKind)
class ActivityKindAdmin(EditAdmin):
    is_versioned = False
    list_display = ("label", "key", "built_in")
    fields = ("key", "label", "schema")
    labels = {"schema": _("What is told with it")}
    help_texts = {
        "key": _("As the API and files name it; it stays."),
        "schema": _("A JSON Schema of its properties; empty: whatever comes is kept."),
    }

    @display(description=_("Built in"), boolean=True)
    def built_in(self, kind: ActivityKind) -> bool:
        return kind.is_built_in

    @display(description=_("What is told with it"))
    def told(self, kind: ActivityKind) -> str:
        parts = (kind.schema or {}).get("properties", {})
        return ", ".join(
            f"{name.replace('_', ' ')} ({part.get('type', _('anything'))})" for name, part in parts.items()
        )

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        may_edit = obj is None or self.has_change_permission(request, obj)
        return ("key", "label", "schema" if may_edit else "told")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("key", "told") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # The built-in ones are ours: the next seeding would undo an edit.
        return super().has_change_permission(request, obj) and not getattr(obj, "is_built_in", False)

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model:
        return save_activity_kind(kind=form.instance, **acting(request))


@admin.register(Consent)
class ConsentAdmin(FactAdmin):
    list_display = ("occurred_at", "customer", "channel", "purpose", "event", "source")
    list_filter = ("channel", "event", ("occurred_at", DaysFilter))
    list_select_related = ("customer",)
    ordering = ("-id",)
    search_fields = ("reference__exact", "customer__reference__exact", "customer__email_normal__exact")
    search_help_text = _("Its reference, or the customer's reference or email, whole")
    exclude = ("address_hash",)
    labels = {"recorded_at": _("Told to us"), "wording": _("Wording she saw")}
    empty_hint = _("Each yes and no to messages is listed here, with where and when it was said.")
