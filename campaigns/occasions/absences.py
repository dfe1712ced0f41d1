"""Occasions of what did not follow: a cart without an order, a look without a cart, a trial without a purchase."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.occasions.activities import kind_label
from campaigns.occasions.base import ACTIVITIES, ORDERS, PRODUCT, long_words, only_products, things
from campaigns.occasions.fields import CategoryField, ProductField, kind_field
from campaigns.offsets import Unit
from retention.registries import Occasion, occasions

GROUP = _("Begun and left")
#: An order that was placed is one, paid or not.
_ORDERED = "o.state <> 'cancelled'"


class WithinForm(forms.Form):
    number = forms.IntegerField(label=_("how long to wait"), min_value=1, max_value=3650)
    unit = forms.ChoiceField(label=_("of what"), choices=[(Unit.HOURS.value, _("hours")), (Unit.DAYS.value, _("days"))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name not in ("number", "unit")), "number", "unit"])


def _form(number: int, unit: Unit, *bases: type[forms.Form]) -> type[forms.Form]:
    """Asks how long to wait, and offers this much."""
    form = type("Form", (*bases, WithinForm), {})
    form.base_fields["number"].initial, form.base_fields["unit"].initial = number, unit.value
    return form


class _Absence(Occasion):
    """She did one thing, and within some time none of those that should follow, nor the first one again.

    Key: the last of what she did, so that a new visit that is left again is a new occasion.
    """

    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (ACTIVITIES, ORDERS)
    settled = "campaigns.followed_up"
    settled_sentence = _("she went on by herself before it left")
    #: Kinds of activity that it begins with; those that settle it; whether an order does.
    begins: ClassVar[tuple[str, ...]] = ()
    follows: ClassVar[tuple[str, ...]] = ()
    has_order: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        kinds = ", ".join(f"'{kind}'" for kind in cls.follows)
        followed = [
            f"EXISTS (SELECT FROM customers_activity b WHERE b.customer_id = t.customer_id AND b.kind IN ({kinds})"  # noqa: S608
            " AND b.occurred_at > a.occurred_at)"
        ] * bool(kinds) + [
            f"EXISTS (SELECT FROM customers_order o WHERE o.customer_id = t.customer_id AND {_ORDERED}"  # noqa: S608
            " AND o.placed_at > a.occurred_at)"
        ] * cls.has_order
        cls.settled_sql = f"""
            SELECT t.id FROM campaigns_touch t
            JOIN customers_activity a ON a.id = split_part(t.occasion, ':', 2)::bigint
            WHERE t.id = ANY(%(touches)s) AND ({" OR ".join(followed)})
        """  # noqa: S608

    @classmethod
    def due_sql(cls, args, window):
        return cls.left_sql(args, window, cls.begins, cls.follows, cls.has_order)

    @staticmethod
    def left_sql(args, window, begins: tuple[str, ...], follows: tuple[str, ...], has_order: bool):
        long = dt.timedelta(**{args["unit"]: args["number"]})
        only, params = only_products(args)
        no_order = (
            f" AND NOT EXISTS (SELECT FROM customers_order o WHERE o.customer_id = a.customer_id AND {_ORDERED}"  # noqa: S608
            " AND o.placed_at > a.occurred_at AND o.placed_at <= a.occurred_at + %s)"
        )
        sql = f"""
            SELECT a.customer_id, 'activity:' || a.id AS occasion, a.occurred_at + %s AS due_at,
                   NULL::bigint AS grant_id,
                   jsonb_strip_nulls({PRODUCT} || jsonb_build_object('restore_url', a.properties ->> 'restore_url'))
                   AS about
            FROM customers_activity a LEFT JOIN customers_product p ON p.id = a.product_id
            WHERE a.kind = ANY(%s) AND a.customer_id IS NOT NULL AND a.occurred_at >= %s AND a.occurred_at < %s {only}
              AND NOT EXISTS (
                SELECT FROM customers_activity b WHERE b.customer_id = a.customer_id
                AND b.occurred_at <= a.occurred_at + %s
                AND (b.kind = ANY(%s) AND b.occurred_at > a.occurred_at
                     OR b.kind = ANY(%s) AND (b.occurred_at, b.id) > (a.occurred_at, a.id)))
              {no_order if has_order else ""}
        """  # noqa: S608
        bounds = [long, list(begins), window.since - long, window.until - long]
        return sql, [*bounds, *params, long, list(follows), list(begins), *([long] if has_order else [])]


@occasions.register
class CartAbandoned(_Absence):
    key = "cart_abandoned"
    label = _("Left at the checkout")
    begins = ("checkout_started",)
    form_class = _form(3, Unit.HOURS)

    @classmethod
    def sentence(cls, args):
        return _t("%(long)s after she began a checkout and did not order") % {
            "long": long_words(args["number"], args["unit"])}  # fmt: skip


@occasions.register
class CartLeft(_Absence):
    """Carted and left before the checkout page: "email my cart"."""

    key = "cart_left"
    label = _("Filled a cart and left")
    begins = ("added_to_cart", "cart_updated")
    follows = ("checkout_started",)
    form_class = _form(1, Unit.DAYS)

    @classmethod
    def sentence(cls, args):
        return _t("%(long)s after she filled her cart and came to no checkout") % {
            "long": long_words(args["number"], args["unit"])}  # fmt: skip


class _WithProduct(forms.Form):
    product = ProductField(help_text=_("SKU; empty: any."))
    category = CategoryField()


@occasions.register
class Browsed(_Absence):
    key = "browsed"
    label = _("Looked around and left")
    begins = ("viewed_product",)
    follows = ("added_to_cart", "cart_updated", "checkout_started")
    form_class = _form(1, Unit.DAYS, _WithProduct)

    @classmethod
    def sentence(cls, args):
        return _t("%(long)s after she looked at %(what)s and carted nothing") % {
            "long": long_words(args["number"], args["unit"]), "what": things(args, _("products"))}  # fmt: skip


@occasions.register
class TrialEnded(_Absence):
    key = "trial_ended"
    label = _("Trial that led to nothing")
    begins = ("trial_ended",)
    follows = ("subscription_renewed",)
    form_class = _form(1, Unit.DAYS)

    @classmethod
    def sentence(cls, args):
        return _t("%(long)s after her trial ended without a purchase") % {
            "long": long_words(args["number"], args["unit"])}  # fmt: skip


class _TwoKinds(forms.Form):
    kind = kind_field(label=_("did this"))
    never = kind_field(label=_("but never that"))


@occasions.register
class UsedNever(Occasion):
    """She does one thing and never another. Key: the two, so that she is told once."""

    key = "used_never"
    label = _("Uses one thing, never another")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (ACTIVITIES,)
    form_class = _form(7, Unit.DAYS, _TwoKinds)
    settled = "campaigns.followed_up"
    settled_sentence = _Absence.settled_sentence
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND EXISTS (
            SELECT FROM customers_activity b WHERE b.customer_id = t.customer_id
            AND b.kind = split_part(t.occasion, ':', 3))
    """

    @classmethod
    def sentence(cls, args):
        return _t("%(long)s after she first did “%(kind)s” without ever doing “%(never)s”") % {
            "long": long_words(args["number"], args["unit"]), "kind": kind_label(args["kind"]),
            "never": kind_label(args["never"])}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        long = dt.timedelta(**{args["unit"]: args["number"]})
        sql = """
            SELECT a.customer_id, %s AS occasion, a.occurred_at + %s AS due_at, NULL::bigint AS grant_id,
                   '{}'::jsonb AS about
            FROM customers_activity a
            WHERE a.kind = %s AND a.customer_id IS NOT NULL AND a.occurred_at >= %s AND a.occurred_at < %s
              AND NOT EXISTS (SELECT FROM customers_activity b WHERE b.customer_id = a.customer_id
                  AND (b.kind = %s AND b.occurred_at <= a.occurred_at + %s
                       OR b.kind = a.kind AND (b.occurred_at, b.id) < (a.occurred_at, a.id)))
        """
        kind, never = args["kind"], args["never"]
        bounds = [kind, window.since - long, window.until - long]
        return sql, [f"never:{kind}:{never}"[:120], long, *bounds, never, long]


