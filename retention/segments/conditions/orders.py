"""Conditions over how often, how much and when she ordered.

Bought means paid for and not cancelled; money is in the base currency."""

from __future__ import annotations

from django import forms
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count as CountOf
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models import Order, Return
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import (
    FAR,
    Amount,
    Arguments,
    Count,
    When,
    WhenEver,
    bounds,
    instants,
    within,
)
from retention.segments.expressions import InGroups, amounting, any_of, counter, measure_in, times

GROUP = _("Orders")


def bought(args=None, now=None) -> QuerySet:
    """Orders that count, inside the window where there is one."""
    return Order.objects.filter(state__in=Order.BOUGHT, **(within("placed_at", args, now) if args else {}))


class CountWhenever(Count, WhenEver):
    """How many, and when."""


@conditions.register
class OrderCount(Condition):
    key = "order_count"
    label = _("Number of orders")
    group = GROUP
    form_class = CountWhenever
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        if args["window"] == "ever":
            return counter("stats__orders", *bounds(args))
        return times(bought(args, now), CountOf("*"), *bounds(args))

    @classmethod
    def sentence(cls, args):
        orders = phrases.counted(args, gettext("order"), gettext("orders"))
        return gettext("has placed %(orders)s") % {"orders": orders} + phrases.when(args)


class AmountWhenever(Amount, WhenEver):
    """How much money, and when."""


@conditions.register
class Spend(Condition):
    """Paid less refunded; inside a window, that of the orders placed in it."""

    key = "spend"
    label = _("Money spent")
    group = GROUP
    form_class = AmountWhenever
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        if args["window"] == "ever":
            return counter("stats__spend_minor", *bounds(args))
        refunds = Return.objects.filter(order=OuterRef("pk")).order_by().values("order").annotate(sum=Sum("base_minor"))
        spent = bought(args, now).annotate(refunded=Coalesce(Subquery(refunds.values("sum")), 0))
        return amounting(spent, Sum(F("base_minor") - F("refunded")), *bounds(args))

    @classmethod
    def sentence(cls, args):
        return gettext("has spent %(amount)s") % {"amount": phrases.amount(args)} + phrases.when(args)


@conditions.register
class AverageOrder(Condition):
    key = "average_order"
    label = _("Average order value")
    group = GROUP
    form_class = Amount

    @classmethod
    def q(cls, args, *, now):
        return measure_in("stats__average_order_minor", *bounds(args))

    @classmethod
    def sentence(cls, args):
        return gettext("spends %(amount)s on average an order") % {"amount": phrases.amount(args)}


@conditions.register
class OrderWorth(Condition):
    key = "order_worth"
    label = _("A single order worth")
    group = GROUP
    form_class = AmountWhenever
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return any_of(bought(args, now).filter(measure_in("base_minor", *bounds(args))))

    @classmethod
    def sentence(cls, args):
        return gettext("has placed an order worth %(amount)s") % {"amount": phrases.amount(args)} + phrases.when(args)


@conditions.register
class LastOrder(Condition):
    key = "last_order"
    label = _("Last order")
    group = GROUP
    form_class = When
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return Q(**within("stats__last_order_at", args, now))

    @classmethod
    def sentence(cls, args):
        return gettext("placed her last order") + phrases.when(args)


@conditions.register
class FirstOrder(Condition):
    key = "first_order"
    label = _("First order")
    group = GROUP
    form_class = When
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return Q(**within("stats__first_order_at", args, now))

    @classmethod
    def sentence(cls, args):
        return gettext("placed her first order") + phrases.when(args)


class NoOrderForm(Arguments):
    days = forms.IntegerField(label=_("days"), min_value=1, max_value=FAR, initial=180)
    never = forms.ChoiceField(
        label=_("those who never ordered"),
        choices=[("leave_out", _("leave out")), ("include", _("include"))],
        initial="leave_out",
    )
    field_order = ["days", "never"]


@conditions.register
class NoOrderSince(Condition):
    key = "no_order"
    label = _("No order for some days")
    group = GROUP
    form_class = NoOrderForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        since, _until = instants({"window": "last", "days": args["days"]}, now)
        silent = Q(stats__last_order_at__lt=since)
        return silent if args["never"] == "leave_out" else ~Q(stats__last_order_at__gte=since)

    @classmethod
    def sentence(cls, args):
        pattern = ngettext("has not ordered for a day", "has not ordered for %(days)s days", args["days"])
        text = pattern % {"days": phrases.plain(args["days"])}
        return text if args["never"] == "leave_out" else gettext("%(text)s, or never") % {"text": text}


class NthOrderForm(When):
    nth = forms.IntegerField(label=_("which order"), min_value=1, max_value=1000, initial=2)
    field_order = ["nth"]


@conditions.register
class NthOrder(Condition):
    key = "nth_order"
    label = _("Her nth order")
    group = GROUP
    form_class = NthOrderForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        days = ArrayAgg("placed_at", order_by=("placed_at", "id"))
        orders = bought().order_by().values("customer").annotate(days=days)
        # Django's array indexes count from 0.
        nth = orders.filter(**within(f"days__{args['nth'] - 1}", args, now))
        return Q(InGroups(nth.values("customer")).about(bought(), CountOf("*"), "customer"))

    @classmethod
    def sentence(cls, args):
        return gettext("placed order number %(nth)s") % {"nth": args["nth"]} + phrases.when(args)
