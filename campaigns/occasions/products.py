"""Occasions of the catalogue: something new, something cheaper, something that is there again."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import local_days
from campaigns.occasions.base import (
    BOUGHT,
    DAYS,
    PRODUCT,
    ZONE,
    HourForm,
    days_as_json,
    facts_in,
    hour_text,
    known_zones,
    only_products,
    things,
)
from campaigns.occasions.fields import CategoryField, ProductField
from retention.registries import Occasion, occasions

GROUP = _("Products")
#: How she showed that she wants a product → kinds of activity.
_INTERESTS = {
    "wished": (_("put it on her wish list"), ("added_to_wishlist",)),
    "carted": (_("wished for it or carted it"), ("added_to_wishlist", "added_to_cart")),
    "viewed": (
        _("wished for it, carted it or looked at it"),
        ("added_to_wishlist", "added_to_cart", "viewed_product"),
    ),
    "bought": (_("bought it before"), ()),
}


@occasions.register
class NewProduct(Occasion):
    """Key: the first of the products that came on that day; one message tells of all."""

    key = "new_product"
    label = _("New product")
    group = GROUP
    facts = (
        "SELECT id FROM customers_customer WHERE EXISTS (SELECT FROM customers_product p"
        " WHERE p.xid >= %s::text::xid8 AND p.xid < %s::text::xid8)",
    )

    class form_class(HourForm):
        category = CategoryField()
        tag = forms.CharField(label=_("tag"), max_length=60, required=False, help_text=_("Empty: whatever its tags."))
        field_order = ["category", "tag", "hour"]

    @classmethod
    def sentence(cls, args):
        what = things(args, _("a product"))
        if args["tag"]:
            what += _t(" tagged “%(tag)s”") % {"tag": args["tag"]}
        return _t("on the day on which %(what)s is new, at %(hour)s her time") % {
            "what": what, "hour": hour_text(args)}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        rows = [(local, 0, 0, "") for local in local_days(args["hour"], window)]
        if not rows:
            return None
        only, params = only_products(args)
        if args["tag"]:
            only, params = f"{only} AND p.tags @> ARRAY[%s]::varchar[]", [*params, args["tag"]]
        sql = f"""
            SELECT c.id AS customer_id, 'new:' || p.first_id AS occasion, min(v.due_at) AS due_at,
                   NULL::bigint AS grant_id, (array_agg(p.about))[1] AS about
            FROM {DAYS}
            JOIN (
                SELECT p.launched_on, min(p.id) AS first_id, (array_agg({PRODUCT} ORDER BY p.id))[1]
                       || jsonb_build_object('products', jsonb_agg(p.name ORDER BY p.id)) AS about
                FROM customers_product p WHERE p.archived_at IS NULL AND p.launched_on IS NOT NULL {only}
                GROUP BY p.launched_on
            ) p ON p.launched_on = v.day
            JOIN customers_customer c ON {ZONE} = ANY(v.zones)
            GROUP BY c.id, p.first_id
        """  # noqa: S608
        return sql, [days_as_json(rows), *params, known_zones()]


class WantedForm(forms.Form):
    product = ProductField(help_text=_("SKU; empty: any."))
    category = CategoryField()
    interest = forms.ChoiceField(
        label=_("of those who"), choices=[(key, words) for key, (words, _kinds) in _INTERESTS.items()], initial="viewed"
    )
    days = forms.IntegerField(label=_("within days before"), min_value=1, max_value=3650, initial=90)


#: Who wants the product of a fact `f` (its table): by what she did, or by her orders.
_WANTED = """
    SELECT DISTINCT a.customer_id, f.id AS fact_id FROM {table} f JOIN customers_activity a
        ON a.product_id = f.product_id AND a.kind = ANY(%s)
        AND a.occurred_at <= f.at AND a.occurred_at > f.at - make_interval(days => %s)
    WHERE f.at >= %s AND f.at < %s AND a.customer_id IS NOT NULL
"""
_HAD = f"""
    SELECT DISTINCT o.customer_id, f.id AS fact_id FROM {{table}} f
    JOIN customers_orderline l ON l.product_id = f.product_id
    JOIN customers_order o ON o.id = l.order_id AND o.state IN {BOUGHT}
        AND o.placed_at <= f.at AND o.placed_at > f.at - make_interval(days => %s)
    WHERE f.at >= %s AND f.at < %s AND o.customer_id IS NOT NULL
