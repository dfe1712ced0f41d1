"""What a stranger learns of a code that does not work: one answer for all of them, and an end to guessing.

A key marked public stands where strangers' tries come in, such as a storefront. Under it, whatever is wrong with a code
itself (unknown, withdrawn, used, expired, another customer's, sold out) is the same `incentives.code_not_valid`; what
is wrong with the basket is still said, for it tells no more than a code that works. Other keys read precise reasons.

Failed tries are limited for each customer and each address that a request names, and for a public key as a whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from retention.doors.tallies import tallied, tally
from retention.doors.tries import check_tries, count_failure
from retention.incentives.checkouts import Buyer
from retention.incentives.codes import readings
from retention.refusals import Refusal, Refused
from retention.registries import exchanges
from retention.work.operations import raise_alert

#: The shopper's own address, told by the shop's server that calls for her. Read where WSGI keeps it:
#: `request.headers` would first make a mapping of all headers.
SHOPPER_ADDRESS = "Shopper-Address"
_META = "HTTP_SHOPPER_ADDRESS"
#: Failed tries in ten minutes: of one customer or one address, and of everybody under one public key.
A_PERSON, A_KEY = 10, 600
ALERT = "incentives.guessing"
#: The tally of refused codes.
REFUSED = "refused"

#: Refusals that would tell a guesser that a code exists, or what became of it.
SECRET = frozenset(
    f"incentives.{name}"
    for name in (
        "budget_spent",
        "card_blocked",
        "card_empty",
        "card_expired",
        "card_inactive",
        "code_expired",
        "code_held",
        "code_not_given",
        "code_redeemed",
        "code_void",
        "customer_limit_reached",
        "ended",
        "limit_reached",
        "money_limit_reached",
        "no_such_code",
        "not_live",
        "not_started",
        "other_customer",
        "stopped",
        "total_limit_reached",
    )
)


class CodeNotValid(Refused):
    code = "incentives.code_not_valid"
    sentence = _("This code is not valid.")
    status = 404


@contextmanager
def trying_codes(
    request: HttpRequest, buyer: Buyer | None = None, *, now: dt.datetime, codes: Sequence[str] = ()
) -> Iterator[None]:
    """Around an operation on codes that somebody typed: refuses a guesser, counts what fails, says no more than it may.

    Raises:
        TooManyTries: she failed too often.
        CodeNotValid: under a public key, instead of each refusal of `SECRET`, and of what exchanges keep so.
    """
    limits = _limits(request, buyer)
    if limits:
        check_tries(limits, now.timestamp())
    try:
        yield
    except Refused as refused:
        _note(codes, [refused.code], now)
        if not _is_secret(refused.code):
            raise
        _count(request, limits, now)
        if request.auth.is_public:
            raise CodeNotValid from None
        raise


def heard(
    request: HttpRequest,
    reasons: Sequence[Refusal],
    buyer: Buyer | None = None,
    *,
    now: dt.datetime,
    codes: Sequence[str] = (),
) -> None:
    """Before reasons are answered: one that is about the code counts as a failed try, and a stranger hears only that.

    Raises:
        CodeNotValid: under a public key.
    """
    _note(codes, [reason.code for reason in reasons[:1]], now)
    if any(_is_secret(reason.code) for reason in reasons):
        _count(request, _limits(request, buyer), now)
        if request.auth.is_public:
            raise CodeNotValid


def refused_often(*, today: dt.date, days: int) -> list[tuple[str, str, int]]:
    """(code, reason, times) of what was refused in the last days, the most often first."""
    found = tallied(REFUSED, until=today, days=days)
    return [(*member.split("|", 1), times) for member, times in found]


def _is_secret(code: str) -> bool:
    return code in SECRET or any(code in exchange.secret for exchange in exchanges)


def _note(codes: Sequence[str], reasons: Sequence[str], now: dt.datetime) -> None:
    """For the report: why a code that exists was refused. Of several at once nobody could say which it was."""
    if len(codes) == 1 and reasons and reasons[0] != "incentives.no_such_code":
        # Under each of its readings; the report shows those that are codes.
        tally(REFUSED, [f"{read_as}|{reasons[0]}" for read_as in readings(codes[0])], now.date())


def _limits(request: HttpRequest, buyer: Buyer | None) -> dict[str, int]:
    key, address = request.auth, request.META.get(_META, "").strip()[:64]
    limits = {f"{key.pk}:address:{address}": A_PERSON} if address else {}
    if key.is_public:
        named = buyer and (buyer.reference or buyer.public_id or buyer.email_normal)
        limits |= {f"{key.pk}:customer:{named}": A_PERSON} if named else {}
        limits[f"{key.pk}:all"] = A_KEY
    return limits


def _count(request: HttpRequest, limits: Mapping[str, int], now: dt.datetime) -> None:
    if limits and f"{request.auth.pk}:all" in count_failure(limits, now.timestamp()):
        raise_alert(
            kind=ALERT,
            subject=str(request.auth.pk),
            level="urgent",
            text=str(_("Codes are being guessed: %(n)s tries failed within ten minutes under the API key “%(key)s”."))
            % {"n": A_KEY, "key": request.auth.name},
            now=now,
        )
