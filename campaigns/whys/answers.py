"""What an answer is: one sentence with its stable code and verdict; and all answers, of which one decides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.reasons import WORDS, reason_text
from retention import clock
from retention.customers.models import Customer
from retention.refusals import Refused


class Verdict(StrEnum):
    """How an answer stands: nothing in the way, in the way, not yet, or only worth knowing."""

    YES = "yes"
    NO = "no"
    WAITS = "waits"
    NOTE = "note"


#: Topics in the order in which the jobs ask them, with the words above each.
TOPICS = {
    "campaign": _("The campaign"),
    "customer": _("The customer"),
    "countries": _("Countries"),
    "audience": _("Audience"),
    "excluded": _("Exclusions"),
    "occasion": _("Occasion"),
    "touch": _("What the campaign did"),
    "experiment": _("Experiment"),
    "limits": _("Limits"),
    "steps": _("Steps"),
    "consent": _("Consent and address"),
    "offer": _("Offer"),
    "message": _("May a message leave"),
    "delivery": _("Message"),
    "coupon": _("Coupon"),
}


DUE_NOW = "campaigns.due_now"


@dataclass(frozen=True)
class Part:
    """One condition inside an answer, with what is known of her.

    Attributes:
        is_met: None where it is neither here nor there.
        value: her own, in words; empty where it is not one figure.
    """

    sentence: str
    is_met: bool | None = None
    value: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One question's answer.

    Attributes:
        code: stable, such as `campaigns.no_consent`; the same as the touch's or delivery's reason where there is one.
        at: the instant it speaks of.
        is_deciding: of all answers this one settles whether she gets it.
    """

    topic: str
    code: str
    sentence: str
    verdict: Verdict
    at: dt.datetime | None = None
    parts: tuple[Part, ...] = ()
    is_deciding: bool = False

    @property
    def heading(self) -> str:
        return str(TOPICS[self.topic])


@dataclass(frozen=True)
class Why:
    """All answers about one customer and one campaign: the deciding one first, then each topic in its order."""

    campaign: Campaign
    customer: Customer
    answers: tuple[Answer, ...]
    as_of: dt.datetime

    @property
    def deciding(self) -> Answer:
        return self.answers[0]

    @classmethod
    def of(cls, campaign: Campaign, customer: Customer, answers: list[Answer], *, now: dt.datetime) -> Why:
        """Settle which one decides: what became of her touch; else the first no; else the first that waits."""
        verdicts = [Verdict.NO, Verdict.WAITS, Verdict.YES, Verdict.NOTE]
        told = [answer for answer in answers if answer.is_deciding]
        # The first of the weightiest: the sort keeps the order of the questions. That a look would take her now is the
        # last word only where nothing keeps her waiting after it.
        weight = [(verdicts.index(answer.verdict), answer.code == DUE_NOW) for answer in answers]
        chosen = told[0] if told else answers[weight.index(min(weight))]
        order = list(TOPICS)
        rest = sorted((answer for answer in answers if answer is not chosen), key=lambda one: order.index(one.topic))
        return cls(campaign, customer, (replace(chosen, is_deciding=True), *rest), now)


def words(code: str, params: Any = None) -> str:
    """A reason as a whole sentence: a refusal's own words with its parameters, else what `reason_text` says."""
    refused = Refused.by_code.get(code)
    if refused is not None and code not in WORDS:
        try:
            return str(refused.sentence) % (params or {})
        except (KeyError, TypeError, ValueError):
            pass  # Kept without its parameters.
    text = reason_text(code)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def moment(at: dt.datetime, zone: str) -> str:
    """An instant on the clocks of a zone, to the minute."""
    return f"{at.astimezone(clock.zone(zone)):%Y-%m-%d %H:%M}"
