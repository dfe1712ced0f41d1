"""Counting an experiment's figures: those of a few touches when they are read, those of many in the background."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict

from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Touch
from campaigns.results.experiments import Experiment, experiments
from campaigns.results.ladder import Rung, ladder
from campaigns.results.models import ResultCount
from campaigns.results.reading import Figures, read
from retention.experiments.querysets import global_holdout
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.work.operations import nudge

JOB = "campaigns.results"
#: Counted anew when they are read after so long, or when somebody asks.
FRESH_FOR = dt.timedelta(minutes=10)
#: So many touches are counted while the reader waits: some tenths of a second.
FEW = 20_000


class BeingCounted(Refused):
    code = "campaigns.being_counted"
    sentence = _("These results are being counted for the first time; ask again in a minute.")


def figures_of(campaign: Campaign, experiment: Experiment, *, is_fresh: bool, now: dt.datetime) -> ResultCount:
    """The figures, at most ten minutes old; of many touches older ones, while newer are counted.

    Raises:
        BeingCounted: there are none yet.
    """
    kept = ResultCount.objects.filter(campaign=campaign, since=experiment.since).first()
    is_good = kept and kept.counted_at and kept.version_id == campaign.approved_version_id
    if is_good and not is_fresh and now - kept.counted_at < FRESH_FOR:
        return kept
    touched = Touch.objects.filter(campaign=campaign, version__in=experiment.version_ids)
    if touched[: FEW + 1].count() <= FEW:
        return count(campaign, experiment, now=now)
    if kept is None or kept.asked_at is None:
        asked = {"asked_at": now}
        kept, _is_new = ResultCount.objects.update_or_create(
            campaign=campaign, since=experiment.since, defaults=asked, create_defaults=asked
        )
    nudge(JOB)
    if not is_good:
        raise BeingCounted
    return kept


def count(campaign: Campaign, experiment: Experiment, *, now: dt.datetime) -> ResultCount:
    """Count an experiment of a campaign and keep what was found."""
    plan = experiment.plan
    arms = read(
        campaign_id=campaign.pk,
        version_ids=experiment.version_ids,
        goal=plan.goal,
        shop_holdout=global_holdout(),
        now=now,
    )
    rungs = ladder(
        campaign_id=campaign.pk,
        plan=plan,
        version_ids=experiment.version_ids,
        currency=Shop.objects.get().currency,
        now=now,
    )
    found = {
        "version_id": campaign.approved_version_id,
        "arms": [asdict(arm) for arm in arms],
        "rungs": [asdict(rung) for rung in rungs],
        "counted_at": now,
        "asked_at": None,
    }
    kept, _is_new = ResultCount.objects.update_or_create(
        campaign=campaign, since=experiment.since, defaults=found, create_defaults=found
    )
    return kept


def waiting() -> list[ResultCount]:
    """What somebody waits for."""
    asked = ResultCount.objects.exclude(asked_at=None).select_related("campaign__approved_version")
    return list(asked.order_by("asked_at"))


def count_waiting(*, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Count everything that somebody waits for; how many experiments that were."""
    asked = waiting()
    for done, kept in enumerate(asked, start=1):
        chosen = next((one for one in experiments(kept.campaign) if one.since == kept.since), None)
        if chosen is None:
            # Its versions were put together with others' by an approval since.
            kept.delete()
        else:
            count(kept.campaign, chosen, now=now)
        progress(done, len(asked))
    return len(asked)


def arms_of(kept: ResultCount) -> list[Figures]:
    return [Figures(**arm) for arm in kept.arms]


def rungs_of(kept: ResultCount) -> tuple[Rung, ...]:
    return tuple(Rung(**rung) for rung in kept.rungs)
