"""Laws of the ledger: whatever happens, in whatever order, the database agrees with the pure replay and balances."""

import datetime as dt
import itertools

import hypothesis.strategies as st
import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from retention.actors import Actor
from retention.customers.models import Customer
from retention.ledger import operations
from retention.ledger.models import Account, Cell, Entry, Lot
from retention.ledger.operations.proofs import differences
from retention.ledger.querysets import balances
from retention.ledger.units import UnitRule
from retention.refusals import Refused
from retention.shop.models import Shop
from tests.laws.book import Book, restore

BY = Actor.command("law")
START = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LEAST_DAYS = 3

who = st.integers(0, 1)
amounts = st.integers(1, 120)
days = st.integers(1, 12)


class Books(RuleBasedStateMachine):
    """Two customers' accounts in the database, and a pure book of each beside them."""

    may_be_negative = False
    given = Bundle("given")
    spent = Bundle("spent")
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = START
        self.numbers = itertools.count()
        Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
        made = [Customer.objects.create(reference=f"c{n}", recorded_at=START) for n in range(2)]
        unit = UnitRule(
            name="Unit", kind="points", may_be_negative=self.may_be_negative, least_days_after_return=LEAST_DAYS
        )
        self.unit = operations.create_unit(key="unit", rule=unit, now=START, by=BY)
        opened = operations.open_customer_accounts(unit=self.unit, customer_ids=[c.pk for c in made], now=START)
        self.accounts = [opened[customer.pk] for customer in made]
        self.books = [Book(self.may_be_negative), Book(self.may_be_negative)]
        self.holds: dict[int, tuple[int, int, dt.datetime, dt.datetime]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def shop(self, purpose: str) -> int:
        return operations.shop_account(self.unit, purpose)

    def source(self) -> str:
        return f"s{next(self.numbers)}"

    def release_run_out(self, of: int) -> None:
        for key, (whose, amount, _placed_at, ends_at) in list(self.holds.items()):
            if whose == of and ends_at <= self.now:
                self.books[of].held -= amount
                del self.holds[key]

    @rule(target=given, of=who, amount=amounts, ends=st.none() | days, starts=st.sampled_from(["", "later", "event"]))
    def give(self, of, amount, ends, starts):
        expires_at = self.now + ends * DAY if ends else None
        active_at = {"": self.now, "later": self.now + 2 * DAY, "event": None}[starts]
        key = self.source()
        wish = operations.Transfer(
            source=key, from_id=self.shop("issued"), to_id=self.accounts[of], amount=amount, verb="issue",
            active_at=active_at, pending_event=key if starts == "event" else "", expires_at=expires_at,
        )  # fmt: skip
        entry = operations.transfer_one(wish=wish, now=self.now, by=BY)
        self.books[of].credit(key, amount, active_at=active_at, expires_at=expires_at)
        return of, key, entry, amount

    @rule(target=spent, of=who, amount=amounts)
    def spend(self, of, amount):
        self.release_run_out(of)
        drawn = self.books[of].spend(amount, self.now)
        wish = operations.Transfer(
            source=self.source(), from_id=self.accounts[of], to_id=self.shop("redeemed"), amount=amount, verb="spend"
        )
        moved = operations.transfer(transfers=[wish], now=self.now, by=BY)
        assert bool(moved.entries) == (drawn is not None)
        return (of, moved.entries[wish.source], drawn, amount, [0]) if drawn is not None else multiple()

    @rule(spending=spent, amount=amounts)
    def give_back(self, spending, amount):
        of, entry, drawn, whole, back = spending
        source = self.source()
        if amount > whole - back[0]:
            with pytest.raises(Refused):
                operations.give_back(entry_id=entry, amount=amount, source=source, reason="", now=self.now, by=BY)
            return
        operations.give_back(entry_id=entry, amount=amount, source=source, reason="", now=self.now, by=BY)
        for part, expires_at in restore(drawn, back[0], amount, self.now + LEAST_DAYS * DAY):
            self.books[of].credit(source, part, active_at=self.now, expires_at=expires_at)
        back[0] += amount

    @rule(gift=consumes(given), policy=st.sampled_from(["lot", "balance", "negative"]), amount=amounts)
    def take_back(self, gift, policy, amount):
        of, key, entry, whole = gift
        self.release_run_out(of)
        wanted = min(amount, whole)
        taken = self.books[of].take_back(key, wanted, self.now, policy=policy)
        done = operations.take_back(
            entry_id=entry, amount=wanted, source=self.source(), reason="", now=self.now, by=BY, policy=policy
        )
        assert done.amount == taken

    @rule(gift=given)
    def activate(self, gift):
        of, key, _entry, _whole = gift
        operations.activate(event=key, now=self.now)
        for lot in self.books[of].lots:
            if lot.key == key and lot.active_at is None and lot.remaining:
                lot.active_at = self.now

    @rule(gift=given)
    def cancel(self, gift):
        of, key, _entry, _whole = gift
        self.release_run_out(of) if self.waits(of, key) else None
        operations.cancel_pending(event=key, reason="", now=self.now, by=BY)
        if self.waits(of, key):
            self.books[of].take_back(key, self.waits(of, key), self.now, policy="lot")

    def waits(self, of, key) -> int:
        return sum(lot.remaining for lot in self.books[of].lots if lot.key == key and lot.active_at is None)

    @rule(target=held, of=who, amount=amounts, ends=days)
    def hold(self, of, amount, ends):
        self.release_run_out(of)
        ends_at = self.now + ends * DAY
        can = self.books[of].available(self.now) >= amount
        try:
            placed = operations.hold(
                account_id=self.accounts[of], amount=amount, source=self.source(), expires_at=ends_at, now=self.now
            )
        except Refused:
            assert not can
            return multiple()
        assert can
        self.books[of].held += amount
        self.holds[placed.pk] = (of, amount, self.now, ends_at)
        return placed.pk

    @rule(target=spent, key=consumes(held), share=st.integers(1, 120))
    def capture(self, key, share):
        used = {"to_id": self.shop("redeemed"), "source": self.source(), "now": self.now, "by": BY}
        if key not in self.holds or self.holds[key][3] <= self.now:
            with pytest.raises(Refused):
                operations.capture(hold_id=key, amount=1, **used)
            if key in self.holds:
                self.release_run_out(self.holds[key][0])
            return multiple()
        of, amount, placed_at, _ends_at = self.holds.pop(key)
        self.release_run_out(of)
        part = min(share, amount)
        entry = operations.capture(hold_id=key, amount=part, **used)
        return of, entry, self.books[of].capture(part, amount, placed_at, self.now), part, [0]

    @rule(key=consumes(held))
    def release(self, key):
        released = operations.release(hold_ids=[key], now=self.now)
        assert released == (key in self.holds)
        if key in self.holds:
            of, amount, _placed_at, _ends_at = self.holds.pop(key)
            self.books[of].held -= amount

    @rule(of=who, amount=st.integers(-120, 120).filter(bool))
    def adjust(self, of, amount):
        kind = {"account_id": self.accounts[of], "source": self.source(), "reason": "law", "now": self.now, "by": BY}
        if amount > 0:
            operations.adjust(amount=amount, **kind)
            self.books[of].credit(kind["source"], amount, active_at=self.now, expires_at=None)
            return
        self.release_run_out(of)
        if self.books[of].spend(-amount, self.now) is None:
            with pytest.raises(Refused):
                operations.adjust(amount=amount, **kind)
        else:
            operations.adjust(amount=amount, **kind)

    @rule(hours=st.sampled_from([1, 24, 72]))
    def wait(self, hours):
        self.now += dt.timedelta(hours=hours)

    @rule()
    def night(self):
        operations.keep_night(now=self.now, by=BY, progress=lambda done, total: None)
        for of, book in enumerate(self.books):
            self.release_run_out(of)
            book.expire(self.now)

    @invariant()
    def the_database_says_what_the_replay_says(self):
        found = {each.account_id: each for each in balances(self.accounts, now=self.now)}
        for account, book in zip(self.accounts, self.books, strict=True):
            kept = found[account]
            assert (kept.amount, kept.held) == (book.balance, book.held)
            assert (kept.available, kept.pending) == (book.available(self.now), book.pending(self.now))
            rows = Lot.objects.filter(account=account, remaining__gt=0).values_list(
                "remaining", "active_at", "expires_at"
            )
            expected = [(lot.remaining, lot.active_at, lot.expires_at) for lot in book.lots if lot.remaining]
            assert sorted(map(str, rows)) == sorted(map(str, expected))

    @invariant()
    def the_books_balance(self):
        assert differences() == []
        theirs = Account.objects.filter(pk__in=self.accounts).aggregate(sum=Sum("balance"))["sum"]
        days = Cell.objects.aggregate(credited=Sum("credited"), debited=Sum("debited"))
        assert theirs + (days["credited"] or 0) - (days["debited"] or 0) == 0

    @invariant()
    def nothing_is_undone_twice(self):
        undone = Entry.objects.filter(reverses__isnull=False).values("reverses", "reverses__amount")
        assert all(each["sum"] <= each["reverses__amount"] for each in undone.annotate(sum=Sum("amount")))


class BooksThatMayBeOwed(Books):
    may_be_negative = True


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [Books, BooksThatMayBeOwed])
def test_the_database_and_the_pure_replay_agree(machine):
    few = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    run_state_machine_as_test(machine, settings=few)
