"""Money as integer minor units with an ISO 4217 code: reading, showing, converting and splitting it exactly."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision


class BadMoney(ValueError):
    """An amount or a currency that cannot be what it says."""


@cache
def currency_codes() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))


def check_currency(code: str) -> str:
    """The code itself.

    Raises:
        BadMoney: it is not an ISO 4217 code.
    """
    if code not in currency_codes():
        raise BadMoney(f"{code!r} is not an ISO 4217 currency code")
    return code


@cache
def digits(currency: str) -> int:
    """How many decimal digits the currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency)


def to_minor(amount: str | Decimal | int, currency: str) -> int:
    """Read an amount in major units ("12.30") as minor units (1230).

    Raises:
        BadMoney: not a number, or with more digits than the currency has.
    """
    try:
        value = Decimal(str(amount).strip())
    except InvalidOperation:
        raise BadMoney(f"{amount!r} is not an amount of money") from None
    scaled = value.scaleb(digits(check_currency(currency)))
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise BadMoney(f"{amount} has more digits than {currency} has")
    return int(scaled)


def to_major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-digits(currency))


def show(minor: int, currency: str, language: str = "en") -> str:
    """The amount as a reader of the language expects it: `€12.30`, `12,30 €`, `₩5,000`."""
    return format_currency(to_major(minor, currency), currency, locale=language.replace("-", "_"))


def round_half_up(value: Decimal) -> int:
    """The one rounding rule of the house: to the nearest minor unit, halves away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units in proportion to `weights`, so that the parts sum exactly to it.

    Largest remainder: each part is rounded down, and the units left go to the largest remainders, the
    heavier weight first among equals and then the earlier one. No part exceeds its weight while
    `total <= sum(weights)`.

    Raises:
        ValueError: something to split and nothing to split it over, or a negative number.
    """
    if total < 0 or min(weights, default=0) < 0:
        raise ValueError("cannot split a negative amount or over a negative weight")
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("nothing to split over")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    if missing := total - sum(parts):
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), -weights[i], i))
        for i in by_remainder[:missing]:
            parts[i] += 1
    return parts
