"""The occasion of value that is about to expire unused: credit, store cash, points, or what is on a gift card."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import DAY, local_days, spans
from campaigns.occasions.base import SPANS, ZONE, HourForm, as_json, hour_text, known_zones
from retention.registries import Occasion, occasions


@occasions.register
class ValueExpiring(Occasion):
    """Key: the account and the instant at which some of it ends, which nobody edits. What was spent is no occasion."""

    key = "value_expiring"
    settled = "campaigns.value_used"
    settled_sql = """
        SELECT t.id FROM campaigns_touch t
        WHERE t.id = ANY(%(touches)s) AND NOT EXISTS (
            SELECT FROM ledger_lot lot
            WHERE lot.account_id = split_part(t.occasion, ':', 2)::bigint AND lot.remaining > 0
              AND extract(epoch FROM lot.expires_at)::bigint = split_part(t.occasion, ':', 3)::bigint)
    """
    label = _("Credit, points or a gift card about to expire")
    group = _("Silence")

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days before the end"), min_value=1, max_value=365, initial=7)
        unit = forms.SlugField(
            label=_("of this unit"), max_length=40, required=False,
            help_text=_("Its key, such as points or store_cash_eur; empty: of all."),
        )  # fmt: skip
        field_order = ["days", "unit", "hour"]

    @classmethod
    def sentence(cls, args):
        words = {"days": args["days"], "hour": hour_text(args), "unit": args["unit"]}
        if args["unit"]:
            return _t("%(days)s days before %(unit)s expire unused, at %(hour)s her time") % words
        return _t("%(days)s days before credit, points or a gift card expire unused, at %(hour)s her time") % words

    @classmethod
    def due_sql(cls, args, window):
        ahead: dt.timedelta = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day + ahead, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id,
                   'ends:' || account.id || ':' || extract(epoch FROM lot.expires_at)::bigint AS occasion, v.due_at,
                   NULL::bigint AS grant_id, jsonb_build_object('account', account.id) AS about
            FROM {SPANS}
            JOIN ledger_lot lot ON lot.remaining > 0 AND lot.active_at <= v.due_at AND lot.expires_at >= v.from_at
                 AND lot.expires_at < v.until_at AND lot.expires_at > v.due_at
            JOIN ledger_account account ON account.id = lot.account_id AND NOT account.is_frozen
            JOIN ledger_unit unit ON unit.id = account.unit_id AND %s IN ('', unit.key)
            LEFT JOIN incentives_giftcard card ON card.account_id = account.id
            LEFT JOIN incentives_code code ON code.id = card.code_id
            JOIN customers_customer c ON c.id = coalesce(account.customer_id, code.customer_id)
                 AND {ZONE} = ANY(v.zones)
            GROUP BY c.id, account.id, lot.expires_at, v.due_at
        """  # noqa: S608
        return sql, [found, args["unit"], known_zones()]
