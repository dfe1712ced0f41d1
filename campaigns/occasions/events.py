"""The occasion of local events: one campaign serves all of a theme, each with its own incentive."""

from __future__ import annotations

import json

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.local_days import DAY, local_days
from campaigns.occasions.base import DAYS, ZONE, HourForm, hour_text, known_zones, long_words
from campaigns.offsets import Unit
from retention.registries import Occasion, occasions

#: What a touch says of the event's own incentive; no call of another system may say it (its words begin with letters).
INCENTIVE = "_incentive"
#: Whether she lives in the area of the event `e`; who lives at an unknown place is outside.
HERE = """
    (cardinality(e.countries) = 0 OR c.country = ANY(e.countries))
    AND (cardinality(e.regions) = 0 OR lower(c.region) IN (SELECT lower(w) FROM unnest(e.regions) w))
    AND (cardinality(e.cities) = 0 OR lower(c.city) IN (SELECT lower(w) FROM unnest(e.cities) w))
    AND (e.radius_km IS NULL OR EXISTS (
        SELECT FROM campaigns_place w WHERE w.country = c.country AND lower(w.city) = lower(c.city)
        AND campaigns_kilometres_v1(w.latitude, w.longitude, e.latitude, e.longitude) <= e.radius_km))
"""


@occasions.register
class LocalEvents(Occasion):
    """Key: the event and the year; of several days in a year the first one that she can be told of."""

    key = "local_event"
    label = _("Local event")
    group = _("Calendar")

    class form_class(HourForm):
        theme = forms.CharField(
            label=_("theme"), max_length=60, required=False, help_text=_("Of the event or its calendar; empty: any.")
        )
        days_before = forms.IntegerField(label=_("days before"), min_value=0, max_value=60, initial=0, required=False)
        field_order = ["theme", "days_before", "hour"]

        def clean_days_before(self) -> int:
            return self.cleaned_data["days_before"] or 0

    @classmethod
    def sentence(cls, args):
        which = _t("a local event on “%(theme)s”") % args if args["theme"] else _t("any local event")
        words = {"long": long_words(args["days_before"], Unit.DAYS), "which": which, "hour": hour_text(args)}
        if args["days_before"]:
            return _t("%(long)s before %(which)s where she lives, at %(hour)s her time") % words
        return _t("on the day of %(which)s where she lives, at %(hour)s her time") % words

    @classmethod
    def due_sql(cls, args, window):
        ahead = DAY * args["days_before"]
        rows = [
            {"zones": local.zones, "day": (local.day + ahead).isoformat(), "due_at": local.due_at.isoformat()}
            for local in local_days(args["hour"], window)
        ]
        if not rows:
            return None
        theme = "AND e.theme = %s" if args["theme"] else ""
        sql = f"""
            SELECT c.id AS customer_id, 'event:' || e.id || ':' || extract(year FROM d."on") AS occasion,
                   min(v.due_at) AS due_at, NULL::bigint AS grant_id,
                   jsonb_strip_nulls(jsonb_build_object('name', e.name, 'theme', nullif(e.theme, ''),
                       'date', min(d."on")::text, '{INCENTIVE}', e.incentive_id)) AS about
            FROM {DAYS}
            JOIN campaigns_eventday d ON d."on" = v.day
            JOIN campaigns_localevent e ON e.id = d.event_id AND e.is_observed {theme}
            JOIN customers_customer c ON {HERE} AND {ZONE} = ANY(v.zones)
            GROUP BY c.id, e.id, extract(year FROM d."on")
        """  # noqa: S608
        return sql, [json.dumps(rows), *([args["theme"]] if theme else []), known_zones()]
