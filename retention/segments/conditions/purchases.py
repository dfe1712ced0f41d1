"""Conditions over what was in the orders, where they went, and what came back."""

from __future__ import annotations

from django import forms
from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.db.models import Count as CountOf
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models import Order, OrderLine, Product, Return
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import WordsField, bounds, within
from retention.segments.conditions.orders import GROUP, CountWhenever, bought
from retention.segments.conditions.places import country_pairs, one_of_folded
from retention.segments.expressions import times


def bought_lines(args, now) -> QuerySet:
    return OrderLine.objects.filter(order__state__in=Order.BOUGHT, **within("order__placed_at", args, now))


def in_category(path: str, categories: list[str]) -> Q:
    """The product is in one of these categories or below it."""
    below = [(f"{path}__startswith", f"{category}/") for category in categories]
    return Q((f"{path}__in", categories), *below, _connector=Q.OR)


class ProductsField(WordsField):
    """Products by SKU; an unknown one is an error."""

    default_error_messages = {"stranger": _("There is no product “%(word)s”.")}

    def __init__(self, **kwargs):
        super().__init__(suggest="products", **{"label": _("products"), **kwargs})

    def validate(self, value):
        super().validate(value)
        self.refuse_strangers(value, set(Product.objects.filter(sku__in=value).values_list("sku", flat=True)))


class CategoriesField(WordsField):
    """Categories by their path; one without products is an error."""

    default_error_messages = {"stranger": _("No product is in the category “%(word)s”.")}

    def __init__(self, **kwargs):
        super().__init__(suggest="categories", **{"label": _("categories"), **kwargs})

    def validate(self, value):
        super().validate(value)
        known = {word for word in value if Product.objects.filter(in_category("category", [word])).exists()}
        self.refuse_strangers(value, known)


def product_names(skus: list[str]) -> str:
    names = dict(Product.objects.filter(sku__in=skus).values_list("sku", "name"))
    return phrases.quoted(names.get(sku, sku) for sku in skus)


class BoughtProductForm(CountWhenever):
    products = ProductsField()
    field_order = ["products"]


@conditions.register
class BoughtProduct(Condition):
    key = "bought_product"
    label = _("Bought a product")
    group = GROUP
    form_class = BoughtProductForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        lines = bought_lines(args, now).filter(product__sku__in=args["products"])
        return times(lines, CountOf("order", distinct=True), *bounds(args), of="order__customer")

    @classmethod
    def sentence(cls, args):
        words = {"products": product_names(args["products"])}
        words["times"] = phrases.counted(args, gettext("time"), gettext("times"))
        return gettext("has bought %(products)s %(times)s") % words + phrases.when(args)


class BoughtCategoryForm(CountWhenever):
    categories = CategoriesField()
    field_order = ["categories"]


@conditions.register
class BoughtCategory(Condition):
    key = "bought_category"
    label = _("Bought from a category")
    group = GROUP
    form_class = BoughtCategoryForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        lines = bought_lines(args, now).filter(in_category("product__category", args["categories"]))
        return times(lines, CountOf("order", distinct=True), *bounds(args), of="order__customer")

    @classmethod
    def sentence(cls, args):
        words = {"categories": phrases.quoted(args["categories"])}
        words["times"] = phrases.counted(args, gettext("time"), gettext("times"))
        return gettext("has bought from %(categories)s %(times)s") % words + phrases.when(args)


class Top(Func):
    """The first n levels of a category path."""

    output_field = CharField()

    def as_sql(self, compiler, connection, **extra):
        path, levels = self.source_expressions
        path_sql, path_params = compiler.compile(path)
        levels_sql, levels_params = compiler.compile(levels)
        sql = f"array_to_string((string_to_array({path_sql}, '/'))[1:{levels_sql}], '/')"
        return sql, (*path_params, *levels_params)


class CategoryBreadthForm(CountWhenever):
    depth = forms.IntegerField(
        label=_("levels"), min_value=1, max_value=10, initial=1, help_text=_("1 counts top categories only.")
    )


@conditions.register
class CategoryBreadth(Condition):
    """Products without a category are left out."""

    key = "category_breadth"
    label = _("Number of categories bought from")
    group = GROUP
    form_class = CategoryBreadthForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        lines = (
            bought_lines(args, now)
            .exclude(product__category="")
            .annotate(top=Top(F("product__category"), Value(args["depth"])))
        )
        return times(lines, CountOf("top", distinct=True), *bounds(args), of="order__customer")

    @classmethod
    def sentence(cls, args):
        categories = phrases.counted(args, gettext("category"), gettext("categories"))
        return gettext("has bought from %(categories)s") % {"categories": categories} + phrases.when(args)