class _DidNotForm(forms.Form):
    kind = kind_field(label=_("did this"))
    product = ProductField(help_text=_("SKU; empty: any."))
    category = CategoryField()
    instead = kind_field(label=_("but not that"), required=False, help_text=_("Empty: no order."))


@occasions.register
class DidNot(_Absence):
    """Any activity that another one, or an order, should follow; which one, is read from the plan that ran."""

    key = "did_not"
    label = _("Did one thing, and not the next in time")
    form_class = _form(1, Unit.DAYS, _DidNotForm)

    @classmethod
    def sentence(cls, args):
        words = {"long": long_words(args["number"], args["unit"]), "kind": kind_label(args["kind"])}
        words["what"] = kind_label(args["instead"]) if args["instead"] else _t("an order")
        return _t("%(long)s after “%(kind)s” without “%(what)s”") % words

    @classmethod
    def due_sql(cls, args, window):
        follows = (args["instead"],) if args["instead"] else ()
        return cls.left_sql(args, window, (args["kind"],), follows, not follows)


DidNot.settled_sql = f"""
    SELECT t.id FROM campaigns_touch t JOIN audit_version v ON v.id = t.version_id
    JOIN customers_activity a ON a.id = split_part(t.occasion, ':', 2)::bigint
    CROSS JOIN LATERAL (SELECT coalesce(v.data -> 'occasion_args' ->> 'instead', '') AS kind) instead
    WHERE t.id = ANY(%(touches)s) AND CASE WHEN instead.kind = ''
        THEN EXISTS (SELECT FROM customers_order o WHERE o.customer_id = t.customer_id AND {_ORDERED}
                     AND o.placed_at > a.occurred_at)
        ELSE EXISTS (SELECT FROM customers_activity b WHERE b.customer_id = t.customer_id AND b.kind = instead.kind
                     AND b.occurred_at > a.occurred_at) END
"""  # noqa: S608
