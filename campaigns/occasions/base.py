"""What occasions share: the fields they ask for, and rows of local days or spans that SQL joins."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import LeapDay, LocalDay, Span
from retention import clock

#: Her zone as the calendar groups them: "" where she has none, or one that nobody knows.
ZONE = "CASE WHEN c.time_zone = ANY(%s) THEN c.time_zone ELSE '' END"

SPANS = (
    "jsonb_to_recordset(%s::jsonb) AS v (zones text[], from_at timestamptz, until_at timestamptz,"
    " due_at timestamptz, key text)"
)
DAYS = (
    "jsonb_to_recordset(%s::jsonb) AS v (zones text[], day date, month int, number int, due_at timestamptz, key text)"
)


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
