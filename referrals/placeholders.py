"""The words by which messages bring a personal link: whoever may recommend is made an advocate when hers is needed."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from referrals.offers import friend_gets
from referrals.operations.advocates import links_of
from referrals.sharing import PLACEHOLDERS, link_of
from retention.messaging.outgoing import Outgoing
from retention.registries import Placeholder, placeholders


@placeholders.register
class ReferralWords(Placeholder):
    """Nil where no scheme is live for her, so `{% if referral %}` asks."""

    key = "referral"
    label = _("Personal link to recommend by")
    sample: ClassVar = {
        "link": PLACEHOLDERS["referral_link"],
        "code": PLACEHOLDERS["referral_code"],
        "friend_gets": PLACEHOLDERS["friend_gets"],
    }
    labels: ClassVar = {
        "link": _("Her link, to be passed on"),
        "code": _("Her code, to be typed at the checkout"),
        "friend_gets": _("What her friend is given, in a sentence"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        customers = {delivery.customer_id for delivery in deliveries if delivery.customer_id}
        # A preview makes nobody an advocate.
        links = links_of(sorted(customers), now=now, is_opening=all(delivery.id for delivery in deliveries))
        said = friend_gets({link.version_id for link in links.values()})
        return {
            delivery.id: {
                "link": link_of(link.code, delivery.channel),
                "code": link.code,
                "friend_gets": said(link, delivery.language) or None,
            }
            for delivery in deliveries
            if (link := links.get(delivery.customer_id)) is not None
        }
