"""The words of conditions' sentences: lists, numbers with their operator, windows, money and countries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from django.utils.translation import get_language, gettext, ngettext

from retention import money
from retention.segments.arguments import BETWEEN, shop_currency


def locale() -> Locale:
    try:
        return Locale.parse((get_language() or "en").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")


def listing(words: Iterable[Any], joiner: str = "") -> str:
    """`Berlin, Paris or Rome`."""
    words = [str(word) for word in words]
    if len(words) > 8:
        words = [*words[:7], gettext("%(count)s others") % {"count": len(words) - 7}]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joiner or gettext('or')} {words[-1]}"


def quoted(words: Iterable[Any]) -> str:
    return listing(f"“{word}”" for word in words)


def plain(number: Any) -> str:
    """A number without a needless fraction."""
    return f"{number:,.10g}" if isinstance(number, float) else f"{number:,}"


def ranged(args: Mapping[str, Any], show: Any = plain) -> str:
    """`at least 3`, `between 2 and 5`."""
    words = {"number": show(args["number"])}
    if args["operator"] == BETWEEN:
        return gettext("between %(number)s and %(to)s") % {**words, "to": show(args["number_to"])}
    patterns = {
        "at_least": gettext("at least %(number)s"),
        "at_most": gettext("at most %(number)s"),
        "exactly": gettext("exactly %(number)s"),
    }
    return patterns[args["operator"]] % words


def amount(args: Mapping[str, Any]) -> str:
    """`at least €200.00`."""
    currency, language = shop_currency(), get_language() or "en"
    return ranged(args, lambda minor: money.show(minor, currency, language))


def percent(args: Mapping[str, Any]) -> str:
    return ranged(args, lambda number: f"{plain(number)} %")


def counted(args: Mapping[str, Any], one: str, many: str) -> str:
    """`at least 3 orders`."""
    last = args["number_to"] if args["operator"] == BETWEEN else args["number"]
    return f"{ranged(args)} {one if last == 1 else many}"


def day(on: Any) -> str:
    return format_date(on, "long", locale=locale())


def when(args: Mapping[str, Any]) -> str:
    """` in the last 30 days`, with a space before it; nothing for any time."""
    days = args.get("days") or 0
    match args["window"]:
        case "last":
            return " " + ngettext("in the last day", "in the last %(days)s days", days) % {"days": plain(days)}
        case "before":
            return " " + ngettext("more than a day ago", "more than %(days)s days ago", days) % {"days": plain(days)}
        case "dates":
            return " " + gettext("from %(since)s to %(until)s") % {
                "since": day(args["since"]),
                "until": day(args["until"]),
            }
        case _:
            return ""


def countries(codes: Iterable[str]) -> str:
    names = locale().territories
    return listing(names.get(code, code) for code in codes)


def languages(codes: Iterable[str]) -> str:
    names = locale().languages
    folded = ((code, code.lower()) for code in codes)
    return listing(names.get(code, names.get(low.partition("-")[0], code)) for code, low in folded)
