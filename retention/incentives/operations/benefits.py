"""What is given beside a discount: credit, points, cash and gift cards, in accounts as soon as they are granted."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retention import clock
from retention.actors import Actor
from retention.incentives.codes import Pattern
from retention.incentives.models import Code, Grant
from retention.incentives.operations.gift_cards import PATTERN, Blank, issue_cards
from retention.incentives.rules import IncentiveRule
from retention.incentives.rules.effects import Effect
from retention.incentives.rules.effects.benefits import Benefit
from retention.ledger import operations as ledger
from retention.ledger.days import shop_zone
from retention.ledger.models import Account, Entry, Unit
from retention.ledger.units import UnitRule, day_end
from retention.ledger.versions import rule_of as unit_rule_of

ORIGIN = "incentives.grant"
#: Kind of effect → the purpose of the unit that its money is in.
_PURPOSES = {"store_credit": "store_credit", "cash_back": "store_credit", "cash": "cash"}
VALUE = frozenset([*_PURPOSES, "points", "gift_card"])
_TOLD = ("kind", "days", "points", "unit", "products", "categories")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gift:
    """One effect's value for one grant.

    Attributes:
        customer_id: None of a guest, who can be given gift cards only.
        n: the effect's place, so that each is given once a grant.
        told: as a benefit tells it: `kind`, and `amount_minor` with `currency`, or `points` with `unit`; `days`.
        expires_at: the grant's own end, if any.
        active_at, pending_event: from when on, or after what, it can be spent; without them at once.
    """

    grant_id: int
    customer_id: int | None
    n: int
    told: Mapping[str, Any]
    expires_at: dt.datetime | None = None
    active_at: dt.datetime | None = None
    pending_event: str = ""

    @property
    def kind(self) -> str:
        return self.told["kind"]

    @property
    def amount(self) -> int:
        return self.told["points"] if self.kind == "points" else self.told["amount_minor"]

    @property
    def source(self) -> str:
        return f"grant:{self.grant_id}:{self.n}"


def is_gift(rule: IncentiveRule) -> bool:
    """Whether it is given as a whole when it is granted; otherwise its benefits come with an order that uses it."""
    return all(isinstance(effect, Benefit) and effect.kind != "cash_back" for effect in rule.effects)


def needs_code(rule: IncentiveRule) -> bool:
    """Whether a grant of it yields something to be typed or shown."""
    return not is_gift(rule) or any(effect.kind not in _PURPOSES and effect.kind != "points" for effect in rule.effects)


def is_value(rule: IncentiveRule) -> bool:
    """Whether it is given as a whole when it is granted, and all of it lies in accounts."""
    return is_gift(rule) and not needs_code(rule)


def gifts_of(effects: Sequence[Effect], currency: str) -> list[tuple[int, Mapping[str, Any]]]:
    """What a grant of these effects (its terms folded in) gives at once, as `n` and `told` of a Gift.

    In `currency` where one names an amount in it.
    """
    gifts: list[tuple[int, Mapping[str, Any]]] = []
    for n, effect in enumerate(effects):
        if effect.kind not in VALUE:
            continue
        told = {name: getattr(effect, name) for name in _TOLD if name in type(effect).model_fields}
        if effect.kind != "points":
            told["currency"], told["amount_minor"] = _chosen(effect.amounts, currency)
        gifts.append((n, told))
    return gifts


def fulfil(gifts: Sequence[Gift], *, now: dt.datetime, by: Actor) -> None:
    """Put gifts where they belong, in sets: cards for their codes, everything else into the customers' accounts."""
    cards: dict[str, list[Gift]] = defaultdict(list)
    credits: dict[str, list[Gift]] = defaultdict(list)
    units: dict[str, Unit] = {}
    for gift in gifts:
        if gift.kind == "gift_card":
            cards[gift.told["currency"]].append(gift)
            continue
        key = unit_key(gift)
        if key not in units:
            units[key] = unit_of(gift, now=now, by=by)
        credits[key].append(gift)
    zone = shop_zone()
    for currency, some in sorted(cards.items()):
        _issue(currency, some, zone, now=now, by=by)
    transfers = [
        wish for key in sorted(credits) for wish in _credit(units[key], credits[key], zone, now)
    ]  # fmt: skip
    for at in range(0, len(transfers), 5_000):
        ledger.transfer(transfers=transfers[at : at + 5_000], now=now, by=by)


def unit_key(gift: Gift) -> str:
    """Of the unit that its value is in."""
    return gift.told["unit"] if gift.kind == "points" else f"{_PURPOSES[gift.kind]}_{gift.told['currency'].lower()}"


