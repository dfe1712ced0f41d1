"""From a playbook to a draft that can be launched: its incentive, its words, its plan, in one click."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.operations.planning import create_campaign
from campaigns.plans import Plan
from campaigns.playbooks import segments
from campaigns.playbooks.base import CampaignPlaybook, DateAttribute, ReadySegment, ReadyStep
from retention import registries
from retention.actors import Actor
from retention.customers import seeds as activity_kinds
from retention.customers.models import AttributeDefinition
from retention.customers.operations.declarations import save_attribute
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.refusals import Refused
from retention.segments import seeds
from retention.segments.models import Segment
from retention.segments.operations import create_segment
from retention.shop.models import Shop
from retention.work.querysets import shop_zone


class NoSuchPlaybook(Refused):
    code = "campaigns.no_such_playbook"
    sentence = _("There is no playbook “%(key)s”.")
    status = 404


class PlaybookIsComing(Refused):
    code = "campaigns.playbook_is_coming"
    sentence = _("“%(name)s” makes no draft yet: what it needs is not there.")


@transaction.atomic
def create_from_playbook(*, key: str, now: dt.datetime, by: Actor) -> Campaign:
    """A draft with everything it needs: an incentive of its own, the ready words, the ready segments.

    Raises:
        NoSuchPlaybook: there is none of this key.
        PlaybookIsComing: it can only be read so far.
    """
    if key not in registries.playbooks:
        raise NoSuchPlaybook(key=key)
    playbook = registries.playbooks[key]
    if not issubclass(playbook, CampaignPlaybook):
        raise PlaybookIsComing(name=playbook.label)
    # What its arguments and segments may name.
    activity_kinds.seed(now=now)
    plan = Plan.model_validate(
        {
            "name": str(playbook.label),
            "playbook": playbook.key,
            "audience": _segment_id(playbook.audience, now),
            "excluded": _segment_id(playbook.excluded, now),
            "occasion": playbook.occasion,
            "occasion_args": _args(playbook, now=now, by=by),
            "lateness_hours": playbook.lateness_hours,
            "steps": [_step(step, now=now, by=by) for step in playbook.planned_steps()],
            **playbook.bounds,
        }
    )
    return create_campaign(plan=plan, now=now, by=by, why=str(_("From the playbook")))


def _step(step: ReadyStep, *, now: dt.datetime, by: Actor) -> dict[str, Any]:
    rule = step.gift(Shop.objects.get().currency) if step.gift else None
    incentive = None
    if rule is not None:
        incentive = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=by)
    template = messaging.ensure_ready_template(key=step.template, now=now, by=by)
    return {"wait": step.wait, "incentive": incentive and incentive.pk, "messages": [template.pk]}


def _args(playbook: type[CampaignPlaybook], *, now: dt.datetime, by: Actor) -> dict[str, Any]:
    """The arguments of its occasion, with the rows that they stand for."""

    def row_of(value: Any) -> Any:
        if isinstance(value, ReadySegment):
            return str(_segment(value.key, now).public_id)
        if isinstance(value, DateAttribute):
            return _attribute(value, now=now, by=by)
        return value

    args = playbook.occasion_args(now=now, zone=shop_zone())
    return {name: row_of(value) for name, value in args.items()}


def _segment_id(key: str, now: dt.datetime) -> int | None:
    return _segment(key, now).pk if key else None


def _segment(key: str, now: dt.datetime) -> Segment:
    """The ready segment of this key, made where it is not there yet."""
    found = Segment.objects.filter(key=key).first()
    if found is not None:
        return found
    if key in segments.READY:
        name, about, rule = segments.READY[key]
        return create_segment(key=key, name=str(name), about=str(about), rule=rule, now=now, by=Actor.command("seed"))
    seeds.seed(now=now)
    return Segment.objects.get(key=key)


def _attribute(wanted: DateAttribute, *, now: dt.datetime, by: Actor) -> str:
    if not AttributeDefinition.objects.filter(key=wanted.key).exists():
        definition = AttributeDefinition(key=wanted.key, label=str(wanted.label), kind=AttributeDefinition.Kind.DATE)
        save_attribute(definition=definition, now=now, by=by)
    return wanted.key
