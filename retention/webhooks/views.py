"""The catalogue of events as a page."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from retention.webhooks.catalogue import by_group, sample_of
from retention.webhooks.models import Endpoint


def catalogue_view(site: Any, request: HttpRequest) -> HttpResponse:
    """Everything that can be told, with a body of each."""
    if not request.user.has_perm("webhooks.view_endpoint"):
        raise PermissionDenied
    groups = [
        (group, [(key, kind, json.dumps(sample_of(key), indent=2)) for key, kind in found.items()])
        for group, found in by_group()
    ]
    context = {**site.each_context(request), "title": _("Events"), "opts": Endpoint._meta, "groups": groups}
    return TemplateResponse(request, "webhooks/catalogue.html", context)
