"""The segments that a customer is in, on her page."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from retention.customers.admin.customers import Facts, on_customer_page
from retention.segments.models import Membership


@on_customer_page
class MembershipsTab(Facts):
    model = Membership
    fields = readonly_fields = ("segment", "entered_at")
    ordering = ("-entered_at", "segment")
    verbose_name_plural = _("Segments")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(segment__archived_at=None).select_related("segment")
