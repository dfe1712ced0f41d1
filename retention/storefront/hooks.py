"""Where providers tell what became of messages; who cannot prove to be the provider learns nothing."""

from __future__ import annotations

from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from retention import clock
from retention.messaging import hooks, operations, tokens


@csrf_exempt
@never_cache
@require_http_methods(["POST", "HEAD"])
def mail_provider(request: HttpRequest, provider: str) -> HttpResponse:
    """200 for what was written down, said twice or about nothing of ours; 404 for strangers; 400 for what is no event.

    Everything of one request is written before the answer, each event by itself, so a request said again is harmless.
    """
    if request.method == "HEAD":
        # Some providers look whether anybody is there when the address is set up.
        return HttpResponse()
    now = clock.now()
    try:
        events = hooks.read(provider, request, now=now)
    except hooks.NotTheirs:
        raise Http404 from None
    except hooks.Unreadable:
        return HttpResponse(status=400)
    for told in events:
        operations.record_told(told=told, now=now)
    return HttpResponse()


@csrf_exempt
@never_cache
@require_POST
def text_answer(request: HttpRequest) -> HttpResponse:
    """A phone answered: STOP counts at once. The empty document tells the provider to write nothing back."""
    _signed_by_texts(request)
    operations.answer_text(number=request.POST.get("From", ""), text=request.POST.get("Body", ""), now=clock.now())
    return HttpResponse("<Response></Response>", content_type="text/xml")


@csrf_exempt
@never_cache
@require_POST
def text_status(request: HttpRequest, token: str) -> HttpResponse:
    """What became of one text message."""
    _signed_by_texts(request)
    try:
        reference = tokens.read_delivery_token(token)
    except BadSignature:
        raise Http404 from None
    told = hooks.text_told(request, reference, now=clock.now())
    if told is not None:
        operations.record_told(told=told, now=clock.now())
    return HttpResponse()


def _signed_by_texts(request: HttpRequest) -> None:
    try:
        hooks.check_texts(request)
    except hooks.NotTheirs:
        raise Http404 from None
