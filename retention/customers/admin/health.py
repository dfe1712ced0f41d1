"""The data-health page, and the filter of customers behind its links."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.customers.health import FACETS, known


class Lacks(admin.SimpleListFilter):
    """Living customers of whom something is not known."""

    title = _("without")
    parameter_name = "without"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(facet.key, facet.label) for facet in FACETS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        facet = next((facet for facet in FACETS if facet.key == self.value()), None)
        return queryset if facet is None else queryset.filter(facet.lacks, erased_at=None)


def health_view(site: Any, request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("customers.view_data_health"):
        raise PermissionDenied
    counted_at, rows = known(now=clock.now(), again=request.method == "POST")
    context = {**site.each_context(request), "title": _("Data health"), "known": rows, "counted_at": counted_at}
    return TemplateResponse(request, "customers/health.html", context)
