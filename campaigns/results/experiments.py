"""The experiments that a campaign has run: its approved versions, put together where the lot was the same."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from campaigns.models import Campaign
from campaigns.plans import Plan
from retention.audit.models import AuditEntry, Version


@dataclass(frozen=True)
class Experiment:
    """One draw of a campaign's customers: who is in which arm does not change within it.

    Attributes:
        since: number of its first version that was approved, which names it.
        began_at: when that was; None where nobody recorded it.
        plan: as its newest version has it.
        version_ids: touches of these are of it.
    """

    since: int
    began_at: dt.datetime | None
    plan: Plan
    version_ids: tuple[int, ...]


def experiments(campaign: Campaign) -> list[Experiment]:
    """Those that ran or may run, the present one first; empty where nothing was approved."""
    if campaign.approved_version is None:
        return []
    approved = _approved(campaign)
    rows = Version.objects.filter(subject=campaign._meta.label_lower, subject_id=campaign.pk).order_by("number")
    by_lot: dict[tuple, list[Version]] = defaultdict(list)
    for version in rows:
        by_lot[_lot(version.data)].append(version)
    present = _experiment(by_lot.pop(_lot(campaign.approved_version.data)), campaign.approved_version, approved)
    earlier = []
    for versions in by_lot.values():
        if ran := [version for version in versions if version.number in approved]:
            earlier.append(_experiment(versions, ran[-1], approved))
    return [present, *sorted(earlier, key=lambda one: -one.since)]


def _experiment(versions: list[Version], newest: Version, approved: dict[int, dt.datetime]) -> Experiment:
    first = next((version for version in versions if version.number in approved), newest)
    return Experiment(
        since=first.number,
        began_at=approved.get(first.number),
        plan=Plan.model_validate(newest.data),
        version_ids=tuple(version.pk for version in versions),
    )


def _approved(campaign: Campaign) -> dict[int, dt.datetime]:
    """Version number → when it was first approved."""
    acts = AuditEntry.objects.filter(
        subject=campaign._meta.label_lower, subject_id=campaign.pk, verb="campaigns.approve"
    )
    return {after["version"]: at for after, at in acts.order_by("-id").values_list("after", "at")}


def _lot(data: dict) -> tuple:
    drawn = data.get("experiment"), data.get("holdout_percent", 0)
    return *drawn, tuple((each["key"], each["weight"]) for each in data.get("variants", ()))
