"""The units that every shop has from day one."""

import datetime as dt

from retention.actors import Actor
from retention.ledger.models import Unit
from retention.ledger.operations import create_unit, money_unit
from retention.ledger.units import After, UnitRule
from retention.shop.models import Shop


def seed(*, now: dt.datetime, by: Actor) -> str:
    """Points, and store credit, store cash, gift cards and cash in the shop's currency; what is there stays."""
    currency = Shop.objects.get().currency
    before = Unit.objects.count()
    if not Unit.objects.filter(key="points").exists():
        rule = UnitRule(
            name="Points", kind="points", expiry=After(count=12, per="month", rounded_to="month"), worth={currency: 100}
        )
        create_unit(key="points", rule=rule, now=now, by=by)
    for purpose in ("store_credit", "store_cash", "gift_card", "cash"):
        money_unit(purpose=purpose, currency=currency, now=now, by=by)
    return f"{Unit.objects.count() - before} units"
