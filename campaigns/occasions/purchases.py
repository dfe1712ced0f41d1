"""Occasions of orders: so long after a purchase, the nth one, a product that is used up, any state, what came back."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import DAY, local_days, spans
from campaigns.occasions.base import (
    BOUGHT,
    ORDERS,
    PRODUCT,
    SPANS,
    YEARS,
    ZONE,
    HourForm,
    OffsetForm,
    as_json,
    hour_text,
    known_zones,
    offset_sql,
    offset_text,
    only_products,
    things,
)
from campaigns.occasions.fields import CategoryField, ProductField
from retention.registries import Occasion, occasions

GROUP = _("Purchases")
#: From when on → its column.
_SINCE = {"placed": "o.placed_at", "paid": "coalesce(o.paid_at, o.placed_at)", "fulfilled": "o.fulfilled_at"}


class AfterPurchaseForm(OffsetForm):
    product = ProductField(help_text=_("SKU; empty: anything."))
    category = CategoryField()
    since = forms.ChoiceField(
        label=_("counted from"),
        choices=[("placed", _("the order")), ("paid", _("its payment")), ("fulfilled", _("its delivery"))],
        initial="placed",
        required=False,
    )
    has_guide = forms.BooleanField(label=_("only what has a guide"), required=False)

    def clean_since(self) -> str:
        return self.cleaned_data["since"] or "placed"


@occasions.register
class AfterPurchase(Occasion):
    """ "Half a year in the shoes". Key: the order, and the number of years where it comes every year."""

    key = "after_purchase"
    label = _("So long after a purchase")
    group = GROUP
    is_foreseeable = False
    facts = (ORDERS,)
    form_class = AfterPurchaseForm
    settled = "campaigns.sent_back"
    settled_sentence = _("it came back, or the order was cancelled, before it left")
    settled_sql = f"""
        SELECT t.id FROM campaigns_touch t JOIN customers_order o ON o.id = split_part(t.occasion, ':', 2)::bigint
        WHERE t.id = ANY(%(touches)s) AND (o.state NOT IN {BOUGHT} OR NOT EXISTS (
            SELECT FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id
            WHERE l.order_id = o.id AND l.returned_quantity < l.quantity
              AND coalesce(t.about ->> 'sku', p.sku) = p.sku))
    """  # noqa: S608

    @classmethod
    def sentence(cls, args):
        what = things(args, _("something that has a guide") if args["has_guide"] else _("something"))
        words = {
            "placed": _t("she bought %(what)s"),
            "paid": _t("she paid for %(what)s"),
            "fulfilled": _t("%(what)s was delivered"),
        }
        return offset_text(args, words[args["since"]] % {"what": what})

    @classmethod
    def due_sql(cls, args, window):
        if (offset := offset_sql(args, window, _SINCE[args["since"]], "customers_order o")) is None:
            return None
        rows, row_params, due_at = offset
        only, params = only_products(args)
        if args["has_guide"]:
            only += " AND p.how_to_url <> ''"
        # The dearest of what she kept speaks for the order.
        sql = f"""
            SELECT c.id AS customer_id, 'order:' || o.id || {YEARS} AS occasion, {due_at} AS due_at,
                   NULL::bigint AS grant_id,
                   jsonb_strip_nulls(p.about || jsonb_build_object('years', nullif(v.key, '')::int)) AS about
            FROM customers_order o JOIN customers_customer c ON c.id = o.customer_id
            JOIN {rows}
            CROSS JOIN LATERAL (
                SELECT {PRODUCT} AS about FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id
                WHERE l.order_id = o.id AND l.returned_quantity < l.quantity {only}
                ORDER BY l.unit_price_minor DESC, l.position LIMIT 1) p
            WHERE o.state IN {BOUGHT}
        """  # noqa: S608
        return sql, [*row_params, *params]


class NthOrderForm(forms.Form):
    number = forms.IntegerField(label=_("which one"), min_value=1, max_value=1000, initial=2)
    again = forms.BooleanField(label=_("and every so many after it"), required=False)


#: Orders `o` of everybody, and of one customer, with which of hers each is: `n.number`.
_COUNTED = f"""
    customers_order o CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM customers_order b WHERE b.customer_id = o.customer_id
        AND b.state IN {BOUGHT} AND (b.placed_at, b.id) <= (o.placed_at, o.id)) n
