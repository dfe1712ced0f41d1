"""A programme's life: written, saved as versions, live, paused, live again, and ended for good."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext_lazy as _

from loyalty.models import Programme
from loyalty.operations.expiry import check_ends
from loyalty.operations.kinds import refuse_unknown_activities
from loyalty.operations.perks import check_perks
from loyalty.operations.rewards import rewards_in, start_drafts
from loyalty.operations.tiers import sync_tiers
from loyalty.rules import ProgrammeRule
from loyalty.rules.earning import ForActivity
from loyalty.rules.pending import UntilEvent
from loyalty.versions import rule_of
from retention import texts
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule, PointsGiven
from retention.ledger import operations as ledger
from retention.ledger.models import Unit
from retention.marks import safe_mark
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.work.models import Watermark

JOB = "loyalty.earn"


class NoSuchProgramme(Refused):
    code = "loyalty.no_such_programme"
    sentence = _("There is no such programme.")
    status = 404


class ProgrammeTaken(Refused):
    code = "loyalty.programme_taken"
    sentence = _("There is a programme “%(key)s” already.")


class UnitInUse(Refused):
    code = "loyalty.unit_in_use"
    sentence = _("“%(name)s” is earned in this unit already. Give each programme a unit of its own.")


class MayNotBeOwed(Refused):
    code = "loyalty.may_not_be_owed"
    sentence = _("“%(unit)s” may not be owed. Allow that in the unit, or choose another way for returns.")


class NothingToEarn(Refused):
    code = "loyalty.nothing_to_earn"
    sentence = _("“%(name)s” has no earning rules yet.")


class NotADraft(Refused):
    code = "loyalty.not_a_draft"
    sentence = _("Only a draft can be launched; “%(name)s” is %(state)s.")


class NotLive(Refused):
    code = "loyalty.not_live"
    sentence = _("Only a live programme can be paused; “%(name)s” is %(state)s.")


class NotPaused(Refused):
    code = "loyalty.not_paused"
    sentence = _("Only a paused programme can be resumed; “%(name)s” is %(state)s.")


class NeverLaunched(Refused):
    code = "loyalty.never_launched"
    sentence = _("“%(name)s” was never launched. Archive it instead.")


class ProgrammeEnded(Refused):
    code = "loyalty.programme_ended"
    sentence = _("“%(name)s” has ended.")


class StillRunning(Refused):
    code = "loyalty.still_running"
    sentence = _("“%(name)s” is %(state)s. End it first.")


@transaction.atomic
def create_programme(
    *, key: str, unit_key: str, rule: ProgrammeRule, now: dt.datetime, by: Actor, why: str = ""
) -> Programme:
    """Write a new programme as a draft with its first version, and the incentive under which it grants.

    Raises:
        ProgrammeTaken, UnitInUse, MayNotBeOwed, NoSuchUnit
        ValidationError: a name in the shop's default language is missing; a perk's offer cannot make it true.
    """
    unit = ledger.unit_of(unit_key)
    _check(key, rule, unit)
    if (other := Programme.objects.filter(unit=unit).exclude(state=Programme.State.ENDED).first()) is not None:
        raise UnitInUse(name=other.name)
    programme, is_new = Programme.objects.get_or_create(key=key, defaults={**_columns(rule), "unit": unit})
    if not is_new:
        raise ProgrammeTaken(key=key)
    programme.incentive = incentives.create_incentive(rule=_incentive_rule(programme), now=now, by=by)
    _write(programme, rule, edited=None, now=now, by=by, why=why)
    record(verb="loyalty.create_programme", by=by, now=now, subject=programme, after={"version": 1})
    return programme


@transaction.atomic
def save_programme(
    *, programme_id: int, rule: ProgrammeRule, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> Programme:
    """Save the whole rule as the next version. What happens from now on is earned by it; what happened before is not.

    Raises:
        EditedMeanwhile: someone saved after version number `edited` was read.
        NoSuchProgramme, ProgrammeEnded, MayNotBeOwed
        NoSuchReward: a milestone gives one of another programme.
        UnknownActivity: it is not a draft, and waits for what cannot be told.
        ValidationError: a name in the shop's default language is missing; a perk's offer cannot make it true.
    """
    programme = locked(programme_id)
    if programme.state == Programme.State.ENDED:
        raise ProgrammeEnded(name=programme.name)
    _check(programme.key, rule, programme.unit)
    rewards_in(programme_id, [pk for one in rule.milestones for pk in one.gives.rewards])
    before = programme.name
    for name, value in _columns(rule).items():
        setattr(programme, name, value)
    _write(programme, rule, edited=edited, now=now, by=by, why=why)
    if programme.state != Programme.State.DRAFT:
        _start_what_it_gives(rule, now=now, by=by)
    if programme.name != before:
        incentive = Incentive.objects.select_related("version").get(pk=programme.incentive_id)
        incentives.save_incentive(
            incentive_id=incentive.pk, rule=_incentive_rule(programme), edited=incentive.version.number, now=now, by=by
        )
    record(
        verb="loyalty.save_programme", by=by, now=now, subject=programme, before={"version": edited},
        after={"version": programme.version.number},
    )  # fmt: skip
    return programme


@transaction.atomic
def launch_programme(*, programme_id: int, now: dt.datetime, by: Actor) -> Programme:
    """It goes live: what happens from now on is earned; what happened before never is.

    Drafts that its tiers and milestones give go live with it.

    Raises:
        NoSuchProgramme, NotADraft, NothingToEarn
        UnknownActivity: it waits for what cannot be told.
    """
    programme = locked(programme_id)
    if programme.state != Programme.State.DRAFT:
        raise NotADraft(name=programme.name, state=programme.get_state_display())
    if not programme.version.data["earning"]:
        raise NothingToEarn(name=programme.name)
    incentives.go_live(incentive_id=programme.incentive_id, now=now, by=by)
    _start_what_it_gives(rule_of(programme.version_id), now=now, by=by)
    programme.launched_at = now
    Watermark.objects.create(key=watermark_of(programme.pk), mark=safe_mark(), at=now)
    return _turn(programme, Programme.State.LIVE, "loyalty.launch_programme", now=now, by=by)


@transaction.atomic
def pause_programme(*, programme_id: int, now: dt.datetime, by: Actor) -> Programme:
    """What happens from now on, until it is resumed, earns nothing; what members have, they can spend.

    Raises:
        NoSuchProgramme, NotLive
    """
    programme = locked(programme_id)
    if programme.state != Programme.State.LIVE:
        raise NotLive(name=programme.name, state=programme.get_state_display())
    programme.rests = [*programme.rests, DateTimeTZRange(now, None)]
    return _turn(programme, Programme.State.PAUSED, "loyalty.pause_programme", now=now, by=by)


@transaction.atomic
def resume_programme(*, programme_id: int, now: dt.datetime, by: Actor) -> Programme:
    """It goes on; what happened while it rested earns nothing, however late it is told.

    Raises:
        NoSuchProgramme, NotPaused
    """
    programme = locked(programme_id)
    if programme.state != Programme.State.PAUSED:
        raise NotPaused(name=programme.name, state=programme.get_state_display())
    *others, last = programme.rests
    programme.rests = [*others, DateTimeTZRange(last.lower, now)]
    return _turn(programme, Programme.State.LIVE, "loyalty.resume_programme", now=now, by=by)


@transaction.atomic
def end_programme(*, programme_id: int, now: dt.datetime, by: Actor) -> Programme:
    """It is over for good: nothing is earned any more; what members have stays theirs, to its end.

    Raises:
        NoSuchProgramme, NeverLaunched, ProgrammeEnded
    """
    programme = locked(programme_id)
    if programme.state == Programme.State.ENDED:
        raise ProgrammeEnded(name=programme.name)
    if programme.launched_at is None:
        raise NeverLaunched(name=programme.name)
    if Incentive.objects.filter(pk=programme.incentive_id, state=Incentive.State.LIVE).exists():
        incentives.stop(incentive_id=programme.incentive_id, now=now, by=by)
    return _turn(programme, Programme.State.ENDED, "loyalty.end_programme", now=now, by=by)


@transaction.atomic
def archive_programme(*, programme_id: int, now: dt.datetime, by: Actor) -> Programme:
    """Out of sight; what was earned in it stays.

    Raises:
        NoSuchProgramme, StillRunning
    """
    programme = locked(programme_id)
    if programme.state in (Programme.State.LIVE, Programme.State.PAUSED):
        raise StillRunning(name=programme.name, state=programme.get_state_display())
    Programme.objects.filter(pk=programme.pk).update(archived_at=now)
    record(verb="loyalty.archive_programme", by=by, now=now, subject=programme)
    programme.refresh_from_db()
    return programme


def locked(programme_id: int) -> Programme:
    """The programme, locked against other edits, and against chunks of earning, until the transaction ends.

    Raises:
        NoSuchProgramme
    """
    found = Programme.objects.select_for_update(of=("self",)).select_related("unit", "version")
    programme = found.filter(pk=programme_id, archived_at=None).first()
    if programme is None:
        raise NoSuchProgramme
    return programme


def watermark_of(programme_id: int) -> str:
    """Up to where the facts were read for a programme."""
    return f"{JOB}:{programme_id}"


def _start_what_it_gives(rule: ProgrammeRule, *, now: dt.datetime, by: Actor) -> None:
    asked = (*rule.earning, rule.pending)
    refuse_unknown_activities([one.activity for one in asked if isinstance(one, ForActivity | UntilEvent)])
    start_drafts([pk for one in rule.milestones for pk in one.gives.rewards], now=now, by=by)
    given = {pk for step in rule.tiers.steps for pk in step.rewards}
    drafts = Incentive.objects.filter(pk__in=given, state=Incentive.State.DRAFT, archived_at=None).order_by("pk")
    for incentive_id in drafts.values_list("pk", flat=True):
        incentives.go_live(incentive_id=incentive_id, now=now, by=by)


def _check(key: str, rule: ProgrammeRule, unit: Unit) -> None:
    language = _language()
    try:
        texts.check_texts(rule.names, language)
    except ValidationError as error:
        raise ValidationError({"names": error}) from None
    if rule.returns == "negative" and not unit.may_be_negative:
        raise MayNotBeOwed(unit=unit.name)
    check_ends(rule=rule, unit=unit)
    check_perks(key, rule.tiers)


def _language() -> str:
    shop = Shop.objects.first()
    return shop.default_language if shop else "en"


def _columns(rule: ProgrammeRule) -> dict:
    return {"name": rule.names[_language()], "joining": rule.joining}


def _incentive_rule(programme: Programme) -> IncentiveRule:
    return IncentiveRule(name=programme.name, effects=(PointsGiven(unit=programme.unit.key, is_from_grant=True),))


def _write(
    programme: Programme, rule: ProgrammeRule, *, edited: int | None, now: dt.datetime, by: Actor, why: str
) -> None:
    programme.version = save_version(
        of=programme, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why
    )
    Programme.objects.filter(pk=programme.pk).update(
        version=programme.version, incentive=programme.incentive_id, **_columns(rule)
    )
    sync_tiers(programme=programme, rule=rule, now=now)


def _turn(programme: Programme, state: str, verb: str, *, now: dt.datetime, by: Actor) -> Programme:
    before, programme.state = programme.state, state
    Programme.objects.filter(pk=programme.pk).update(
        state=state, launched_at=programme.launched_at, rests=programme.rests
    )
    record(verb=verb, by=by, now=now, subject=programme, before={"state": before}, after={"state": state})
    return programme
