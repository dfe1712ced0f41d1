"""Whether what makes a tier's perks true at the checkout can do so."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from loyalty.rules import TierRules
from retention.incentives.cart_conditions import InTiers
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of
from retention.refusals import Refused


class UnknownOffer(Refused):
    code = "loyalty.unknown_offer"
    sentence = _("There is no such offer.")


class OfferStopped(Refused):
    code = "loyalty.offer_stopped"
    sentence = _("“%(name)s” is stopped, so nobody gets it.")


class OfferNeedsCode(Refused):
    code = "loyalty.offer_needs_code"
    sentence = _("“%(name)s” asks for a code. A perk's offer applies by itself.")


class OfferForOthers(Refused):
    code = "loyalty.offer_for_others"
    sentence = _("“%(name)s” is not for this tier. Give it the condition “for tier” with %(tier)s.")


def perk_problems(programme_key: str, tiers: TierRules) -> dict[str, Refused]:
    """JSON pointer into the programme's rule → what is wrong with the offer that a perk names there."""
    places = list(_places(tiers))
    known = Incentive.objects.in_bulk({number for _pointer, _tier, number in places})
    found = {
        pointer: _problem(known.get(number), f"{programme_key}.{tier}") for pointer, tier, number in places
    }  # fmt: skip
    return {pointer: problem for pointer, problem in found.items() if problem is not None}


def check_perks(programme_key: str, tiers: TierRules) -> None:
    """
    Raises:
        ValidationError: by place, an offer cannot make its perk true.
    """
    if found := perk_problems(programme_key, tiers):
        raise ValidationError({f"rule{pointer}": str(problem) for pointer, problem in found.items()})


def _places(tiers: TierRules) -> Iterator[tuple[str, str, int]]:
    for at, step in enumerate(tiers.steps):
        for place, perk in enumerate(step.perks):
            if perk.incentive is not None:
                yield f"/tiers/steps/{at}/perks/{place}/incentive", step.key, perk.incentive


def _problem(offer: Incentive | None, tier: str) -> Refused | None:
    if offer is None or offer.archived_at is not None:
        return UnknownOffer()
    if offer.state == Incentive.State.STOPPED:
        return OfferStopped(name=offer.name)
    if offer.code_kind != Incentive.CodeKind.AUTOMATIC:
        return OfferNeedsCode(name=offer.name)
    asked = [one for one in rule_of(offer.version_id).conditions if isinstance(one, InTiers)]
    is_meant = bool(asked) and all(tier in one.tiers for one in asked)
    return None if is_meant else OfferForOthers(name=offer.name, tier=tier)
