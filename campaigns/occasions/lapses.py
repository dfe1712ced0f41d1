"""Occasions of silence and of coupons: nothing ordered for so long, a coupon unused or about to expire."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import DAY, local_days, spans
from campaigns.occasions.base import SPANS, ZONE, HourForm, as_json, hour_text, known_zones
from retention.customers.models import Order
from retention.registries import Occasion, occasions


@occasions.register
class DaysSinceLastOrder(Occasion):
    """Key: her last order, so that a new lapse is a new occasion and editing an order's date is none."""

    key = "days_since_last_order"
    settled = "campaigns.ordered_since"
    settled_sentence = _("she ordered before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t
        JOIN customers_order o ON o.id = split_part(t.occasion, ':', 2)::bigint
        JOIN customers_customerstats s ON s.customer_id = t.customer_id
        WHERE t.id = ANY(%(touches)s) AND s.last_order_at > o.placed_at
    """
    label = _("Days since the last order")
    group = _("Silence")

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days"), min_value=1, max_value=3650, initial=180)
        already_days = forms.IntegerField(
            label=_("also those silent already, up to days"),
            min_value=0,
            max_value=3650,
            initial=0,
            required=False,
            help_text=_("0: only those who become silent after the launch. Else they are touched at the launch."),
        )
        field_order = ["days", "hour", "already_days"]

        def clean_already_days(self) -> int:
            return self.cleaned_data["already_days"] or 0

        def clean(self):
            cleaned = super().clean()
            if 0 < cleaned.get("already_days", 0) <= cleaned.get("days", 0):
                self.add_error("already_days", _("Say more days than above, or 0."))
            return cleaned

    @classmethod
    def sentence(cls, args):
        words = _t("%(days)s days after the last order at %(hour)s her time") % {
            "days": args["days"], "hour": hour_text(args)}  # fmt: skip
        if args["already_days"]:
            words += _t(", and those silent already for up to %(days)s days") % {"days": args["already_days"]}
        return words

    @classmethod
    def opens_at(cls, args, launched_at):
        return launched_at - DAY * max(0, args["already_days"] - args["days"])

    @classmethod
    def due_sql(cls, args, window):
        silent = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day - silent, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'order:' || o.id AS occasion, v.due_at, NULL::bigint AS grant_id,
                   '{{}}'::jsonb AS about
            FROM {SPANS}
            JOIN customers_customerstats s ON s.last_order_at >= v.from_at AND s.last_order_at < v.until_at
            JOIN customers_customer c ON c.id = s.customer_id AND {ZONE} = ANY(v.zones)
            CROSS JOIN LATERAL (
                SELECT o.id FROM customers_order o
                WHERE o.customer_id = c.id AND o.placed_at = s.last_order_at AND o.state = ANY(%s)
                ORDER BY o.id LIMIT 1
            ) o
        """  # noqa: S608
        return sql, [found, known_zones(), list(Order.BOUGHT)]

    @classmethod
    def past_sql(cls, args, window, opens_at):
        """By the orders themselves: hers of that day after which none came until she was due."""
        silent = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day - silent, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'order:' || o.id AS occasion, v.due_at, NULL::bigint AS grant_id,
                   '{{}}'::jsonb AS about
            FROM {SPANS}
            JOIN customers_order o ON o.placed_at >= v.from_at AND o.placed_at < v.until_at AND o.state = ANY(%s)
            JOIN customers_customer c ON c.id = o.customer_id AND {ZONE} = ANY(v.zones)
            WHERE NOT EXISTS (
                SELECT FROM customers_order other
                WHERE other.customer_id = o.customer_id AND other.state = ANY(%s)
                  AND (other.placed_at > o.placed_at AND other.placed_at < GREATEST(v.due_at, %s)
                       OR other.placed_at = o.placed_at AND other.id < o.id)
            )
        """  # noqa: S608
        return sql, [found, list(Order.BOUGHT), known_zones(), list(Order.BOUGHT), opens_at]


class RhythmForm(HourForm):
    percent = forms.IntegerField(
        label=_("percent of her usual time"), min_value=50, max_value=1000, initial=150,
        help_text=_("Between two orders: who orders every 20 days is missed after 30 at 150 %."),
    )  # fmt: skip
    orders = forms.IntegerField(
        label=_("who ordered at least"), min_value=2, max_value=100, initial=3, help_text=_("Times; less is no rhythm.")
    )
    field_order = ["percent", "orders", "hour"]


@occasions.register
class RhythmMissed(Occasion):
    """Silent for longer than she is used to. Key: her last order."""

    key = "rhythm_missed"
    label = _("Silent for longer than usual for her")
    group = _("Silence")
    form_class = RhythmForm
    settled = DaysSinceLastOrder.settled
    settled_sentence = DaysSinceLastOrder.settled_sentence
    settled_sql = DaysSinceLastOrder.settled_sql

    @classmethod
    def sentence(cls, args):
        return _t("after %(percent)s %% of her usual time between orders, at %(hour)s her time") % {
            "percent": args["percent"], "hour": hour_text(args)}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        # Stretches of days lie side by side, so that each instant falls into exactly one.
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day, "")])
        if (found := as_json(rows)) == "[]":
            return None
        missed = "s.last_order_at + make_interval(secs => s.days_between_orders * 864 * %s)"
        sql = f"""
            SELECT c.id AS customer_id, 'order:' || o.id AS occasion, v.due_at, NULL::bigint AS grant_id,
                   '{{}}'::jsonb AS about
            FROM customers_customerstats s JOIN customers_customer c ON c.id = s.customer_id
            JOIN {SPANS} ON {missed} >= v.from_at AND {missed} < v.until_at AND {ZONE} = ANY(v.zones)
            CROSS JOIN LATERAL (
                SELECT o.id FROM customers_order o
                WHERE o.customer_id = c.id AND o.placed_at = s.last_order_at AND o.state = ANY(%s)
                ORDER BY o.id LIMIT 1
            ) o
            WHERE s.orders >= %s AND s.days_between_orders > 0
        """  # noqa: S608
        percent = args["percent"]
        return sql, [found, percent, percent, known_zones(), list(Order.BOUGHT), args["orders"]]


_USED = (
    "EXISTS (SELECT FROM incentives_use u JOIN incentives_redemption r ON r.id = u.redemption_id"
    " WHERE u.code_id = code.id AND r.ended_at IS NULL)"
)


@occasions.register
class CouponExpiring(Occasion):
    """Key: the grant. A code that was used meanwhile is no occasion."""

    key = "coupon_expiring"
    settled = "campaigns.coupon_used"
    settled_sentence = _("the coupon was used before it left")
    settled_sql = f"""
        SELECT t.id FROM campaigns_touch t JOIN incentives_code code ON code.grant_id = t.grant_id
        WHERE t.id = ANY(%(touches)s) AND (code.state <> 'given' OR {_USED})
    """  # noqa: S608
    label = _("Coupon about to expire")
    group = _("Silence")

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days before the end"), min_value=1, max_value=365, initial=3)
        field_order = ["days", "hour"]

    @classmethod
    def sentence(cls, args):
        return _t("%(days)s days before an unused coupon expires, at %(hour)s her time") % {
            "days": args["days"], "hour": hour_text(args)}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        ahead: dt.timedelta = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day + ahead, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'grant:' || code.grant_id AS occasion, v.due_at, code.grant_id,
                   '{{}}'::jsonb AS about
            FROM {SPANS}
            JOIN incentives_code code ON code.state = 'given' AND NOT code.is_card AND code.expires_at >= v.from_at
                 AND code.expires_at < v.until_at AND code.expires_at > v.due_at
                 AND code.grant_id IS NOT NULL AND code.customer_id IS NOT NULL
            JOIN customers_customer c ON c.id = code.customer_id AND {ZONE} = ANY(v.zones)
            WHERE NOT {_USED}
        """  # noqa: S608
        return sql, [found, known_zones()]


@occasions.register
class CouponUnused(Occasion):
    """Key: the grant."""

    key = "coupon_unused"
    label = _("Coupon not used yet")
    group = _("Silence")
    settled = CouponExpiring.settled
    settled_sentence = CouponExpiring.settled_sentence
    settled_sql = CouponExpiring.settled_sql

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days after it was given"), min_value=1, max_value=365, initial=7)
        field_order = ["days", "hour"]

    @classmethod
    def sentence(cls, args):
        return _t("%(days)s days after a coupon was given that is not used yet, at %(hour)s her time") % {
            "days": args["days"], "hour": hour_text(args)}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        ago: dt.timedelta = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day - ago, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'grant:' || code.grant_id AS occasion, v.due_at, code.grant_id,
                   '{{}}'::jsonb AS about
            FROM {SPANS}
            JOIN incentives_code code ON code.state = 'given' AND NOT code.is_card AND code.given_at >= v.from_at
                 AND code.given_at < v.until_at AND (code.expires_at IS NULL OR code.expires_at > v.due_at)
                 AND code.grant_id IS NOT NULL AND code.customer_id IS NOT NULL
            JOIN customers_customer c ON c.id = code.customer_id AND {ZONE} = ANY(v.zones)
            WHERE NOT {_USED}
        """  # noqa: S608
        return sql, [found, known_zones()]
