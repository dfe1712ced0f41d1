"""What leads set up: the reasons agents choose from, and what the desk gives and says."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit import operations as audit
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of
from retention.messaging.models import Template
from retention.refusals import Refused
from retention.support.models import Desk, Reason


class UnfitIncentive(Refused):
    code = "support.unfit_incentive"
    sentence = _("The desk needs a live incentive whose amount is set for each customer, with one code for each.")
    status = 422


class UnfitTemplate(Refused):
    code = "support.unfit_template"
    sentence = _("The desk needs a transactional mail: a sorry does not wait for consent to marketing.")
    status = 422


@transaction.atomic
def save_reason(
    *, key: str, label: str, percent: int, is_active: bool, position: int, now: dt.datetime, by: Actor
) -> Reason:
    """Add a reason, or change the one of this key; cases keep theirs, also when it is no longer offered."""
    figures = {"label": label, "percent": percent, "is_active": is_active, "position": position}
    before = Reason.objects.select_for_update().filter(key=key).values(*figures).first()
    reason, _created = Reason.objects.update_or_create(key=key, defaults=figures)
    audit.record(verb="support.save_reason", by=by, now=now, subject=reason, before=before, after=figures)
    return reason


@transaction.atomic
def save_desk(
    *, incentive_id: int, template_id: int, valid_days: int, repeat_days: int, now: dt.datetime, by: Actor
) -> Desk:
    """Say what the desk gives and sends from now on; what was given stays.

    Raises:
        UnfitIncentive, UnfitTemplate: the desk could not give or send it.
    """
    incentive = Incentive.objects.get(pk=incentive_id)
    if incentive.state != Incentive.State.LIVE or not rule_of(incentive.version_id).is_from_grant:
        raise UnfitIncentive()
    template = Template.objects.get(pk=template_id)
    if template.category != Template.Category.TRANSACTIONAL or template.archived_at or not template.version_id:
        raise UnfitTemplate()
    figures = {
        "incentive_id": incentive_id,
        "template_id": template_id,
        "valid_days": valid_days,
        "repeat_days": repeat_days,
    }
    before = Desk.objects.select_for_update().filter(pk=1).values(*figures).first()
    desk, _created = Desk.objects.update_or_create(pk=1, defaults=figures)
    audit.record(verb="support.save_desk", by=by, now=now, subject=desk, before=before, after=figures)
    return desk
