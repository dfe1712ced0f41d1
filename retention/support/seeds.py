"""The rows that the sorry desk cannot be without: reasons, its coupon, its mail. Running it again changes nothing."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.messaging.models import Template
from retention.shop.models import Shop
from retention.support.models import Desk, Reason
from retention.support.words import SORRY

#: Key → (label, suggested share of what it is about in per cent).
REASONS = {
    "late": (_("Late"), 15),
    "damaged": (_("Damaged or defective"), 30),
    "wrong-item": (_("Wrong item"), 25),
    "rude-service": (_("Rude service"), 20),
    "missing": (_("Something missing"), 30),
    "other": (_("Other"), 10),
}


@dataclass(frozen=True)
class Seeded:
    """What was not there before."""

    reasons: int
    is_desk_new: bool


@transaction.atomic
def seed(*, now: dt.datetime) -> Seeded:
    """Before there is a shop, the reasons alone: the mail's languages are the shop's.

    What leads changed since stays as they left it.
    """
    by = Actor.command("seed")
    present = set(Reason.objects.values_list("key", flat=True))
    missing = [
        Reason(key=key, label=str(label), percent=percent, position=position)
        for position, (key, (label, percent)) in enumerate(REASONS.items())
        if key not in present
    ]
    Reason.objects.bulk_create(missing)
    if Desk.objects.exists() or not Shop.objects.exists():
        return Seeded(len(missing), is_desk_new=False)
    Desk.objects.create(incentive_id=_incentive(now, by), template_id=_template(now, by))
    return Seeded(len(missing), is_desk_new=True)


def _incentive(now: dt.datetime, by: Actor) -> int:
    rule = IncentiveRule.model_validate(
        {
            "name": str(_("With our apologies")),
            "effects": [{"kind": "amount", "is_from_grant": True}],
            "codes": {"kind": "unique", "pattern": "SORRY-########", "is_bound": True},
        }
    )
    incentive = incentives.create_incentive(rule=rule, now=now, by=by, why="The sorry desk's coupon.")
    incentives.go_live(incentive_id=incentive.pk, now=now, by=by)
    return incentive.pk


def _template(now: dt.datetime, by: Actor) -> int:
    present = Template.objects.filter(key="sorry").first()
    if present:
        return present.pk
    languages = Shop.objects.get().languages
    words = {language: SORRY[language] for language in languages if language in SORRY}
    # A shop whose own language is not among them begins with the English words in its place.
    words.setdefault(languages[0], SORRY["en"])
    template = messaging.create_template(
        key="sorry",
        name=str(_("Sorry")),
        category=Template.Category.TRANSACTIONAL,
        words=words,
        now=now,
        by=by,
    )
    return template.pk
