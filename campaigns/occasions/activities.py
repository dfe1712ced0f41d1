"""Occasions of what customers do: any activity, so long after it, and how often a product was looked at."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.occasions.base import (
    ACTIVITIES,
    BOUGHT,
    PRODUCT,
    YEARS,
    OffsetForm,
    offset_sql,
    offset_text,
    only_products,
    things,
)
from campaigns.occasions.fields import CategoryField, ProductField, kind_field
from retention.customers.models import ActivityKind
from retention.registries import Occasion, occasions

GROUP = _("What customers do")


def kind_label(key: str) -> str:
    return ActivityKind.objects.filter(key=key).values_list("label", flat=True).first() or key


class WhichActivity(forms.Form):
    """An activity of one kind, with one product or property where these are named."""

    kind = kind_field()
    product = ProductField(help_text=_("SKU; empty: with any, or with none."))
    category = CategoryField()
    property = forms.CharField(
        label=_("property"), max_length=60, required=False, help_text=_("Empty: whatever its properties.")
    )
    value = forms.CharField(label=_("is"), max_length=200, required=False)

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("value") and not cleaned.get("property"):
            self.add_error("property", forms.ValidationError(_("Name the property."), code="required"))
        return cleaned


def which_activity(args) -> tuple[str, list]:
    """`… AND …` over the activity `a` and its product `p`."""
    only, params = only_products(args)
    text = "a.kind = %s" + only
    params = [args["kind"], *params]
    if args["property"]:
        text += " AND a.properties ->> %s = %s" if args["value"] else " AND a.properties ->> %s IS NOT NULL"
        params += [args["property"], *([args["value"]] if args["value"] else [])]
    return text, params


def activity_text(args) -> str:
    words = _t("“%(kind)s” happened") % {"kind": kind_label(args["kind"])}
    if args["product"] or args["category"]:
        words = _t("“%(kind)s” happened with %(things)s") % {
            "kind": kind_label(args["kind"]), "things": things(args, "")}  # fmt: skip
    if args["property"] and args["value"]:
        words += _t(" where “%(property)s” is %(value)s") % {"property": args["property"], "value": args["value"]}
    elif args["property"]:
        words += _t(" where “%(property)s” is told") % {"property": args["property"]}
    return words


class AfterActivityForm(OffsetForm, WhichActivity):
    pass


@occasions.register
class AfterActivity(Occasion):
    """Key: the activity, and the number of years where it comes every year; 0 hours is as it happens."""

    key = "activity"
    label = _("Any activity, or so long after it")
    group = GROUP
    is_foreseeable = False
    facts = (ACTIVITIES,)
    form_class = AfterActivityForm

    @classmethod
    def sentence(cls, args):
        return offset_text(args, activity_text(args))

    @classmethod
    def due_sql(cls, args, window):
        if (offset := offset_sql(args, window, "a.occurred_at", "customers_activity a")) is None:
            return None
        rows, row_params, due_at = offset
        which, params = which_activity(args)
        sql = f"""
            SELECT c.id AS customer_id, 'activity:' || a.id || {YEARS} AS occasion, {due_at} AS due_at,
                   NULL::bigint AS grant_id,
                   jsonb_strip_nulls({PRODUCT} || jsonb_build_object(
                       'years', nullif(v.key, '')::int, 'restore_url', a.properties ->> 'restore_url')) AS about
            FROM customers_activity a JOIN customers_customer c ON c.id = a.customer_id
            LEFT JOIN customers_product p ON p.id = a.product_id
            JOIN {rows} WHERE {which}
        """  # noqa: S608
        return sql, [*row_params, *params]


class NthViewForm(forms.Form):
    number = forms.IntegerField(label=_("views"), min_value=2, max_value=100, initial=3)
    days = forms.IntegerField(label=_("within days"), min_value=1, max_value=365, initial=30)
    product = ProductField(help_text=_("SKU; empty: of any product."))
    category = CategoryField()


@occasions.register
class NthView(Occasion):
    """Key: the product; she is told of each once. Whoever has bought it by then is not."""

    key = "nth_view"
    label = _("Looked at a product so often")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (ACTIVITIES,)
    form_class = NthViewForm
    settled = "campaigns.bought_it"
    settled_sentence = _("she bought it before it left")
    settled_sql = f"""
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND EXISTS (
            SELECT FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
            WHERE o.customer_id = t.customer_id AND o.state IN {BOUGHT} AND o.placed_at > t.due_at
              AND l.product_id = split_part(t.occasion, ':', 2)::bigint)
    """  # noqa: S608

    @classmethod
    def sentence(cls, args):
        return _t("on her %(number)s. view of %(what)s within %(days)s days") % {
            "number": args["number"], "days": args["days"],
            "what": things(args, _("one and the same product"))}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        only, params = only_products(args)
        sql = f"""
            SELECT DISTINCT ON (a.customer_id, a.product_id) a.customer_id, 'views:' || a.product_id AS occasion,
                   a.occurred_at AS due_at, NULL::bigint AS grant_id, {PRODUCT} AS about
            FROM customers_activity a JOIN customers_product p ON p.id = a.product_id
            WHERE a.kind = 'viewed_product' AND a.occurred_at >= %s AND a.occurred_at < %s {only}
              AND (SELECT count(*) FROM customers_activity b WHERE b.customer_id = a.customer_id AND b.kind = a.kind
                   AND b.product_id = a.product_id AND b.occurred_at > a.occurred_at - make_interval(days => %s)
                   AND (b.occurred_at, b.id) <= (a.occurred_at, a.id)) >= %s
            ORDER BY a.customer_id, a.product_id, a.occurred_at, a.id
        """  # noqa: S608
        return sql, [window.since, window.until, *params, args["days"], args["number"]]
