"""What mail programs fetch and customers follow: the pixel, and the links that lead past us. No cookies."""

from __future__ import annotations

import base64

from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from retention import clock
from retention.messaging import operations, tokens
from retention.messaging.machines import is_machine

#: One transparent dot.
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@never_cache
@require_safe
def pixel(request: HttpRequest, token: str) -> HttpResponse:
    """Always a picture, also for strangers: nobody learns from it what is known here."""
    try:
        operations.record_open(
            reference=tokens.read_delivery_token(token), now=clock.now(), is_machine_call=_is_machine(request)
        )
    except BadSignature:
        pass
    return HttpResponse(_GIF, content_type="image/gif")


@never_cache
@require_safe
def link(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """On to where the link leads; only to where the message itself pointed, since its words say it and we signed it."""
    try:
        reference = tokens.read_delivery_token(token)
    except BadSignature:
        raise Http404 from None
    target = operations.record_click(
        reference=reference, number=number, now=clock.now(), is_machine_call=_is_machine(request)
    )
    if target is None:
        raise Http404
    # By hand, since Django's own redirect would quote what the template wrote anew.
    answer = HttpResponse(status=302)
    answer["Location"] = target
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _is_machine(request: HttpRequest) -> bool:
    """By what it says of itself; how soon it came is judged beside the message."""
    return is_machine(method=request.method or "", headers=request.headers)
