"""Pure: what a partner's share of an order is, and what is left of it once some of the order came back."""

from decimal import Decimal

from retention import money


def converted(base_minor: int, *, base: str, currency: str, rate: Decimal) -> int:
    """An amount of the shop's base currency in another one, of which one unit is worth `rate` of the base currency."""
    major = money.to_major(base_minor, base) / rate
    return money.round_half_up(major.scaleb(money.digits(currency)))


def share(of_minor: int, basis_points: int) -> int:
    """1,000 basis points of €80.00 are €8.00."""
    return money.round_half_up(Decimal(of_minor * basis_points) / 10_000)


def still_earned(*, amount_minor: int, of_minor: int, paid_minor: int, left_minor: int, basis_points: int) -> int:
    """What a commission comes to when `left_minor` of the `paid_minor` that it was earned for have not come back.

    Asked of the whole each time, so that three returns one after the other take as much as one of all three.
    """
    left = max(0, min(left_minor, paid_minor))
    exact = Decimal(of_minor * basis_points * left) / (10_000 * paid_minor)
    return min(amount_minor, money.round_half_up(exact))