"""  # noqa: S608
_NUMBERED = f"""
    (SELECT *, row_number() OVER (ORDER BY placed_at, id) AS number FROM customers_order
     WHERE customer_id = %s AND state IN {BOUGHT}) o CROSS JOIN LATERAL (SELECT o.number) n
"""  # noqa: S608


@occasions.register
class NthOrder(Occasion):
    """Key: the count, so that an order that takes the place of a cancelled one brings no second one."""

    key = "nth_order"
    label = _("The nth order")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (ORDERS,)
    form_class = NthOrderForm

    @classmethod
    def sentence(cls, args):
        if args["again"]:
            return _t("on every %(number)s. order") % {"number": args["number"]}
        return _t("on her %(number)s. order") % {"number": args["number"]}

    @classmethod
    def due_sql(cls, args, window):
        numbered, params = _COUNTED, []
        if window.customer_id is not None:
            # All of hers are numbered in one go: to count for each of thousands those before it takes a second.
            numbered, params = _NUMBERED, [window.customer_id]
        sql = f"""
            SELECT o.customer_id, 'orders:' || n.number AS occasion, o.placed_at AS due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('number', n.number) AS about
            FROM {numbered}
            WHERE o.state IN {BOUGHT} AND o.placed_at >= %s AND o.placed_at < %s AND o.customer_id IS NOT NULL
              AND {"n.number %% %s = 0" if args["again"] else "n.number = %s"}
        """  # noqa: S608
        return sql, [*params, window.since, window.until, args["number"]]


class DueAgainForm(HourForm):
    product = ProductField(help_text=_("SKU; empty: of all that have an interval."))
    category = CategoryField()
    by = forms.ChoiceField(
        label=_("by"),
        choices=[("product", _("the product's interval")), ("customer", _("her own rhythm, where she has one"))],
        initial="customer",
        required=False,
    )
    days_before = forms.IntegerField(label=_("days before"), min_value=0, max_value=60, initial=3, required=False)
    field_order = ["product", "category", "by", "days_before", "hour"]

    def clean_by(self) -> str:
        return self.cleaned_data["by"] or "customer"

    def clean_days_before(self) -> int:
        return self.cleaned_data["days_before"] or 0


#: Her last order of a product, and how long one lasts her: from three orders on their mean distance, else the interval.
_RHYTHM = f"""
    SELECT o.placed_at FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
    WHERE o.customer_id = c.id AND l.product_id = p.id AND o.state IN {BOUGHT} AND l.returned_quantity < l.quantity
