"""What a living shop has beside its facts: agents' limits, offers with codes, value, campaigns, fresh segments."""

import datetime as dt
from typing import Any

from django.db import transaction

from campaigns import operations as campaigns
from campaigns.models import Holiday
from campaigns.operations.calendars import refresh_holidays
from campaigns.plans import plan_of
from retention.actors import Actor
from retention.demoshop.club import live_a_year, open_club
from retention.demoshop.friends import bring_friends
from retention.demoshop.staff import PEOPLE
from retention.demoshop.value import give_value
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
HANDED_OUT = "Podcast listeners"
#: Live from the first start on, one of each sort that a marketer would try first.
OFFERS: tuple[dict[str, Any], ...] = (
    {
        "name": "First 500 from Instagram",
        "effects": [{"kind": "percent", "basis_points": 1_000, "scope": {"without_low_margin": True}}],
        "limits": {"total": 500, "per_customer": 1, "money": {"amount_minor": 300_000, "currency": "USD"}},
        "codes": {"kind": "public", "text": PUBLIC_CODE},
    },
    {
        "name": HANDED_OUT,
        "effects": [{"kind": "amount", "amounts": {"USD": 500}}],
        "codes": {"kind": "unique", "pattern": "POD-########"},
    },
    {
        "name": "Free shipping from 60",
        "effects": [{"kind": "free_shipping", "cap": {"USD": 1_200}}],
        "conditions": [{"kind": "minimum_amount", "amounts": {"USD": 6_000}}],
        "codes": {"kind": "automatic", "banner": "Free shipping from 60 USD"},
    },
    {
        "name": "Three for two in Jazz",
        "effects": [
            {
                "kind": "buy_get",
                "buy_quantity": 2,
                "scope": {"on": "lines", "categories": ["Music/Jazz"]},
                "most_times": 3,
            }
        ],
        "codes": {"kind": "automatic", "banner": "Jazz: buy two records, the third is free"},
    },
    {
        "name": "Spend more, save more",
        "effects": [
            {
                "kind": "tiers",
                "scope": {"without_discounted": True},
                "steps": [
                    {"from_amounts": {"USD": 5_000}, "basis_points": 500},
                    {"from_amounts": {"USD": 10_000}, "basis_points": 1_000},
                    {"from_amounts": {"USD": 20_000}, "basis_points": 1_500},
                ],
            }
        ],
        "limits": {"per_customer": 3},
        "codes": {"kind": "public", "text": "SAVEMORE"},
        "stacking": {"kind": "exclusive"},
    },
)
#: Playbooks, launched in this order.
CAMPAIGNS = (
    "welcome",
    "birthday",
    "anniversary",
    "holiday",
    "win_back",
    "coupon_expiring",
    "value_expiring",
    "broadcast",
)
DAY = dt.timedelta(days=1)
HOLIDAYS_AHEAD = 60 * DAY
#: Holidays that are no day for advertising.
_NO_ADVERTS = ("memorial", "mourning", "remembrance", "victims")


def furnish(*, now: dt.datetime, by: Actor) -> bool:
    """Everything at once, or nothing; False where it was there already. The staff must have been hired."""
    with transaction.atomic():
        _mark, is_new = Watermark.objects.select_for_update().get_or_create(key=_MARK, defaults={"at": now})
        if is_new:
            _set_limits(now, by)
            _make_offers(now, by)
            give_value(now=now, by=by)
            open_club(now=now, by=by)
            refresh_holidays(now=now)
            for key in CAMPAIGNS:
                _launch(key, now)
    if is_new:
        live_a_year(now=now, by=by)
        bring_friends(now=now, by=by)
        for segment_id in Segment.objects.filter(archived_at=None).order_by("pk").values_list("pk", flat=True):
            refresh_segment(segment_id=segment_id, now=now)
    return is_new


def _set_limits(now: dt.datetime, by: Actor) -> None:
    for letter, (per_case, per_day) in LIMITS.items():
        staff_id = Staff.objects.get(username=PEOPLE[letter].username).pk
        set_limit(staff_id=staff_id, per_case_minor=per_case, per_day_minor=per_day, now=now, by=by)


def _make_offers(now: dt.datetime, by: Actor) -> None:
    made = {rule["name"]: _live(rule, now, by) for rule in OFFERS}
    incentives.generate_codes(
        incentive_id=made[HANDED_OUT].pk, count=POOL, purpose="handout", source="demoshop:podcast", now=now, by=by
    )


def _launch(key: str, now: dt.datetime) -> None:
    """From its playbook to live, as the marketer and her lead would, a day ago.

    A campaign reaches whoever becomes due from its launch on: with a day behind it the first run has the birthdays,
    anniversaries, sign-ups and lapses of one day to serve, and never the whole base.
    """
    launched_at = now - DAY
    marketer, lead = (Actor.staff(Staff.objects.get(username=PEOPLE[letter].username)) for letter in "ML")
    campaign = campaigns.create_from_playbook(key=key, now=launched_at, by=marketer)
    changes = _changes(key, now)
    if changes:
        plan = plan_of(campaign)
        args = plan.occasion_args | changes.pop("occasion_args", {})
        campaign = campaigns.save_campaign(
            campaign_id=campaign.pk,
            plan=plan.model_copy(update={**changes, "occasion_args": args}),
            edited=campaign.version.number,
            now=launched_at,
            by=marketer,
            why="For this shop.",
        )
    campaigns.approve(campaign_id=campaign.pk, version=campaign.version.number, now=launched_at, by=lead)
    campaigns.launch(campaign_id=campaign.pk, now=launched_at, by=marketer)


def _changes(key: str, now: dt.datetime) -> dict[str, Any]:
    """What this shop plans otherwise than the playbook."""
    if key == "holiday":
        coming = Holiday.objects.filter(is_observed=True, on__gte=now.date(), on__lt=now.date() + HOLIDAYS_AHEAD)
        keys = {key for key in coming.values_list("key", flat=True) if not any(word in key for word in _NO_ADVERTS)}
        return {"occasion_args": {"holidays": sorted(keys | {"christmas-day", "new-years-day"})}}
    if key == "broadcast":
        # In a week, and to the best customers alone: a demo must not write to everyone.
        return {"name": "News for our best customers", "audience": Segment.objects.get(key="vip").pk}
    return {}


def _live(rule: dict, now: dt.datetime, by: Actor) -> Incentive:
    incentive = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=by, why="Demo.")
    return incentives.go_live(incentive_id=incentive.pk, now=now, by=by)
