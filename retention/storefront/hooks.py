"""Where providers tell what became of messages; who cannot prove to be the provider learns nothing."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from retention import clock
from retention.messaging import hooks, operations


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
