"""Check-in at a door, and the one click of the work-list."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from retention.doors.console import acting
from retention.incentives import operations
from retention.incentives.models import Fulfilment, Ticket
from retention.incentives.operations.by_hand import CheckedInBefore
from retention.incentives.views.pages import shown_row
from retention.refusals import Refused


def settle_at_once(request: HttpRequest, admin: Any, object_id: int) -> HttpResponse:
    """Done, without a dialog; the page that asked is shown anew and says what came of it."""
    row: Fulfilment = shown_row(request, admin, object_id)
    if not request.user.has_perm("incentives.settle_fulfilment"):
        raise PermissionDenied
    try:
        operations.settle_fulfilment(public_id=row.public_id, state=Fulfilment.State.DONE, **acting(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Done: %(what)s.") % {"what": row.what})
    return HttpResponse(headers={"HX-Refresh": "true"})


def check_in_view(request: HttpRequest, admin: Any) -> HttpResponse:
    """A box for scanner or keyboard; the answer is large and green, or red with the reason."""
    if not request.user.has_perm("incentives.check_in_ticket"):
        raise PermissionDenied
    context: dict[str, Any] = {}
    code = request.POST.get("code", "").strip()[:100]
    if request.method == "POST" and code:
        try:
            ticket = operations.check_in(code=code, **acting(request))
        except CheckedInBefore as refused:
            at = dt.datetime.fromisoformat(refused.params["checked_in_at"])
            shown = date_format(at.astimezone(timezone.get_current_timezone()), "j M Y H:i")
            context = {"refused": CheckedInBefore.sentence % {"at": shown}, "code": code}
        except Refused as refused:
            context = {"refused": str(refused), "code": code}
        else:
            context = {"ticket": ticket, "customer": ticket.grant.customer, "code": code}
    latest = Ticket.objects.filter(checked_in_at__isnull=False).select_related("grant__customer", "grant__code")
    return TemplateResponse(
        request,
        "incentives/check_in.html",
        {
            **admin.admin_site.each_context(request),
            "title": _("Check-in"),
            "opts": admin.opts,
            "latest": latest.order_by("-checked_in_at")[:10],
            **context,
        },
    )
