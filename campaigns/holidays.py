"""Public holidays of the customers' countries: computed ahead from the `holidays` library, kept as rows to edit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

import holidays as library
from django.db.models import Count
from django.utils.text import slugify

from campaigns.models import Holiday
from retention.shop.models import Shop

YEARS_AHEAD = 2
#: Days on which nobody works and nothing is kept, by their English name: no shop congratulates on them.
_IDLE = re.compile(r"(Additional )?[Dd]ay off\b|Bridge\b")


def computed(
    country: str, years: Iterable[int], languages: Iterable[str] = ()
) -> list[tuple[dt.date, str, str, dict[str, str]]]:
    """(day, key, name in the country's language, names by language) of each public holiday.

    The names are English ones and those in `languages` that the library knows for it. A country that the library does
    not know has no holidays.

    Substitutes for weekends and bridging days are left out. Whether a day is certain yet shows in no name: it would
    be another holiday once it is.
    """
    if country not in library.list_supported_countries(include_aliases=False):
        return []
    years = list(years)
    english = _of(country, years, "en_US")
    known = library.country_holidays(country)
    own = _of(country, years, known.default_language)
    spoken = {tag.partition("_")[0]: tag for tag in known.supported_languages}
    others = {tongue: _of(country, years, spoken[tongue]) for tongue in set(languages) & spoken.keys()}
    rows = []
    for day, names in sorted(english.items()):
        for number, name in enumerate(names):
            if _IDLE.match(name):
                continue
            # The lists name the same holidays of a day in the same order.
            said = {tongue: found[day][number] for tongue, found in others.items() if number < len(found.get(day, ()))}
            locals_ = own.get(day, names)
            rows.append(
                (day, slugify(name)[:80], locals_[number] if number < len(locals_) else name, {"en": name, **said})
            )
    return [row for row in rows if row[1]]


def _of(country: str, years: list[int], language: str | None) -> dict[dt.date, list[str]]:
    found = library.country_holidays(country, years=years, observed=False, language=language)
    estimated = found.tr(getattr(found, "estimated_label", "")).removeprefix("%s")
    return {day: [name.removesuffix(estimated) for name in found.get_list(day)] for day in found}


def names_of(keys: Iterable[str]) -> list[str]:
    """What these holidays are called in English, those that most countries keep first."""
    kept: dict[str, dict[str, int]] = {key: {} for key in keys}
    rows = Holiday.objects.filter(key__in=list(kept)).values_list("key", "name").annotate(rows=Count("pk"))
    for key, name, count in rows:
        kept[key][name] = count
    by_rows = sorted(kept.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return [_english(key, names) for key, names in by_rows]


def _english(key: str, names: Iterable[str]) -> str:
    # Rows carry the country's own name; the key is made of the English one.
    return min((name for name in names if slugify(name)[:80] == key), default=key.replace("-", " ").capitalize())


def keys_in_use() -> set[str]:
    return set(Holiday.objects.filter(is_observed=True).values_list("key", flat=True).distinct())


def languages() -> list[str]:
    """Those that the shop writes in, its own first, without their countries."""
    return [tag.partition("-")[0] for tag in Shop.objects.get().languages]
