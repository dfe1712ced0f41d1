"""From a playbook to a draft that can be launched: its incentive, its words, its plan, in one click."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.operations.planning import create_campaign
from campaigns.plans import Plan
from retention import registries
from retention.actors import Actor
from retention.customers import seeds as activity_kinds
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.refusals import Refused
from retention.segments import seeds
from retention.segments.models import Segment
from retention.shop.models import Shop
from retention.work.querysets import shop_zone


class NoSuchPlaybook(Refused):
    code = "campaigns.no_such_playbook"
    sentence = _("There is no playbook “%(key)s”.")
    status = 404


@transaction.atomic
def create_from_playbook(*, key: str, now: dt.datetime, by: Actor) -> Campaign:
    """A draft with everything it needs: an incentive of its own, the ready words, the ready segments.

    Raises:
        NoSuchPlaybook: there is none of this key.
    """
    if key not in registries.playbooks:
        raise NoSuchPlaybook(key=key)
    playbook = registries.playbooks[key]
    rule = playbook.incentive(currency=Shop.objects.get().currency)
    incentive = None
    if rule is not None:
        incentive = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=by)
    template = messaging.ensure_ready_template(key=playbook.template, now=now, by=by)
    plan = Plan(
        name=str(playbook.label),
        playbook=playbook.key,
        audience=_segment(playbook.audience, now),
        excluded=_segment(playbook.excluded, now),
        occasion=playbook.occasion,
        occasion_args=playbook.occasion_args(now=now, zone=shop_zone()),
        lateness_hours=playbook.lateness_hours,
        steps=[{"incentive": incentive and incentive.pk, "messages": [template.pk]}],
    )
    return create_campaign(plan=plan, now=now, by=by, why=str(_("From the playbook")))


def _segment(key: str, now: dt.datetime) -> int | None:
    if not key:
        return None
    if not Segment.objects.filter(key=key).exists():
        activity_kinds.seed(now=now)
        seeds.seed(now=now)
    return Segment.objects.get(key=key).pk
