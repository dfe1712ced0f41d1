"""What a living shop has beside its facts: agents' limits, a public code, a pool of codes, fresh segments."""

import datetime as dt

from django.db import transaction

from retention.actors import Actor
from retention.demoshop.staff import PEOPLE
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule
from retention.segments.models import Segment
from retention.segments.operations import refresh_segment
from retention.shop.models import Staff
from retention.support.operations import set_limit
from retention.work.models import Watermark

_MARK = "demoshop:furniture"
#: Letter of the role → (per case, per day) in cents.
LIMITS = {"S": (5_000, 18_000), "L": (20_000, 100_000), "Z": (20_000, 100_000)}
PUBLIC_CODE = "INSTA500"
POOL = 1_000


def furnish(*, now: dt.datetime, by: Actor) -> bool:
    """Everything at once, or nothing; False where it was there already. The staff must have been hired."""
    with transaction.atomic():
        _mark, is_new = Watermark.objects.select_for_update().get_or_create(key=_MARK, defaults={"at": now})
        if is_new:
            _set_limits(now, by)
            _make_offers(now, by)
    if is_new:
        for segment_id in Segment.objects.filter(archived_at=None).order_by("pk").values_list("pk", flat=True):
            refresh_segment(segment_id=segment_id, now=now)
    return is_new


def _set_limits(now: dt.datetime, by: Actor) -> None:
    for letter, (per_case, per_day) in LIMITS.items():
        staff_id = Staff.objects.get(username=PEOPLE[letter].username).pk
        set_limit(staff_id=staff_id, per_case_minor=per_case, per_day_minor=per_day, now=now, by=by)


def _make_offers(now: dt.datetime, by: Actor) -> None:
    _live(
        {
            "name": "First 500 from Instagram",
            "effects": [{"kind": "percent", "basis_points": 1_000, "scope": {"without_low_margin": True}}],
            "limits": {"total": 500, "per_customer": 1, "money": {"amount_minor": 300_000, "currency": "USD"}},
            "codes": {"kind": "public", "text": PUBLIC_CODE},
        },
        now,
        by,
    )
    podcast = _live(
        {
            "name": "Podcast listeners",
            "effects": [{"kind": "amount", "amounts": {"USD": 500}}],
            "codes": {"kind": "unique", "pattern": "POD-########", "is_from_pool": True},
        },
        now,
        by,
    )
    incentives.generate_codes(
        incentive_id=podcast.pk, count=POOL, purpose="handout", source="demoshop:podcast", now=now, by=by
    )


def _live(rule: dict, now: dt.datetime, by: Actor) -> Incentive:
    incentive = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=by, why="Demo.")
    return incentives.go_live(incentive_id=incentive.pk, now=now, by=by)
