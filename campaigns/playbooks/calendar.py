"""Playbooks of the calendar: birthday, sign-up anniversary, national holiday, one announcement."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from campaigns.holidays import keys_in_use
from campaigns.local_days import DAY
from campaigns.models import Holiday
from campaigns.playbooks.base import CampaignPlaybook, free_shipping, living, percent_off
from retention import clock
from retention.registries import playbooks

WEEK = 24 * 7


def with_birthday():
    return living().filter(birth_month__isnull=False)


def with_sign_up():
    return living().filter(signed_up_at__isnull=False)


def in_a_country_with_holidays():
    return living().filter(country__in=Holiday.objects.values("country"))


@playbooks.register
class Birthday(CampaignPlaybook):
    key = "birthday"
    label = _("Birthday")
    icon = "cake"
    plan = _(
        "On the morning of her birthday, by her own clock, each customer gets a mail with a code of her own: 15 % off,"
        " for two weeks, not on low-margin products. Born on 29 February: on the 28th in other years."
    )
    expected = _(
        "Birthday mails are opened about twice as often as announcements. It costs only what is used, and one code"
        " a year and customer at the most."
    )
    watch_out = _(
        "People change their birthday to get a second present: each year counts once, whatever they enter."
        " Ask for the birthday in the preferences and at the checkout; without a year is enough."
    )
    occasion = "birthday"
    args = {"hour": "09:00", "leap_day": "02-28"}
    template = "birthday"
    needs = {_("have a birthday"): with_birthday}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Birthday: 15 % off", 15, hours=2 * WEEK)


@playbooks.register
class SignUpAnniversary(CampaignPlaybook):
    key = "anniversary"
    label = _("Sign-up anniversary")
    icon = "military_tech"
    plan = _(
        "On every anniversary of her sign-up each customer is thanked for the years, with 10 % off for two weeks,"
        " not on low-margin products."
    )
    expected = _("A small, steady reason to come back, spread over the year; long-standing customers value it most.")
    watch_out = _(
        "Imported customers often share one sign-up day: look at the head-count of the busiest day before launching."
    )
    occasion = "anniversary"
    args = {"hour": "10:00", "leap_day": "02-28"}
    template = "anniversary"
    needs = {_("have a sign-up date"): with_sign_up}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Sign-up anniversary: 10 % off", 10, hours=2 * WEEK)


@playbooks.register
class NationalHoliday(CampaignPlaybook):
    key = "holiday"
    label = _("National holiday")
    icon = "celebration"
    plan = _(
        "On New Year's Day and Christmas, where her country keeps them, each customer gets free shipping for a week."
        " Choose other holidays in the draft: each reaches only the countries that keep it."
    )
    expected = _("Sales move to the days you choose; free shipping costs less than a percentage on a full basket.")
    watch_out = _(
        "Language is not country: the customer's country decides. Check the list of holidays, and move or switch off"
        " those that are no day for advertising, such as days of mourning."
    )
    occasion = "holiday"
    template = "holiday"
    needs = {_("are in a country whose holidays we know"): in_a_country_with_holidays}

    @classmethod
    def occasion_args(cls, *, now, zone):
        wanted = ("new-years-day", "christmas-day")
        return {"hour": "10:00", "holidays": [key for key in wanted if key in keys_in_use()], "days_before": 0}

    @classmethod
    def incentive(cls, *, currency):
        return free_shipping("Holiday: free shipping", hours=WEEK)


@playbooks.register
class Announcement(CampaignPlaybook):
    key = "broadcast"
    label = _("One announcement")
    icon = "campaign"
    plan = _("One mail to everyone who agreed to it, on a day and at an hour of your choice; the draft says in a week.")
    expected = _("The widest reach and the least relevance: best for news that concerns everyone.")
    watch_out = _("Narrow the audience to those it concerns. Each needless announcement costs subscribers.")
    occasion = "one_date"
    template = "broadcast"
    audience = "email-consent"

    @classmethod
    def occasion_args(cls, *, now, zone):
        today: dt.date = now.astimezone(clock.zone(zone)).date()
        return {"on": (today + 7 * DAY).isoformat(), "hour": "10:00", "clock": "customer"}
