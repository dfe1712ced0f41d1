"""The customer's page: profile to edit, everything else that is known to read; the attributes shops declare."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from retention import money
from retention.customers.admin.exports import CustomerResource
from retention.customers.admin.health import Lacks, health_view
from retention.customers.admin.standing import attribute_lines, group_words, how_words, stage_words
from retention.customers.models import (
    Activity,
    AttributeDefinition,
    Consent,
    ConsentState,
    Customer,
    CustomerStats,
    Order,
)
from retention.customers.operations import BadFacts, save_customer
from retention.customers.operations.declarations import save_attribute
from retention.customers.querysets import find
from retention.doors.console import EditAdmin, acting
from retention.doors.console.words import noted
from retention.doors.imports import IngestAdmin
from retention.shop.models import Shop

_YES_NO = [("", "—"), ("yes", _("Yes")), ("no", _("No"))]


def amount(minor: int | None, currency: str) -> str:
    """Money as people read it; a dash where nothing is known."""
    return "—" if minor is None else money.show(minor, currency, get_language() or "en")


def shop_currency() -> str:
    """What statistics are in."""
    return Shop.objects.values_list("currency", flat=True).get()


def kind_words(key: str) -> str:
    """What a kind of activity is called: `viewed_product` → “Viewed product”."""
    return key[:1].upper() + key[1:].replace("_", " ")


class Facts(TabularInline):
    """A tab of facts: read, ten at a time."""

    tab = True
    per_page = 10
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


#: Tabs of facts that higher rooms keep about a customer.
_FURTHER_TABS: list[type[Facts]] = []


def on_customer_page(tab: type[Facts]) -> type[Facts]:
    """Class decorator: show this tab on the customer's page, after the room's own."""
    _FURTHER_TABS.append(tab)
    return tab


class StatsTab(Facts):
    model = CustomerStats
    ordering = ("customer",)
    fields = readonly_fields = (
        "orders", "items", "spend", "refunds", "average_order", "discount_share", "first_order_at",
        "last_order_at", "days_between_orders", "favourite_product", "favourite_category", "last_seen_at",
    )  # fmt: skip
    verbose_name_plural = _("Statistics")

    @display(description=_("Spend"))
    def spend(self, stats: CustomerStats) -> str:
        return amount(stats.spend_minor, shop_currency())

    @display(description=_("Refunds"))
    def refunds(self, stats: CustomerStats) -> str:
        return amount(stats.refunds_minor, shop_currency())

    @display(description=_("Average order"))
    def average_order(self, stats: CustomerStats) -> str:
        return amount(stats.average_order_minor, shop_currency())


class StatesTab(Facts):
    model = ConsentState
    fields = readonly_fields = ("channel", "purpose", "is_given", "address", "occurred_at", "expires_at")
    ordering = ("channel", "purpose")
    verbose_name_plural = _("Consent now")


class ConsentsTab(Facts):
    model = Consent
    fields = readonly_fields = ("occurred_at", "channel", "purpose", "event", "source", "wording", "expires_at")
    verbose_name_plural = _("Consent history")


class OrdersTab(Facts):
    model = Order
    fields = readonly_fields = ("reference", "placed_at", "state", "total", "channel")
    show_change_link = True
    verbose_name_plural = _("Orders")

    @display(description=_("Total"))
    def total(self, order: Order) -> str:
        return amount(order.total_minor, order.currency)


class ActivitiesTab(Facts):
    model = Activity
    fk_name = "customer"
    fields = readonly_fields = ("occurred_at", "shown_kind", "product", "told")
    verbose_name_plural = _("Activities")

    @display(description=_("Kind"))
    def shown_kind(self, activity: Activity) -> str:
        return kind_words(activity.kind)

    @display(description=_("Told with it"))
    def told(self, activity: Activity) -> str:
        return noted(activity.properties)

    def get_queryset(self, request) -> QuerySet:
        return super().get_queryset(request).select_related("product")


class WordsInput(UnfoldAdminTextInputWidget):
    """A list of words in one line, with commas between them."""

    def format_value(self, value: Any) -> str | None:
        return ", ".join(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def birthday(customer: Customer) -> str:
    """1990-05-17, or 05-17 where the year is not known; empty where nothing is."""
    if not customer.birth_month:
        return ""
    day = f"{customer.birth_month:02}-{customer.birth_day:02}"
    return f"{customer.birth_year:04}-{day}" if customer.birth_year else day


class CustomerForm(forms.ModelForm):
    birthday = forms.CharField(
        label=_("Birthday"), required=False, max_length=10, widget=UnfoldAdminTextInputWidget,
        help_text=_("1990-05-17, or 05-17 without the year."),
    )  # fmt: skip

    class Meta:
        model = Customer
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customer = self.instance
        self.initial["birthday"] = birthday(customer)
        for key, held in (customer.attributes or {}).items():
            value = held.get("value")
            self.initial[f"attribute_{key}"] = {True: "yes", False: "no"}.get(value, value)
            if f"attribute_{key}" in self.fields:
                self.fields[f"attribute_{key}"].help_text = how_words(held)

    def _get_validation_exclusions(self) -> set[str]:
        # Every check is the operation's, so that the form, the API and files refuse the same in the same words.
        return {field.name for field in Customer._meta.get_fields()}


@admin.register(Customer)
class CustomerAdmin(EditAdmin, IngestAdmin):
    is_versioned = False
    form = CustomerForm
    resource_classes = [CustomerResource]
    list_display = ("name", "reference", "email", "phone", "country", "signed_up_at", "orders", "last_order_at")
    list_select_related = ("stats",)
    # What is typed is looked up; a list of all countries would read every customer.
    list_filter = (("country", FieldTextFilter), ("language", FieldTextFilter), Lacks)
    ordering = ("-id",)
    search_fields = ("reference",)
    sortable_by = ("signed_up_at",)
    search_help_text = _("Beginning of an email, reference or name; a phone number; an order's reference")
    inlines = (StatsTab, StatesTab, ConsentsTab, OrdersTab, ActivitiesTab)
    formfield_overrides = {**EditAdmin.formfield_overrides, ArrayField: {"widget": WordsInput}}
    help_texts = {
        "phone": _("With the country's code, such as +4915112345678."),
        "country": _("Two letters, such as DE."),
        "time_zone": _("Such as Europe/Berlin; empty: the shop's."),
        "interests": _("With commas between them."),
    }
    readonly_fields = ("stage", "rfm_group")
    empty_hint = _("Import a file, let your shop send them through the API, or add one by hand.")

    def get_urls(self) -> list:
        health = self.admin_site.admin_view(partial(health_view, self.admin_site))
        return [path("data-health/", health, name="customers_health"), *super().get_urls()]

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> list[type[Facts]]:
        return [*self.inlines, *_FURTHER_TABS]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(merged_into=None)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=find(search_term)), False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list:
        mine = [
            (None, {"fields": [("given_name", "family_name"), ("reference", "email"), ("phone", "preferred_channel"),
                               "birthday", "signed_up_at"]}),
            (_("Place and language"), {"fields": ["address", ("postcode", "city"), ("region", "country"),
                                                  ("language", "time_zone")]}),
            (_("Interests and source"), {"fields": ["interests", "source"]}),
        ]  # fmt: skip
        if obj is not None:
            mine.insert(1, (_("Where she stands"), {"fields": ["stage", "rfm_group"]}))
        attributes = [f"attribute_{key}" for key in AttributeDefinition.objects.values_list("key", flat=True)]
        # Who may only look has no form, in which declared attributes would be fields.
        if obj is not None and not self.has_change_permission(request, obj):
            attributes = ["known"]
        return [*mine, (_("Attributes"), {"fields": attributes})] if attributes else mine

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> type:
        declared = {f"attribute_{each.key}": _field(each) for each in AttributeDefinition.objects.all()}
        kwargs["form"] = type("CustomerForm", (CustomerForm,), declared)
        return super().get_form(request, obj, change=change, **kwargs)

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model:
        values: dict[str, Any] = {}
        attributes: dict[str, Any] = {}
        for name in form.changed_data:
            value = form.cleaned_data[name]
            if name.startswith("attribute_"):
                key = name.removeprefix("attribute_")
                attributes[key] = None if value in ("", None) else {"value": _plain(value), "how": "asked"}
            else:
                values[name] = value
        if attributes:
            values["attributes"] = attributes
        try:
            saved = save_customer(customer_id=form.instance.pk if change else None, values=values, **acting(request))
        except BadFacts as refused:
            raise _for_form(refused) from None
        return saved.customer

    @display(description=_("Birthday"))
    def birthday(self, customer: Customer) -> str:
        return birthday(customer)

    @display(description=_("Lifecycle stage"))
    def stage(self, customer: Customer) -> str:
        return stage_words(customer)

    @display(description=_("RFM group"))
    def rfm_group(self, customer: Customer) -> str:
        return group_words(customer)

    @display(description=_("Known of her"))
    def known(self, customer: Customer) -> str:
        return attribute_lines(customer)

    @display(description=_("Name"), ordering="family_name")
    def name(self, customer: Customer) -> str:
        return str(customer)

    @display(description=_("Orders"))
    def orders(self, customer: Customer) -> int:
        return CustomerStats.of(customer).orders

    @display(description=_("Last order"))
    def last_order_at(self, customer: Customer) -> Any:
        return CustomerStats.of(customer).last_order_at


def _field(definition: AttributeDefinition) -> forms.Field:
    kinds = AttributeDefinition.Kind
    if definition.kind in (kinds.CHOICE, kinds.YES_NO):
        choices = _YES_NO if definition.kind == kinds.YES_NO else [("", "—"), *((c, c) for c in definition.choices)]
        return forms.ChoiceField(
            label=definition.label, required=False, choices=choices, widget=UnfoldAdminSelectWidget
        )
    if definition.kind == kinds.NUMBER:
        return forms.DecimalField(label=definition.label, required=False, widget=UnfoldAdminDecimalFieldWidget)
    if definition.kind == kinds.DATE:
        return forms.DateField(label=definition.label, required=False, widget=UnfoldAdminDateWidget)
    return forms.CharField(label=definition.label, required=False, max_length=1_000, widget=UnfoldAdminTextInputWidget)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _for_form(refused: BadFacts) -> ValidationError:
    found: dict[str, list[str]] = {}
    for error in refused.errors:
        name = error.column.replace("attributes.", "attribute_") or "__all__"
        found.setdefault(name, []).append(error.message)
    return ValidationError(found)


class AttributeDefinitionForm(forms.ModelForm):
    class Meta:
        help_texts: ClassVar = {
            "key": _("As files and the API name it; it stays as it is."),
            "choices": _("Of a choice alone: its words, with commas between them."),
        }

    def _get_validation_exclusions(self) -> set[str]:
        # That a choice needs choices is the operation's to say: it says it more kindly than the constraint.
        return super()._get_validation_exclusions() | {"choices"}


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(EditAdmin):
    is_versioned = False
    form = AttributeDefinitionForm
    list_display = ("label", "key", "kind", "listed", "is_sensitive")
    fields = ("key", "label", "kind", "choices", "is_sensitive")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        # What customers already hold was checked as this kind, under this key.
        return ("key", "kind") if obj else ()

    def operate(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> Model:
        return save_attribute(definition=form.instance, **acting(request))

    @display(description=_("Choices"))
    def listed(self, definition: AttributeDefinition) -> str:
        return ", ".join(definition.choices)
