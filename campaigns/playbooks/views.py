"""The console's gallery of playbooks: found by words or aim; one click makes a draft."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from campaigns import operations
from campaigns.playbooks.gallery import AIMS, shelves
from retention import clock
from retention.doors.console import acting
from retention.refusals import Refused


def gallery_view(admin: Any, request: HttpRequest) -> HttpResponse:
    """`q` and `aim` narrow it; POST makes the draft of the playbook `key`."""
    if not admin.has_add_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        return _draft(request)
    words, aim = request.GET.get("q", "")[:100], request.GET.get("aim", "")
    found = shelves(words=words, aim=aim, now=clock.now())
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Playbooks"),
        "opts": admin.opts,
        "shelves": found,
        "count": sum(len(shelf.cards) for shelf in found),
        "aims": AIMS,
        "words": words,
        "aim": aim,
    }
    return TemplateResponse(request, "campaigns/playbooks.html", context)


def _draft(request: HttpRequest) -> HttpResponse:
    try:
        campaign = operations.create_from_playbook(key=request.POST.get("key", ""), **acting(request))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("admin:campaigns_playbooks")
    messages.success(request, _("This is your draft. Nothing happens until it is approved and launched."))
    return redirect("admin:campaigns_campaign_change", campaign.pk)