"""  # noqa: S608


@occasions.register
class DueAgain(Occasion):
    """A product that is used up by now. Key: the product and her last order of it."""

    key = "due_again"
    label = _("Product due again")
    group = GROUP
    facts = (ORDERS,)
    form_class = DueAgainForm
    settled = "campaigns.bought_again"
    settled_sentence = _("she bought it again before it left")
    settled_sql = f"""
        SELECT t.id FROM campaigns_touch t
        JOIN customers_order last ON last.id = split_part(t.occasion, ':', 3)::bigint
        WHERE t.id = ANY(%(touches)s) AND EXISTS (
            SELECT FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
            WHERE o.customer_id = t.customer_id AND o.state IN {BOUGHT}
              AND l.product_id = split_part(t.occasion, ':', 2)::bigint AND o.placed_at > last.placed_at)
    """  # noqa: S608

    @classmethod
    def sentence(cls, args):
        words = {"what": things(args, _("a product")), "days": args["days_before"], "hour": hour_text(args)}
        if args["days_before"]:
            return _t("%(days)s days before %(what)s is used up, at %(hour)s her time") % words
        return _t("when %(what)s is used up, at %(hour)s her time") % words

    @classmethod
    def due_sql(cls, args, window):
        # Stretches of days lie side by side, so that each instant falls into exactly one.
        ahead = DAY * args["days_before"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day + ahead, "")])
        if (found := as_json(rows)) == "[]":
            return None
        only, params = only_products(args)
        lasts = "make_interval(secs => p.replenish_days * 86400.0)"
        if args["by"] == "customer":
            lasts = f"coalesce(hers.lasts, {lasts})"
        sql = f"""
            SELECT c.id AS customer_id, 'again:' || p.id || ':' || min(o.id) AS occasion, min(v.due_at) AS due_at,
                   NULL::bigint AS grant_id, {PRODUCT} AS about
            FROM customers_product p
            JOIN customers_orderline l ON l.product_id = p.id AND l.returned_quantity < l.quantity
            JOIN customers_order o ON o.id = l.order_id AND o.state IN {BOUGHT}
            JOIN customers_customer c ON c.id = o.customer_id
            CROSS JOIN LATERAL (
                SELECT max(r.placed_at) AS last_at, CASE WHEN count(*) > 2
                       THEN (max(r.placed_at) - min(r.placed_at)) / (count(*) - 1) END AS lasts
                FROM (SELECT DISTINCT placed_at FROM ({_RHYTHM}) each) r) hers
            JOIN {SPANS} ON o.placed_at + {lasts} >= v.from_at AND o.placed_at + {lasts} < v.until_at
                 AND {ZONE} = ANY(v.zones)
            WHERE p.replenish_days IS NOT NULL AND p.archived_at IS NULL AND o.placed_at = hers.last_at {only}
            GROUP BY c.id, p.id
        """  # noqa: S608
        return sql, [found, known_zones(), *params]


_STATES = {
    "placed": ("o.placed_at", _("placed")),
    "paid": ("o.paid_at", _("paid")),
    "fulfilled": ("o.fulfilled_at", _("delivered")),
    "cancelled": ("o.cancelled_at", _("cancelled")),
}


class OrderStateForm(forms.Form):
    state = forms.ChoiceField(label=_("is"), choices=[(key, words) for key, (_column, words) in _STATES.items()])


@occasions.register
class OrderState(Occasion):
    """Key: the order and the state."""

    key = "order_state"
    label = _("An order was placed, paid, delivered or cancelled")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (ORDERS,)
    form_class = OrderStateForm

    @classmethod
    def sentence(cls, args):
        return _t("as soon as an order is %(state)s") % {"state": _STATES[args["state"]][1]}

    @classmethod
    def due_sql(cls, args, window):
        at = _STATES[args["state"]][0]
        # A cancelled order is only that; what was paid or delivered stays so when some of it comes back.
        holds = "o.state = 'cancelled'" if args["state"] == "cancelled" else "o.state <> 'cancelled'"
        sql = f"""
            SELECT o.customer_id, 'order:' || o.id || ':{args["state"]}' AS occasion, {at} AS due_at,
                   NULL::bigint AS grant_id, jsonb_build_object('order', o.reference) AS about
            FROM customers_order o
            WHERE {at} >= %s AND {at} < %s AND {holds} AND o.customer_id IS NOT NULL
        """  # noqa: S608
        return sql, [window.since, window.until]


class ReturnedForm(forms.Form):
    reason = forms.CharField(
        label=_("reason"), max_length=60, required=False, help_text=_("As the shop tells it, such as faulty; any.")
    )
    product = ProductField(help_text=_("SKU; empty: anything."))
    category = CategoryField()


@occasions.register
class Returned(Occasion):
    """Key: the return."""

    key = "returned"
    label = _("Something was returned")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (ORDERS,)
    form_class = ReturnedForm

    @classmethod
    def sentence(cls, args):
        words = {"what": things(args, _("something")), "reason": args["reason"]}
        if args["reason"]:
            return _t("as soon as %(what)s is returned as “%(reason)s”") % words
        return _t("as soon as %(what)s is returned") % words

    @classmethod
    def due_sql(cls, args, window):
        only, params = only_products(args)
        reason = "AND lower(r.reason) = lower(%s)" if args["reason"] else ""
        which = f"""
            AND EXISTS (SELECT FROM customers_returnline n JOIN customers_orderline l ON l.id = n.line_id
                        JOIN customers_product p ON p.id = l.product_id WHERE n.of_id = r.id {only})
        """  # noqa: S608
        sql = f"""
            SELECT o.customer_id, 'return:' || r.id AS occasion, r.occurred_at AS due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('order', o.reference, 'reason', r.reason) AS about
            FROM customers_return r JOIN customers_order o ON o.id = r.order_id
            WHERE r.occurred_at >= %s AND r.occurred_at < %s AND o.customer_id IS NOT NULL {reason}
            {which if only else ""}
        """  # noqa: S608
        reasons = [args["reason"]] if args["reason"] else []
        return sql, [window.since, window.until, *reasons, *params]
