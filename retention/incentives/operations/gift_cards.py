"""Gift cards: made and sold, topped up, activated, blocked; their balance is their account's."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retention import money
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.codes import Pattern, readings
from retention.incentives.models import Code, GiftCard
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry
from retention.ledger.querysets import entries_among
from retention.refusals import Refused

#: Fifteen random symbols and one to check them: nobody guesses one.
PATTERN = "################"
UNIT = "gift_card"
ORIGIN = "incentives.code"


class NoSuchCard(Refused):
    code = "incentives.no_such_card"
    sentence = _("There is no such gift card.")
    status = 404


class CardBlocked(Refused):
    code = "incentives.card_blocked"
    sentence = _("This gift card is blocked.")


class CardInactive(Refused):
    code = "incentives.card_inactive"
    sentence = _("This gift card has not been activated.")


class CardStateDiffers(Refused):
    code = "incentives.card_state_differs"
    sentence = _("This gift card is %(state)s.")


class BadCard(Refused):
    code = "incentives.bad_card"
    sentence = _("Such a gift card cannot be made: %(problem)s")
    status = 422


@dataclass(frozen=True)
class Blank:
    """A card to be issued for a code that is there: what it is worth and what it pays for."""

    code_id: int
    source: str
    amount_minor: int
    products: Sequence[str] = ()
    categories: Sequence[str] = ()
    expires_at: dt.datetime | None = None


@transaction.atomic
def create_card(
    *,
    amount_minor: int,
    currency: str,
    source: str,
    now: dt.datetime,
    by: Actor,
    customer_id: int | None = None,
    products: Sequence[str] = (),
    categories: Sequence[str] = (),
    expires_at: dt.datetime | None = None,
    is_active: bool = True,
    reason: str = "",
) -> GiftCard:
    """A card that was sold, or is given by hand; once a `source`.

    Raises:
        BadCard: no currency, no amount, or an end that has come already.
    """
    if (card := cards().filter(source=source).first()) is not None:
        return card
    if currency not in money.currency_codes():
        raise BadCard(problem=currency)
    if amount_minor <= 0 or (expires_at is not None and expires_at <= now):
        raise BadCard(problem=_("it would be worth nothing"))
    code = _new_code(customer_id, expires_at, now)
    blank = Blank(code.pk, source, amount_minor, products, categories, expires_at)
    (card,) = issue_cards(
        blanks=[blank], currency=currency, purpose=Account.Purpose.SOLD, is_active=is_active, now=now, by=by
    )
    record(
        verb="incentives.create_card", by=by, now=now, subject=card, customer_id=customer_id,
        after={"amount_minor": amount_minor, "currency": currency, "reason": reason},
    )  # fmt: skip
    return cards().get(pk=card.pk)


def issue_cards(
    *,
    blanks: Sequence[Blank],
    currency: str,
    purpose: str,
    now: dt.datetime,
    by: Actor,
    is_active: bool = True,
    origin: str = "",
    origin_ids: Sequence[int | None] | None = None,
) -> list[GiftCard]:
    """Cards of one currency for codes that are there, with what is on them: a few statements for five thousand."""
    unit = ledger.money_unit(purpose=UNIT, currency=currency, now=now, by=by)
    accounts = ledger.open_accounts_of(
        kind=Account.Kind.GIFT_CARD, unit=unit, origin=ORIGIN, origin_ids=[blank.code_id for blank in blanks], now=now
    )
    made = GiftCard.objects.bulk_create(
        [
            GiftCard(
                code_id=blank.code_id,
                account_id=accounts[blank.code_id],
                currency=currency,
                initial_minor=blank.amount_minor,
                products=list(blank.products),
                categories=list(blank.categories),
                state=GiftCard.State.ACTIVE if is_active else GiftCard.State.INACTIVE,
                source=blank.source,
                expires_at=blank.expires_at,
                made_at=now,
            )
            for blank in blanks
        ]
    )
    if not is_active:
        Account.objects.filter(pk__in=accounts.values()).update(is_frozen=True)
    shop = ledger.shop_account(unit, purpose)
    ledger.transfer(
        transfers=[
            ledger.Transfer(
                source=f"card:{blank.source}", from_id=shop, to_id=accounts[blank.code_id], amount=blank.amount_minor,
                verb=Entry.Verb.TOP_UP if purpose == Account.Purpose.SOLD else Entry.Verb.ISSUE,
                expires_at=blank.expires_at, origin=origin or ORIGIN, origin_id=origin_id,
            )
            for blank, origin_id in zip(blanks, origin_ids or [blank.code_id for blank in blanks], strict=True)
        ],
        now=now,
        by=by,
    )  # fmt: skip
    return made


@transaction.atomic
def top_up(*, card_id: int, amount_minor: int, source: str, now: dt.datetime, by: Actor, reason: str = "") -> GiftCard:
    """Put more on a card; it lives as long as the card, or, where that has ended, for ever.

    Raises:
        NoSuchCard, CardBlocked, BadCard, SourceReused
    """
    card = locked(card_id)
    if card.state == GiftCard.State.BLOCKED:
        raise CardBlocked
    if amount_minor <= 0:
        raise BadCard(problem=_("it would be worth nothing"))
    ends_at = card.expires_at if card.expires_at and card.expires_at > now else None
    wish = ledger.Transfer(
        source=source, from_id=ledger.shop_account(card.account.unit, Account.Purpose.SOLD), to_id=card.account_id,
        amount=amount_minor, verb=Entry.Verb.TOP_UP, reason=reason, expires_at=ends_at, origin=ORIGIN,
        origin_id=card.code_id,
    )  # fmt: skip
    moved = ledger.transfer(transfers=[wish], now=now, by=by)
    for why in moved.refused.values():
        raise Refused.by_code[why.code](**why.params)
    if not moved.repeated:
        after = {"amount_minor": amount_minor, "reason": reason}
        record(verb="incentives.top_up_card", by=by, now=now, subject=card, after=after)
    return cards().get(pk=card.pk)


@transaction.atomic
def adjust_card(*, card_id: int, amount_minor: int, source: str, reason: str, now: dt.datetime, by: Actor) -> GiftCard:
    """Correct a card's balance by hand, up or down, saying why; up it lives as long as the card.

    Raises:
        NoSuchCard, ReasonMissing, NotEnough, SourceReused
        BadCard: the amount is nought.
    """
    card = locked(card_id)
    if not amount_minor:
        raise BadCard(problem=_("it would be worth nothing"))
    ends_at = card.expires_at if card.expires_at and card.expires_at > now else None
    ledger.adjust(
        account_id=card.account_id,
        amount=amount_minor,
        source=source,
        reason=reason,
        expires_at=ends_at,
        now=now,
        by=by,
    )
    return cards().get(pk=card.pk)


def activate_card(*, card_id: int, now: dt.datetime, by: Actor) -> GiftCard:
    """A card that was made inactive, such as for a shelf, can be used from now on.

    Raises:
        NoSuchCard, CardStateDiffers
    """
    return _change(card_id, {GiftCard.State.INACTIVE}, GiftCard.State.ACTIVE, "activate_card", now=now, by=by)


def block_card(*, card_id: int, reason: str, now: dt.datetime, by: Actor) -> GiftCard:
    """Stolen or charged back: once this commits, no redemption pays with it. What is on it stays.

    Raises:
        NoSuchCard, CardStateDiffers
    """
    before = {GiftCard.State.ACTIVE, GiftCard.State.INACTIVE}
    return _change(card_id, before, GiftCard.State.BLOCKED, "block_card", now=now, by=by, reason=reason)


def unblock_card(*, card_id: int, reason: str, now: dt.datetime, by: Actor) -> GiftCard:
    """It was found again.

    Raises:
        NoSuchCard, CardStateDiffers
    """
    before = {GiftCard.State.BLOCKED}
    return _change(card_id, before, GiftCard.State.ACTIVE, "unblock_card", now=now, by=by, reason=reason)


def cards() -> QuerySet[GiftCard]:
    return GiftCard.objects.select_related("code__customer", "account__unit__version")


def card_of(public_id: uuid.UUID) -> GiftCard:
    """Raises: NoSuchCard."""
    card = cards().filter(public_id=public_id).first()
    if card is None:
        raise NoSuchCard
    return card


def cards_typed(typed: Sequence[str]) -> dict[str, GiftCard]:
    """Typed text → the card that it means; texts that mean none are left out."""
    meant = {text: readings(text) for text in typed}
    found = {card.code.code: card for card in cards().filter(code__code__in={r for rs in meant.values() for r in rs})}
    return {
        text: next(found[reading] for reading in readings_of if reading in found)
        for text, readings_of in meant.items()
        if any(reading in found for reading in readings_of)
    }


def transactions(card: GiftCard) -> QuerySet[Entry]:
    """What was put on a card, paid with it and given back to it, the latest first."""
    return entries_among([card.account_id]).select_related("unit")


def locked(card_id: int) -> GiftCard:
    card = (
        GiftCard.objects.select_for_update(no_key=True, of=("self",))
        .select_related("account__unit", "code")
        .filter(pk=card_id)
        .first()
    )
    if card is None:
        raise NoSuchCard
    return card


@transaction.atomic
def _change(
    card_id: int, before: Collection[str], state: str, verb: str, *, now: dt.datetime, by: Actor, reason: str = ""
) -> GiftCard:
    card = locked(card_id)
    if card.state not in before:
        raise CardStateDiffers(state=card.get_state_display())
    # The account's own row is where spending waits for this.
    ledger.freeze(
        account_id=card.account_id, is_frozen=state != GiftCard.State.ACTIVE, now=now, by=by, reason=reason or verb
    )
    GiftCard.objects.filter(pk=card.pk).update(state=state)
    record(
        verb=f"incentives.{verb}", by=by, now=now, subject=card, before={"state": card.state},
        after={"state": state, "reason": reason},
    )  # fmt: skip
    return cards().get(pk=card.pk)


def _new_code(customer_id: int | None, expires_at: dt.datetime | None, now: dt.datetime) -> Code:
    pattern = Pattern(PATTERN, "letters_and_digits")
    while True:
        (text,) = pattern.make(1)
        code, is_new = Code.objects.get_or_create(
            code=text,
            defaults={
                "is_card": True, "customer_id": customer_id, "state": Code.State.GIVEN, "given_at": now,
                "expires_at": expires_at,
            },
        )  # fmt: skip
        if is_new:
            return code
