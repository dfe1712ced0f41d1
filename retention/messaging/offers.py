"""What an incentive gives and leaves out, in the customer's words and language; shorter than what marketers read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from retention import money
from retention.incentives.parts import percent_text, some
from retention.incentives.rules import IncentiveRule, with_terms
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
        "units": "{value} off each",
        "fixed": "{what} for {value}",
        "buy_get": "buy {n}, get {m} free",
        "buy_get_less": "buy {n}, get {m} {value}% cheaper",
        "bundle": "{n} for {value}",
        "free_product": "{what} as a free gift",
        "tiers": "up to {value} off",
        "shipping": "{offer} shipping",
        "cash_back": "{value} cash back",
        "gift_card": "a gift card of {value}",
        "store_credit": "{value} of credit",
        "points": "{n} points",
        "cash": "{value}",
        "trial": "a free trial of {what}",
        "products": "selected products",
        "not_for": "Not for {what}.",
        "sale": "items on sale",
        "chosen": "some products",
        "alone": "Not together with other offers.",
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
        "units": "개당 {value} 할인",
        "fixed": "{what} {value}",
        "buy_get": "{n}개 구매 시 {m}개 무료",
        "buy_get_less": "{n}개 구매 시 {m}개 {value}% 할인",
        "bundle": "{n}개 {value}",
        "free_product": "{what} 무료 증정",
        "tiers": "최대 {value} 할인",
        "shipping": "배송비 {offer}",
        "cash_back": "{value} 캐시백",
        "gift_card": "{value} 기프트 카드",
        "store_credit": "적립금 {value}",
        "points": "{n}포인트",
        "cash": "{value}",
        "trial": "{what} 무료 체험",
        "products": "일부 상품",
        "not_for": "{what} 제외.",
        "sale": "할인 상품",
        "chosen": "일부 상품",
        "alone": "다른 혜택과 함께 사용할 수 없습니다.",
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
        "units": "скидка {value} за штуку",
        "fixed": "{what} за {value}",
        "buy_get": "купите {n} и получите {m} бесплатно",
        "buy_get_less": "купите {n} и получите {m} на {value} % дешевле",
        "bundle": "{n} за {value}",
        "free_product": "{what} в подарок",
        "tiers": "скидка до {value}",
        "shipping": "{offer} на доставку",
        "cash_back": "кэшбэк {value}",
        "gift_card": "подарочная карта на {value}",
        "store_credit": "{value} на счёт",
        "points": "{n} баллов",
        "cash": "{value}",
        "trial": "бесплатный пробный период: {what}",
        "products": "избранные товары",
        "not_for": "Не действует на: {what}.",
        "sale": "товары со скидкой",
        "chosen": "отдельные товары",
        "alone": "Не суммируется с другими предложениями.",
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
        "units": "{value} Rabatt pro Stück",
        "fixed": "{what} für {value}",
        "buy_get": "{n} kaufen, {m} geschenkt",
        "buy_get_less": "{n} kaufen, {m} um {value} % günstiger",
        "bundle": "{n} für {value}",
        "free_product": "{what} als Geschenk",
        "tiers": "bis zu {value} Rabatt",
        "shipping": "{offer} auf den Versand",
        "cash_back": "{value} Cashback",
        "gift_card": "ein Geschenkgutschein über {value}",
        "store_credit": "{value} Guthaben",
        "points": "{n} Punkte",
        "cash": "{value}",
        "trial": "{what} gratis testen",
        "products": "ausgewählte Produkte",
        "not_for": "Nicht für {what}.",
        "sale": "reduzierte Ware",
        "chosen": "einzelne Produkte",
        "alone": "Nicht mit anderen Angeboten kombinierbar.",
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
    # In English one says “10% off your first order”, and “free shipping on” it.
    said = said.replace(" off on ", " off ")
    return said[:1].upper() + said[1:]


def small_print(rule: IncentiveRule, terms: Mapping[str, Any], language: str) -> str:
    """What `offer` leaves out and a till would refuse: goods that are left out, and other offers; empty: nothing is."""
    words = _WORDS.get(language.partition("-")[0], _WORDS["en"])
    scopes = [effect.scope for effect in with_terms(rule, terms).effects if hasattr(effect, "scope")]
    named = [name for scope in scopes for name in (*scope.without_categories, *scope.without_tags)]
    if any(scope.without_discounted for scope in scopes):
        named.append(words["sale"])
    # What earns the shop little is nobody's business; of single products the mail would be a list.
    if any(scope.without_low_margin or scope.without_products for scope in scopes):
        named.append(words["chosen"])
    said = [words["not_for"].format(what=", ".join(dict.fromkeys(named)))] if named else []
    return " ".join([*said, *([words["alone"]] if rule.stacking.kind == "exclusive" else [])])


def _effect(effect: Any, words: Mapping[str, str], language: str) -> str:
    said = _SAYINGS[effect.kind](effect, words, language)
    scope = getattr(effect, "scope", None)
    if scope is None or effect.kind == "fixed_price":
        return said
    if scope.on == "shipping":
        return words["shipping"].format(offer=said)
    named = (*scope.categories, *scope.tags)
    return words["on"].format(offer=said, what=some(named)) if named else said


def _percent(effect: Any, words: Mapping[str, str], language: str) -> str:
    return words["percent"].format(value=percent_text(effect.basis_points))


def _amount(effect: Any, words: Mapping[str, str], language: str) -> str:
    if not effect.amounts:
        return words["present"]
    return words["units" if effect.is_per_unit else "amount"].format(value=_amounts(effect.amounts, language))


def _fixed_price(effect: Any, words: Mapping[str, str], language: str) -> str:
    what = some((*effect.scope.categories, *effect.scope.tags)) or words["products"]
    return words["fixed"].format(what=what, value=_amounts(effect.amounts, language))


def _buy_get(effect: Any, words: Mapping[str, str], language: str) -> str:
    saying = words["buy_get" if effect.basis_points == 10_000 else "buy_get_less"]
    return saying.format(n=effect.buy_quantity, m=effect.get_quantity, value=percent_text(effect.basis_points))


def _bundle(effect: Any, words: Mapping[str, str], language: str) -> str:
    quantity = sum(part.quantity for part in effect.parts)
    return words["bundle"].format(n=quantity, value=_amounts(effect.amounts, language))


def _tiers(effect: Any, words: Mapping[str, str], language: str) -> str:
    best = max(effect.steps, key=lambda step: (step.basis_points or 0, *step.off.values()))
    if best.basis_points:
        return words["tiers"].format(value=f"{percent_text(best.basis_points)} %")
    return words["tiers"].format(value=_amounts(best.off, language))


def _cash_back(effect: Any, words: Mapping[str, str], language: str) -> str:
    value = f"{percent_text(effect.basis_points)} %" if effect.basis_points else _amounts(effect.amounts, language)
    return words["cash_back"].format(value=value)


def _money(effect: Any, words: Mapping[str, str], language: str) -> str:
    return words[effect.kind].format(value=_amounts(effect.amounts, language)) if effect.amounts else words["present"]


#: How each kind of effect is said.
_SAYINGS: Mapping[str, Callable[[Any, Mapping[str, str], str], str]] = {
    "percent": _percent,
    "amount": _amount,
    "fixed_price": _fixed_price,
    "free_shipping": lambda effect, words, language: words["free_shipping"],
    "free_product": lambda effect, words, language: words["free_product"].format(what=some(effect.products)),
    "buy_get": _buy_get,
    "bundle_price": _bundle,
    "tiers": _tiers,
    "cash_back": _cash_back,
    "gift_card": _money,
    "store_credit": _money,
    "cash": _money,
    "points": lambda effect, words, language: words["points"].format(n=effect.points or "").strip(),
    "free_trial": lambda effect, words, language: words["trial"].format(what=effect.name),
    "access": lambda effect, words, language: effect.name,
    "experience": lambda effect, words, language: effect.name,
}


def _amounts(amounts: Mapping[str, int], language: str) -> str:
    return " / ".join(money.show(minor, currency, str(locale(language))) for currency, minor in amounts.items())
