"""Giving what a scheme promises, through `grant` alone: the friend's welcome and the advocate's reward; and telling."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from referrals.models import Referral
from referrals.rules import SchemeRule
from retention.actors import Actor
from retention.incentives.operations import grant
from retention.messaging.models import Template
from retention.messaging.operations import Message, queue
from retention.messaging.ready.recommending import THANKS, WELCOME
from retention.refusals import Refusal

#: What grants and deliveries of referrals name as their origin.
ORIGIN = "referrals.referral"
#: Step of the delivery to the friend, and of the one to the advocate.
FRIEND, ADVOCATE = 0, 1


@dataclass(frozen=True)
class Gift:
    """What one referral brings to one customer, by which rule of its scheme."""

    referral: Referral
    customer_id: int
    incentive_id: int
    rule: SchemeRule


@dataclass(frozen=True)
class Given:
    """Referral id → grant, and referral id → why not."""

    grants: Mapping[int, int]
    refused: Mapping[int, Refusal]


def give(gifts: Sequence[Gift], *, step: int, now: dt.datetime, by: Actor) -> Given:
    """Grant and tell; again for the same referral and step, the same grant and no second message."""
    side = "friend" if step == FRIEND else "advocate"
    grants: dict[int, int] = {}
    refused: dict[int, Refusal] = {}
    by_incentive: dict[int, list[Gift]] = defaultdict(list)
    for gift in gifts:
        by_incentive[gift.incentive_id].append(gift)
    for incentive_id, group in sorted(by_incentive.items()):
        sources = {f"referral:{gift.referral.pk}:{side}": gift.referral.pk for gift in group}
        granted = grant(
            incentive_id=incentive_id,
            sources=list(sources),
            customer_ids=[gift.customer_id for gift in group],
            origin=ORIGIN,
            origin_ids=list(sources.values()),
            is_given=True,
            now=now,
            by=by,
        )
        grants |= {sources[source]: pk for source, pk in granted.grants.items()}
        refused |= {sources[source]: refusal for source, refusal in granted.refused.items()}
    _tell([gift for gift in gifts if gift.referral.pk in grants], grants, step, now)
    return Given(grants, refused)


def _tell(gifts: Sequence[Gift], grants: Mapping[int, int], step: int, now: dt.datetime) -> None:
    ready = dict(Template.objects.filter(key__in=[WELCOME, THANKS]).values_list("key", "pk"))
    by_template: dict[int, list[Message]] = defaultdict(list)
    for gift in gifts:
        said = gift.rule.friend_message if step == FRIEND else gift.rule.advocate_message
        template_id = said or ready.get(WELCOME if step == FRIEND else THANKS)
        if gift.rule.has_messages and template_id is not None:
            pk = gift.referral.pk
            message = Message(origin_id=pk, customer_id=gift.customer_id, grant_id=grants[pk])
            by_template[template_id].append(message)
    # A template that was archived since tells nobody; what was given stays given.
    usable = Template.objects.filter(pk__in=by_template, archived_at=None).exclude(version=None)
    for template_id in sorted(usable.values_list("pk", flat=True)):
        queue(template_id=template_id, origin=ORIGIN, step=step, messages=by_template[template_id], now=now)
