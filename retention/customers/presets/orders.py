"""Orders of other shops in our terms: what each line cost with tax, so that lines, discount and shipping come to the
total."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from retention import money


@dataclass(frozen=True)
class Line:
    """One line of an order in minor units: how many, what they cost, and what of that is left after discounts."""

    quantity: int
    before: int
    after: int


@dataclass(frozen=True)
class Settled:
    """(unit price, discount) of each line, and the discount of the order as a whole, in minor units."""

    lines: Sequence[tuple[int, int]]
    discount: int


def settle(lines: Sequence[Line], *, shipping: int, total: int, subtotal: int | None = None) -> Settled:
    """Make an order add up in our terms: lines − discount + shipping = total, prices with tax.

    What the subtotal says was taken off is the order's discount. What was paid beyond goods and shipping (tax on top,
    fees, duties, tips) is shared out over the lines by what they cost; what is missing adds to the discount.
    """
    goods = sum(line.after for line in lines)
    discount = max(0, goods - subtotal) if subtotal is not None else 0
    beyond = total - shipping - (goods - discount)
    discount += max(0, -beyond)
    weights = [line.after for line in lines] if goods else [1] * len(lines)
    shares = money.split(max(0, beyond), weights)
    prices = []
    for line, share in zip(lines, shares, strict=True):
        unit = -(-(line.before + share) // line.quantity)
        prices.append((unit, unit * line.quantity - line.after - share))
    return Settled(prices, discount)


def minor(currency: str, *texts: str) -> int:
    """Amounts with as many digits as another program keeps, together in whole minor units; blank ones are nought.

    Raises:
        ValueError: one is no amount, or nobody knows the currency.
    """
    if currency not in money.currency_codes():
        raise ValueError(currency)
    try:
        amount = sum((Decimal(text.strip() or "0") for text in texts), Decimal())
        return money.round_half_up(amount.scaleb(money.digits(currency)))
    except (InvalidOperation, OverflowError) as error:
        raise ValueError(texts) from error
