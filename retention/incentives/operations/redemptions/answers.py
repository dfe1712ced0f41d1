"""What the checkout's operations say: their refusals and outcomes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention.incentives.decisions import Checked, Decision, NoSuchCode
from retention.incentives.facts import Facts, OfferFacts
from retention.incentives.models import Redemption
from retention.refusals import Refusal, Refused


class SourceReused(Refused):
    code = "incentives.source_reused"
    sentence = _("This source came before with another request.")
    status = 422


class NoRate(Refused):
    code = "incentives.no_rate"
    sentence = _("There is no exchange rate for %(currency)s on this day.")


class TooBusy(Refused):
    code = "incentives.too_busy"
    sentence = _("Too many are using this offer at this moment. Try again.")


class NothingToRedeem(Refused):
    code = "incentives.nothing_to_redeem"
    sentence = _("No code was typed, and no offer applies to this basket by itself.")


class NoSuchRedemption(Refused):
    code = "incentives.no_such_redemption"
    sentence = _("There is no such redemption.")
    status = 404


class NotRedeemed(Refused):
    code = "incentives.not_redeemed"
    sentence = _("This is a hold that was not redeemed; release it.")


class RolledBackBefore(Refused):
    code = "incentives.rolled_back_before"
    sentence = _("This redemption was rolled back before.")


class HoldOver(Refused):
    code = "incentives.hold_over"
    sentence = _("This hold has ended. Validate the codes anew.")


class HoldDiffers(Refused):
    code = "incentives.hold_differs"
    sentence = _("The basket is not the one that was held. Validate the codes anew.")


class NothingReturned(Refused):
    code = "incentives.nothing_returned"
    sentence = _("Line %(line)s of this redemption has %(left)s units left to return, not %(quantity)s.")
    status = 422


NO_SUCH_CODE = NoSuchCode().as_refusal()


@dataclass(frozen=True)
class Validated:
    """What codes and automatic offers would do to a basket; nothing was written."""

    decision: Decision
    #: Why it could not be redeemed; None where it could.
    refusal: Refusal | None
    #: Every reason against what was typed.
    reasons: tuple[Refusal, ...]
    effects: Mapping[str, Any]


@dataclass(frozen=True)
class Redeemed:
    """One order's use of offers, as it is answered; the same whether it was made now or found under its source."""

    public_id: str
    state: str
    order_reference: str
    redeemed_at: dt.datetime | None
    held_until: dt.datetime | None
    #: As `effects_of` makes them.
    effects: Mapping[str, Any]
    is_repeated: bool

    @classmethod
    def of(cls, redemption: Redemption, *, is_repeated: bool = True) -> "Redeemed":
        return cls(
            public_id=str(redemption.public_id),
            # What it became later is no part of the answer.
            state=Redemption.State.REDEEMED if redemption.redeemed_at else Redemption.State.HELD,
            order_reference=redemption.order_reference,
            redeemed_at=redemption.redeemed_at,
            held_until=redemption.held_until,
            effects=redemption.effects,
            is_repeated=is_repeated,
        )


def refusal_of(facts: Facts, decision: Decision, *, pays: bool = False) -> Refusal | None:
    """Why these offers cannot be redeemed: the first reason against a typed code, or that nothing applies.

    An order that `pays` with something needs no offer.
    """
    typed = [one for one in decision.checked if not one.offer.is_automatic]
    several = len(typed) + len(facts.unknown) > 1
    if facts.unknown:
        return _of_code(NO_SUCH_CODE, facts.unknown[0] if several else None)
    for one in typed:
        if one.is_refused:
            return _of_code(one.reasons[0], one.offer.facts.code if several else None)
    if not decision.applied and (typed or not pays):
        return next((one.reasons[0] for one in typed if one.reasons), NothingToRedeem().as_refusal())
    if facts.rate is None:
        return NoRate(currency=facts.basket.currency).as_refusal()
    return None


def reasons_of(facts: Facts, decision: Decision) -> tuple[Refusal, ...]:
    """Every reason against the typed codes."""
    typed = [reason for one in decision.checked if not one.offer.is_automatic for reason in one.reasons]
    return (*[NO_SUCH_CODE for _typed in facts.unknown], *typed)


def as_refused(refusal: Refusal) -> Refused:
    """A refusal as the exception of its code."""
    return Refused.by_code[refusal.code](**refusal.params)


def effects_of(facts: Facts, decision: Decision) -> dict[str, Any]:
    """What is told to the shop and kept with a redemption, in the order of the API's schemas; in minor units."""
    return {
        **decision.evaluation.as_json(),
        "offers": [_applied(one) for one in decision.applied],
        "unused": [
            *[{"code": typed, "incentive": None, "reasons": [_reason(NO_SUCH_CODE)]} for typed in facts.unknown],
            *[_unused(one) for one in decision.checked if one.applied is None and not one.offer.is_automatic],
        ],
    }


def _of_code(reason: Refusal, code: str | None) -> Refusal:
    """The reason with the code that it is about, where several were typed."""
    return Refusal(reason.code, {**reason.params, "typed": code}) if code else reason


def _applied(one: Checked) -> dict[str, Any]:
    return {
        **_named_offer(one.offer.facts),
        "discount_minor": one.applied.discount_minor,
        "lines": list(one.applied.lines),
        "shipping_minor": one.applied.shipping_minor,
        "benefits": [dict(benefit) for benefit in one.applied.benefits],
    }


def _unused(one: Checked) -> dict[str, Any]:
    return {**_named_offer(one.offer.facts), "reasons": [_reason(reason) for reason in one.reasons]}


def _named_offer(offer: OfferFacts) -> dict[str, Any]:
    return {"code": offer.code, "incentive": {"id": offer.incentive_public_id, "name": offer.incentive_name}}


def _reason(reason: Refusal) -> dict[str, Any]:
    return {"code": reason.code, "params": dict(reason.params), "detail": str(reason)}
