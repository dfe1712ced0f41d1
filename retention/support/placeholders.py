"""What the sorry mail may say beside the common words."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention import money
from retention.registries import Placeholder, placeholders
from retention.support.models import Compensation
from retention.support.operations import ORIGIN


@placeholders.register
class CompensationWords(Placeholder):
    """Looked up when the mail is made, so that the agent's own words lie in one place, where erasure finds them."""

    key = "compensation"
    label = _("Compensation")
    sample: ClassVar = {
        "amount": "€12.00",
        "words": "I am sorry about the scratch on side B.",
        "order": "NW-104217",
        "product": "The Velvet Lanterns: Half Speed (Vinyl)",
        "agent": "Oleg",
    }
    labels: ClassVar = {
        "amount": _("What was given"),
        "words": _("The agent's own words; nothing where there are none"),
        "order": _("Number of the order it is about; nothing where there is none"),
        "product": _("The only product it is good for; nothing where it is good for all"),
        "agent": _("First name of the agent"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now) -> dict[int, Any]:
        ours = {delivery.origin_id: delivery for delivery in deliveries if delivery.origin == ORIGIN}
        found = Compensation.objects.filter(pk__in=ours).select_related("case__order", "product", "given_by")
        return {
            ours[compensation.pk].id: {
                "amount": money.show(
                    compensation.amount_minor, compensation.currency, ours[compensation.pk].language or "en"
                ),
                "words": compensation.case.words or None,
                "order": compensation.case.order.reference if compensation.case.order else None,
                "product": compensation.product.name if compensation.product else None,
                "agent": compensation.given_by.first_name or None,
            }
            for compensation in found
        }
