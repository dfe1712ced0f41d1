"""What people read beside the fields of a rule: labels, hints, choices, which are shown first and which need another.

Keyed by the names in the classes, `Part.field` where a name means different things. All of it is optional.
"""

from __future__ import annotations

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

#: kind → (label, what it is for).
KINDS: dict[str, tuple[Any, Any]] = {
    "percent": (_("Percent off"), _("20 % off the order, or off some products.")),
    "amount": (_("Amount off"), _("10.00 EUR off the order, or off each unit.")),
    "fixed_price": (_("Fixed price"), _("Each of these products for 9.90 EUR.")),
    "free_shipping": (_("Free shipping"), _("The shop pays for the delivery, all of it or up to an amount.")),
    "free_product": (_("Free product"), _("A product of the basket for nothing.")),
    "buy_get": (_("Buy X, get Y"), _("Buy two, get the third free or for less.")),
    "bundle_price": (_("Bundle price"), _("These products together for one price.")),
    "tiers": (_("Spend more, save more"), _("Each step of the basket's value gives more.")),
    "cash_back": (_("Cash back"), _("Part of what was paid, as credit after the return window.")),
    "free_trial": (_("Free trial"), _("Some days for nothing.")),
    "gift_card": (_("Gift card"), _("A card with a balance of its own.")),
    "store_credit": (_("Store credit"), _("Money on the customer's account in this shop.")),
    "points": (_("Points"), _("Points on the customer's account.")),
    "cash": (_("Cash"), _("Money for an affiliate, paid out elsewhere.")),
    "access": (_("Access"), _("A seat, early access, a community: a ticket that is checked in once.")),
    "experience": (_("Experience or gift by hand"), _("Somebody does it; it lands on the work-list.")),
    "minimum_amount": (_("Basket from"), _("The goods are worth at least so much.")),
    "maximum_amount": (_("Basket up to"), _("The goods are worth at most so much.")),
    "minimum_quantity": (_("From so many units"), _("So many units are in the basket at least.")),
    "maximum_quantity": (_("Up to so many units"), _("So many units are in the basket at most.")),
    "in_regions": (_("Delivered to regions"), _("An unknown region is outside.")),
    "in_stores": (_("Ordered in stores"), _("By the shop's own names of them.")),
    "in_currencies": (_("Paid in currencies"), _("Such as EUR or USD.")),
    "paid_by": (_("Paid by"), _("By the shop's own names of ways to pay.")),
    "at_times": (_("On some days or hours"), _("By the shop's clock.")),
    "has_attribute": (_("With an attribute of the order"), _("As the shop sends it with the basket.")),
    "in_segments": (_("For customers in segments"), _("As of their last refresh.")),
    "in_tiers": (_("For loyalty tiers"), _("By the keys of the tiers.")),
    "first_order": (_("First order only"), _("The customer has bought nothing yet.")),
    "nth_order": (_("Only her nth order"), _("Counted by paid orders; guests by email.")),
    "has_products": (_("With these products"), _("At least so many of them are in the basket.")),
    "has_categories": (_("With products of a category"), _("At least so many of it are in the basket.")),
    "in_countries": (_("Delivered to"), _("An unknown address is outside.")),
    "in_channels": (_("Ordered through"), _("Such as web or app.")),
    "unique": (_("One code for each customer"), ""),
    "public": (_("One public code for everybody"), ""),
    "automatic": (_("No code: it applies by itself"), ""),
}

#: `field` or `Part.field` → (label, hint).
FIELDS: dict[str, tuple[Any, Any]] = {
    "name": (_("Name"), _("For you and your team.")),
    "IncentiveRule.effects": (_("What is given"), ""),
    "IncentiveRule.conditions": (_("Only when"), _("All of them must hold.")),
    "IncentiveRule.limits": (_("Limits"), ""),
    "IncentiveRule.codes": (_("Codes"), ""),
    "IncentiveRule.validity": (_("Dates"), ""),
    "IncentiveRule.stacking": (_("Together with other offers"), ""),
    "basis_points": (_("Percent"), ""),
    "amounts": (_("Amount"), _("Baskets in other currencies get nothing.")),
    "cap": (_("At most"), ""),
    "FreeShipping.cap": (_("Shipping up to"), _("Empty: all of it.")),
    "is_from_grant": (_("Set for each customer when it is given"), _("As at the sorry desk.")),
    "scope": (_("On what"), ""),
    "on": (_("Works on"), ""),
    "products": (_("Products"), ""),
    "categories": (_("Categories"), _("With everything below them.")),
    "tags": (_("Tags"), ""),
    "price_from": (_("Costing from"), ""),
    "price_to": (_("Costing up to"), ""),
    "without_products": (_("But not products"), ""),
    "without_categories": (_("But not categories"), ""),
    "without_tags": (_("But not tags"), ""),
    "without_low_margin": (_("Not low-margin products"), ""),
    "without_discounted": (_("Not on sale items"), ""),
    "units": (_("Units at most"), ""),
    "units_each": (_("Units of each product at most"), ""),
    "pick": (_("If there are more"), ""),
    "quantity": (_("At least so many"), ""),
    "countries": (_("Countries"), ""),
    "regions": (_("Regions"), ""),
    "channels": (_("Channels"), _("Such as web, app.")),
    "stores": (_("Stores"), ""),
    "segments": (_("Segments"), ""),
    "total": (_("Uses in all"), _("“First 500 shoppers”.")),
    "per_customer": (_("Uses per customer"), ""),
    "money": (_("Budget"), _("All discounts together, in one currency.")),
    "per_code": (_("Uses per code"), _("Empty: a customer's own code once, a public one without limit.")),
    "issued": (_("Given in all"), ""),
    "issued_per_customer": (_("Given per customer"), ""),
    "windows": (_("By day, week or month"), ""),
    "text": (_("Code"), ""),
    "pattern": (_("Looks like"), _("# is a random symbol; a check symbol is added. For example SPRING-####-####.")),
    "charset": (_("Symbols"), _("None that look alike.")),
    "is_from_pool": (_("Give codes from a pool"), _("Made or imported before, instead of made on the spot.")),
    "warn_below": (_("Tell when fewer codes are left than"), _("0: never.")),
    "is_bound": (_("Only its customer can use it"), ""),
    "is_usable_again": (_("Usable again when the order is cancelled"), ""),
    "starts_at": (_("From"), _("By the shop's clock.")),
    "ends_at": (_("Until"), _("By the shop's clock.")),
    "hours_after_given": (_("Hours from being given"), _("48: each code works for two days.")),
    "priority": (_("Priority"), _("Higher comes first.")),
    "groups": (_("Groups"), _("It may be combined with offers that share a group.")),
    "base": (_("Percentages of"), ""),
}

