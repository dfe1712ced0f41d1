"""Occasions of the calendar: birthdays, sign-up anniversaries, holidays, one chosen date."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.holidays import keys_in_use, languages, names_of
from campaigns.local_days import DAY, every_zone, kept_on, local_days, originals, resolve, spans
from campaigns.occasions.base import (
    DAYS,
    SPANS,
    ZONE,
    HourForm,
    LeapDayForm,
    as_json,
    days_as_json,
    days_of,
    hour_text,
    known_zones,
)
from retention import clock
from retention.registries import Occasion, occasions

#: Nobody has been a customer for longer.
MOST_YEARS = 40
#: How many holidays a sentence names before it counts.
NAMED = 2


@occasions.register
class Birthday(Occasion):
    """Key: the year, so that a birthday edited later in the year brings no second one."""

    key = "birthday"
    label = _("Birthday")
    group = _("Calendar")
    form_class = LeapDayForm
    days_apart = 180

    @classmethod
    def sentence(cls, args):
        return _t("on the customer's birthday at %(hour)s her time") % {"hour": hour_text(args)}

    @classmethod
    def due_sql(cls, args, window):
        rows = [
            (local, month, number, f"birthday:{local.day.year}")
            for local in local_days(args["hour"], window)
            for month, number in kept_on(local.day, args["leap_day"])
        ]
        if not rows:
            return None
        dates = sorted({(month, number) for _local, month, number, _key in rows})
        # The dates stand twice: in the first place an index finds them.
        literal = ", ".join(f"({month:d}, {number:d})" for month, number in dates)
        sql = f"""
            SELECT c.id AS customer_id, v.key AS occasion, v.due_at, NULL::bigint AS grant_id, '{{}}'::jsonb AS about
            FROM customers_customer c
            JOIN {DAYS} ON v.month = c.birth_month AND v.number = c.birth_day AND {ZONE} = ANY(v.zones)
            WHERE (c.birth_month, c.birth_day) IN ({literal})
        """  # noqa: S608
        return sql, [days_as_json(rows), known_zones()]


@occasions.register
class SignUpAnniversary(Occasion):
    """Key: how many years."""

    key = "anniversary"
    label = _("Sign-up anniversary")
    group = _("Calendar")
    days_apart = 180

    class form_class(LeapDayForm):
        years = forms.IntegerField(
            label=_("years"),
            min_value=1,
            max_value=MOST_YEARS,
            required=False,
            help_text=_("Only this anniversary; empty: every year."),
        )

    @classmethod
    def sentence(cls, args):
        words = {"years": args["years"], "hour": hour_text(args)}
        if args["years"]:
            return _t("%(years)s years after sign-up at %(hour)s her time") % words
        return _t("on every anniversary of the sign-up at %(hour)s her time") % words

    @classmethod
    def due_sql(cls, args, window):
        counts = [args["years"]] if args["years"] else range(1, MOST_YEARS + 1)
        among = days_of(window, "signed_up_at", "customers_customer", "id")
        rows = spans(
            local_days(args["hour"], window),
            window.shop_zone,
            lambda day: [
                (on, str(count))
                for count in counts
                for on in originals(day, count, args["leap_day"])
                if among is None or on in among
            ],
        )
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'anniversary:' || v.key AS occasion, v.due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('years', v.key::int) AS about
            FROM {SPANS}
            JOIN customers_customer c ON c.signed_up_at >= v.from_at AND c.signed_up_at < v.until_at
                 AND {ZONE} = ANY(v.zones)
        """  # noqa: S608
        return sql, [found, known_zones()]


#: Each day of a holiday, with which time of its year that is: days within a month of the one before are the same time.
_TIMES = """
    SELECT *, 1 + sum(is_new) OVER (PARTITION BY country, key, year ORDER BY "on") AS time FROM (
        SELECT *, ("on" - lag("on") OVER (PARTITION BY country, key, year ORDER BY "on") > 30)::int AS is_new FROM (
            SELECT *, extract(year FROM "on")::int AS year FROM campaigns_holiday) AS by_year) AS by_time
"""


#: The language that a mail to `c` is in: hers where the shop speaks it, else the shop's own.
_LANGUAGE = """
    CASE WHEN split_part(c.language, '-', 1) = ANY(%s) THEN split_part(c.language, '-', 1) ELSE %s END
"""


