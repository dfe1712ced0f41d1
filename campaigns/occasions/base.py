"""What occasions share: the fields they ask for, and rows of local days or spans that SQL joins."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db import connection
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.local_days import DAY, LeapDay, LocalDay, Span, local_days, spans
from campaigns.offsets import MOST_YEARS, Unit, anniversaries, origins
from retention import clock
from retention.registries import Window

#: Her zone as the calendar groups them: "" where she has none, or one that nobody knows.
ZONE = "CASE WHEN c.time_zone = ANY(%s) THEN c.time_zone ELSE '' END"

SPANS = (
    "jsonb_to_recordset(%s::jsonb) AS v (zones text[], from_at timestamptz, until_at timestamptz,"
    " due_at timestamptz, key text)"
)
DAYS = (
    "jsonb_to_recordset(%s::jsonb) AS v (zones text[], day date, month int, number int, due_at timestamptz, key text)"
)


#: The product `p` as messages tell of it.
PRODUCT = (
    "jsonb_build_object('product', p.name, 'product_url', p.url, 'image_url', p.image_url, 'sku', p.sku,"
    " 'how_to_url', p.how_to_url)"
)
BOUGHT = "('paid', 'fulfilled', 'partially_returned', 'returned')"


def facts_in(table: str, column: str = "customer_id") -> str:
    """Whose facts of a table came between two marks, as `Occasion.facts` wants it."""
    return f"SELECT {column} FROM {table} WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8"  # noqa: S608


ORDERS = facts_in("customers_order")
ACTIVITIES = facts_in("customers_activity")


def only_products(args: dict[str, Any]) -> tuple[str, list[Any]]:
    """`AND …` over the product `p`, where the occasion is about one or about a category."""
    text, params = "", []
    if args.get("product"):
        text, params = " AND p.sku = %s", [args["product"]]
    if args.get("category"):
        text += " AND (p.category = %s OR starts_with(p.category, %s))"
        params += [args["category"], f"{args['category']}/"]
    return text, params


def things(args: dict[str, Any], otherwise: Any) -> str:
    """What of the products an occasion is about, in words."""
    if args.get("product"):
        return _t("the product %(sku)s") % {"sku": args["product"]}
    if args.get("category"):
        return _t("something from %(category)s") % {"category": args["category"].replace("/", " › ")}
    return str(otherwise)


def known_zones() -> list[str]:
    return sorted(clock.zone_names())


def as_json(rows: Iterable[Span]) -> str:
    return json.dumps([row.as_json() for row in rows])


def days_as_json(rows: Iterable[tuple[LocalDay, int, int, str]]) -> str:
    """Of (local day, month, day of month, key)."""
    return json.dumps(
        [
            {
                "zones": local.zones,
                "day": local.day.isoformat(),
                "month": month,
                "number": number,
                "due_at": local.due_at.isoformat(),
                "key": key,
            }
            for local, month, number, key in rows
        ]
    )


class HourForm(forms.Form):
    """Occasions that fall on a day ask for the hour, in each customer's own zone."""

    hour = forms.TimeField(
        label=_("hour"), initial="10:00", help_text=_("On the customer's clock; the shop's where her zone is unknown.")
    )


class LeapDayForm(HourForm):
    leap_day = forms.ChoiceField(
        label=_("29 February, in other years"),
        choices=[(LeapDay.FEBRUARY_28.value, _("on 28 February")), (LeapDay.MARCH_1.value, _("on 1 March"))],
        initial=LeapDay.FEBRUARY_28.value,
        required=False,
    )

    def clean_leap_day(self) -> LeapDay:
        return LeapDay(self.cleaned_data["leap_day"] or LeapDay.FEBRUARY_28)


def hour_text(args: dict[str, Any]) -> str:
    hour: dt.time = args["hour"]
    return f"{hour:%H:%M}"


def long_words(number: int, unit: str) -> str:
    return {
        Unit.HOURS: ngettext("%(n)s hour", "%(n)s hours", number),
        Unit.DAYS: ngettext("%(n)s day", "%(n)s days", number),
        Unit.WEEKS: ngettext("%(n)s week", "%(n)s weeks", number),
        Unit.MONTHS: ngettext("%(n)s month", "%(n)s months", number),
        Unit.YEARS: ngettext("%(n)s year", "%(n)s years", number),
    }[Unit(unit)] % {"n": number}


