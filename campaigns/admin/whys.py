"""What campaigns did for a customer, on her page, with the way to why."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from campaigns.models import Touch
from campaigns.reasons import reason_text
from retention.customers.admin.customers import Facts, on_customer_page


@on_customer_page
class TouchesTab(Facts):
    model = Touch
    fields = readonly_fields = ("campaign", "due_at", "state", "reason_words", "explained")
    ordering = ("-id",)
    verbose_name_plural = _("Campaigns")
    template_before = "campaigns/whys/of_customer.html"

    @display(description=_("why not"))
    def reason_words(self, touch: Touch) -> str:
        return reason_text(touch.reason) or "—"

    @display(description=_("explained"))
    def explained(self, touch: Touch) -> SafeString:
        url = reverse("campaigns:why", args=[touch.customer.public_id, touch.campaign_id])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, _("Why?"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("campaign", "customer")
