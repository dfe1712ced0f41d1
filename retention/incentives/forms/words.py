"""How a rule's fields are laid out and worded: which come first, which need another, what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from retention.incentives.forms.vocabulary import CHOICES, FIELDS, KINDS

#: Part → the fields that are shown, in this order; the rest unfolds. Parts that are not here show everything.
FIRST: dict[str, tuple[str, ...]] = {
    "Scope": ("on", "products", "categories", "tags", "without_discounted"),
    "Limits": ("total", "per_customer", "money"),
    "UniqueCodes": ("pattern", "is_bound"),
    "Validity": ("starts_at", "ends_at"),
    "PercentOff": ("basis_points", "cap", "scope"),
    "AmountOff": ("amounts", "is_per_unit", "scope"),
    "FixedPrice": ("amounts", "is_together", "scope"),
    "BuyGet": ("buy_quantity", "get_quantity", "basis_points", "scope", "get"),
    "BundlePrice": ("amounts", "parts"),
    "Tiers": ("steps", "scope"),
    "Step": ("from_amounts", "from_quantity", "basis_points", "off"),
    "CashBack": ("basis_points", "days", "scope"),
    "GiftCard": ("amounts", "days", "products", "categories"),
    "StoreCredit": ("amounts", "days"),
    "Cash": ("amounts",),
    "MinimumAmount": ("amounts",),
    "MaximumAmount": ("amounts",),
    "MinimumQuantity": ("quantity", "scope"),
    "MaximumQuantity": ("quantity", "scope"),
    "HasAttribute": ("name", "values"),
    "Window": ("weekdays", "starts", "ends"),
    "WindowLimit": ("per", "within", "uses", "money", "is_rolling"),
    "CustomerLimit": ("within", "uses", "money", "is_rolling"),
}

#: Fields that nobody fills in: what they hold follows from others.
UNASKED = frozenset({"InSegments.names"})

_GOODS = ("without_products", "without_categories", "without_tags", "without_low_margin", "without_discounted", "pick")
#: `Part.field` → (another field, the values of it that show this one).
SHOWN_IF: dict[str, tuple[str, list[Any]]] = {
    **{f"Scope.{name}": ("on", ["lines"]) for name in ("products", "categories", "tags", "price_from", "price_to")},
    **{f"Scope.{name}": ("on", ["order", "lines"]) for name in (*_GOODS, "units", "units_each")},
    "AmountOff.amounts": ("is_from_grant", [False]),
    "GiftCard.amounts": ("is_from_grant", [False]),
    "StoreCredit.amounts": ("is_from_grant", [False]),
    "Cash.amounts": ("is_from_grant", [False]),
    "PointsGiven.points": ("is_from_grant", [False]),
    "Stackable.groups": ("kind", ["groups"]),
    "WindowLimit.is_rolling": ("within", ["day", "week", "month"]),
    "CustomerLimit.is_rolling": ("within", ["day", "week", "month"]),
    "UniqueCodes.warn_below": ("is_from_pool", [True]),
    "UniqueCodes.pattern": ("is_from_pool", [False]),
    "UniqueCodes.charset": ("is_from_pool", [False]),
}

#: Part → what the fold of its other fields says.
MORE: dict[str, Any] = {
    "Scope": _("More about which goods"),
    "Limits": _("More limits"),
    "UniqueCodes": _("More about the codes"),
    "Validity": _("More about the dates"),
}

#: List of parts → (what adds one to it, what one of it is called).
ITEMS: dict[str, tuple[Any, Any]] = {
    "effects": (_("Add something that is given"), ""),
    "conditions": (_("Add a condition"), ""),
    "steps": (_("Add a step"), _("Step %(n)s")),
    "parts": (_("Add a part"), _("Part %(n)s")),
    "AtTimes.windows": (_("Add hours"), _("Hours %(n)s")),
    "windows": (_("Add a limit"), _("Limit %(n)s")),
    "allowance": (_("Add a limit"), _("Limit %(n)s")),
}

#: Type of pydantic's error → what the marketer reads.
PROBLEMS: dict[str, Any] = {
    "missing": _("Fill this in."),
    "string_too_short": _("Fill this in."),
    "too_short": _("Fill this in."),
    "string_too_long": _("At most %(max_length)s symbols."),
    "too_long": _("At most %(max_length)s."),
    "greater_than": _("More than %(gt)s."),
    "greater_than_equal": _("At least %(ge)s."),
    "less_than_equal": _("At most %(le)s."),
    "int_parsing": _("Enter a number."),
    "int_type": _("Enter a number."),
    "int_from_float": _("Enter a whole number."),
    "string_pattern_mismatch": _("This does not look right."),
    "literal_error": _("Choose one of these."),
    "union_tag_not_found": _("Choose one of these."),
    "union_tag_invalid": _("Choose one of these."),
}


#: `Part.field` that names a row or a word of a list → the list, which the editor's `sets` hold.
PICKED: dict[str, str] = {}


def learn(
    *,
    kinds: Mapping[str, tuple[Any, Any]] = MappingProxyType({}),
    fields: Mapping[str, tuple[Any, Any]] = MappingProxyType({}),
    choices: Mapping[str, Any] = MappingProxyType({}),
    first: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    shown_if: Mapping[str, tuple[str, list[Any]]] = MappingProxyType({}),
    items: Mapping[str, tuple[Any, Any]] = MappingProxyType({}),
    picked: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """What a higher room says of the parts of its own rules; keys that are there already stay as they are."""
    told: tuple[tuple[dict[str, Any], Mapping[str, Any]], ...] = (
        (KINDS, kinds), (FIELDS, fields), (CHOICES, choices), (FIRST, first), (SHOWN_IF, shown_if), (ITEMS, items),
        (PICKED, picked),
    )  # fmt: skip
    for known, more_of_it in told:
        for key, value in more_of_it.items():
            known.setdefault(key, value)


def kind(key: str, owner: str) -> tuple[str, str]:
    label, about = KINDS.get(f"{owner}.{key}") or KINDS.get(key, (_plain(key), ""))
    return str(label), str(about)


def label(name: str, owner: str) -> str:
    return str(_said(owner, name)[0] or _plain(name))


def help_of(name: str, owner: str) -> str:
    return str(_said(owner, name)[1])


def choice(owner: str, name: str, value: Any) -> str:
    places = (f"{owner}.{name}.{value}", f"{name}.{value}", str(value))
    return str(next((CHOICES[place] for place in places if place in CHOICES), str(value).replace("_", " ")))


def source(name: str, owner: str) -> str:
    """The list of known values that is offered while she types."""
    if f"{owner}.{name}" in PICKED:
        return PICKED[f"{owner}.{name}"]
    return {"methods": "payment_methods", "InCurrencies.names": "currencies"}.get(
        f"{owner}.{name}" if name == "names" else name, name.removeprefix("without_")
    )


def is_first(owner: str, name: str) -> bool:
    return owner not in FIRST or name in FIRST[owner]


def place(owner: str, name: str) -> int:
    """Where a field stands among its part's: what is shown first comes first."""
    first = FIRST.get(owner, ())
    return first.index(name) if name in first else len(first)


def more(owner: str) -> str:
    return str(MORE.get(owner, _("More")))


def item(name: str, owner: str) -> tuple[str, str]:
    adds, called = ITEMS.get(f"{owner}.{name}") or ITEMS.get(name) or (_("Add"), "%(n)s")
    return str(adds), str(called)


def shown_if(owner: str, name: str) -> list[Any] | None:
    found = SHOWN_IF.get(f"{owner}.{name}")
    return list(found) if found else None


def _said(owner: str, name: str) -> tuple[Any, Any]:
    return FIELDS.get(f"{owner}.{name}") or FIELDS.get(name) or ("", "")


def _plain(name: str) -> str:
    return capfirst(name.replace("_minor", "").replace("_", " "))
