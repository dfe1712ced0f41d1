"""The scheduled work of campaigns: reach who is due; keep the calendars."""

from __future__ import annotations

import datetime as dt
import logging

from django.utils.translation import gettext_lazy as _

from campaigns import operations
from campaigns.backtests import jobs as back_tests
from campaigns.boards import jobs as boards
from campaigns.calendar import operations as calendars
from campaigns.operations import converting
from campaigns.operations.previewing import preview
from campaigns.operations.reaching import Figures
from campaigns.results import jobs as results
from retention.actors import Actor
from retention.registries import DueJob, jobs
from retention.work.models import Alert
from retention.work.operations import GATHER, RunTakenOver, describe, nudge, raise_alert, resolve_alert

log = logging.getLogger(__name__)

#: The alert of a campaign that cannot go on.
FAILED = "campaigns.failed"
#: Those that parts of the room register themselves.
PARTS = (back_tests, boards, results)


@jobs.register
class Campaigns(DueJob):
    """Several workers may do it side by side: each campaign is in one pair of hands at a time.

    It does not stand in the queue of the senders, where a newcomer's welcome would wait for a whole broadcast.
    """

    key = "campaigns.reach"
    label = _("Campaigns reach who is due")
    order = 50
    lanes = 2
    woken_by = frozenset({"customers", "consents", "orders", "returns", "activities"})

    @classmethod
    def run(cls, *, now, progress):
        figures, failed, elsewhere = Figures(), [], []
        by = Actor.job(cls.key)
        for campaign_id in operations.glance(now=now):
            # What is wrong with one campaign must not hold up the others.
            try:
                reached = operations.reach(campaign_id=campaign_id, now=now, by=by, progress=progress)
                figures.add(reached)
                if reached.in_other_hands:
                    elsewhere.append(campaign_id)
                operations.finish(campaign_id=campaign_id, now=now, by=by)
            except RunTakenOver:
                raise
            except Exception as error:
                failed.append(campaign_id)
                cls._tell(campaign_id, describe(error), now)
        cls._resolve({str(campaign_id) for campaign_id in failed + elsewhere}, now)
        progress(1, 1)
        if figures.in_other_hands:
            # Those hands may have begun before the facts came for which this run was woken.
            nudge(cls.key, after=GATHER)
        return {**figures.as_json(), **({"failed": failed} if failed else {})}

    @staticmethod
    def _resolve(others: set[str], now: dt.datetime) -> None:
        """Whatever went on, rested or runs no more is mended."""
        for alert in Alert.objects.filter(kind=FAILED, resolved_at=None).exclude(subject__in=others):
            resolve_alert(kind=FAILED, subject=alert.subject, now=now)

    @staticmethod
    def _tell(campaign_id: int, error: str, now: dt.datetime) -> None:
        log.error("campaign %s failed: %s", campaign_id, error)
        raise_alert(
            kind=FAILED,
            subject=str(campaign_id),
            level=Alert.Level.URGENT,
            text=f"Campaign {campaign_id} cannot go on: {error}",
            url=f"/admin/campaigns/campaign/{campaign_id}/change/",
            now=now,
        )

    @classmethod
    def preview(cls, *, now):
        figures, touches = Figures(), []
        for campaign_id in operations.running(now).values_list("pk", flat=True):
            one, rows = preview(campaign_id=campaign_id, now=now)
            figures.add(one)
            touches += [row.as_json() for row in rows]
        return {**figures.as_json(), "touches": touches}


@jobs.register
class Conversions(DueJob):
    """Steps and messages ask for themselves what she did; this writes it down for those with nothing more to come."""

    key = converting.JOB
    label = _("Campaigns learn who did what they are for")
    order = 55
    woken_by = frozenset({"orders", "activities"})

    @classmethod
    def run(cls, *, now, progress):
        return {"converted": converting.write_conversions(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": converting.count_candidates(now=now)}


@jobs.register
class Holidays(DueJob):
    key = "campaigns.holidays"
    label = _("Holidays are computed ahead")
    at = dt.time(3, 0)
    order = 40

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.refresh_holidays(now=now)}

    @classmethod
    def preview(cls, *, now):
        return {"due": operations.missing_holidays(now=now)}


@jobs.register
class Calendars(DueJob):
    key = "campaigns.calendars"
    label = _("Feeds of local events are read")
    queue = "bulk"
    at = dt.time(3, 5)
    order = 40

    @classmethod
    def run(cls, *, now, progress):
        return calendars.refresh_calendars(now=now, progress=progress)

    @classmethod
    def preview(cls, *, now):
        return {"due": calendars.feeds_in_use().count()}
