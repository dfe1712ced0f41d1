"""The stages that every shop begins with, from a first visit to the last order; each customer is in exactly one."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _is(key: str, **args: Any) -> dict[str, Any]:
    return {"key": key, "args": args}


def _orders(operator: str, number: int) -> dict[str, Any]:
    return _is("order_count", operator=operator, number=number, window="ever")


def _last_order(days: int) -> dict[str, Any]:
    return _is("last_order", window="last", days=days)


_CONSENT = _is("consent", channel="email", purpose="marketing", state="given")
#: Neither silent for half a year, nor, after two months, for twice her own gap.
_IN_RHYTHM: list[Any] = [_last_order(182), {"any": [_last_order(60), {"not": _is("overdue", factor=2)}]}]

#: (key, name, who is in it, rule), in the order in which they are asked.
STAGES: tuple[tuple[str, Promise, Promise, dict[str, Any]], ...] = (
    (
        "visitor",
        _("Visitor"),
        _("Known, has bought nothing, and may not be written to."),
        {"all": [_orders("exactly", 0), {"not": _CONSENT}]},
    ),
    (
        "subscriber",
        _("Subscriber"),
        _("Agreed to mail, and has bought nothing yet."),
        {"all": [_orders("exactly", 0), _CONSENT]},
    ),
    (
        "new",
        _("New"),
        _("Placed her first order in the last 60 days, and no other."),
        {"all": [_orders("exactly", 1), _is("first_order", window="last", days=60)]},
    ),
    (
        "loyal",
        _("Loyal"),
        _("Four orders or more, and in her rhythm."),
        {"all": [_orders("at_least", 4), *_IN_RHYTHM]},
    ),
    ("active", _("Active"), _("Bought in the last half year, in her rhythm."), {"all": _IN_RHYTHM}),
    (
        "at-risk",
        _("At risk"),
        _("Silent for half a year, or for twice her usual gap."),
        {"all": [_last_order(365)]},
    ),
    ("lapsed", _("Lapsed"), _("Has not bought for a year."), {"all": [_orders("at_least", 1)]}),
)
