"""Units: made with the shop's own accounts in them, saved as versions, and found by purpose and currency."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention import money
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.ledger.models import Account, Unit
from retention.ledger.units import After, UnitRule
from retention.ledger.versions import rule_of
from retention.refusals import Refused

#: How units of money begin, by their purpose. Store cash is store credit with a day until which it must be used;
#: cash of partners may be owed, because an order can come back after its commission was paid out.
PRESETS: dict[str, dict[str, Any]] = {
    "store_cash": {"expiry": After(count=30, per="day")},
    "cash": {"may_be_negative": True},
}


class NoSuchUnit(Refused):
    code = "ledger.no_such_unit"
    sentence = _("There is no unit “%(key)s”.")
    status = 404


class UnitTaken(Refused):
    code = "ledger.unit_taken"
    sentence = _("There is a unit “%(key)s” already.")


class UnitIsFixed(Refused):
    code = "ledger.unit_is_fixed"
    sentence = _("What a unit counts stays: points or money, its currency and its decimal places.")


class SomebodyOwes(Refused):
    code = "ledger.somebody_owes"
    sentence = _("%(count)s accounts owe some of it; it must stay allowed until that is settled.")


@transaction.atomic
def create_unit(*, key: str, rule: UnitRule, now: dt.datetime, by: Actor, why: str = "") -> Unit:
    """A new unit and the shop's own accounts in it.

    Raises:
        UnitTaken: the key is there already.
    """
    unit, is_new = Unit.objects.get_or_create(key=key, defaults=_columns(rule))
    if not is_new:
        raise UnitTaken(key=key)
    unit.version = save_version(of=unit, data=rule.model_dump(mode="json"), edited=None, by=by, now=now, why=why)
    Unit.objects.filter(pk=unit.pk).update(version=unit.version)
    Account.objects.bulk_create(
        [
            Account(unit=unit, kind=Account.Kind.SYSTEM, purpose=purpose, opened_at=now)
            for purpose in Account.Purpose.values
        ]
    )
    record(verb="ledger.create_unit", by=by, now=now, subject=unit, after={"version": 1})
    return unit


@transaction.atomic
def save_unit(*, unit_id: int, rule: UnitRule, edited: int | None, now: dt.datetime, by: Actor, why: str = "") -> Unit:
    """Save the whole rule as the next version. What is out keeps the ends it was given.

    Raises:
        NoSuchUnit, UnitIsFixed
        SomebodyOwes: it may not be owed any more, and some is.
        EditedMeanwhile: someone saved after version number `edited` was read.
    """
    unit = Unit.objects.select_for_update().filter(pk=unit_id).first()
    if unit is None:
        raise NoSuchUnit(key=unit_id)
    before = rule_of(unit)
    if (before.kind, before.currency, before.digits) != (rule.kind, rule.currency, rule.digits):
        raise UnitIsFixed
    if rule.may_be_negative != before.may_be_negative:
        _allow_owing(unit, rule.may_be_negative)
    unit.version = save_version(of=unit, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why)
    Unit.objects.filter(pk=unit.pk).update(version=unit.version, **_columns(rule))
    record(
        verb="ledger.save_unit", by=by, now=now, subject=unit, before={"version": edited},
        after={"version": unit.version.number},
    )  # fmt: skip
    unit.refresh_from_db()
    return unit


def unit_of(key: str) -> Unit:
    """The unit of this key.

    Raises:
        NoSuchUnit
    """
    unit = Unit.objects.filter(key=key).first()
    if unit is None:
        raise NoSuchUnit(key=key)
    return unit


def money_unit(*, purpose: str, currency: str, now: dt.datetime, by: Actor) -> Unit:
    """The unit for money of a purpose in a currency, such as `gift_card_eur`; made when it is first needed."""
    key = f"{purpose}_{currency.lower()}"
    unit = Unit.objects.filter(key=key).first()
    if unit is not None:
        return unit
    name = f"{purpose.replace('_', ' ').capitalize()} {currency}"
    rule = UnitRule(
        name=name, kind="money", currency=currency, digits=money.digits(currency), **PRESETS.get(purpose, {})
    )
    try:
        with transaction.atomic():
            return create_unit(key=key, rule=rule, now=now, by=by)
    except UnitTaken:
        return Unit.objects.get(key=key)


def _columns(rule: UnitRule) -> dict:
    return {name: getattr(rule, name) for name in ("name", "kind", "currency", "digits", "may_be_negative")}


def _allow_owing(unit: Unit, is_allowed: bool) -> None:
    accounts = Account.objects.filter(unit=unit).exclude(kind=Account.Kind.SYSTEM)
    if not is_allowed and (owing := accounts.filter(balance__lt=0).count()):
        raise SomebodyOwes(count=owing)
    accounts.update(may_be_negative=is_allowed)
