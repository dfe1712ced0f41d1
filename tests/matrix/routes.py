"""Every page of the console, read from the resolver, with an address that opens it."""

import re
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

#: What stands in an address where a route has a parameter of this name.
SAMPLES = {"number": "1", "app_label": "audit"}
#: Django's shortcuts to pages that have a row of their own.
_SHORTCUTS = re.compile(r"(/<path:object_id>/|\(\?P<url>\.\*\)\$|r/<path:content_type_id>/<path:object_id>/)$")
_INDEX_OF_AN_APP = re.compile(r"\^\(\?P<app_label>.*\)/\$$")


def console_patterns() -> list[str]:
    """The pattern of every page below the console's path, each once, in order."""
    below = (pattern for pattern in _walk(get_resolver().url_patterns, "") if pattern.startswith(settings.CONSOLE_PATH))
    return sorted(
        {_INDEX_OF_AN_APP.sub("<app_label>/", pattern) for pattern in below if not _SHORTCUTS.search(pattern)}
    )


def address(pattern: str, ids: Mapping[str, object]) -> str:
    """An address that the pattern answers; `ids` says for a model ("shop.staff") or a parameter what to open."""
    app, model = (pattern.removeprefix(settings.CONSOLE_PATH).split("/") + ["", ""])[:2]
    own = ids.get(f"{app}.{model}", "1")
    samples = {**SAMPLES, **ids, "object_id": own, "pk": own}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(samples.get(match[1], "1")), pattern)


def autocompletes() -> dict[str, str]:
    """What forms offer while one types: name → address."""
    return {
        f"autocomplete:{model._meta.label_lower}.{field}": f"/{settings.CONSOLE_PATH}autocomplete/?term=a"
        f"&app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={field}"
        for model, site in admin.site._registry.items()
        for field in site.autocomplete_fields
    }


def _walk(patterns: list, before: str) -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route
