"""What the builder asks while somebody works in it: size and sample, why one customer is in or not, known values."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from retention import clock
from retention.customers.models import Customer
from retention.segments import rules
from retention.segments.models import Membership
from retention.segments.querysets import Explained, explain, find_customer, live_customers, preview
from retention.segments.suggestions import suggestions

MAX_BODY = 200_000


class _BadRequest(Exception):
    """Not what the builder sends."""


def _may_view(request: HttpRequest) -> None:
    if not request.user.has_perm("segments.view_segment"):
        raise PermissionDenied


def _asked(request: HttpRequest) -> dict[str, Any]:
    try:
        asked = json.loads(request.body) if len(request.body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("segment"), int | None):
        raise _BadRequest
    return asked


def _refused(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"problem": _("This request cannot be read.")}, status=400)


@require_POST
def preview_view(request: HttpRequest) -> JsonResponse:
    """Size, sample, the whole sentence and each condition's words; or every error by its JSON pointer."""
    _may_view(request)
    try:
        asked = _asked(request)
    except _BadRequest:
        return _refused(request)
    try:
        node = rules.parse(asked.get("rule"), of=asked.get("segment"))
        found = preview(node, clock.now())
    except forms.ValidationError as invalid:
        return JsonResponse({"errors": invalid.message_dict})
    may_see = request.user.has_perm("customers.view_customer")
    return JsonResponse(
        {
            "size": found.size,
            "total": cache.get_or_set("segments.everyone", live_customers().count, 60),
            "sample": [_shown(customer) for customer in found.sample or ()] if may_see else None,
            "sentence": rules.sentence(node),
            "phrases": dict(_phrases(node)),
        }
    )


def _phrases(node: rules.Node):
    if isinstance(node, rules.Leaf):
        yield node.path, rules.phrase(node)
    else:
        for part in (node.part,) if isinstance(node, rules.Not) else node.parts:
            yield from _phrases(part)


def _shown(customer: Customer) -> dict[str, Any]:
    place = ", ".join(filter(None, (customer.city, customer.country)))
    return {"name": str(customer), "email": customer.email or "", "place": place, "url": _customer_url(customer)}


def _customer_url(customer: Customer) -> str:
    try:
        return reverse("admin:customers_customer_change", args=[customer.pk])
    except NoReverseMatch:
        return ""


@require_POST
def explain_view(request: HttpRequest) -> JsonResponse:
    """Why the customer of this email or reference is in the rule or not; posted, so that no log holds an address."""
    _may_view(request)
    if not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    try:
        asked = _asked(request)
    except _BadRequest:
        return _refused(request)
    text = asked.get("customer")
    customer = find_customer(text) if isinstance(text, str) else None
    if customer is None:
        return JsonResponse({"problem": _("There is no customer with this email or reference.")})
    try:
        told = explain(asked.get("rule"), customer.pk, clock.now(), of=asked.get("segment"))
    except forms.ValidationError:
        return JsonResponse({"problem": _("Mend the rule first: some of its conditions are not complete.")})
    since = Membership.objects.filter(segment=asked.get("segment"), customer=customer).first()
    return JsonResponse(
        {
            "customer": _shown(customer),
            "is_met": told.is_met,
            "since": since.entered_at.date().isoformat() if since else None,
            "told": [_told(part) for part in told.parts],
        }
    )


def _told(node: Explained) -> dict[str, Any]:
    return {
        "sentence": node.sentence,
        "is_met": node.is_met,
        "kind": node.kind,
        "path": node.path,
        "hers": _("hers: %(value)s") % {"value": node.hers} if node.hers else "",
        "parts": [_told(part) for part in node.parts],
    }


@require_GET
def suggest_view(request: HttpRequest) -> JsonResponse:
    _may_view(request)
    typed = request.GET.get("q", "")[:100].replace("\0", "")
    return JsonResponse({"pairs": suggestions(request.GET.get("source", ""), typed)})
