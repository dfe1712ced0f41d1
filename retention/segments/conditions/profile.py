"""Conditions over who she is: when she was born, how she came, what she likes and where she can be reached."""

from __future__ import annotations

import calendar
import datetime as dt

from babel import Locale
from django import forms
from django.db.models import Q
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models.people import Channel
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import (
    Arguments,
    Count,
    When,
    WordsField,
    bounds,
    shop_day,
    within,
)
from retention.segments.conditions.places import GROUP, one_of_folded


def month_pairs() -> list[tuple[str, str]]:
    names = Locale.parse((get_language() or "en").replace("-", "_")).months["stand-alone"]["wide"]
    return [("this", _("this month")), ("next", _("next month")), *((str(n), names[n]) for n in range(1, 13))]


@conditions.register
class HasBirthday(Condition):
    key = "has_birthday"
    label = _("Birthday is known")
    group = GROUP
    form_class = Arguments

    @classmethod
    def q(cls, args, *, now):
        return Q(birth_month__isnull=False)

    @classmethod
    def sentence(cls, args):
        return gettext("has told her birthday")


class BirthdaySoonForm(Arguments):
    days = forms.IntegerField(
        label=_("days"), min_value=0, max_value=365, initial=7, help_text=_("Today counts; 0 is today only.")
    )


@conditions.register
class BirthdaySoon(Condition):
    """In the shop's zone. Somebody born on 29 February celebrates on the 28th in common years."""

    key = "birthday_soon"
    label = _("Birthday in the next days")
    group = GROUP
    form_class = BirthdaySoonForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        today = shop_day(now)
        days: dict[int, set[int]] = {}
        for ahead in range(args["days"] + 1):
            on = today + dt.timedelta(days=ahead)
            days.setdefault(on.month, set()).add(on.day)
            if (on.month, on.day) == (2, 28) and not calendar.isleap(on.year):
                days[2].add(29)
        months = (Q(birth_month=month, birth_day__in=sorted(among)) for month, among in sorted(days.items()))
        return Q(*months, _connector=Q.OR)

    @classmethod
    def sentence(cls, args):
        if not args["days"]:
            return gettext("has her birthday today")
        pattern = ngettext(
            "has her birthday today or tomorrow", "has her birthday in the next %(days)s days", args["days"]
        )
        return pattern % {"days": args["days"]}


class BirthdayMonthForm(Arguments):
    month = forms.ChoiceField(label=_("month"), choices=month_pairs, initial="this")


@conditions.register
class BirthdayMonth(Condition):
    key = "birthday_month"
    label = _("Birthday in a month")
    group = GROUP
    form_class = BirthdayMonthForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        this = shop_day(now).month
        return Q(birth_month={"this": this, "next": this % 12 + 1}.get(args["month"]) or int(args["month"]))

    @classmethod
    def sentence(cls, args):
        label = str(dict(month_pairs())[args["month"]])
        if args["month"] in ("this", "next"):
            return gettext("has her birthday %(month)s") % {"month": label}
        return gettext("has her birthday in %(month)s") % {"month": label}


@conditions.register
class Age(Condition):
    """In whole years on this day in the shop's zone; unknown without a year of birth."""

    key = "age"
    label = _("Age")
    group = GROUP
    form_class = Count
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        low, high = bounds(args)
        today = shop_day(now)
        known = Q(birth_year__isnull=False)
        if low is not None:
            known &= cls.born_by(today, low)
        return known if high is None else known & ~cls.born_by(today, high + 1)

    @staticmethod
    def born_by(today: dt.date, age: int) -> Q:
        # Years as numbers, not as dates: nobody is born in the year −300, and asking must not fail.
        year = max(today.year - age, -32_768)
        return (
            Q(birth_year__lt=year)
            | Q(birth_year=year, birth_month__lt=today.month)
            | Q(birth_year=year, birth_month=today.month, birth_day__lte=today.day)
        )

    @classmethod
    def sentence(cls, args):
        return gettext("is %(range)s old") % {"range": phrases.counted(args, gettext("year"), gettext("years"))}


@conditions.register
class SignedUp(Condition):
    key = "signed_up"
    label = _("Signed up")
    group = GROUP
    form_class = When
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return Q(**within("signed_up_at", args, now))

    @classmethod
    def sentence(cls, args):
        return gettext("signed up") + phrases.when(args)


class SourceForm(Arguments):
    sources = WordsField(label=_("sources"), suggest="sources")


@conditions.register
class Source(Condition):
    key = "source"
    label = _("Acquisition source")
    group = GROUP
    form_class = SourceForm

    @classmethod
    def q(cls, args, *, now):
        return one_of_folded("source", args["sources"])

    @classmethod
    def sentence(cls, args):
        return gettext("came from %(sources)s") % {"sources": phrases.listing(args["sources"])}


class InterestForm(Arguments):
    match = forms.ChoiceField(
        label=_("which"), choices=[("any", _("any of these")), ("all", _("all of these"))], initial="any"
    )
    interests = WordsField(label=_("interests"), suggest="interests")


@conditions.register
class Interest(Condition):
    key = "interest"
    label = _("Interests")
    group = GROUP
    form_class = InterestForm

    @classmethod
    def q(cls, args, *, now):
        lookup = "interests__contains" if args["match"] == "all" else "interests__overlap"
        return Q(**{lookup: args["interests"]})

    @classmethod
    def sentence(cls, args):
        joiner = gettext("and") if args["match"] == "all" else gettext("or")
        return gettext("is interested in %(interests)s") % {"interests": phrases.listing(args["interests"], joiner)}


class AddressForm(Arguments):
    address = forms.ChoiceField(
        label=_("address"),
        choices=[("email", _("an email address")), ("phone", _("a phone number")), ("post", _("a postal address"))],
    )


@conditions.register
class HasAddress(Condition):
    key = "has_address"
    label = _("Can be reached at")
    group = GROUP
    form_class = AddressForm

    @classmethod
    def q(cls, args, *, now):
        return {
            "email": Q(email__isnull=False),
            "phone": Q(phone__isnull=False),
            "post": ~Q(address="") & ~Q(city=""),
        }[args["address"]]

    @classmethod
    def sentence(cls, args):
        words = dict(AddressForm.base_fields["address"].choices)
        return gettext("has %(address)s") % {"address": words[args["address"]]}


class ChannelForm(Arguments):
    channels = WordsField(label=_("channels"), among=Channel.choices)


@conditions.register
class PreferredChannel(Condition):
    key = "preferred_channel"
    label = _("Preferred channel")
    group = GROUP
    form_class = ChannelForm

    @classmethod
    def q(cls, args, *, now):
        return Q(preferred_channel__in=args["channels"])

    @classmethod
    def sentence(cls, args):
        labels = dict(Channel.choices)
        return gettext("prefers %(channels)s") % {"channels": phrases.listing(labels[key] for key in args["channels"])}