"""  # noqa: S608


class _Wanted(Occasion):
    """Something happened to a product that she wants. Key: that fact. Whoever bought it since she did is not meant."""

    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    form_class = WantedForm
    table = ""

    @classmethod
    def more(cls, args) -> tuple[str, list]:
        return "", []

    @classmethod
    def due_sql(cls, args, window):
        kinds = _INTERESTS[args["interest"]][1]
        wanted = (_WANTED if kinds else _HAD).format(table=cls.table)
        bounds = [*([list(kinds)] if kinds else []), args["days"], window.since, window.until]
        only, params = only_products(args)
        more, more_params = cls.more(args)
        # Whoever has it already wants no other; whoever buys it again and again is asked for by that.
        not_bought = f"""
            AND NOT EXISTS (SELECT FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
                WHERE o.customer_id = w.customer_id AND l.product_id = p.id AND o.state IN {BOUGHT}
                  AND o.placed_at > f.at - make_interval(days => %s))
        """  # noqa: S608
        sql = f"""
            SELECT w.customer_id, '{cls.key}:' || f.id AS occasion, f.at AS due_at, NULL::bigint AS grant_id,
                   {PRODUCT} AS about
            FROM ({wanted}) w JOIN {cls.table} f ON f.id = w.fact_id JOIN customers_product p ON p.id = f.product_id
            WHERE p.archived_at IS NULL {only} {more} {not_bought if kinds else ""}
        """  # noqa: S608
        return sql, [*bounds, *params, *more_params, *([args["days"]] if kinds else [])]


def _facts(table: str) -> tuple[str, ...]:
    """Those who want a product to which something happened between two marks, and those who began to want one."""
    between = "f.xid >= %s::text::xid8 AND f.xid < %s::text::xid8"
    return (
        f"SELECT a.customer_id FROM {table} f JOIN customers_activity a ON a.product_id = f.product_id WHERE {between}",  # noqa: S608
        f"SELECT o.customer_id FROM {table} f JOIN customers_orderline l ON l.product_id = f.product_id"  # noqa: S608
        f" JOIN customers_order o ON o.id = l.order_id WHERE {between}",
        facts_in("customers_activity"),
    )


_STILL = """
    SELECT t.id FROM campaigns_touch t JOIN {table} f ON f.id = split_part(t.occasion, ':', 2)::bigint
    JOIN customers_product p ON p.id = f.product_id LEFT JOIN recommendations_availability s ON s.product_id = p.id
    WHERE t.id = ANY(%(touches)s) AND ({gone} OR EXISTS (
        SELECT FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
        WHERE o.customer_id = t.customer_id AND l.product_id = p.id AND o.state IN {bought} AND o.placed_at > f.at))
"""


@occasions.register
class PriceDropped(_Wanted):
    key = "price_drop"
    label = _("A product that she wants costs less")
    table = "recommendations_pricedrop"
    facts = _facts("recommendations_pricedrop")
    settled = "campaigns.no_longer_cheaper"
    settled_sentence = _("the price rose again, or she bought it, before it left")
    settled_sql = _STILL.format(table=table, bought=BOUGHT, gone="p.price_minor > f.after_minor")

    class form_class(WantedForm):
        percent = forms.IntegerField(label=_("by at least percent"), min_value=1, max_value=100, initial=5)

    @classmethod
    def more(cls, args):
        return " AND f.after_minor * 100 <= f.before_minor * (100 - %s)", [args["percent"]]

    @classmethod
    def sentence(cls, args):
        return _t("as soon as %(what)s costs at least %(percent)s %% less, to those who %(who)s") % {
            "what": things(args, _("a product")), "percent": args["percent"],
            "who": _INTERESTS[args["interest"]][0]}  # fmt: skip


@occasions.register
class BackInStock(_Wanted):
    key = "back_in_stock"
    label = _("A product that she wants is there again")
    table = "recommendations_restock"
    facts = _facts("recommendations_restock")
    settled = "campaigns.sold_out_again"
    settled_sentence = _("it was sold out again, or she bought it, before it left")
    settled_sql = _STILL.format(table=table, bought=BOUGHT, gone="NOT s.is_in_stock")

    @classmethod
    def sentence(cls, args):
        return _t("as soon as %(what)s is in stock again, to those who %(who)s") % {
            "what": things(args, _("a product")), "who": _INTERESTS[args["interest"]][0]}  # fmt: skip
