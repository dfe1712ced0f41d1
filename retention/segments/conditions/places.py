"""Conditions over where she lives and what she reads."""

from __future__ import annotations

from babel import Locale
from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import In
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Arguments, WordsField

GROUP = _("Profile")


def one_of_folded(column: str, words: list[str]) -> Q:
    """The column is one of the words, whatever their case."""
    return Q(In(Lower(column), [word.lower() for word in words]))


def country_pairs() -> list[tuple[str, str]]:
    names = Locale.parse((get_language() or "en").replace("-", "_")).territories
    return sorted(((code, name) for code, name in names.items() if len(code) == 2), key=lambda pair: pair[1])


def zone_pairs() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(clock.zone_names())]


class CountryForm(Arguments):
    countries = WordsField(label=_("countries"), among=country_pairs, suggest="countries", upper=True)


@conditions.register
class Country(Condition):
    key = "country"
    label = _("Country")
    group = GROUP
    form_class = CountryForm

    @classmethod
    def q(cls, args, *, now):
        return Q(country__in=args["countries"])

    @classmethod
    def sentence(cls, args):
        return gettext("lives in %(countries)s") % {"countries": phrases.countries(args["countries"])}


class LanguageForm(Arguments):
    languages = WordsField(label=_("languages"), suggest="languages")


@conditions.register
class Language(Condition):
    key = "language"
    label = _("Language")
    group = GROUP
    form_class = LanguageForm

    @classmethod
    def q(cls, args, *, now):
        return one_of_folded("language", args["languages"])

    @classmethod
    def sentence(cls, args):
        return gettext("reads %(languages)s") % {"languages": phrases.languages(args["languages"])}


class RegionForm(Arguments):
    regions = WordsField(label=_("regions"), suggest="regions")


@conditions.register
class Region(Condition):
    key = "region"
    label = _("Region or state")
    group = GROUP
    form_class = RegionForm

    @classmethod
    def q(cls, args, *, now):
        return one_of_folded("region", args["regions"])

    @classmethod
    def sentence(cls, args):
        return gettext("lives in the region %(regions)s") % {"regions": phrases.listing(args["regions"])}


class CityForm(Arguments):
    cities = WordsField(label=_("cities"), suggest="cities")


@conditions.register
class City(Condition):
    key = "city"
    label = _("City")
    group = GROUP
    form_class = CityForm

    @classmethod
    def q(cls, args, *, now):
        return one_of_folded("city", args["cities"])

    @classmethod
    def sentence(cls, args):
        return gettext("lives in the city %(cities)s") % {"cities": phrases.listing(args["cities"])}


class PostcodeForm(Arguments):
    begins = WordsField(label=_("begins with"), help_text=_("One or more beginnings, such as 101, 102."))


@conditions.register
class Postcode(Condition):
    key = "postcode"
    label = _("Postcode")
    group = GROUP
    form_class = PostcodeForm

    @classmethod
    def q(cls, args, *, now):
        return Q(*(("postcode__istartswith", begin) for begin in args["begins"]), _connector=Q.OR)

    @classmethod
    def sentence(cls, args):
        return gettext("has a postcode that begins with %(begins)s") % {"begins": phrases.listing(args["begins"])}


class ZoneForm(Arguments):
    zones = WordsField(label=_("time zones"), among=zone_pairs, suggest="zones")


@conditions.register
class Zone(Condition):
    key = "time_zone"
    label = _("Time zone")
    group = GROUP
    form_class = ZoneForm

    @classmethod
    def q(cls, args, *, now):
        return Q(time_zone__in=args["zones"])

    @classmethod
    def sentence(cls, args):
        return gettext("lives in the time zone %(zones)s") % {"zones": phrases.listing(args["zones"])}
