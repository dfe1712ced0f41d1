"""How much to offer: a share of what went wrong, adjusted by the customer's history, within the agent's limits."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from retention import money

#: From so many orders on a customer is a regular and gets a quarter more.
REGULAR_ORDERS = 8
#: Without anything to go by: this share of what the agent may give for one case.
_GESTURE = Decimal("0.1")


@dataclass(frozen=True)
class History:
    """What the suggestion looks at; money in minor units of the base currency.

    Attributes:
        basis_minor: what the chosen line or order cost; None where none was chosen.
        average_minor: her average order; None where she never bought.
        recent: how often she was made whole within the desk's repeat window.
    """

    basis_minor: int | None
    average_minor: int | None
    orders: int
    recent: int


@dataclass(frozen=True)
class Suggestion:
    """Attributes: `why` are whole sentences, in the order in which they changed the amount."""

    amount_minor: int
    why: tuple[str, ...]


def suggest(
    *, percent: int, label: str, history: History, per_case_minor: int, left_minor: int, currency: str, language: str
) -> Suggestion:
    """The amount an agent would be right to offer, never above what she may give now."""
    basis = history.basis_minor if history.basis_minor is not None else history.average_minor
    words = {"percent": percent, "reason": label}
    if not basis:
        amount = per_case_minor * _GESTURE
        why = [_("No order to go by: a small gesture for “%(reason)s”.") % words]
    else:
        amount = Decimal(basis * percent) / 100
        words["basis"] = money.show(basis, currency, language)
        if history.basis_minor is not None:
            why = [_("%(percent)s %% of %(basis)s for “%(reason)s”.") % words]
        else:
            why = [_("%(percent)s %% of the average order of %(basis)s for “%(reason)s”.") % words]
    if history.orders >= REGULAR_ORDERS:
        amount = amount * 5 / 4
        why.append(
            ngettext("A quarter more: %(n)s order so far.", "A quarter more: %(n)s orders so far.", history.orders)
            % {"n": history.orders}
        )
    if history.recent:
        amount /= 2
        why.append(_("Half of it: made whole before, not long ago."))
    found = _rounded(amount, currency)
    # Cut last: a limit is a limit, rounded up or not.
    for limit, sentence in (
        (per_case_minor, _("At most %(limit)s for one case.")),
        (left_minor, _("Only %(limit)s left today.")),
    ):
        if found > limit:
            found = max(limit, 0)
            why.append(sentence % {"limit": money.show(found, currency, language)})
    return Suggestion(found, tuple(why))


def _step(currency: str) -> int:
    """Half a unit of the currency; where it has no smaller coin, 10 of it."""
    digits = money.digits(currency)
    return 10**digits // 2 if digits else 10


def _rounded(amount: Decimal, currency: str) -> int:
    """To the nearest half unit, at least one."""
    step = _step(currency)
    return max(step, money.round_half_up(amount / step) * step)
