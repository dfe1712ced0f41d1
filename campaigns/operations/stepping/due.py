"""The steps whose time has come, of one campaign, in bounded sets: each whole in one transaction."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db import transaction

from campaigns.models import Campaign, Touch
from campaigns.operations import quotas
from campaigns.operations.stepping.entering import day_of, never_began
from campaigns.operations.stepping.gates import those_to_step
from campaigns.operations.stepping.taking import take_step
from campaigns.operations.stepping.touched import Stepped, Touched, move_on
from campaigns.plans import Plan, plan_of_version, running_plan
from retention.actors import Actor


@transaction.atomic
def take_due_steps(*, campaign_id: int, now: dt.datetime, by: Actor, most: int) -> Stepped | None:
    """Take the steps of up to `most` touches whose wait is over; None where no step is due or it is not live.

    A touch follows the steps of the version that it was enlisted under, whatever was approved since.
    """
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    if campaign.state != Campaign.State.LIVE:
        return None
    running = running_plan(campaign)
    rows = _due(campaign, running, now, most)
    if not rows:
        return None
    by_version: dict[int, list[Touched]] = defaultdict(list)
    for row in rows:
        by_version[row.version_id].append(row)
    stepped = Stepped()
    for version_id, of_version in sorted(by_version.items()):
        plan = plan_of_version(version_id)
        ready = those_to_step(campaign, running, plan, of_version, stepped, now)
        for index, variant in sorted({(row.step, row.variant) for row in ready}):
            touched = [row for row in ready if (row.step, row.variant) == (index, variant)]
            move_on(plan, index, variant, touched, now)
            one = take_step(plan, index, touched, campaign_id=campaign.pk, variant=variant, now=now, by=by)
            never_began(campaign, running, one.never_begun, now)
            stepped.add(one)
    return stepped


def _due(campaign: Campaign, running: Plan, now: dt.datetime, most: int) -> list[Touched]:
    due = Touch.objects.filter(campaign=campaign, state=Touch.State.DUE, next_at__lte=now)
    a_day = running.limits.touches_a_day
    if a_day is not None and quotas.is_full(campaign_id=campaign.pk, period=day_of(now), limit=a_day):
        # Those who have not begun wait for another day, untouched.
        due = due.filter(begun_at__isnull=False)
    rows = due.order_by("next_at", "pk").select_for_update(skip_locked=True, no_key=True)
    columns = rows.values_list(
        "pk", "customer_id", "grant_id", "about", "version_id", "step", "variant", "is_ghost", "begun_at"
    )
    return [Touched(*row[:-1], has_begun=row[-1] is not None) for row in columns[:most]]
