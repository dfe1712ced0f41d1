"""Conditions over everything else she did or did not do."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Count as CountOf
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models import Activity, ActivityKind, Order, OrderLine
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import FAR, Arguments, WhenEver, bounds, within
from retention.segments.conditions.orders import CountWhenever, bought
from retention.segments.conditions.purchases import CategoriesField, ProductsField, in_category, product_names
from retention.segments.expressions import JsonPath, any_of, json_holds, times

GROUP = _("Activities")
TESTS = [
    ("any", _("anything")),
    ("is", _("is")),
    ("is_not", _("is not")),
    ("at_least", _("is at least")),
    ("at_most", _("is at most")),
    ("contains", _("contains")),
]
#: What a shop reports while a basket fills.
CART_KINDS = ("added_to_cart", "cart_updated", "checkout_started")


def kind_pairs() -> list[tuple[str, str]]:
    return list(ActivityKind.objects.values_list("key", "label"))


def kind_label(key: str) -> str:
    return ActivityKind.objects.values_list("label", flat=True).get(key=key)


class KindForm(CountWhenever):
    kind = forms.ChoiceField(label=_("activity"), choices=kind_pairs)
    field_order = ["kind"]


class DidForm(KindForm):
    property = forms.CharField(
        label=_("property"), max_length=60, required=False, help_text=_("Empty: whatever its properties.")
    )
    test = forms.ChoiceField(label=_("which"), choices=TESTS, required=False, initial="any")
    value = forms.CharField(label=_("value"), max_length=200, required=False)
    shown_if = {"value": ("test", ("is", "is_not", "at_least", "at_most", "contains"))}

    def clean(self):
        cleaned = super().clean()
        test, value = cleaned.get("test") or "any", cleaned.get("value")
        if test != "any" and not cleaned.get("property") and "property" not in self.errors:
            self.add_error("property", forms.ValidationError(_("Name the property."), code="required"))
        if test in ("at_least", "at_most") and value and as_number(value) is None:
            self.add_error("value", forms.ValidationError(_("Enter a number."), code="invalid"))
        return cleaned


def as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def with_property(activities: QuerySet, args) -> QuerySet:
    """Those whose property passes the test; "5" is met by the text and by the number, "yes" by the truth."""
    if not args["property"]:
        return activities
    test, value = args["test"] or "any", args["value"] or ""

    def holds(jsonpath: str, **params) -> JsonPath:
        return json_holds("properties", [args["property"]], jsonpath, params)

    if test == "contains":
        said = activities.annotate(said=KeyTextTransform(args["property"], "properties"))
        return said.filter(said__icontains=value)
    number, truth = as_number(value), {"yes": True, "true": True, "no": False, "false": False}.get(value.lower())
    also = value if number is truth is None else number if truth is None else truth
    known, same = Q(holds("@ != null")), Q(holds("@ == $v || @ == $also", v=value, also=also))
    return activities.filter(
        {
            "any": lambda: known,
            "is": lambda: same,
            "is_not": lambda: known & ~same,
            "at_least": lambda: Q(holds("@ >= $n", n=number)),
            "at_most": lambda: Q(holds("@ <= $n", n=number)),
        }[test]()
    )


@conditions.register
class Did(Condition):
    """ "Never" is: at most 0 times."""

    key = "did"
    label = _("Did something, or did not")
    group = GROUP
    form_class = DidForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        activities = Activity.objects.filter(kind=args["kind"], **within("occurred_at", args, now))
        return times(with_property(activities, args), CountOf("*"), *bounds(args))

    @classmethod
    def sentence(cls, args):
        words = {"kind": kind_label(args["kind"]), "times": phrases.counted(args, gettext("time"), gettext("times"))}
        text = gettext("did “%(kind)s” %(times)s") % words + phrases.when(args)
        if not args["property"]:
            return text
        test = dict(TESTS)[args["test"] or "any"]
        words = {"text": text, "property": args["property"], "test": test, "value": args["value"] or ""}
        return (gettext("%(text)s where “%(property)s” %(test)s %(value)s") % words).rstrip()


class DidWithProductForm(KindForm):
    products = ProductsField(required=False)
    categories = CategoriesField(required=False, help_text=_("Products or categories; either will do."))
    field_order = ["kind", "products", "categories"]

    def clean(self):
        cleaned = super().clean()
        if not (cleaned.get("products") or cleaned.get("categories") or {"products", "categories"} & set(self.errors)):
            self.add_error("products", forms.ValidationError(_("Name a product or a category."), code="required"))
        return cleaned


def about(args) -> Q:
    """The activity's product is one of those named, or in a category named; nothing named is any product."""
    named = Q(product__sku__in=args["products"]) if args["products"] else Q()
    if args["categories"]:
        named |= in_category("product__category", args["categories"])
    return named or Q(product__isnull=False)


