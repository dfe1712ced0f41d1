"""Playbooks of the calendar: birthdays, anniversaries, holidays and what leads up to them, one announcement."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.holidays import keys_in_use
from campaigns.local_days import DAY
from campaigns.playbooks import needs
from campaigns.playbooks.base import (
    WEEK,
    Aim,
    CampaignPlaybook,
    Group,
    free_shipping,
    percent_off,
)
from retention import clock
from retention.registries import playbooks


def in_a_week(now: dt.datetime, zone: str) -> dict[str, Any]:
    """One date, seven days from now, at ten by each customer's clock."""
    today: dt.date = now.astimezone(clock.zone(zone)).date()
    return {"on": (today + 7 * DAY).isoformat(), "hour": "10:00", "clock": "customer"}


@playbooks.register
class Birthday(CampaignPlaybook):
    key = "birthday"
    group = Group.DATES
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
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
    bounds = {"ignores_global_holdout": True}
    needs = {_("have a birthday"): needs.with_birthday}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Birthday: 15 % off", 15, hours=2 * WEEK)


@playbooks.register
class SignUpAnniversary(CampaignPlaybook):
    key = "anniversary"
    group = Group.DATES
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
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
    needs = {_("have a sign-up date"): needs.with_sign_up}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Sign-up anniversary: 10 % off", 10, hours=2 * WEEK)


@playbooks.register
class NationalHoliday(CampaignPlaybook):
    key = "holiday"
    group = Group.DATES
    aims = (Aim.SECOND_ORDER,)
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
    needs = {_("are in a country whose holidays we know"): needs.in_a_country_with_holidays}

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
    group = Group.NEWS
    aims = (Aim.SECOND_ORDER,)
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
        return in_a_week(now, zone)


@playbooks.register
class TenureGift(CampaignPlaybook):
    key = "tenure_gift"
    group = Group.DATES
    aims = (Aim.LOYALTY,)
    label = _("Gift for five years")
    icon = "workspace_premium"
    plan = _("On the fifth anniversary of her sign-up each customer gets 20 % off for a month.")
    expected = _("Few people, and the best you have: nearly all open it, and many tell others.")
    watch_out = _("Have the sign-up anniversary leave that year out, or she gets both on one day.")
    occasion = "anniversary"
    args = {"hour": "09:00", "leap_day": "02-28", "years": 5}
    template = "tenure_gift"
    needs = {_("have a sign-up date"): needs.with_sign_up}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Five years: 20 % off", 20, hours=4 * WEEK)


@playbooks.register
class GiftsAhead(CampaignPlaybook):
    key = "gifts_ahead"
    group = Group.DATES
    aims = (Aim.SECOND_ORDER, Aim.BASKET)
    label = _("Gifts before the holidays")
    icon = "featured_seasonal_and_gifts"
    plan = _("Three weeks before Christmas, where her country keeps it, each customer is led to your gift ideas.")
    expected = _("Whoever finds a gift early buys it before comparing; no discount is needed for it.")
    watch_out = _("Say by when an order arrives in time. Put the address of your gift guide into the button.")
    occasion = "holiday"
    template = "gifts_ahead"
    needs = {_("are in a country whose holidays we know"): needs.in_a_country_with_holidays}

    @classmethod
    def occasion_args(cls, *, now, zone):
        return {"hour": "10:00", "days_before": 21,
                "holidays": [key for key in ("christmas-day",) if key in keys_in_use()]}  # fmt: skip


@playbooks.register
class SeasonalReturn(CampaignPlaybook):
    key = "seasonal_return"
    group = Group.NEWS
    aims = (Aim.BACK, Aim.SECOND_ORDER)
    label = _("Back for the season")
    icon = "ac_unit"
    plan = _(
        "At the beginning of a season those who bought in an earlier one, and not lately, are shown what is new, with"
        " free shipping for two weeks. The draft says in a week."
    )
    expected = _("People who buy once a year do so about the same time: being there in that week is half the work.")
    watch_out = _("Choose the week by when your orders of last year began to rise, not by the calendar.")
    occasion = "one_date"
    template = "seasonal_return"
    audience = "earlier-season-buyers"
    needs = {_("have ordered"): needs.with_an_order}

    @classmethod
    def occasion_args(cls, *, now, zone):
        return in_a_week(now, zone)

    @classmethod
    def incentive(cls, *, currency):
        return free_shipping("Season: free shipping", hours=2 * WEEK)


@playbooks.register
class FirstShoppers(CampaignPlaybook):
    key = "first_500"
    group = Group.NEWS
    aims = (Aim.FIRST_ORDER, Aim.SECOND_ORDER)
    label = _("The first 500 shoppers")
    icon = "timer"
    plan = _(
        "On a day of your choice everyone who agreed to mail gets a code of 20 % off for a day; it works for the first"
        " 500 orders, and for nobody after them."
    )
    expected = _("A rush within the first hours. The limit is kept exactly, however many come at once.")
    watch_out = _("Have enough in stock for 500 orders, and say in the mail that it is for the first 500.")
    occasion = "one_date"
    template = "first_500"
    audience = "email-consent"

    @classmethod
    def occasion_args(cls, *, now, zone):
        return in_a_week(now, zone)

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("First 500: 20 % off", 20, hours=24, limits={"total": 500})