@occasions.register
class NationalHoliday(Occasion):
    """Key: country, holiday and year. A holiday of several days is kept on its first; one that comes twice in a year
    (a second National Day, a moon's feast in January and again in December) has ":2" in its second key.
    """

    key = "holiday"
    label = _("National holiday")
    group = _("Calendar")

    class form_class(HourForm):
        holidays = forms.JSONField(
            label=_("holidays"),
            initial=list,
            required=False,
            help_text=_("Which ones; none chosen: every public holiday of the customer's country."),
        )
        days_before = forms.IntegerField(label=_("days before"), min_value=0, max_value=60, initial=0, required=False)

        def clean_holidays(self) -> list[str]:
            keys = self.cleaned_data["holidays"] or []
            if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                raise forms.ValidationError(_("This must be a list of holidays."))
            if strangers := set(keys) - keys_in_use():
                raise forms.ValidationError(
                    _("No country keeps “%(key)s”."), params={"key": sorted(strangers)[0]}, code="no_such_holiday"
                )
            return sorted(set(keys))

        def clean_days_before(self) -> int:
            return self.cleaned_data["days_before"] or 0

    @classmethod
    def sentence(cls, args):
        which = _listed(names_of(args["holidays"])) or _t("every public holiday of the customer's country")
        if args["days_before"]:
            return _t("%(days)s days before %(which)s at %(hour)s her time") % {
                "days": args["days_before"], "which": which, "hour": hour_text(args)}  # fmt: skip
        return _t("on %(which)s at %(hour)s her time") % {"which": which, "hour": hour_text(args)}

    @classmethod
    def due_sql(cls, args, window):
        ahead = DAY * args["days_before"]
        rows = [
            {"zones": local.zones, "day": (local.day + ahead).isoformat(), "due_at": local.due_at.isoformat()}
            for local in local_days(args["hour"], window)
        ]
        if not rows:
            return None
        only = "AND h.key = ANY(%s)" if args["holidays"] else ""
        sql = f"""
            SELECT c.id AS customer_id,
                   h.country || ':' || h.key || ':' || h.year || CASE WHEN h.time > 1 THEN ':' || h.time ELSE '' END
                   AS occasion,
                   min(v.due_at) AS due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('name', (array_agg(
                       coalesce(h.names ->> {_LANGUAGE}, h.names ->> 'en', h.name) ORDER BY h."on"))[1]) AS about
            FROM {DAYS}
            JOIN ({_TIMES}) h ON h."on" = v.day AND h.is_observed {only}
            JOIN customers_customer c ON c.country = h.country AND {ZONE} = ANY(v.zones)
            GROUP BY 1, 2
        """  # noqa: S608
        spoken = languages()
        return sql, [spoken, spoken[0], json.dumps(rows), *([args["holidays"]] if only else []), known_zones()]


@occasions.register
class OneDate(Occasion):
    """Key: `once`."""

    key = "one_date"
    label = _("One date")
    group = _("Calendar")

    class form_class(HourForm):
        on = forms.DateField(label=_("date"))
        clock = forms.ChoiceField(
            label=_("by which clock"),
            choices=[("shop", _("the shop's: all at once")), ("customer", _("each customer's own"))],
            initial="shop",
        )
        field_order = ["on", "hour", "clock"]

    @classmethod
    def sentence(cls, args):
        whose = _t("by the shop's clock") if args["clock"] == "shop" else _t("by each customer's clock")
        return _t("once, on %(on)s at %(hour)s %(whose)s") % {
            "on": args["on"].isoformat(), "hour": hour_text(args), "whose": whose}  # fmt: skip

    @classmethod
    def due_sql(cls, args, window):
        if args["clock"] == "shop":
            due_at = cls.last_due_at(args, window.shop_zone)
            if not window.since <= due_at < window.until:
                return None
            sql = """
                SELECT c.id AS customer_id, 'once' AS occasion, %s::timestamptz AS due_at, NULL::bigint AS grant_id,
                       '{}'::jsonb AS about
                FROM customers_customer c
            """
            return sql, [due_at]
        rows = [(local, 0, 0, "once") for local in local_days(args["hour"], window) if local.day == args["on"]]
        if not rows:
            return None
        sql = f"""
            SELECT c.id AS customer_id, v.key AS occasion, v.due_at, NULL::bigint AS grant_id, '{{}}'::jsonb AS about
            FROM customers_customer c JOIN {DAYS} ON {ZONE} = ANY(v.zones)
        """  # noqa: S608
        return sql, [days_as_json(rows), known_zones()]

    @classmethod
    def last_due_at(cls, args: dict[str, Any], shop_zone: str) -> dt.datetime:
        zones = [""] if args["clock"] == "shop" else every_zone()
        return max(clock.local_instant(args["on"], args["hour"], resolve(zone, shop_zone)) for zone in zones)


def _listed(names: list[str]) -> str:
    """The names, or the first few of many."""
    if len(names) <= NAMED + 1:
        return ", ".join(names)
    return _t("%(names)s and %(count)s more") % {"names": ", ".join(names[:NAMED]), "count": len(names) - NAMED}