def things(args) -> str:
    parts = [product_names(args["products"])] if args["products"] else []
    if args["categories"]:
        parts.append(gettext("something from %(categories)s") % {"categories": phrases.quoted(args["categories"])})
    return phrases.listing(parts) or gettext("a product")


@conditions.register
class DidWithProduct(Condition):
    key = "did_with_product"
    label = _("Did something with a product")
    group = GROUP
    form_class = DidWithProductForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        activities = Activity.objects.filter(kind=args["kind"], **within("occurred_at", args, now))
        return times(activities.filter(about(args)), CountOf("*"), *bounds(args))

    @classmethod
    def sentence(cls, args):
        words = {"kind": kind_label(args["kind"]), "things": things(args)}
        words["times"] = phrases.counted(args, gettext("time"), gettext("times"))
        return gettext("did “%(kind)s” with %(things)s %(times)s") % words + phrases.when(args)


class NotBoughtForm(WhenEver):
    kind = forms.ChoiceField(label=_("activity"), choices=kind_pairs)
    products = ProductsField(required=False, help_text=_("Empty: any product."))
    categories = CategoriesField(required=False)
    field_order = ["kind", "products", "categories"]


@conditions.register
class DidNotBuy(Condition):
    """Such as viewed but not bought: an activity with a product, and no order of that product at or after it."""

    key = "did_not_buy"
    label = _("Viewed or carted but not bought")
    group = GROUP
    form_class = NotBoughtForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        activities = Activity.objects.filter(about(args), kind=args["kind"], **within("occurred_at", args, now))
        after = OrderLine.objects.filter(
            product=OuterRef("product"),
            order__customer=OuterRef("customer"),
            order__state__in=Order.BOUGHT,
            order__placed_at__gte=OuterRef("occurred_at"),
        )
        return any_of(activities.filter(~Exists(after)))

    @classmethod
    def sentence(cls, args):
        words = {"kind": kind_label(args["kind"]), "things": things(args), "when": phrases.when(args)}
        return gettext("did “%(kind)s” with %(things)s%(when)s and has not bought it since") % words


class AbandonedForm(Arguments):
    hours = forms.IntegerField(
        label=_("untouched for hours"), min_value=0, max_value=FAR * 24, initial=4, help_text=_("So long at least.")
    )
    days = forms.IntegerField(label=_("begun in the last days"), min_value=1, max_value=FAR, initial=7)


@conditions.register
class CartAbandoned(Condition):
    """Her last touch of a basket lies in the window, and no order was placed at or after it."""

    key = "cart_abandoned"
    label = _("Abandoned a cart")
    group = GROUP
    form_class = AbandonedForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        quiet_since = now - dt.timedelta(hours=args["hours"])
        touches = Activity.objects.filter(kind__in=CART_KINDS)
        recent = touches.filter(occurred_at__gte=now - dt.timedelta(days=args["days"]), occurred_at__lte=quiet_since)
        later = bought().filter(customer=OuterRef("customer"), placed_at__gte=OuterRef("occurred_at"))
        return any_of(recent.filter(~Exists(later))) & ~any_of(touches.filter(occurred_at__gt=quiet_since))

    @classmethod
    def sentence(cls, args):
        words = {"hours": phrases.plain(args["hours"]), "days": phrases.plain(args["days"])}
        pattern = ngettext(
            "left a cart in the last day, untouched for %(hours)s hours, and has not ordered since",
            "left a cart in the last %(days)s days, untouched for %(hours)s hours, and has not ordered since",
            args["days"],
        )
        return pattern % words
