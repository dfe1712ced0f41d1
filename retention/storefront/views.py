"""Pages for customers and their mail programs: confirm, unsubscribe, preferences, a code's picture; no cookies."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_from_request
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from retention import clock
from retention.incentives.models import Code
from retention.incentives.pictures import CONTENT_TYPES, PICTURES
from retention.messaging import operations, querysets, tokens
from retention.messaging.bringing import Coupon
from retention.messaging.operations.leaving import customer_of
from retention.messaging.purposes import names_of
from retention.shop.models import Shop
from retention.storefront.words import words_in

#: What such a page may load: its own style sheet, and nothing else from anywhere.
STRICT = {
    "default-src": [NONE],
    "script-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
}


def shown(request: HttpRequest, template: str, language: str, status: int = 200, **context: Any) -> HttpResponse:
    shop = Shop.objects.first()
    spoken, words = words_in(language or wished(request), shop=shop.name if shop else "")
    color = shop.brand_color if shop else "#1f2937"
    answer = render(
        request,
        f"storefront/{template}.html",
        {"words": words, "language": spoken, "shop": shop, "color": color, **context},
        status=status,
    )
    answer["X-Robots-Tag"] = "noindex"
    return answer


def wished(request: HttpRequest) -> str:
    return get_language_from_request(request)


# The signed token is the whole right to do this; RFC 8058 wants it without cookies, and forged forms have no token.
@csrf_exempt
@never_cache
@csp_replace(STRICT)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and changes nothing: scanners follow every link. POST stops marketing mail at once.

    A token that is not ours gets the same answers.
    """
    if request.method == "POST":
        operations.unsubscribe(token=token, now=clock.now())
        if "List-Unsubscribe" in request.POST:
            return HttpResponse("OK", content_type="text/plain")
    found = customer_of(token)
    language = found[0].language if found else ""
    return shown(request, "unsubscribe", language, token=token, is_done=request.method == "POST")


@csrf_exempt
@never_cache
@csp_replace(STRICT)
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What a customer gets, to be changed by her; the token is her only proof."""
    found = customer_of(token)
    if found is None:
        return shown(request, "nothing", "", status=404)
    customer, _channel = found
    done = ""
    if request.method == "POST" and "stop" in request.POST:
        operations.stop_everything(token=token, now=clock.now())
        done = "all_stopped"
    elif request.method == "POST":
        chosen = {tuple(value.split("|", 1)) for value in request.POST.getlist("choice") if "|" in value}
        operations.set_preferences(token=token, chosen=chosen, now=clock.now())
        done = "chosen"
    language = customer.language or wished(request)
    choices = querysets.choices_of(customer, language=language, now=clock.now())
    return shown(request, "preferences", language, choices=choices, done=done)


@csrf_exempt
@never_cache
@csp_replace(STRICT)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what was asked and a button, and changes nothing; POST is her yes.

    Forged, too old, of another address, withdrawn since: all get one answer, in the language the browser asks for.
    """
    now = clock.now()
    if request.method == "POST":
        asked = operations.confirm(token=token, now=now)
    else:
        asked = operations.asked_by(token, now=now)
    if asked is None:
        return shown(request, "too_late", "", status=404)
    language = asked.customer.language or wished(request)
    link = tokens.customer_token(asked.customer.public_id, "email")
    return shown(request, "confirm", language, names=names_of(asked.choices, language), asked=asked, link=link)


@require_safe
@cache_control(public=True, max_age=86_400, immutable=True)
def code_picture(request: HttpRequest, token: str, shape: str) -> HttpResponse:
    """The QR picture or the barcode of a code; the token names it without saying it."""
    try:
        return _picture(Code.objects.values_list("code", flat=True).get(pk=tokens.read_code_token(token)), shape)
    except (BadSignature, OverflowError, Code.DoesNotExist):
        raise Http404 from None


@require_safe
@cache_control(public=True, max_age=86_400, immutable=True)
def sample_picture(request: HttpRequest, shape: str) -> HttpResponse:
    """The picture in previews of templates."""
    return _picture(Coupon.sample["code"], shape)


def _picture(text: str, shape: str) -> HttpResponse:
    return HttpResponse(PICTURES[shape, "png"](text), content_type=CONTENT_TYPES["png"])
