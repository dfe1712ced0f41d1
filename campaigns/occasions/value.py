"""Occasions of value: it is about to expire unused, a gift card lies untouched, little is missing to an amount."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import DAY, local_days, spans
from campaigns.occasions.base import SPANS, ZONE, HourForm, as_json, hour_text, known_zones
from campaigns.occasions.fields import unit_field
from retention.registries import Occasion, occasions


@occasions.register
class ValueExpiring(Occasion):
    """Key: the account and the instant at which some of it ends, which nobody edits. What was spent is no occasion."""

    key = "value_expiring"
    settled = "campaigns.value_used"
    settled_sentence = _("what was about to expire was spent before it left")
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


@occasions.register
class CardUnused(Occasion):
    """A gift card of which nothing was spent. Key: its account."""

    key = "card_unused"
    label = _("Gift card not used yet")
    group = _("Silence")
    settled = "campaigns.card_used"
    settled_sentence = _("the gift card was used before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t JOIN incentives_giftcard card
             ON card.account_id = split_part(t.occasion, ':', 2)::bigint
        JOIN ledger_account account ON account.id = card.account_id
        WHERE t.id = ANY(%(touches)s) AND (account.balance < card.initial_minor OR card.state <> 'active')
    """

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days after it was made"), min_value=1, max_value=3650, initial=30)
        field_order = ["days", "hour"]

    @classmethod
    def sentence(cls, args):
        return _t("%(days)s days after a gift card of which nothing was spent, at %(hour)s her time") % {
            "days": args["days"], "hour": hour_text(args)}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        ago: dt.timedelta = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day - ago, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'card:' || card.account_id AS occasion, v.due_at, code.grant_id,
                   '{{}}'::jsonb AS about
            FROM {SPANS}
            JOIN incentives_giftcard card ON card.made_at >= v.from_at AND card.made_at < v.until_at
                 AND card.state = 'active'
            JOIN ledger_account account ON account.id = card.account_id AND NOT account.is_frozen
                 AND account.balance >= card.initial_minor
            JOIN incentives_code code ON code.id = card.code_id
            JOIN customers_customer c ON c.id = code.customer_id AND {ZONE} = ANY(v.zones)
        """  # noqa: S608
        return sql, [found, known_zones()]


#: What she may spend of an account `a`, where it is so much below an amount.
_SHORT = "a.balance - a.held >= %s - %s AND a.balance - a.held < %s"


@occasions.register
class NearlyThere(Occasion):
    """Key: the account, the amount, and the last time that something was spent of it: once on each way up."""

    key = "nearly_there"
    label = _("Little short of an amount")
    group = _("What customers do")
    has_local_hour = False
    is_foreseeable = False
    facts = (
        "SELECT a.customer_id FROM ledger_entry e JOIN ledger_account a ON a.id = e.to_account_id"
        " WHERE e.xid >= %s::text::xid8 AND e.xid < %s::text::xid8",
    )

    class form_class(forms.Form):
        unit = unit_field()
        amount = forms.IntegerField(
            label=_("the amount"), min_value=1, max_value=10**13, help_text=_("Points, or cents of money.")
        )
        short = forms.IntegerField(label=_("at most so much short of it"), min_value=1, max_value=10**13)

        def clean(self):
            cleaned = super().clean() or self.cleaned_data
            if (cleaned.get("short") or 0) > (cleaned.get("amount") or 0) and "amount" not in self.errors:
                self.add_error("short", _("Say less than the amount."))
            return cleaned

    @classmethod
    def sentence(cls, args):
        return _t("as soon as she is %(short)s or less short of %(amount)s (%(unit)s)") % args

    @classmethod
    def due_sql(cls, args, window):
        sql = f"""
            SELECT a.customer_id,
                   'near:' || a.id || ':' || %s || ':' || coalesce((
                       SELECT max(e.id) FROM ledger_entry e WHERE e.from_account_id = a.id), 0) AS occasion,
                   last.recorded_at AS due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('amount', %s, 'short', %s - (a.balance - a.held)) AS about
            FROM ledger_account a JOIN ledger_unit u ON u.id = a.unit_id AND u.key = %s
            CROSS JOIN LATERAL (SELECT e.recorded_at FROM ledger_entry e WHERE e.to_account_id = a.id
                                ORDER BY e.id DESC LIMIT 1) last
            WHERE a.kind = 'customer' AND NOT a.is_frozen AND {_SHORT}
              AND last.recorded_at >= %s AND last.recorded_at < %s
        """  # noqa: S608
        amount, short = args["amount"], args["short"]
        told = [str(amount), amount, amount, args["unit"]]
        return sql, [*told, amount, short, amount, window.since, window.until]
