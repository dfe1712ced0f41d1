"""The abuse report: who used most, who is one person, which codes are refused. Read only."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from retention import clock
from retention.incentives.abuse import DAYS, Heavy, read_abuse
from retention.incentives.baskets import amount_text
from retention.incentives.facts import shop_currency
from retention.incentives.public_door import refused_often


def reason_words(code: str) -> str:
    """`incentives.code_expired` → “code expired”: the sentence of a refusal would want its figures."""
    return code.rpartition(".")[2].replace("_", " ")


@require_safe
def abuse_view(request: HttpRequest, admin: Any) -> HttpResponse:
    """Three short lists of the last thirty days."""
    if not (request.user.has_perm("incentives.view_redemption") and request.user.has_perm("customers.view_customer")):
        raise PermissionDenied
    now, currency = clock.now(), shop_currency()
    found = read_abuse(now=now, refusals=refused_often(today=now.date(), days=DAYS))

    def shown(heavy: Heavy) -> dict[str, Any]:
        return {
            "customers": heavy.customers,
            "uses": heavy.uses,
            "saved": amount_text(int(heavy.saved_minor), currency),
        }

    return TemplateResponse(
        request,
        "incentives/abuse.html",
        {
            **admin.admin_site.each_context(request),
            "title": _("Abuse"),
            "opts": admin.opts,
            "days": DAYS,
            "most": [shown(one) for one in found.most],
            "shared": [shown(one) for one in found.shared],
            "refused": [
                {"code": one.code, "why": reason_words(one.reason), "times": one.times} for one in found.refused
            ],
        },
    )