#: `Part.field.value` or `field.value` or `value` → what it is called.
CHOICES: dict[str, Any] = {
    "on.order": _("the whole order"),
    "on.lines": _("some products"),
    "on.shipping": _("the shipping"),
    "pick.dearest": _("the dearest"),
    "pick.cheapest": _("the cheapest"),
    "charset.letters_and_digits": _("letters and digits"),
    "charset.letters": _("letters"),
    "charset.digits": _("digits"),
    "stackable": _("with any other offer"),
    "groups": _("with offers of its groups"),
    "exclusive": _("alone"),
    "base.left": _("what is left after the offers before it"),
    "base.initial": _("the first price"),
}

#: Part → the fields that are shown; the rest unfolds. Parts that are not here show everything.
FIRST: dict[str, tuple[str, ...]] = {
    "Scope": ("on", "products", "categories", "tags", "without_discounted"),
    "Limits": ("total", "per_customer", "money"),
    "UniqueCodes": ("pattern", "is_bound"),
    "Validity": ("starts_at", "ends_at"),
}

#: `Part.field` → (another field, the values of it that show this one).
SHOWN_IF: dict[str, tuple[str, list[Any]]] = {
    **dict.fromkeys(
        (f"Scope.{name}" for name in ("products", "categories", "tags", "price_from", "price_to")), ("on", ["lines"])
    ),
    **dict.fromkeys(
        (
            f"Scope.{name}"
            for name in (
                "without_products",
                "without_categories",
                "without_tags",
                "without_low_margin",
                "without_discounted",
                "units",
                "units_each",
                "pick",
            )
        ),
        ("on", ["order", "lines"]),
    ),
    "AmountOff.amounts": ("is_from_grant", [False, None]),
    "UniqueCodes.warn_below": ("is_from_pool", [True]),
    "UniqueCodes.pattern": ("is_from_pool", [False, None]),
    "UniqueCodes.charset": ("is_from_pool", [False, None]),
}

#: Sections of the form, in their order; what a rule has beside them comes last, folded.
SECTIONS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("What is given"), ("name", "effects")),
    (_("Only when"), ("conditions",)),
    (_("Limits"), ("limits",)),
    (_("Codes and dates"), ("codes", "validity")),
)

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


def kind(key: str) -> tuple[str, str]:
    label, about = KINDS.get(key, (_plain(key), ""))
    return str(label), str(about)


def label(name: str, owner: str) -> str:
    return str(_said(owner, name)[0] or _plain(name))


def help_of(name: str, owner: str) -> str:
    return str(_said(owner, name)[1])


def choice(owner: str, name: str, value: Any) -> str:
    places = (f"{owner}.{name}.{value}", f"{name}.{value}", str(value))
    return str(next((CHOICES[place] for place in places if place in CHOICES), str(value).replace("_", " ")))


def source(name: str) -> str:
    """The list of known values that is offered while she types."""
    return name.removeprefix("without_")


def is_first(owner: str, name: str) -> bool:
    return owner not in FIRST or name in FIRST[owner]


def place(owner: str, name: str) -> int:
    """Where a field stands among its part's: what is shown first comes first."""
    first = FIRST.get(owner, ())
    return first.index(name) if name in first else len(first)


def shown_if(owner: str, name: str) -> list[Any] | None:
    found = SHOWN_IF.get(f"{owner}.{name}")
    return list(found) if found else None


def _said(owner: str, name: str) -> tuple[Any, Any]:
    return FIELDS.get(f"{owner}.{name}") or FIELDS.get(name) or ("", "")


def _plain(name: str) -> str:
    return capfirst(name.replace("_minor", "").replace("_", " "))
