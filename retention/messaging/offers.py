"""What an incentive gives in the customer's words and language, shorter than the rule the marketer reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention import money
from retention.incentives.cart_conditions import some
from retention.incentives.rules import AmountOff, IncentiveRule, PercentOff, with_terms
from retention.messaging.words import locale

#: Customer-visible words are texts by language; English stands in for the others.
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "percent": "{value}% off",
        "amount": "{value} off",
        "free_shipping": "free shipping",
        "on": "{offer} on {what}",
        "minimum": "{offer} from {value}",
        "first_order": "{offer} on your first order",
        "and": " and ",
        "present": "a present",
    },
    "ko": {
        "percent": "{value}% 할인",
        "amount": "{value} 할인",
        "free_shipping": "무료 배송",
        "on": "{what} {offer}",
        "minimum": "{value} 이상 구매 시 {offer}",
        "first_order": "첫 주문 {offer}",
        "and": ", ",
        "present": "선물",
    },
    "ru": {
        "percent": "скидка {value} %",
        "amount": "скидка {value}",
        "free_shipping": "бесплатная доставка",
        "on": "{offer} на {what}",
        "minimum": "{offer} при покупке от {value}",
        "first_order": "{offer} на первый заказ",
        "and": " и ",
        "present": "подарок",
    },
    "de": {
        "percent": "{value} % Rabatt",
        "amount": "{value} Rabatt",
        "free_shipping": "kostenloser Versand",
        "on": "{offer} auf {what}",
        "minimum": "{offer} ab {value}",
        "first_order": "{offer} auf die erste Bestellung",
        "and": " und ",
        "present": "ein Geschenk",
    },
}


def offer(rule: IncentiveRule, terms: Mapping[str, Any], language: str) -> str:
    """Such as “10% off Shoes from €50.00”: what it gives, on what, from which amount on; limits stay unsaid."""
    words = _WORDS.get(language.partition("-")[0], _WORDS["en"])
    rule = with_terms(rule, terms)
    said = words["and"].join(_effect(effect, words, language) for effect in rule.effects)
    if any(condition.kind == "first_order" for condition in rule.conditions):
        said = words["first_order"].format(offer=said)
    if rule.minimum is not None:
        said = words["minimum"].format(offer=said, value=_amounts(rule.minimum.amounts, language))
    return said[:1].upper() + said[1:]


def _effect(effect: Any, words: Mapping[str, str], language: str) -> str:
    if isinstance(effect, PercentOff):
        value = f"{effect.basis_points / 100:.2f}".rstrip("0").rstrip(".")
        said = words["percent"].format(value=value)
    elif isinstance(effect, AmountOff):
        said = words["amount"].format(value=_amounts(effect.amounts, language)) if effect.amounts else words["present"]
    else:
        return words["free_shipping"]
    scope = effect.scope
    if scope.on == "lines" and (named := (*scope.categories, *scope.tags)):
        return words["on"].format(offer=said, what=some(named))
    return said


def _amounts(amounts: Mapping[str, int], language: str) -> str:
    return " / ".join(money.show(minor, currency, str(locale(language))) for currency, minor in amounts.items())
