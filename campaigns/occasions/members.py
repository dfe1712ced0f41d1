"""Occasions of members: tiers reached, lost and ending, the monthly statement, points that lie unused."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.local_days import DAY, Span, local_days, spans
from campaigns.occasions.base import SPANS, ZONE, HourForm, as_json, hour_text, known_zones
from campaigns.occasions.fields import RowField, unit_field
from loyalty.models import Programme, Tier
from loyalty.versions import rule_of
from retention import clock
from retention.ledger.units import months_later
from retention.registries import Occasion, occasions

GROUP = _("Loyalty")
_TIER_CHANGES = (
    "SELECT m.customer_id FROM loyalty_tierchange h JOIN loyalty_member m ON m.id = h.member_id"
    " WHERE h.xid >= %s::text::xid8 AND h.xid < %s::text::xid8"
)


def programme_field() -> RowField:
    def rows() -> QuerySet:
        return Programme.objects.order_by("name")

    return RowField(rows, label=_("programme"), offered={"archived_at": None}, required=False)


def tier_field() -> RowField:
    def rows() -> QuerySet:
        return Tier.objects.select_related("programme")

    return RowField(
        rows, label=_("tier"), offered={"archived_at": None, "programme__archived_at": None}, required=False
    )


def programme_text(args) -> str:
    if not args["programme"]:
        return ""
    name = Programme.objects.filter(key=args["programme"]).values_list("name", flat=True).first()
    return _t(" of “%(name)s”") % {"name": name or args["programme"]}


def _tier_name(key: str) -> str:
    return Tier.objects.filter(key=key).values_list("name", flat=True).first() or key


@occasions.register
class TierMoved(Occasion):
    """Key: the change. Who has another tier by then is not meant."""

    key = "tier_moved"
    label = _("Tier reached or lost")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (_TIER_CHANGES,)
    settled = "campaigns.other_tier"
    settled_sentence = _("she had another tier before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t
        JOIN loyalty_tierchange h ON h.id = split_part(t.occasion, ':', 2)::bigint
        JOIN loyalty_member m ON m.id = h.member_id
        WHERE t.id = ANY(%(touches)s) AND m.tier_id IS DISTINCT FROM h.after_id
    """

    class form_class(forms.Form):
        programme = programme_field()
        tier = tier_field()
        move = forms.ChoiceField(
            label=_("what happens"), choices=[("up", _("she rises to it")), ("down", _("she loses it"))], initial="up"
        )

    @classmethod
    def sentence(cls, args):
        tier = _t("the tier “%(name)s”") % {"name": _tier_name(args["tier"])} if args["tier"] else _t("a tier")
        words = {"tier": tier + programme_text(args)}
        if args["move"] == "up":
            return _t("as soon as she rises to %(tier)s") % words
        return _t("as soon as she loses %(tier)s") % words

    @classmethod
    def due_sql(cls, args, window):
        tier = "h.after_id" if args["move"] == "up" else "h.before_id"
        sql = f"""
            SELECT m.customer_id, 'tier:' || h.id AS occasion, h.changed_at AS due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('programme', p.key, 'tier', t.name) AS about
            FROM loyalty_tierchange h JOIN loyalty_member m ON m.id = h.member_id
            JOIN loyalty_programme p ON p.id = m.programme_id AND %s IN ('', p.key)
            JOIN loyalty_tier t ON t.id = {tier} AND %s IN ('', t.key)
            WHERE h.changed_at >= %s AND h.changed_at < %s AND h.is_up = %s AND m.left_at IS NULL
              AND m.tier_id IS NOT DISTINCT FROM h.after_id
        """  # noqa: S608
        return sql, [args["programme"], args["tier"], window.since, window.until, args["move"] == "up"]


@occasions.register
class TierEnding(Occasion):
    """Days before its last one is over; the days of grace come after. Key: the member and the end, which moves on."""

    key = "tier_ending"
    label = _("Tier about to end")
    group = GROUP
    settled = "campaigns.tier_kept"
    settled_sentence = _("her tier was settled before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND NOT EXISTS (
            SELECT FROM loyalty_member m WHERE m.id = split_part(t.occasion, ':', 2)::bigint
              AND extract(epoch FROM m.tier_until)::bigint = split_part(t.occasion, ':', 3)::bigint)
    """

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days before the end"), min_value=1, max_value=365, initial=60)
        programme = programme_field()
        field_order = ["days", "programme", "hour"]

    @classmethod
    def sentence(cls, args):
        return _t("%(days)s days before her tier%(programme)s ends, at %(hour)s her time") % {
            "days": args["days"], "programme": programme_text(args), "hour": hour_text(args)}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        days, found = local_days(args["hour"], window), []
        for programme in Programme.objects.filter(state=Programme.State.LIVE, version__isnull=False):
            if args["programme"] in ("", programme.key):
                ahead = DAY * (args["days"] + rule_of(programme.version_id).tiers.grace_days)
                found += keyed(days, window.shop_zone, ahead, programme.key)
        if not found:
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'tier_ends:' || m.id || ':' || extract(epoch FROM m.tier_until)::bigint
                   AS occasion, v.due_at, NULL::bigint AS grant_id, jsonb_build_object('programme', p.key) AS about
            FROM {SPANS}
            JOIN loyalty_programme p ON p.key = v.key
            JOIN loyalty_member m ON m.programme_id = p.id AND m.tier_until >= v.from_at AND m.tier_until < v.until_at
                 AND m.left_at IS NULL
            JOIN customers_customer c ON c.id = m.customer_id AND {ZONE} = ANY(v.zones)
        """  # noqa: S608
        return sql, [as_json(found), known_zones()]


