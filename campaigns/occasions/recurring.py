"""Occasions of a timetable, and of dates that the shop keeps about its customers."""

from __future__ import annotations

import json

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.local_days import kept_on, local_days
from campaigns.occasions.base import (
    DAYS,
    ZONE,
    LeapDayForm,
    OffsetForm,
    days_as_json,
    hour_text,
    known_zones,
    offset_text,
    signed,
)
from campaigns.occasions.fields import date_attribute_field
from campaigns.offsets import Unit, origins, period
from retention.customers.models import AttributeDefinition
from retention.registries import Occasion, occasions


@occasions.register
class Recurring(Occasion):
    """Key: the week, month or year, so that moving the day brings nobody a second one in it."""

    key = "recurring"
    label = _("Every so many weeks, months or years")
    group = _("Calendar")

    class form_class(LeapDayForm):
        start = forms.DateField(label=_("first on"))
        every = forms.IntegerField(label=_("every"), min_value=1, max_value=52, initial=1)
        unit = forms.ChoiceField(
            label=_("of what"),
            choices=[(Unit.WEEKS.value, _("weeks")), (Unit.MONTHS.value, _("months")), (Unit.YEARS.value, _("years"))],
            initial=Unit.MONTHS.value,
        )
        clock = forms.ChoiceField(
            label=_("by which clock"),
            choices=[("shop", _("the shop's: all at once")), ("customer", _("each customer's own"))],
            initial="customer",
            required=False,
        )
        field_order = ["start", "every", "unit", "hour", "clock"]

        def clean_clock(self) -> str:
            return self.cleaned_data["clock"] or "customer"

    @classmethod
    def sentence(cls, args):
        often = {
            Unit.WEEKS: ngettext("every week", "every %(n)s weeks", args["every"]),
            Unit.MONTHS: ngettext("every month", "every %(n)s months", args["every"]),
            Unit.YEARS: ngettext("every year", "every %(n)s years", args["every"]),
        }[Unit(args["unit"])] % {"n": args["every"]}
        whose = _t("by the shop's clock") if args["clock"] == "shop" else _t("by each customer's clock")
        return _t("%(often)s from %(on)s on, at %(hour)s %(whose)s") % {
            "often": often, "on": args["start"].isoformat(), "hour": hour_text(args), "whose": whose}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        if args["clock"] == "shop":
            window = type(window)(window.since, window.until, window.shop_zone, frozenset({""}))
        rows = [
            (local, 0, 0, key)
            for local in local_days(args["hour"], window)
            if (key := period(local.day, args["start"], args["every"], Unit(args["unit"]), args["leap_day"]))
        ]
        if not rows:
            return None
        hers = f"AND {ZONE} = ANY(v.zones)" if args["clock"] == "customer" else ""
        # Whoever was moved to another zone between two instants has one of them.
        sql = f"""
            SELECT c.id AS customer_id, v.key AS occasion, min(v.due_at) AS due_at, NULL::bigint AS grant_id,
                   '{{}}'::jsonb AS about
            FROM customers_customer c JOIN {DAYS} ON true {hers} GROUP BY c.id, v.key
        """  # noqa: S608
        return sql, [days_as_json(rows), *([known_zones()] if hers else [])]


class DateAttributeForm(OffsetForm):
    attribute = date_attribute_field()
    is_of_facts = False


@occasions.register
class DateAttribute(Occasion):
    """Key: the attribute and the year in which it is kept, so that a date edited later in it brings no second one."""

    key = "date_attribute"
    label = _("Before or after a date of hers")
    group = _("Calendar")
    form_class = DateAttributeForm
    days_apart = 180

    @classmethod
    def sentence(cls, args):
        label = AttributeDefinition.objects.values_list("label", flat=True).get(key=args["attribute"])
        return offset_text(args, _t("the date “%(label)s”") % {"label": label})

    @classmethod
    def due_sql(cls, args, window):
        number, unit, leap_day = signed(args), Unit(args["unit"]), args["leap_day"]
        yearly = args["repeats"] == "yearly"
        rows = []
        for local in local_days(args["hour"], window):
            for anchor in origins(local.day, number, unit, leap_day):
                dates = (
                    [f"-{month:02}-{day:02}" for month, day in kept_on(anchor, leap_day)]
                    if yearly
                    else [anchor.isoformat()]
                )
                rows += [
                    {"zones": local.zones, "due_at": local.due_at.isoformat(), "key": date, "number": anchor.year}
                    for date in dates
                ]
        if not rows:
            return None
        told = "c.attributes -> %s ->> 'value'"
        said = f"right({told}, 6)" if yearly else f"({told})"
        # Nobody's first year is kept before the date itself has come.
        since = f"AND left({told}, 4) < v.number::text" if yearly else ""
        sql = f"""
            SELECT c.id AS customer_id, %s || ':' || v.number AS occasion, min(v.due_at) AS due_at,
                   NULL::bigint AS grant_id, '{{}}'::jsonb AS about
            FROM customers_customer c JOIN {DAYS} ON {said} = v.key AND {ZONE} = ANY(v.zones) {since}
            WHERE c.attributes ? %s GROUP BY c.id, v.number
        """  # noqa: S608
        key = args["attribute"]
        return sql, [f"date:{key}", json.dumps(rows), key, known_zones(), *([key] if yearly else []), key]
