"""The units that every shop has from day one."""

import datetime as dt

from retention.actors import Actor
from retention.ledger.models import Unit
from retention.ledger.operations import create_unit, money_unit
from retention.ledger.units import After, Plural, UnitRule
from retention.shop.models import Shop

#: What points are called beside a number, where a shop does not call them otherwise.
POINTS: dict[str, dict[Plural, str]] = {
    "en": {"one": "point", "other": "points"},
    "ko": {"other": "포인트"},
    "ru": {"one": "балл", "few": "балла", "many": "баллов", "other": "балла"},
}


def seed(*, now: dt.datetime, by: Actor) -> str:
    """Points, and store credit, store cash, gift cards and cash in the shop's currency; what is there stays."""
    currency = Shop.objects.get().currency
    before = Unit.objects.count()
    if not Unit.objects.filter(key="points").exists():
        rule = UnitRule(
            name="Points",
            counted=POINTS,
            kind="points",
            expiry=After(count=12, per="month", rounded_to="month"),
            worth={currency: 100},
        )
        create_unit(key="points", rule=rule, now=now, by=by)
    for purpose in ("store_credit", "store_cash", "gift_card", "cash"):
        money_unit(purpose=purpose, currency=currency, now=now, by=by)
    return f"{Unit.objects.count() - before} units"
