"""One advocate's share texts, filled with what is hers: her link, her name, and what her friend is given."""

from __future__ import annotations

from referrals.arms import rule_for
from referrals.models import Advocate
from referrals.offers import friend_gets
from referrals.querysets import link_of_advocate
from referrals.sharing import Shared, shared
from referrals.versions import rule_of
from retention.segments.models import Membership
from retention.shop.models import Shop


def shares_of(advocate: Advocate, *, language: str = "", persona: str = "") -> tuple[str, list[Shared]]:
    """(what the friend is given, texts by channel), in this language or else hers; by segments without a persona."""
    shop, rule = Shop.objects.get(), rule_for(advocate, rule_of(advocate.scheme.version_id))
    spoken = language or (advocate.customer.language if advocate.customer else "") or shop.default_language
    gets = friend_gets({advocate.scheme.version_id})(link_of_advocate(advocate), spoken)
    asked = {share.segment_id for share in rule.texts if share.segment_id}
    hers = Membership.objects.filter(customer=advocate.customer_id, segment__in=asked)
    texts = shared(
        rule,
        code=advocate.code,
        language=spoken,
        default=shop.default_language,
        first_name=advocate.customer.given_name if advocate.customer else "",
        friend_gets=gets,
        shop_name=shop.name,
        persona=persona,
        segments=set(hers.values_list("segment_id", flat=True)) if asked else set(),
    )
    return gets, texts
