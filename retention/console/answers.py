"""The console's "no": pages that may not be opened, are not there or failed, in its own look for who is logged in."""

import base64
import hashlib
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import defaults


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_inside(request):
        return defaults.permission_denied(request, exception)
    sentence = _("Your role does not have it. If you need it for your work, ask an administrator.")
    return _no(request, 403, _("You may not do this"), sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_inside(request):
        return defaults.page_not_found(request, exception)
    return _no(request, 404, _("There is no such page"), _("The address may be old or mistyped, or the row is gone."))


def broken(request: HttpRequest) -> HttpResponse:
    """Something failed: a page that needs neither the database nor another request, and says what to do."""
    style = _style()
    answer = HttpResponse(render_to_string("500.html", {"style": style}), status=500)
    # Styles within a page are not allowed anywhere but in the console; this one is known by its hash.
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    answer._csp_update = {"style-src": [f"'sha256-{known}'"]}  # type: ignore[attr-defined]
    return answer


@cache
def _style() -> str:
    return (settings.BASE_DIR / "static" / "console" / "plain.css").read_text()


def _is_inside(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    at_console = request.path_info.startswith(f"/{settings.CONSOLE_PATH}")
    return at_console and user is not None and user.is_active and user.is_staff and "HX-Request" not in request.headers


def _no(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": title,
        "sentence": sentence,
        "home": reverse("admin:index"),
    }
    return render(request, "console/no.html", context, status=status)
