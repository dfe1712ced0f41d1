"""Conditions over her one row of statistics."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Q, Value
from django.db.models.lookups import LessThan
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Amount, Arguments, Count, Measure, Share, When, bounds, within
from retention.segments.conditions.purchases import CategoriesField, ProductsField, in_category, product_names
from retention.segments.expressions import counter, measure_in

GROUP = _("Statistics")


@conditions.register
class Items(Condition):
    key = "items"
    label = _("Number of items bought")
    group = GROUP
    form_class = Count

    @classmethod
    def q(cls, args, *, now):
        return counter("stats__items", *bounds(args))

    @classmethod
    def sentence(cls, args):
        return gettext("has bought %(items)s") % {"items": phrases.counted(args, gettext("item"), gettext("items"))}


@conditions.register
class DiscountShare(Condition):
    """Of what her orders would have cost without discounts; unknown without an order."""

    key = "discount_share"
    label = _("Discount share")
    group = GROUP
    form_class = Share

    @classmethod
    def q(cls, args, *, now):
        low, high = bounds(args)
        shares = (None if bound is None else bound / 100 for bound in (low, high))
        return measure_in("stats__discount_share", *shares)

    @classmethod
    def sentence(cls, args):
        return gettext("saved %(share)s of the price by discounts") % {"share": phrases.percent(args)}


@conditions.register
class Refunds(Condition):
    key = "refunds"
    label = _("Money refunded")
    group = GROUP
    form_class = Amount

    @classmethod
    def q(cls, args, *, now):
        return counter("stats__refunds_minor", *bounds(args))

    @classmethod
    def sentence(cls, args):
        return gettext("was refunded %(amount)s") % {"amount": phrases.amount(args)}


@conditions.register
class DaysBetweenOrders(Condition):
    key = "days_between_orders"
    label = _("Days between orders")
    group = GROUP
    form_class = Measure

    @classmethod
    def q(cls, args, *, now):
        return measure_in("stats__days_between_orders", *bounds(args))

    @classmethod
    def sentence(cls, args):
        days = phrases.counted(args, gettext("day"), gettext("days"))
        return gettext("orders every %(days)s on average") % {"days": days}


class OverdueForm(Arguments):
    factor = forms.FloatField(
        label=_("times her usual gap"),
        min_value=1,
        max_value=100,
        initial=1.5,
        help_text=_("1.5 is half as long again."),
    )


@conditions.register
class Overdue(Condition):
    """Silent for longer than some multiple of her mean gap between orders; known from the second order on."""

    key = "overdue"
    label = _("Overdue by her own rhythm")
    group = GROUP
    form_class = OverdueForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        gap = F("stats__days_between_orders") * Value(dt.timedelta(days=args["factor"]))
        overdue_since = ExpressionWrapper(Value(now) - ExpressionWrapper(gap, DurationField()), DateTimeField())
        return Q(LessThan(F("stats__last_order_at"), overdue_since))

    @classmethod
    def sentence(cls, args):
        return gettext("has been silent for %(factor)s times her usual gap between orders") % {
            "factor": phrases.plain(args["factor"])
        }


class FavouriteCategoryForm(Arguments):
    categories = CategoriesField()


@conditions.register
class FavouriteCategory(Condition):
    key = "favourite_category"
    label = _("Favourite category")
    group = GROUP
    form_class = FavouriteCategoryForm

    @classmethod
    def q(cls, args, *, now):
        return in_category("stats__favourite_category", args["categories"])

    @classmethod
    def sentence(cls, args):
        return gettext("buys most from %(categories)s") % {"categories": phrases.quoted(args["categories"])}


class FavouriteProductForm(Arguments):
    products = ProductsField()


@conditions.register
class FavouriteProduct(Condition):
    key = "favourite_product"
    label = _("Favourite product")
    group = GROUP
    form_class = FavouriteProductForm

    @classmethod
    def q(cls, args, *, now):
        return Q(stats__favourite_product__sku__in=args["products"])

    @classmethod
    def sentence(cls, args):
        return gettext("buys %(products)s most") % {"products": product_names(args["products"])}


@conditions.register
class LastSeen(Condition):
    key = "last_seen"
    label = _("Last seen")
    group = GROUP
    form_class = When
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return Q(**within("stats__last_seen_at", args, now))

    @classmethod
    def sentence(cls, args):
        return gettext("was last seen") + phrases.when(args)


@conditions.register
class LastOpened(Condition):
    key = "last_opened"
    label = _("Last opened a message")
    group = GROUP
    form_class = When
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return Q(**within("stats__last_opened_at", args, now))

    @classmethod
    def sentence(cls, args):
        return gettext("last opened a message") + phrases.when(args)
