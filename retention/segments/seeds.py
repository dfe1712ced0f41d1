"""Ready segments and stages from day one. Run again it adds what is missing; what was edited stays."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.customers.models import Stage
from retention.segments.models import Segment
from retention.segments.operations import create_segment, create_stage
from retention.segments.ready_stages import STAGES
from retention.shop.models import Shop


def _is(key: str, **args: Any) -> dict[str, Any]:
    return {"key": key, "args": args}


def _orders(operator: str, number: int) -> dict[str, Any]:
    return _is("order_count", operator=operator, number=number, window="ever")


def _consent() -> dict[str, Any]:
    return _is("consent", channel="email", purpose="marketing", state="given")


def _was_sent(window: str) -> dict[str, Any]:
    return _is("campaign_sent", window=window, days=30)


#: key → (name, what it is for, rule)
READY = {
    "new-customers": (
        _("New customers"),
        _("Signed up or first bought in the last 30 days, and no welcome has reached her yet: welcome them."),
        {
            "all": [
                {"any": [_is("signed_up", window="last", days=30), _is("first_order", window="last", days=30)]},
                {"not": _is("campaign_sent", playbooks=["welcome"], window="ever")},
            ]
        },
    ),
    "first-time-buyers": (
        _("First-time buyers"),
        _("Bought once: the second order is the hardest to win."),
        {"all": [_orders("exactly", 1)]},
    ),
    "repeat-buyers": (_("Repeat buyers"), _("Bought twice or more."), {"all": [_orders("at_least", 2)]}),
    "vip": (
        _("VIP"),
        _("At least five orders, the last within half a year."),
        {"all": [_orders("at_least", 5), _is("last_order", window="last", days=182)]},
    ),
    "at-risk": (
        _("At risk"),
        _("Came back before, and is silent for twice her usual gap, within the last year."),
        {"all": [_orders("at_least", 2), _is("overdue", factor=2), _is("last_order", window="last", days=365)]},
    ),
    "lapsed-6-months": (
        _("Lapsed for 6 months"),
        _("Bought before, but not for half a year: win them back."),
        {"all": [_is("no_order", days=182, never="leave_out")]},
    ),
    "birthdays-this-month": (
        _("Birthdays this month"),
        _("Has her birthday in this calendar month."),
        {"all": [_is("birthday_month", month="this")]},
    ),
    "cart-abandoners": (
        _("Cart abandoners"),
        _("Left a cart in the last week and did not order."),
        {"all": [_is("cart_abandoned", hours=4, days=7)]},
    ),
    "discount-hunters": (
        _("Discount hunters"),
        _("Saved a fifth or more by discounts: do not train them further."),
        {"all": [_orders("at_least", 2), _is("discount_share", operator="at_least", number=20)]},
    ),
    "full-price-loyal": (
        _("Loyal at full price"),
        _("Three orders or more, almost without discounts: give them anything but a discount."),
        {"all": [_orders("at_least", 3), _is("discount_share", operator="at_most", number=2)]},
    ),
    "one-category-buyers": (
        _("One-category buyers"),
        _("Bought twice or more, always from the same category: show them another."),
        {
            "all": [
                _orders("at_least", 2),
                _is("category_breadth", depth=1, operator="exactly", number=1, window="ever"),
            ]
        },
    ),
    "sleeping-subscribers": (
        _("Sleeping subscribers"),
        _("Agreed to mail, has been written to for more than 30 days, and has opened none of the last 30 days."),
        # Whoever agreed today, or had nothing to open, does not sleep.
        {
            "all": [
                _consent(),
                _was_sent("before"),
                _was_sent("last"),
                {"not": _is("last_opened", window="last", days=30)},
            ]
        },
    ),
    "complainers": (
        _("Complainers"),
        _("Complained in the last 90 days: make it good before selling more."),
        {"all": [_is("did", kind="complaint", operator="at_least", number=1, window="last", days=90)]},
    ),
    "email-consent": (
        _("Everyone with email consent"),
        _("May be written to by email."),
        {"all": [_consent()]},
    ),
}


@dataclass(frozen=True)
class Seeded:
    """How many segments and stages were made."""

    new: int


@transaction.atomic
def seed(*, now: dt.datetime) -> Seeded:
    """Make the ready segments and stages that are not there, archived ones included."""
    by = Actor.command("seed")
    there = set(Segment.objects.filter(key__in=READY).values_list("key", flat=True))
    missing = [key for key in READY if key not in there]
    for key in missing:
        name, about, rule = READY[key]
        create_segment(key=key, name=str(name), about=str(about), rule=rule, now=now, by=by)
    known = set(Stage.objects.values_list("key", flat=True))
    language = Shop.objects.get().default_language
    wanted = [stage for stage in STAGES if stage[0] not in known]
    for key, label, who, meant in wanted:
        create_stage(key=key, name={language: str(label)}, about=str(who), rule=meant, now=now, by=by)
    return Seeded(len(missing) + len(wanted))
