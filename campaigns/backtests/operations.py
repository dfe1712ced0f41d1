"""Asking for a back-test, and doing those that were asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.backtests import figures
from campaigns.backtests.models import BackTest
from campaigns.backtests.replaying import CHUNK, look_after, replay, scratch, weeks
from campaigns.models import Campaign
from campaigns.operations import NoSuchCampaign
from campaigns.operations.forecasting import forecast
from campaigns.plans import Plan
from retention import clock
from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import Customer
from retention.refusals import Refused
from retention.work import operations as work
from retention.work.querysets import shop_zone

Progress = Callable[[int, int], None]
JOB = "campaigns.back_test"
#: Days of one replay.
MOST_DAYS = 400


class BadPeriod(Refused):
    code = "campaigns.bad_period"
    sentence = _("Choose days gone by, at most %(most)s of them, the first before the last.")
    status = 422


class BeingReplayed(Refused):
    code = "campaigns.being_replayed"
    sentence = _("A back-test of this campaign is under way; wait for it.")


@transaction.atomic
def ask_back_test(*, campaign_id: int, first: dt.date, last: dt.date, now: dt.datetime, by: Actor) -> BackTest:
    """Let the campaign as last saved be replayed on the shop's days from `first` to `last`, in the background.

    Raises:
        NoSuchCampaign
        BadPeriod: not in the past, backwards or too long.
        BeingReplayed: one is under way.
    """
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).filter(pk=campaign_id).first()
    if campaign is None or campaign.version_id is None:
        raise NoSuchCampaign
    today = now.astimezone(clock.zone(shop_zone())).date()
    if not first <= last < today or (last - first).days >= MOST_DAYS:
        raise BadPeriod(most=MOST_DAYS)
    if BackTest.objects.filter(campaign=campaign, state__in=BackTest.OPEN).exists():
        raise BeingReplayed
    made = BackTest.objects.create(
        campaign=campaign, version_id=campaign.version_id, first=first, last=last, asked_by_id=by.staff_id, asked_at=now
    )
    after = {"first": first.isoformat(), "last": last.isoformat(), "version": campaign.version.number}
    record(verb="campaigns.ask_back_test", by=by, now=now, subject=campaign, after=after)
    work.nudge(JOB)
    return made


def do_back_tests(*, now: dt.datetime, progress: Progress) -> int:
    """Do what waits; how many were done."""
    asked = BackTest.objects.select_related("campaign", "version")
    return work.do_back_tests(asked, partial(_look, now=now), now=now, progress=progress)


def _look(back_test: BackTest, progress: Progress, *, now: dt.datetime) -> dict[str, Any]:
    plan, zone = Plan.model_validate(back_test.version.data), shop_zone()
    periods = weeks(back_test.first, back_test.last, zone)
    chunks = max(1, -(-(_span() or 1) // CHUNK))
    total, parts = len(periods) * chunks + 2, 0

    def step() -> None:
        nonlocal parts
        parts = min(parts + 1, total)
        progress(parts, total)

    with scratch():
        asked = replay(back_test.campaign, plan, periods, zone=zone, progress=step)
        look_after(back_test.campaign, plan)
        step()
        found = figures.of_replay(back_test.campaign, plan, periods, asked)
    ahead = forecast(campaign=back_test.campaign, plan=plan, now=now)
    progress(total, total)
    return {**found, "forecast": _as_json(ahead)}


def _span() -> int:
    """From the lowest id of a customer to the highest."""
    ids = Customer.objects.order_by("pk").values_list("pk", flat=True)
    return (ids.last() or 0) - (ids.first() or 0) + 1


def _as_json(found: Any) -> dict[str, Any]:
    told = asdict(found)
    told.pop("sample")
    return {**told, "skipped": dict(found.skipped), "cost_words": str(found.cost_words)}
