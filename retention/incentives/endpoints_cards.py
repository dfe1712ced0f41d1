"""Gift cards over HTTP: made, read, topped up, corrected, activated, blocked, and asked for their balance."""

import uuid

from django.http import HttpRequest
from ninja import Query, Status

from retention import clock
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, page
from retention.incentives import schemas_cards as schemas
from retention.incentives.decisions import NoSuchCode
from retention.incentives.models import Code, GiftCard
from retention.incentives.operations import gift_cards
from retention.incentives.operations.gift_cards import CardBlocked, CardInactive, card_of
from retention.incentives.public_door import trying_codes
from retention.ledger.endpoints import source_of
from retention.ledger.querysets import balances

router = Router("Gift cards")
READ, WRITE, REDEEM = "gift_cards:read", "gift_cards:write", "incentives:redeem"


@router.get("gift-cards/", scope=READ, response=Page[schemas.CardOut])
def list_gift_cards(request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """All cards, the newest first."""
    found = page(gift_cards.cards(), cursor, limit, newest_first=True)
    kept = {each.account_id: each for each in balances([c.account_id for c in found["items"]], now=clock.now())}
    return {**found, "items": [schemas.card_out(card, kept[card.account_id]) for card in found["items"]]}


@router.post("gift-cards/", scope=WRITE, response={201: schemas.CardOut})
def create_gift_card(request: HttpRequest, body: schemas.CardIn):
    """Make a card that was sold, or one for a shelf that is activated later."""
    values = body.model_dump(exclude={"customer"})
    customer_id = known_as(body.customer).pk if body.customer else None
    card = gift_cards.create_card(
        **values, customer_id=customer_id, source=source_of(request), now=clock.now(), by=actor(request)
    )
    return Status(201, _shown(card))


@router.post("gift-cards/balance/", scope=REDEEM, response=schemas.CardBalanceOut, idempotent=False)
def get_gift_card_balance(request: HttpRequest, body: schemas.TypedIn):
    """What is left on the card of a code that somebody typed."""
    now = clock.now()
    with trying_codes(request, now=now):
        card = gift_cards.cards_typed([body.code]).get(body.code)
        if card is None or card.code.state == Code.State.VOID:
            raise NoSuchCode
        if card.state != GiftCard.State.ACTIVE:
            raise CardBlocked if card.state == GiftCard.State.BLOCKED else CardInactive
    (balance,) = balances([card.account_id], now=now)
    return {
        "currency": card.currency,
        "available_minor": balance.available,
        "products": card.products,
        "categories": card.categories,
        "expires_at": balance.expires_next_at,
    }


@router.get("gift-cards/{uuid:id}/", scope=READ, response=schemas.CardOut)
def get_gift_card(request: HttpRequest, id: uuid.UUID):
    return _shown(card_of(id))


@router.get("gift-cards/{uuid:id}/transactions/", scope=READ, response=Page[schemas.TransactionOut])
def list_gift_card_transactions(
    request: HttpRequest, id: uuid.UUID, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)
):
    """What was put on the card, paid with it and given back to it, the latest first."""
    card = card_of(id)
    return page(
        gift_cards.transactions(card),
        cursor,
        limit,
        newest_first=True,
        shape=lambda entry: schemas.transaction_out(entry, card.account_id),
    )


@router.post("gift-cards/{uuid:id}/top-up/", scope=WRITE, response=schemas.CardOut)
def top_up_gift_card(request: HttpRequest, id: uuid.UUID, body: schemas.TopUpIn):
    """Put more on the card; it lives as long as the card."""
    return _done(request, id, gift_cards.top_up, source=source_of(request), **body.model_dump())


@router.post("gift-cards/{uuid:id}/adjust/", scope=WRITE, response=schemas.CardOut)
def adjust_gift_card(request: HttpRequest, id: uuid.UUID, body: schemas.CardAdjustmentIn):
    """Correct the card's balance, up or down, saying why."""
    return _done(request, id, gift_cards.adjust_card, source=source_of(request), **body.model_dump())


@router.post("gift-cards/{uuid:id}/activate/", scope=WRITE, response=schemas.CardOut)
def activate_gift_card(request: HttpRequest, id: uuid.UUID):
    """A card that was made inactive can be used from now on."""
    return _done(request, id, gift_cards.activate_card)


@router.post("gift-cards/{uuid:id}/block/", scope=WRITE, response=schemas.CardOut)
def block_gift_card(request: HttpRequest, id: uuid.UUID, body: schemas.ReasonIn):
    """Stolen or charged back: nothing is paid with it after this answer. What is on it stays."""
    return _done(request, id, gift_cards.block_card, reason=body.reason)


@router.post("gift-cards/{uuid:id}/unblock/", scope=WRITE, response=schemas.CardOut)
def unblock_gift_card(request: HttpRequest, id: uuid.UUID, body: schemas.ReasonIn):
    return _done(request, id, gift_cards.unblock_card, reason=body.reason)


def _done(request: HttpRequest, public_id: uuid.UUID, operation, **values) -> dict:
    card = card_of(public_id)
    return _shown(operation(card_id=card.pk, now=clock.now(), by=actor(request), **values))


def _shown(card: GiftCard) -> dict:
    (balance,) = balances([card.account_id], now=clock.now())
    return schemas.card_out(card, balance)
