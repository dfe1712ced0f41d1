"""Ready programmes: good to launch after a look, each with a unit of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Programme
from loyalty.operations.programmes import create_programme
from loyalty.rules import ProgrammeRule
from retention import money
from retention.actors import Actor
from retention.ledger import operations as ledger
from retention.ledger.models import Unit
from retention.ledger.seeds import POINTS
from retention.ledger.units import UnitRule
from retention.refusals import Refused
from retention.registries import StrOrPromise
from retention.shop.models import Shop

_DAY = dt.timedelta(days=1)


class NoSuchReady(Refused):
    code = "loyalty.no_such_ready_programme"
    sentence = _("There is no such ready programme.")
    status = 404


@dataclass(frozen=True)
class Ready:
    """One ready programme. `rule` and `unit` are completed by `begun`: names, dates and the currency of the shop."""

    key: str
    label: StrOrPromise
    about: StrOrPromise
    names: Mapping[str, str]
    unit: Mapping[str, Any]
    rule: Mapping[str, Any]


_REVIEW = {
    "kind": "activity", "key": "review", "activity": "reviewed", "amount": 50,
    "caps": [{"most": 3, "of": "times", "per": "month"}],
}  # fmt: skip
_TIERS = {
    "measure": "points",
    "window": {"kind": "calendar_year"},
    "validity": {"kind": "after", "count": 1, "per": "year", "rounded_to": "year"},
    "steps": [
        {"key": "insider", "names": {"en": "Insider", "ko": "인사이더", "ru": "Инсайдер"}, "threshold": 0},
        {"key": "silver", "names": {"en": "Silver", "ko": "실버", "ru": "Серебро"}, "threshold": 350, "percent": 125},
        {"key": "gold", "names": {"en": "Gold", "ko": "골드", "ru": "Золото"}, "threshold": 1_000, "percent": 150},
    ],
}
_STARS = {
    "en": {"one": "star", "other": "stars"},
    "ko": {"other": "별"},
    "ru": {"one": "звезда", "few": "звезды", "many": "звёзд", "other": "звезды"},
}
READY: tuple[Ready, ...] = (
    Ready(
        "points",
        _("Points and tiers"),
        _(
            "1 point for every 1.00, more in higher tiers; points for signing up, reviews and birthdays. They can be"
            " spent once the order can be returned no more, and end a year after."
        ),
        {"en": "Club", "ko": "클럽", "ru": "Клуб"},
        {
            "name": "Points", "counted": POINTS, "kind": "points", "worth_points": 100, "worth_minor": 500,
            "expiry": {"kind": "after", "count": 12, "per": "month", "rounded_to": "month"},
        },
        {
            "earning": [
                {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100},
                {"kind": "activity", "key": "signup", "activity": "signed_up", "amount": 50, "counts_for_tier": False,
                 "caps": [{"most": 1, "of": "times", "per": "life"}]},
                _REVIEW,
                {"kind": "yearly", "key": "birthday", "of": "birthday", "amount": 100, "counts_for_tier": False},
            ],
            "pending": {"kind": "days", "days": 14},
            "tiers": _TIERS,
        },
    ),
    Ready(
        "stars",
        _("Stars"),
        _("2 stars for every 1.00, one more for each visit, and double on Tuesdays from 14 to 17. They count at once."),
        {"en": "Stars", "ko": "별", "ru": "Звёзды"},
        {"name": "Stars", "counted": _STARS, "kind": "points", "expiry": {"kind": "after", "count": 6, "per": "month"}},
        {
            "earning": [
                {"kind": "per_amount", "key": "base", "amount": 2, "per_minor": 100},
                {"kind": "per_order", "key": "visit", "amount": 1, "cool_down_hours": 2},
                {"kind": "multiplied", "key": "happy_hour", "percent": 200, "of": ["base"],
                 "when": {"weekdays": [1], "from_": "14:00", "until": "17:00"}},
            ],
        },
    ),
    Ready(
        "store_cash",
        _("Store cash"),
        _(
            "10.00 for every whole 50.00 spent in the next ten days, to be spent in the ten days after. Set the days as"
            " you like; a reminder before it ends is a ready campaign."
        ),
        {"en": "Store cash", "ko": "스토어 캐시", "ru": "Бонусные деньги"},
        {"name": "Store cash", "kind": "money"},
        {"earning": [{"kind": "per_amount", "key": "cash", "amount": 10, "per_minor": 50, "is_whole": True}]},
    ),
)  # fmt: skip


@transaction.atomic
def begin(*, key: str, now: dt.datetime, by: Actor) -> Programme:
    """A draft of a ready programme, with its unit; every time another one.

    Raises:
        NoSuchReady
    """
    ready = next((one for one in READY if one.key == key), None)
    if ready is None:
        raise NoSuchReady
    shop = Shop.objects.get()
    rule = dict(ready.rule)
    if ready.key == "store_cash":
        rule = _windows(rule, now.date(), shop.currency)
    languages = [shop.default_language, *(one for one in shop.languages if one in ready.names)]
    rule["names"] = {language: ready.names.get(language, ready.names["en"]) for language in languages}
    free = _free(ready.key)
    unit = ledger.create_unit(key=free, rule=_unit_rule(ready.unit, shop.currency), now=now, by=by)
    whole = ProgrammeRule.model_validate(_in_languages(rule, shop.default_language))
    return create_programme(key=free, unit_key=unit.key, rule=whole, now=now, by=by, why=str(ready.label))


def _unit_rule(said: Mapping[str, Any], currency: str) -> UnitRule:
    told = dict(said)
    worth = told.pop("worth_minor", None)
    if told["kind"] == "money":
        told |= {"currency": currency, "digits": money.digits(currency)}
    elif worth:
        told["worth"] = {currency: money.to_minor(str(worth / 100), currency)}
    return UnitRule.model_validate(told)


def _windows(rule: Mapping[str, Any], today: dt.date, currency: str) -> dict[str, Any]:
    """Ten days to earn from tomorrow on, and the ten days after to spend."""
    (cash,) = rule["earning"]
    opens, closes = today + _DAY, today + 10 * _DAY
    amounts = {name: money.to_minor(str(cash[name]), currency) for name in ("amount", "per_minor")}
    when = {"starts_on": opens, "ends_on": closes}
    pending = {"kind": "date", "on": closes + _DAY, "until": closes + 10 * _DAY}
    return {**rule, "earning": [{**cash, **amounts, "when": when}], "pending": pending}


def _in_languages(rule: dict[str, Any], default: str) -> dict[str, Any]:
    """Every name in the shop's default language as well, in English where nobody said it."""
    for step in rule.get("tiers", {}).get("steps", ()):
        step["names"] = {**step["names"], default: step["names"].get(default, step["names"]["en"])}
    return rule


def _free(key: str) -> str:
    """`points`, or `points_2` where that is taken."""
    taken = {*Unit.objects.values_list("key", flat=True), *Programme.objects.values_list("key", flat=True)}
    names = [key, *(f"{key}_{n}" for n in range(2, 1_000))]
    return next(name for name in names if name not in taken)
