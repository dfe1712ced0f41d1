"""Known values that the builder offers while somebody types: a few that begin with, or hold, what she typed."""

from __future__ import annotations

from collections.abc import Callable

from babel import Locale
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import get_language

from retention.customers.models import Order, Product, Return
from retention.segments.querysets import TooSlow, live_customers, within_ms

Pairs = list[tuple[str, str]]
MOST = 20
#: Long enough for a scan of a million customers; typing goes on without suggestions after it.
WITHIN_MS = 1500


def suggestions(source: str, typed: str) -> Pairs:
    """(value, label) of at most 20 known values of a source; none where it is unknown or takes too long."""
    if source not in SOURCES:
        return []
    try:
        with within_ms(WITHIN_MS):
            return SOURCES[source](typed.strip())
    except TooSlow:
        return []


def _column(rows: Callable[[], QuerySet], column: str) -> Callable[[str], Pairs]:
    def known(typed: str) -> Pairs:
        found = rows().filter(**{f"{column}__istartswith": typed}).exclude(**{column: ""})
        words = found.order_by(column).values_list(column, flat=True).distinct()[:MOST]
        return [(word, word) for word in words]

    return known


def _products(typed: str) -> Pairs:
    found = Product.objects.filter(Q(sku__istartswith=typed) | Q(name__icontains=typed)).order_by("name", "sku")
    return [(sku, f"{name} ({sku})") for sku, name in found.values_list("sku", "name")[:MOST]]


def _categories(typed: str) -> Pairs:
    """Every level of every path."""
    paths = Product.objects.exclude(category="").order_by().values_list("category", flat=True).distinct()
    levels = {
        "/".join(parts[:end]) for parts in (path.split("/") for path in paths) for end in range(1, len(parts) + 1)
    }
    return [(path, path.replace("/", " › ")) for path in sorted(levels) if typed.lower() in path.lower()][:MOST]


def _interests(typed: str) -> Pairs:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT interest FROM customers_customer, unnest(interests) AS interest"
            " WHERE merged_into_id IS NULL AND interest ILIKE %s ORDER BY interest LIMIT %s",
            [typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%", MOST],
        )
        return [(row[0], row[0]) for row in cursor.fetchall()]


def _languages(typed: str) -> Pairs:
    names = Locale.parse((get_language() or "en").replace("-", "_")).languages
    used = live_customers().exclude(language="").order_by("language").values_list("language", flat=True).distinct()
    pairs = [(code, f"{names.get(code.partition('-')[0].lower(), code)} ({code})") for code in used]
    return [pair for pair in pairs if typed.lower() in pair[1].lower()][:MOST]


SOURCES: dict[str, Callable[[str], Pairs]] = {
    "products": _products,
    "categories": _categories,
    "interests": _interests,
    "languages": _languages,
    "cities": _column(live_customers, "city"),
    "regions": _column(live_customers, "region"),
    "sources": _column(live_customers, "source"),
    "stores": _column(Order.objects.all, "store"),
    "channels": _column(Order.objects.all, "channel"),
    "payment_methods": _column(Order.objects.all, "payment_method"),
    "reasons": _column(Return.objects.all, "reason"),
}
