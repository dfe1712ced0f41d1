"""The invitation to recommend the shop does not leave while there is none for her."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _

from referrals.operations.advocates import links_of
from retention.messaging.models import Template
from retention.messaging.ready.recommending import INVITATION
from retention.refusals import Refused
from retention.registries import SendGuard, Skip, guards


class NoSchemeForHer(Refused):
    code = "referrals.no_scheme_for_her"
    sentence = _("It invites her to pass her link on, and no referral scheme is live for her.")


@guards.register
class HasALink(SendGuard):
    key = "referrals.has_a_link"
    order = 30

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        templates = {delivery.template_id for delivery in deliveries}
        about = set(Template.objects.filter(pk__in=templates, key=INVITATION).values_list("pk", flat=True))
        asking = [delivery for delivery in deliveries if delivery.template_id in about]
        if not asking:
            return {}
        links = links_of(sorted({delivery.customer_id for delivery in asking}), now=now)
        return {delivery.id: Skip(NoSchemeForHer.code) for delivery in asking if delivery.customer_id not in links}
