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
    "free_product": (_("Free product"), _("A present with the order, put into the basket where it is missing.")),
    "buy_get": (_("Buy X, get Y"), _("3 for the price of 2, or a second product for less.")),
    "bundle_price": (_("Bundle price"), _("These products together for one price.")),
    "tiers": (_("Spend more, save more"), _("5 % from 50 EUR, 10 % from 100 EUR.")),
    "cash_back": (_("Cash back"), _("Part of what was paid, as credit once it can be returned no more.")),
    "free_trial": (_("Free trial"), _("Some days for nothing.")),
    "gift_card": (_("Gift card"), _("A card with a balance of its own.")),
    "store_credit": (_("Store credit"), _("Money on the customer's account in this shop.")),
    "points": (_("Points"), _("Points on the customer's account.")),
    "cash": (_("Cash"), _("Money that is paid out, such as to an affiliate.")),
    "access": (_("Access"), _("A seat, early access, a community; a ticket is checked in once.")),
    "experience": (_("Experience or gift by hand"), _("People make it happen; it lands on the work-list.")),
    "minimum_amount": (_("Basket from"), _("The goods are worth at least so much.")),
    "maximum_amount": (_("Basket up to"), _("The goods are worth at most so much.")),
    "minimum_quantity": (_("At least so many units"), _("Of the whole basket, or of some products.")),
    "maximum_quantity": (_("At most so many units"), _("Of the whole basket, or of some products.")),
    "has_products": (_("With these products"), _("At least so many of them are in the basket.")),
    "has_categories": (_("With products of a category"), _("At least so many of it are in the basket.")),
    "first_order": (_("First order only"), _("The customer has bought nothing yet.")),
    "nth_order": (_("Only her nth order"), _("Counted by paid orders; guests by email.")),
    "in_segments": (_("Customer in a segment"), _("Or in none of them.")),
    "in_tiers": (_("Customer of a tier"), _("Gold and above, for example.")),
    "in_countries": (_("Delivered to"), _("An unknown address is outside.")),
    "in_regions": (_("Delivered to a region"), _("An unknown address is outside.")),
    "in_channels": (_("Ordered through"), _("Such as web or app.")),
    "in_stores": (_("In these stores"), ""),
    "in_currencies": (_("Paid in a currency"), ""),
    "paid_by": (_("Paid by"), _("Such as card or invoice.")),
    "at_times": (_("At some hours"), _("Happy hour, weekends.")),
    "has_attribute": (_("Order has an attribute"), _("Something that the shop tells of the order.")),
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
    "Step.basis_points": (_("Percent off"), ""),
    "Step.off": (_("or amount off"), ""),
    "Step.from_amounts": (_("From"), ""),
    "Step.from_quantity": (_("or from so many units"), ""),
    "steps": (_("Steps"), ""),
    "parts": (_("What is in it"), ""),
    "BuyGet.buy_quantity": (_("Buy"), _("units")),
    "BuyGet.get_quantity": (_("get"), _("units")),
    "BuyGet.basis_points": (_("for so much less"), _("100: free")),
    "BuyGet.scope": (_("of"), ""),
    "BuyGet.get": (_("Get another product"), _("Otherwise the cheapest of those that are bought.")),
    "BundlePrice.amounts": (_("Together for"), ""),
    "BundlePart.quantity": (_("Units"), ""),
    "FixedPrice.amounts": (_("Price"), ""),
    "is_together": (_("For all of them together"), ""),
    "most_times": (_("So often in one order at most"), ""),
    "is_per_unit": (_("Off each unit"), ""),
    "split": (_("Shared out by"), ""),
    "FreeProduct.quantity": (_("Units"), ""),
    "adds": (_("Where it is not in the basket"), ""),
    "days": (_("For so many days"), _("Empty: for ever.")),
    "CashBack.days": (_("After so many days"), ""),
    "FreeTrial.name": (_("Of what"), ""),
    "FreeTrial.days": (_("Days"), ""),
    "Access.to": (_("To"), ""),
    "Access.name": (_("Its name"), ""),
    "is_ticket": (_("A ticket that is checked in at the door"), _("By the QR of its code, once.")),
    "Experience.name": (_("What"), ""),
    "instructions": (_("How it is done"), _("For whoever works on the work-list.")),
    "unit": (_("Unit"), ""),
    "points": (_("How many"), ""),
    "when": (_("Counted"), ""),
    "numbers": (_("Her order number"), _("Such as 2 or 5.")),
    "every": (_("Or every so many orders"), ""),
    "is_out": (_("Those who are in none of them"), ""),
    "tiers": (_("Tiers"), ""),
    "methods": (_("Ways to pay"), ""),
    "InCurrencies.names": (_("Currencies"), ""),
    "AtTimes.windows": (_("Hours"), ""),
    "weekdays": (_("Days"), _("None: every day.")),
    "starts": (_("From"), _("By the shop's clock.")),
    "ends": (_("Until"), _("Before its start: past midnight.")),
    "HasAttribute.name": (_("Attribute"), ""),
    "values": (_("Is one of"), ""),
    "least": (_("or from"), ""),
    "most": (_("up to"), ""),
    "banner": (_("Banner"), _("What the shop shows beside it: “Summer: 10 % off all shoes”.")),
    "expects_rush": (_("A rush is expected"), _("Hundreds a second at the start; no leak alarm.")),
    "per": (_("Counted for"), ""),
    "uses": (_("Uses"), ""),
    "WindowLimit.money": (_("or money"), ""),
    "CustomerLimit.money": (_("or money"), ""),
    "within": (_("Within"), _("By the shop's calendar.")),
    "is_rolling": (_("Rolling: any 24 hours, 7 or 30 days"), ""),
    "mode": (_("Who comes first"), ""),
    "most_offers": (_("Offers in one order at most"), ""),
    "ceiling_basis_points": (_("All discounts together at most"), _("Of what the basket costs, shipping included.")),
    "ceiling": (_("and at most"), ""),
    "follows_orders": (
        _("Undo by itself what was used for orders that are cancelled or come back"),
        _("As the shop's orders and returns say; otherwise only the roll-back calls do."),
    ),
    "Stackable.kind": (_("Goes"), ""),
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
    "groups": (_("Groups"), _("It goes with offers that share one of them.")),
    "base": (_("Percentages of"), ""),
}