class OrderCountryForm(CountWhenever):
    countries = WordsField(label=_("countries"), among=country_pairs, suggest="countries", upper=True)
    field_order = ["countries"]


@conditions.register
class OrderedToCountry(Condition):
    key = "ordered_to_country"
    label = _("Ordered to a country")
    group = GROUP
    form_class = OrderCountryForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return times(bought(args, now).filter(country__in=args["countries"]), CountOf("*"), *bounds(args))

    @classmethod
    def sentence(cls, args):
        words = {"countries": phrases.countries(args["countries"])}
        words["times"] = phrases.counted(args, gettext("time"), gettext("times"))
        return gettext("has ordered to %(countries)s %(times)s") % words + phrases.when(args)


class OrdersBy(Condition):
    """Orders whose text column is one of some words, whatever their case."""

    group = GROUP
    is_time_relative = True
    column = ""
    pattern = ""

    @classmethod
    def q(cls, args, *, now):
        orders = bought(args, now).filter(one_of_folded(cls.column, args["values"]))
        return times(orders, CountOf("*"), *bounds(args))

    @classmethod
    def sentence(cls, args):
        words = {"values": phrases.quoted(args["values"])}
        words["times"] = phrases.counted(args, gettext("time"), gettext("times"))
        return str(cls.pattern) % words + phrases.when(args)


class StoreForm(CountWhenever):
    values = WordsField(label=_("stores"), suggest="stores")
    field_order = ["values"]


@conditions.register
class OrderedInStore(OrdersBy):
    key = "ordered_in_store"
    label = _("Ordered in a store")
    form_class = StoreForm
    column = "store"
    pattern = _("has ordered in the store %(values)s %(times)s")


class SalesChannelForm(CountWhenever):
    values = WordsField(label=_("channels"), suggest="channels")
    field_order = ["values"]


@conditions.register
class OrderedByChannel(OrdersBy):
    key = "ordered_by_channel"
    label = _("Ordered through a channel")
    form_class = SalesChannelForm
    column = "channel"
    pattern = _("has ordered through %(values)s %(times)s")


class PaymentForm(CountWhenever):
    values = WordsField(label=_("payment methods"), suggest="payment_methods")
    field_order = ["values"]


@conditions.register
class PaidBy(OrdersBy):
    key = "paid_by"
    label = _("Paid by a method")
    form_class = PaymentForm
    column = "payment_method"
    pattern = _("has paid by %(values)s %(times)s")


class CouponForm(CountWhenever):
    codes = WordsField(label=_("codes"), required=False, upper=True, help_text=_("Empty: any code."))
    field_order = ["codes"]


@conditions.register
class UsedCoupon(Condition):
    key = "used_coupon"
    label = _("Used a coupon")
    group = GROUP
    form_class = CouponForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        orders = bought(args, now).exclude(codes=[])
        if args["codes"]:
            orders = orders.filter(codes__overlap=args["codes"])
        return times(orders, CountOf("*"), *bounds(args))

    @classmethod
    def sentence(cls, args):
        words = {"codes": phrases.listing(args["codes"]) or gettext("a coupon")}
        words["times"] = phrases.counted(args, gettext("time"), gettext("times"))
        return gettext("has used %(codes)s %(times)s") % words + phrases.when(args)


class ReturnedForm(CountWhenever):
    reasons = WordsField(label=_("reasons"), required=False, suggest="reasons", help_text=_("Empty: any reason."))
    field_order = ["reasons"]


@conditions.register
class Returned(Condition):
    key = "returned"
    label = _("Returned something")
    group = GROUP
    form_class = ReturnedForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        returns = Return.objects.filter(**within("occurred_at", args, now))
        if args["reasons"]:
            returns = returns.filter(one_of_folded("reason", args["reasons"]))
        return times(returns, CountOf("*"), *bounds(args), of="order__customer")

    @classmethod
    def sentence(cls, args):
        times_ = phrases.counted(args, gettext("time"), gettext("times"))
        text = gettext("has returned something %(times)s") % {"times": times_} + phrases.when(args)
        if not args["reasons"]:
            return text
        return gettext("%(text)s because of %(reasons)s") % {"text": text, "reasons": phrases.quoted(args["reasons"])}