def keyed(days, zone: str, ahead: dt.timedelta, key: str) -> list[Span]:
    return list(spans(days, zone, lambda day: [(day + ahead, key)]))


@occasions.register
class MonthlyStatement(Occasion):
    """Of last month, for members whose balance moved in it. Key: the account and that month."""

    key = "points_statement"
    label = _("Monthly statement of points")
    group = GROUP

    class form_class(HourForm):
        day = forms.IntegerField(label=_("on which day of the month"), min_value=1, max_value=28, initial=1)
        programme = programme_field()
        field_order = ["day", "programme", "hour"]

    @classmethod
    def sentence(cls, args):
        return _t(
            "on day %(day)s of each month at %(hour)s her time, if her points%(programme)s moved in the month before"
        ) % {"day": args["day"], "programme": programme_text(args), "hour": hour_text(args)}

    @classmethod
    def due_sql(cls, args, window):
        rows = []
        for local in local_days(args["hour"], window):
            if local.day.day == args["day"]:
                ends = local.day.replace(day=1)
                begins = months_later(ends, -1)
                since, until = (clock.local_instant(day, dt.time(), window.shop_zone) for day in (begins, ends))
                rows.append(Span(local.zones, since, until, local.due_at, f"{begins:%Y-%m}"))
        if not rows:
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'statement:' || a.id || ':' || v.key AS occasion, v.due_at,
                   NULL::bigint AS grant_id, jsonb_build_object('programme', p.key, 'account', a.id) AS about
            FROM {SPANS}
            JOIN loyalty_programme p ON p.state IN ('live', 'paused') AND %s IN ('', p.key)
            JOIN loyalty_member m ON m.programme_id = p.id AND m.left_at IS NULL
            JOIN customers_customer c ON c.id = m.customer_id AND {ZONE} = ANY(v.zones)
            JOIN ledger_account a ON a.customer_id = c.id AND a.unit_id = p.unit_id
            WHERE EXISTS (SELECT FROM ledger_entry e WHERE e.to_account_id = a.id
                            AND e.effective_at >= v.from_at AND e.effective_at < v.until_at)
               OR EXISTS (SELECT FROM ledger_entry e WHERE e.from_account_id = a.id
                            AND e.effective_at >= v.from_at AND e.effective_at < v.until_at)
        """  # noqa: S608
        return sql, [as_json(rows), args["programme"], known_zones()]


@occasions.register
class NeverRedeemed(Occasion):
    """So long after her first ones. Key: the account: once. Who has spent any by then is not meant."""

    key = "never_redeemed"
    label = _("Points that were never used")
    group = GROUP
    settled = "campaigns.points_used"
    settled_sentence = _("she used some of them before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND EXISTS (
            SELECT FROM ledger_entry e
            WHERE e.from_account_id = split_part(t.occasion, ':', 2)::bigint AND e.verb = 'spend')
    """

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days after the first ones"), min_value=1, max_value=3650, initial=90)
        unit = unit_field(required=False)
        least = forms.IntegerField(
            label=_("if she has at least"), min_value=1, max_value=10**13, initial=1, help_text=_("Points, or cents.")
        )
        field_order = ["days", "unit", "least", "hour"]

    @classmethod
    def sentence(cls, args):
        words = {"days": args["days"], "least": args["least"], "hour": hour_text(args), "unit": args["unit"]}
        text = ngettext(
            "a day after her first points, if she has %(least)s or more and used none, at %(hour)s her time",
            "%(days)s days after her first points, if she has %(least)s or more and used none, at %(hour)s her time",
            args["days"],
        )
        return text % words + (f" ({args['unit']})" if args["unit"] else "")

    @classmethod
    def due_sql(cls, args, window):
        ago: dt.timedelta = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day - ago, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'unused:' || a.id AS occasion, v.due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('programme', p.key, 'account', a.id) AS about
            FROM {SPANS}
            JOIN loyalty_programme p ON p.state IN ('live', 'paused')
            JOIN ledger_unit u ON u.id = p.unit_id AND %s IN ('', u.key)
            JOIN ledger_account a ON a.unit_id = u.id AND a.customer_id IS NOT NULL AND a.opened_at >= v.from_at
                 AND a.opened_at < v.until_at AND a.balance - a.held >= %s AND NOT a.is_frozen
            JOIN customers_customer c ON c.id = a.customer_id AND {ZONE} = ANY(v.zones)
            WHERE NOT EXISTS (SELECT FROM ledger_entry e WHERE e.from_account_id = a.id AND e.verb = 'spend')
        """  # noqa: S608
        return sql, [found, args["unit"], args["least"], known_zones()]