#: `Part.field.value` or `field.value` or `value` → what it is called.
CHOICES: dict[str, Any] = {
    "on.order": _("the whole order"),
    "on.lines": _("some products"),
    "on.shipping": _("the shipping"),
    "pick.dearest": _("the dearest"),
    "pick.cheapest": _("the cheapest"),
    "split.amount": _("what they cost"),
    "split.quantity": _("how many there are"),
    "adds.nothing": _("nothing is given"),
    "adds.missing": _("the shop adds what is missing"),
    "adds.all": _("the shop adds it in any case"),
    "to.event": _("an event"),
    "to.early_access": _("something before others"),
    "to.community": _("a community"),
    "when.initial": _("as the basket comes"),
    "when.before": _("before this offer"),
    "when.after": _("after this offer"),
    "charset.letters_and_digits": _("letters and digits"),
    "charset.letters": _("letters"),
    "charset.digits": _("digits"),
    "Stackable.kind.stackable": _("with any other offer"),
    "Stackable.kind.groups": _("with offers of its groups"),
    "Stackable.kind.exclusive": _("alone"),
    "per.incentive": _("all uses together"),
    "per.customer": _("each customer"),
    "per.code": _("each code"),
    "within.life": _("all time"),
    "within.day": _("a day"),
    "within.week": _("a week"),
    "within.month": _("a month"),
    "mode.best_deal": _("the best deal for the shopper"),
    "mode.priority": _("the highest priority"),
    "base.left": _("what is left after the offers before it"),
    "base.initial": _("the first price"),
}

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


def source(name: str, owner: str) -> str:
    """The list of known values that is offered while she types."""
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
