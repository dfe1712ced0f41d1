"""Paying an order with gift cards, credit and points: planned, held or spent with the redemption, and given back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.incentives.decisions import CodeVoid, NoSuchCode
from retention.incentives.facts import Facts
from retention.incentives.models import Code, GiftCard, Redemption, Tender
from retention.incentives.operations.gift_cards import CardBlocked, CardInactive, cards_typed
from retention.incentives.proration import Returned
from retention.incentives.tenders import Paid, Purse, as_json, bill_of, give_back, pay
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry, Unit
from retention.ledger.operations.transfers import as_refused
from retention.ledger.querysets import balances
from retention.ledger.versions import rule_of as unit_rule_of
from retention.refusals import Refused

ORIGIN = "incentives.redemption"
CHECKOUT = Actor("checkout")


class TenderNeedsCustomer(Refused):
    code = "incentives.tender_needs_customer"
    sentence = _("Only a customer who is known can pay with %(name)s.")


class CardExpired(Refused):
    code = "incentives.card_expired"
    sentence = _("What was on this gift card has expired.")


class CardEmpty(Refused):
    code = "incentives.card_empty"
    sentence = _("Nothing is left on this gift card.")


@dataclass(frozen=True)
class TenderAsk:
    """What the shopper wants to pay with: a gift card by its code, or a unit of hers; None: as much as it can."""

    code: str | None = None
    unit: str | None = None
    amount: int | None = None


@dataclass(frozen=True)
class Plan:
    """What each tender is going to pay."""

    paid: tuple[Paid, ...] = ()
    #: Codes of the cards among them, by their place; None of a unit.
    code_ids: tuple[int | None, ...] = ()
    codes: tuple[str | None, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paid)


def with_typed_cards(facts: Facts, asks: Sequence[TenderAsk]) -> tuple[Facts, list[TenderAsk]]:
    """Gift cards that were typed among the codes pay, after what was named; they are no unknown codes any more."""
    if not facts.unknown:
        return facts, list(asks)
    found = cards_typed(facts.unknown)
    unknown = tuple([typed for typed in facts.unknown if typed not in found])
    return facts._replace(unknown=unknown), [*asks, *[TenderAsk(code=typed) for typed in found]]


def plan(facts: Facts, effects: Mapping[str, Any], asks: Sequence[TenderAsk]) -> Plan:
    """What these tenders would pay of what is left after the discounts.

    Raises:
        NoSuchCode, CodeVoid, CardBlocked, CardInactive, CardExpired, CardEmpty: of a gift card.
        NoSuchUnit, TenderNeedsCustomer: of a unit.
        Refused: as `tenders.pay` says.
    """
    if not asks:
        return Plan()
    cards = cards_typed([ask.code for ask in asks if ask.code])
    purses = [
        _card_purse(cards.get(ask.code), facts.now) if ask.code else _unit_purse(ask.unit or "", facts) for ask in asks
    ]
    bill = bill_of(effects, [line.category for line in facts.basket.lines])
    paid = pay(bill, [(purse, ask.amount) for purse, ask in zip(purses, asks, strict=True)])
    by_account = {card.account_id: card for card in cards.values()}
    met = [by_account.get(one.purse.account_id) for one in paid]
    return Plan(
        tuple(paid),
        tuple([card.code_id if card else None for card in met]),
        tuple([card.code.code if card else None for card in met]),
    )


def told(effects: Mapping[str, Any], planned: Plan) -> dict[str, Any]:
    """The effects with what was paid of them, and what is left to pay in money."""
    paid = sum(one.minor for one in planned.paid)
    return {
        **effects,
        "tenders": as_json(planned.paid, planned.codes),
        "to_pay_minor": effects["total_minor"] - paid,
    }


def settle(redemption: Redemption, planned: Plan, *, now: dt.datetime) -> None:
    """Spend what was planned, or set it aside where the redemption is a hold; in the redemption's transaction.

    Raises:
        Refused: somebody was faster, or the account was blocked meanwhile.
    """
    if not planned:
        return
    tenders = [
        Tender(
            redemption=redemption, place=place, account_id=one.purse.account_id, code_id=code_id, amount=one.amount,
            amount_minor=one.minor, lines=list(one.lines), shipping_minor=one.shipping_minor,
        )
        for place, (one, code_id) in enumerate(zip(planned.paid, planned.code_ids, strict=True))
    ]  # fmt: skip
    if redemption.state == Redemption.State.HELD:
        # One after the other by account, as everybody locks them.
        for tender in sorted(tenders, key=lambda tender: (tender.account_id, tender.place)):
            placed = ledger.hold(
                account_id=tender.account_id, amount=tender.amount, source=_source(redemption, tender),
                expires_at=redemption.held_until, now=now, origin=ORIGIN, origin_id=redemption.pk,
            )  # fmt: skip
            tender.hold_id = placed.pk
    else:
        entries = _spend(redemption, tenders, now=now)
        for tender in tenders:
            tender.entry_id = entries[_source(redemption, tender)]
    Tender.objects.bulk_create(tenders)


def capture(redemption: Redemption, *, now: dt.datetime) -> None:
    """A hold is redeemed: what its tenders set aside is spent.

    Raises:
        Refused: it is not set aside any more.
    """
    tenders = list(redemption.tenders.select_related("account"))
    entries = _spend(redemption, tenders, now=now) if tenders else {}
    for tender in tenders:
        tender.entry_id = entries[_source(redemption, tender)]
    Tender.objects.bulk_update(tenders, ["entry_id"])


def let_go(redemption: Redemption, *, now: dt.datetime) -> None:
    """A hold ends unused: what its tenders set aside is free again."""
    held = list(redemption.tenders.filter(entry=None).values_list("hold_id", flat=True))
    if held:
        ledger.release(hold_ids=held, now=now)


def returned_of(redemption: Redemption, returned: Returned) -> list[dict[str, Any]]:
    """What each tender gives back with a return."""
    bought = [line["quantity"] for line in redemption.effects["lines"]]
    found = []
    for tender in redemption.tenders.select_related("account__unit", "code"):
        part = give_back(
            amount=tender.amount, minor=tender.amount_minor, lines=tender.lines, bought=bought,
            before=returned.before, after=returned.after, is_last=returned.is_last,
        )  # fmt: skip
        if part.amount or part.minor:
            found.append(
                {
                    "place": tender.place,
                    "code": tender.code.code if tender.code else None,
                    "unit": tender.account.unit.key,
                    "amount": part.amount,
                    "amount_minor": part.minor,
                }
            )
    return found


def return_to_tenders(
    redemption: Redemption, parts: Sequence[Mapping[str, Any]], *, source: str, reason: str, now: dt.datetime, by: Actor
) -> None:
    """Give these parts back to the cards and accounts that paid them, expired or blocked or not."""
    tenders = {tender.place: tender for tender in redemption.tenders.all()}
    for part in sorted(parts, key=lambda part: (tenders[part["place"]].account_id, part["place"])):
        tender = tenders[part["place"]]
        if part["amount"]:
            ledger.give_back(
                entry_id=tender.entry_id, amount=part["amount"], source=f"{source}:{tender.place}", reason=reason,
                now=now, by=by, origin=ORIGIN, origin_id=redemption.pk,
            )  # fmt: skip
        tender.given_back += part["amount"]
        tender.given_back_minor += part["amount_minor"]
    Tender.objects.bulk_update(tenders.values(), ["given_back", "given_back_minor"])


def _spend(redemption: Redemption, tenders: Sequence[Tender], *, now: dt.datetime) -> dict[str, int]:
    """All tenders in one call: accounts are locked in one order. Source → entry."""
    units = dict(Account.objects.filter(pk__in=[tender.account_id for tender in tenders]).values_list("pk", "unit_id"))
    used = dict(
        Account.objects.filter(unit__in=units.values(), purpose=Account.Purpose.REDEEMED).values_list("unit_id", "pk")
    )
    moved = ledger.transfer(
        transfers=[
            ledger.Transfer(
                source=_source(redemption, tender), from_id=tender.account_id, to_id=used[units[tender.account_id]],
                amount=tender.amount, verb=Entry.Verb.SPEND, origin=ORIGIN, origin_id=redemption.pk,
                hold_id=tender.hold_id,
            )
            for tender in tenders
        ],
        now=now,
        by=CHECKOUT,
    )  # fmt: skip
    for why in moved.refused.values():
        raise as_refused(why)
    return dict(moved.entries)


def _source(redemption: Redemption, tender: Tender) -> str:
    return f"tender:{redemption.pk}:{tender.place}"


def _card_purse(card: GiftCard | None, now: dt.datetime) -> Purse:
    if card is None:
        raise NoSuchCode
    if card.code.state in (Code.State.VOID, Code.State.FREE):
        raise CodeVoid
    if card.state == GiftCard.State.BLOCKED or card.account.is_frozen and card.state == GiftCard.State.ACTIVE:
        raise CardBlocked
    if card.state == GiftCard.State.INACTIVE:
        raise CardInactive
    (found,) = balances([card.account_id], now=now)
    if found.available <= 0:
        raise CardExpired if card.expires_at and card.expires_at <= now and found.amount == 0 else CardEmpty
    unit = card.account.unit
    return Purse(
        card.account_id, str(card), unit.key, unit_rule_of(unit), found.available, frozenset(card.products),
        frozenset(card.categories),
    )  # fmt: skip


def _unit_purse(key: str, facts: Facts) -> Purse:
    unit: Unit = ledger.unit_of(key)
    customer = facts.basket.shopper.id
    if customer is None:
        raise TenderNeedsCustomer(name=unit.name)
    account = Account.objects.filter(unit=unit, customer_id=customer, is_frozen=False).first()
    available = balances([account.pk], now=facts.now)[0].available if account else 0
    return Purse(account.pk if account else 0, unit.name, unit.key, unit_rule_of(unit), available)
