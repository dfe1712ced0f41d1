"""Putting the answers together: for one campaign in full, for all campaigns of one customer a line each."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef, Q

from campaigns.models import Campaign, Touch
from campaigns.whys import audience, consents, deliveries, limits, moments, offers, touched
from campaigns.whys.answers import Why
from campaigns.whys.cases import Case
from retention.customers.models import Customer

#: How far occasions are looked for, before and after now: on a page of one campaign, and in a list of all.
DAYS, DAYS_IN_A_LIST = 400, 60
#: Campaigns of such a list.
MOST = 40


def why(*, campaign: Campaign, customer: Customer, now: dt.datetime, days: int = DAYS) -> Why:
    """Every question about one customer and one campaign, answered as of `now`. Changes nothing.

    Raises:
        Segment.DoesNotExist: a segment that it names is gone.
    """
    case = Case(campaign, customer, now, days)
    answers = [*audience.answers(case), *moments.answers(case)]
    fell_at = answers[-1].at
    # What changes with time is asked as of when it falls, where that is still to come.
    answers += limits.answers(case, max(now, fell_at) if case.touch is None and fell_at else now)
    for topic in (touched, consents, offers, deliveries):
        answers += topic.answers(case)
    return Why.of(campaign, customer, answers, now=now)


def why_all(*, customer: Customer, now: dt.datetime) -> list[Why]:
    """The same for the campaigns that run or ran: those that touched her and those live first, then by launch."""
    hers = Touch.objects.filter(campaign=OuterRef("pk"), customer=customer)
    campaigns = (
        Campaign.objects.filter(Q(launched_at__isnull=False), Q(archived_at=None) | Exists(hers))
        .exclude(~Exists(hers) & Q(state=Campaign.State.ENDED))
        .annotate(is_hers=Exists(hers))
        .select_related("version", "approved_version")
        .order_by(F("is_hers").desc(), "-launched_at", "-pk")
    )
    return [why(campaign=campaign, customer=customer, now=now, days=DAYS_IN_A_LIST) for campaign in campaigns[:MOST]]