def unit_of(gift: Gift, *, now: dt.datetime, by: Actor) -> Unit:
    """The unit that its value is in; that of money is made when it is first needed.

    Raises:
        NoSuchUnit
    """
    if gift.kind == "points":
        return ledger.unit_of(gift.told["unit"])
    return ledger.money_unit(purpose=_PURPOSES[gift.kind], currency=gift.told["currency"], now=now, by=by)


def when(gift: Gift, rule: UnitRule, zone: str, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
    """From when on, unless it waits for an event, and until when its value can be spent."""
    begins = gift.active_at or now
    if gift.kind == "cash_back" and gift.told["days"]:
        begins = day_end(_local_day(now, zone) + gift.told["days"] * _DAY, zone) or now
    ends = _end(gift, begins, zone)
    if ends is None and not gift.pending_event:
        ends = rule.expires_at(begins, zone)
    return None if gift.pending_event else begins, ends


def value_entries(grant_ids: Iterable[int]) -> list[Entry]:
    """What these grants put into accounts."""
    entries = Entry.objects.filter(origin=ORIGIN, origin_id__in=list(grant_ids), verb=Entry.Verb.ISSUE)
    return list(entries.select_related("lot", "unit").order_by("pk"))


def take_value_back(grant_ids: Iterable[int], *, reason: str, now: dt.datetime, by: Actor) -> None:
    """Take back what is left of what these grants gave."""
    for entry in value_entries(grant_ids):
        ledger.take_back(entry_id=entry.pk, source=f"back:{entry.source}", reason=reason, policy="lot", now=now, by=by)


def _credit(unit: Unit, gifts: list[Gift], zone: str, now: dt.datetime) -> Iterator[ledger.Transfer]:
    rule, shop = unit_rule_of(unit), ledger.shop_account(unit, Account.Purpose.ISSUED)
    accounts = ledger.open_customer_accounts(unit=unit, customer_ids=[gift.customer_id for gift in gifts], now=now)
    for gift in gifts:
        active_at, ends = when(gift, rule, zone, now)
        yield ledger.Transfer(
            source=gift.source, from_id=shop, to_id=accounts[gift.customer_id], amount=gift.amount,
            verb=Entry.Verb.ISSUE, active_at=active_at, pending_event=gift.pending_event, expires_at=ends,
            origin=ORIGIN, origin_id=gift.grant_id,
        )  # fmt: skip


def _issue(currency: str, gifts: list[Gift], zone: str, *, now: dt.datetime, by: Actor) -> None:
    grants = [gift.grant_id for gift in gifts]
    codes = dict(Code.objects.filter(grant_id__in=grants).values_list("grant_id", "pk"))
    for gift in gifts:
        if gift.grant_id not in codes:
            given = Grant.objects.get(pk=gift.grant_id)
            codes[gift.grant_id] = code_for(given, state=Code.State.GIVEN, is_card=True, now=now).pk
    Code.objects.filter(pk__in=codes.values()).update(is_card=True)
    blanks = [
        Blank(
            codes[gift.grant_id], gift.source, gift.amount, gift.told["products"], gift.told["categories"],
            _end(gift, now, zone),
        )
        for gift in gifts
    ]  # fmt: skip
    issue_cards(
        blanks=blanks, currency=currency, purpose=Account.Purpose.ISSUED, now=now, by=by, origin=ORIGIN,
        origin_ids=grants,
    )  # fmt: skip


def code_for(grant: Grant, *, state: str, is_card: bool, now: dt.datetime) -> Code:
    """A code of its own for a grant that came with an order."""
    while True:
        (text,) = Pattern(PATTERN, "letters_and_digits").make(1)
        code, is_new = Code.objects.get_or_create(
            code=text,
            defaults={
                "is_card": is_card, "incentive_id": grant.incentive_id, "version_id": grant.version_id, "grant": grant,
                "customer_id": grant.customer_id, "state": state, "given_at": now,
            },
        )  # fmt: skip
        if is_new:
            return code


def _end(gift: Gift, begins: dt.datetime, zone: str) -> dt.datetime | None:
    days = None if gift.kind == "cash_back" else gift.told.get("days")
    ends = [day_end(_local_day(begins, zone) + days * _DAY, zone)] if days else []
    return min([end for end in (*ends, gift.expires_at) if end], default=None)


def _local_day(at: dt.datetime, zone: str) -> dt.date:
    return at.astimezone(clock.zone(zone)).date()


def _chosen(amounts: Mapping[str, int], currency: str) -> tuple[str, int]:
    return (currency, amounts[currency]) if currency in amounts else next(iter(amounts.items()))