class OffsetForm(LeapDayForm):
    """So long before or after something, once or every year."""

    number = forms.IntegerField(label=_("how many"), min_value=0, max_value=3650, initial=1)
    unit = forms.ChoiceField(
        label=_("of what"),
        choices=[
            (Unit.HOURS.value, _("hours")),
            (Unit.DAYS.value, _("days")),
            (Unit.WEEKS.value, _("weeks")),
            (Unit.MONTHS.value, _("months")),
            (Unit.YEARS.value, _("years")),
        ],
        initial=Unit.DAYS.value,
    )
    side = forms.ChoiceField(
        label=_("before or after"), choices=[("after", _("after")), ("before", _("before"))], initial="after",
        required=False,
    )  # fmt: skip
    repeats = forms.ChoiceField(
        label=_("how often"), choices=[("once", _("once")), ("yearly", _("every year"))], initial="once",
        required=False,
    )  # fmt: skip
    #: Of facts: they are known once they have happened, of dates that were told before they come.
    is_of_facts = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hour"].required = False
        self.order_fields([*(name for name in self.fields if name not in self.LAST), *self.LAST])

    LAST = ("number", "unit", "side", "repeats", "hour", "leap_day")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["side"], cleaned["repeats"] = cleaned.get("side") or "after", cleaned.get("repeats") or "once"
        by_hours, yearly = cleaned.get("unit") == Unit.HOURS, cleaned["repeats"] == "yearly"
        if by_hours and (yearly or not self.is_of_facts):
            self.add_error("unit", forms.ValidationError(_("Say it in days or more."), code="hours"))
        elif not by_hours and not cleaned.get("hour") and "hour" not in self.errors:
            self.add_error("hour", forms.ValidationError(_("This field is required."), code="required"))
        if self.is_of_facts and cleaned["side"] == "before" and not yearly:
            self.add_error("side", forms.ValidationError(_("Nobody knows before it happens."), code="unforeseeable"))
        if cleaned.get("unit") == Unit.YEARS and (cleaned.get("number") or 0) > MOST_YEARS:
            self.add_error("number", forms.ValidationError(_("That is too far away."), code="too_far"))
        return cleaned


def signed(args: dict[str, Any]) -> int:
    return args["number"] * (-1 if args["side"] == "before" else 1)


def offset_text(args: dict[str, Any], what: str) -> str:
    """ "3 days after her first order, at 10:00 her time"."""
    if args["unit"] == Unit.HOURS:
        if not args["number"]:
            return _t("as soon as %(what)s") % {"what": what}
        return _t("%(long)s after %(what)s") % {"long": long_words(args["number"], args["unit"]), "what": what}
    words = {"long": long_words(args["number"], args["unit"]), "what": what, "hour": hour_text(args)}
    if args["repeats"] == "yearly":
        if not args["number"]:
            return _t("every year on the day on which %(what)s, at %(hour)s her time") % words
        if args["side"] == "before":
            return _t("every year %(long)s before the day on which %(what)s, at %(hour)s her time") % words
        return _t("every year %(long)s after the day on which %(what)s, at %(hour)s her time") % words
    if args["side"] == "before":
        return _t("%(long)s before %(what)s, at %(hour)s her time") % words
    return _t("%(long)s after %(what)s, at %(hour)s her time") % words


def days_of(window: Window, at: str, table: str, whose: str = "customer_id") -> frozenset[dt.date] | None:
    """Every day that was, on any clock, when something of hers happened; None where the window is everybody's.

    Decades of anniversaries of everybody's days are as many stretches as a page cannot wait for.
    """
    if window.customer_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {at} FROM {table} WHERE {whose} = %s", [window.customer_id])  # noqa: S608
        days = {at.astimezone(dt.UTC).date() for (at,) in cursor.fetchall() if at is not None}
    return frozenset(day + DAY * n for day in days for n in (-1, 0, 1))


def offset_sql(args: dict[str, Any], window: Window, at: str, table: str) -> tuple[str, list[Any], str] | None:
    """(rows `v` to join, their parameters, due instant) for what happened at the column `at` of a table with its alias,
    such as `o.placed_at` of `customers_order o`; None: nobody can be due.

    `v.key` is the number of years, empty where it comes once. Her zone is that of `c`.
    """
    number = signed(args)
    if args["unit"] == Unit.HOURS:
        long = dt.timedelta(hours=number)
        whole = {"from_at": (window.since - long).isoformat(), "until_at": (window.until - long).isoformat(), "key": ""}
        # Values, not a record set: the planner sees the bounds and takes the index.
        return (
            "(SELECT %s::timestamptz AS from_at, %s::timestamptz AS until_at, ''::text AS key) v"
            f" ON {at} >= v.from_at AND {at} < v.until_at",
            [whole["from_at"], whole["until_at"]],
            f"({at} + make_interval(hours => {number:d}))",
        )
    days = local_days(args["hour"], window)
    unit, leap_day = Unit(args["unit"]), args["leap_day"]
    if args["repeats"] == "yearly":
        among = days_of(window, at, table)
        rows = spans(
            days, window.shop_zone,
            lambda day: [(on, str(years)) for on, years in anniversaries(day, number, unit, leap_day, among)],
        )  # fmt: skip
    else:
        rows = spans(days, window.shop_zone, lambda day: [(on, "") for on in origins(day, number, unit, leap_day)])
    if (found := as_json(rows)) == "[]":
        return None
    return (
        f"{SPANS} ON {at} >= v.from_at AND {at} < v.until_at AND {ZONE} = ANY(v.zones)",
        [found, known_zones()],
        "v.due_at",
    )


#: What a key ends with: the number of years, where it comes every year.
YEARS = "CASE WHEN v.key = '' THEN '' ELSE ':' || v.key END"
