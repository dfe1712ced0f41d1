"""Editing the stages of a customer's life: naming, ordering, and saying who is in, each save a version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.customers.models import Stage
from retention.refusals import Refused
from retention.segments import rules
from retention.segments.operations.placing import KEY, alone
from retention.segments.querysets import live_segments
from retention.shop.models import Shop
from retention.texts import check_texts
from retention.work.models import Watermark

#: The condition that asks for her stage; a stage cannot be made of stages.
STAGE = "stage"


class StageKeyTaken(Refused):
    code = "segments.stage_key_taken"
    sentence = _("There is a stage with the key “%(key)s” already.")


class StageInUse(Refused):
    code = "segments.stage_in_use"
    sentence = _("This stage is asked for by %(users)s.")


class NotTheStages(Refused):
    code = "segments.not_the_stages"
    sentence = _("Name every stage in use once: %(keys)s.")


def create_stage(
    *, key: str, name: Mapping[str, str], rule: Any, now: dt.datetime, by: Actor, about: str = "", why: str = ""
) -> Stage:
    """A new stage, after all others; customers are put into it within a minute.

    Raises:
        forms.ValidationError: the name or the rule is not valid, by its place.
        StageKeyTaken
    """
    with transaction.atomic():
        alone()
        _checked(name, rule)
        if Stage.objects.filter(key=key).exists():
            raise StageKeyTaken(key=key)
        last = Stage.objects.aggregate(last=Max("position"))["last"] or 0
        stage = Stage.objects.create(key=key, name=dict(name), about=about, rule=rule, position=last + 1)
        _keep_version(stage, edited=None, now=now, by=by, why=why)
        record(verb="segments.create_stage", by=by, now=now, subject=stage, after={"key": key})
        _look_again()
    return stage


def save_stage(
    *,
    stage_id: int,
    name: Mapping[str, str],
    rule: Any,
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    about: str = "",
    why: str = "",
) -> Stage:
    """Save the whole stage as its next version; its key stays, and customers move within a minute.

    Raises:
        forms.ValidationError: the name or the rule is not valid, by its place.
        EditedMeanwhile: somebody saved a version since.
    """
    with transaction.atomic():
        alone()
        stage = Stage.objects.select_for_update(of=("self",)).get(pk=stage_id)
        _checked(name, rule)
        stage.name, stage.about, stage.rule = dict(name), about, rule
        Stage.objects.filter(pk=stage.pk).update(name=stage.name, about=about, rule=rule)
        _keep_version(stage, edited=edited, now=now, by=by, why=why)
        record(verb="segments.save_stage", by=by, now=now, subject=stage, after={"key": stage.key})
        _look_again()
    return stage


def order_stages(*, keys: Sequence[str], now: dt.datetime, by: Actor) -> None:
    """Put the stages in use into this order; a customer is in the first that means her.

    Raises:
        NotTheStages: some stage is missing, unknown or named twice.
    """
    with transaction.atomic():
        alone()
        stages = {stage.key: stage.pk for stage in Stage.objects.filter(archived_at=None)}
        if sorted(keys) != sorted(stages):
            raise NotTheStages(keys=", ".join(stages))
        for position, key in enumerate(keys, start=1):
            Stage.objects.filter(pk=stages[key]).update(position=position)
        record(verb="segments.order_stages", by=by, now=now, before={"keys": list(stages)}, after={"keys": list(keys)})
        _look_again()


def archive_stage(*, stage_id: int, now: dt.datetime, by: Actor) -> None:
    """Put a stage away: its customers come into the next that means them.

    Raises:
        StageInUse: a segment asks for it.
    """
    with transaction.atomic():
        alone()
        stage = Stage.objects.select_for_update(of=("self",)).get(pk=stage_id, archived_at=None)
        if users := [segment.name for segment in live_segments() if _asks_for(segment.rule, stage.key)]:
            raise StageInUse(users=", ".join(f"“{name}”" for name in users))
        Stage.objects.filter(pk=stage.pk).update(archived_at=now, position=None)
        record(verb="segments.archive_stage", by=by, now=now, subject=stage)
        _look_again()


def bring_back_stage(*, stage_id: int, now: dt.datetime, by: Actor) -> None:
    """Take an archived stage into use again, after all others.

    Raises:
        forms.ValidationError: its rule is not valid any more.
    """
    with transaction.atomic():
        alone()
        stage = Stage.objects.select_for_update(of=("self",)).get(pk=stage_id, archived_at__isnull=False)
        _checked(stage.name, stage.rule)
        last = Stage.objects.aggregate(last=Max("position"))["last"] or 0
        Stage.objects.filter(pk=stage.pk).update(archived_at=None, position=last + 1)
        record(verb="segments.bring_back_stage", by=by, now=now, subject=stage)
        _look_again()


def _asks_for(rule: Any, key: str) -> bool:
    try:
        asked = rules.leaves(rules.parse(rule))
        return any(leaf.condition.key == STAGE and key in leaf.args["stages"] for leaf in asked)
    except forms.ValidationError:
        return False


def _checked(name: Mapping[str, str], rule: Any) -> None:
    try:
        check_texts(name, Shop.objects.get().default_language)
    except forms.ValidationError as invalid:
        raise forms.ValidationError({"name": invalid}) from None
    try:
        asked = rules.leaves(rules.parse(rule))
    except forms.ValidationError as invalid:
        raise rules.under_rule(invalid) from None
    if circle := next((leaf for leaf in asked if leaf.condition.key == STAGE), None):
        raise forms.ValidationError({f"rule{circle.path}": _("A stage cannot ask for her stage.")})


def _look_again() -> None:
    Watermark.objects.filter(key=KEY).update(at=None)


def _keep_version(stage: Stage, *, edited: int | None, now: dt.datetime, by: Actor, why: str) -> None:
    data = {"name": stage.name, "about": stage.about, "rule": stage.rule}
    stage.version = save_version(of=stage, data=data, edited=edited, by=by, now=now, why=why)
    Stage.objects.filter(pk=stage.pk).update(version=stage.version)
