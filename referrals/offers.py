"""What a friend is given, in a sentence of her language: as her advocate's scheme, and variant of it, stands now."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol

from referrals.arms import variant_of
from referrals.versions import rules_of as schemes_of
from retention.incentives.models import Incentive
from retention.incentives.versions import rules_of
from retention.messaging.offers import offer
from retention.shop.models import Shop


class OfScheme(Protocol):
    """Whoever has an advocate and the version of a scheme, such as `operations.Link`."""

    @property
    def advocate_id(self) -> int: ...
    @property
    def scheme_public_id(self) -> uuid.UUID: ...
    @property
    def version_id(self) -> int: ...


#: Link, language → the sentence; empty where the friend is given nothing.
Said = Callable[[OfScheme, str], str]


def friend_gets(version_ids: set[int]) -> Said:
    """Says it for every advocate of schemes of these versions, by two queries."""
    rules = schemes_of(version_ids)
    wanted = {pk for rule in rules.values() for pk in rule.incentive_ids}
    versions = dict(Incentive.objects.filter(pk__in=wanted).values_list("pk", "version_id"))
    given = rules_of(versions.values())
    default = Shop.objects.values_list("languages", flat=True).first() or ["en"]

    def said(link: OfScheme, language: str) -> str:
        rule = rules[link.version_id]
        variant = variant_of(link.advocate_id, link.scheme_public_id, rule)
        incentive_id = rule.with_variant(variant).friend_incentive
        return offer(given[versions[incentive_id]], {}, language or default[0]) if incentive_id else ""

    return said
