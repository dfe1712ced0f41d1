"""Playbooks about value that customers hold: what is about to expire unused."""

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.base import CampaignPlaybook, living
from retention.ledger.models import Lot
from retention.registries import playbooks


def with_value_that_ends():
    lots = Lot.objects.filter(remaining__gt=0, expires_at__isnull=False, account__is_frozen=False)
    owners = lots.annotate(owner=Coalesce(F("account__customer_id"), F("account__card__code__customer_id")))
    return living().filter(pk__in=owners.values("owner"))


@playbooks.register
class ValueExpiring(CampaignPlaybook):
    key = "value_expiring"
    label = _("Credit or points about to expire")
    icon = "savings"
    plan = _(
        "A week before credit, points or what is left on a gift card expire unused, their owner hears how much ends and"
        " when. Nothing new is given."
    )
    expected = _("Whoever comes to spend it mostly pays something on top. It costs nothing that was not owed already.")
    watch_out = _(
        "Money that is spent is an expense that expiring would have saved, yet a customer who loses it without a word"
        " is dearer. What is spent before the message leaves is not reminded of."
    )
    occasion = "value_expiring"
    args = {"days": 7, "unit": "", "hour": "10:00"}
    template = "value_expiring"
    needs = {_("hold something that expires"): with_value_that_ends}
