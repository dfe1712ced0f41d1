"""A programme's life: every way on, every way that is closed, and what is written down of it."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from loyalty import operations
from loyalty.models import Programme
from loyalty.operations import programmes
from loyalty.operations.kinds import UnknownActivity
from loyalty.rules import ProgrammeRule
from loyalty.versions import rule_of
from retention.audit.models import AuditEntry
from retention.audit.operations import EditedMeanwhile
from retention.incentives.models import Incentive
from retention.ledger.operations.units import NoSuchUnit
from retention.work.models import Watermark
from tests.loyalty.conftest import BY, ONE_FOR_ONE

HOUR = dt.timedelta(hours=1)


def rule(**changes):
    return ProgrammeRule.model_validate({"names": {"en": "Club"}, "earning": [ONE_FOR_ONE], **changes})


def test_a_draft_is_written_whole_with_the_incentive_it_grants_under(programme):
    draft = programme(is_live=False)

    assert (draft.state, draft.name, draft.joining, draft.version.number) == ("draft", "Club", "everyone", 1)
    assert rule_of(draft.version_id) == rule()
    incentive = Incentive.objects.get(pk=draft.incentive_id)
    assert (incentive.name, incentive.state) == ("Club", "draft")
    effect = incentive.version.data["effects"][0]
    assert (effect["kind"], effect["unit"], effect["is_from_grant"], effect["points"]) == (
        "points", "club_points", True, None,
    )  # fmt: skip
    assert not Watermark.objects.filter(key=programmes.watermark_of(draft.pk)).exists()


def test_its_life_is_a_line_and_every_step_is_audited(programme, now):
    live = programme()
    assert (live.state, live.launched_at) == ("live", now)
    assert Incentive.objects.get(pk=live.incentive_id).state == "live"
    assert Watermark.objects.filter(key=programmes.watermark_of(live.pk)).count() == 1

    paused = operations.pause_programme(programme_id=live.pk, now=now + HOUR, by=BY)
    assert paused.state == "paused"
    resumed = operations.resume_programme(programme_id=live.pk, now=now + 3 * HOUR, by=BY)
    assert resumed.state == "live"
    stored = Programme.objects.get(pk=live.pk)
    assert [(rest.lower, rest.upper) for rest in stored.rests] == [(now + HOUR, now + 3 * HOUR)]
    ended = operations.end_programme(programme_id=live.pk, now=now + 4 * HOUR, by=BY)
    assert ended.state == "ended"
    assert Incentive.objects.get(pk=live.incentive_id).state == "stopped"
    archived = operations.archive_programme(programme_id=live.pk, now=now + 5 * HOUR, by=BY)
    assert archived.archived_at == now + 5 * HOUR

    verbs = AuditEntry.objects.filter(subject="loyalty.programme", subject_id=live.pk).order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == [
        "loyalty.create_programme", "loyalty.launch_programme", "loyalty.pause_programme", "loyalty.resume_programme",
        "loyalty.end_programme", "loyalty.archive_programme",
    ]  # fmt: skip


def test_every_step_out_of_turn_is_refused_by_name(programme, now):
    draft = programme(is_live=False)
    empty = programme("empty", is_live=False, earning=[])
    deaf = programme("deaf", is_live=False, pending={"kind": "event", "activity": "never_declared"})
    refused = (
        (operations.pause_programme, draft, programmes.NotLive),
        (operations.resume_programme, draft, programmes.NotPaused),
        (operations.end_programme, draft, programmes.NeverLaunched),
        (operations.launch_programme, empty, programmes.NothingToEarn),
        (operations.launch_programme, deaf, UnknownActivity),
    )
    for operation, which, why in refused:
        with pytest.raises(why):
            operation(programme_id=which.pk, now=now, by=BY)
    operations.launch_programme(programme_id=draft.pk, now=now, by=BY)
    with pytest.raises(programmes.NotADraft):
        operations.launch_programme(programme_id=draft.pk, now=now, by=BY)
    with pytest.raises(programmes.StillRunning):
        operations.archive_programme(programme_id=draft.pk, now=now, by=BY)
    operations.end_programme(programme_id=draft.pk, now=now, by=BY)
    for operation in (operations.end_programme, operations.pause_programme, operations.resume_programme):
        with pytest.raises((programmes.ProgrammeEnded, programmes.NotLive, programmes.NotPaused)):
            operation(programme_id=draft.pk, now=now, by=BY)
    with pytest.raises(programmes.ProgrammeEnded):
        operations.save_programme(programme_id=draft.pk, rule=rule(), edited=1, now=now, by=BY)
    operations.archive_programme(programme_id=draft.pk, now=now, by=BY)
    with pytest.raises(programmes.NoSuchProgramme):
        operations.launch_programme(programme_id=draft.pk, now=now, by=BY)


def test_saving_makes_the_next_version_and_renames_the_incentive(programme, now):
    live = programme()

    saved = operations.save_programme(
        programme_id=live.pk, rule=rule(names={"en": "Circle"}, joining="request"), edited=1, now=now, by=BY, why="New"
    )

    assert (saved.version.number, saved.version.why, saved.name, saved.joining) == (2, "New", "Circle", "request")
    assert Incentive.objects.get(pk=live.incentive_id).name == "Circle"
    with pytest.raises(EditedMeanwhile):
        operations.save_programme(programme_id=live.pk, rule=rule(), edited=1, now=now, by=BY)
    assert Programme.objects.get(pk=live.pk).name == "Circle"


def test_what_cannot_be_a_programme_is_refused(programme, unit, now):
    programme()
    unit("stars")
    create = {"now": now, "by": BY}
    with pytest.raises(NoSuchUnit):
        operations.create_programme(key="other", unit_key="nothing", rule=rule(), **create)
    with pytest.raises(programmes.UnitInUse):
        operations.create_programme(key="other", unit_key="club_points", rule=rule(), **create)
    with pytest.raises(programmes.ProgrammeTaken):
        operations.create_programme(key="club", unit_key="stars", rule=rule(), **create)
    with pytest.raises(programmes.MayNotBeOwed):
        operations.create_programme(key="other", unit_key="stars", rule=rule(returns="negative"), **create)
    with pytest.raises(ValidationError):
        operations.create_programme(key="other", unit_key="stars", rule=rule(names={"de": "Klub"}), **create)
    assert list(Programme.objects.values_list("key", flat=True)) == ["club"]
    assert Incentive.objects.count() == 1
