"""Laws of everything of value: granted, paid with, held, returned, cancelled, expired, corrected, in any order.

After every step the ledger and the counters of the checkout must say what their facts say, and whoever paid must have
paid exactly what the order says. A short run is part of every test run; `make laws` takes ten thousand steps.
"""

import datetime as dt
import hashlib
import itertools

import hypothesis.strategies as st
import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, GiftCard, Redemption, Tender
from retention.incentives.operations import gift_cards
from retention.incentives.operations.paying import TenderAsk
from retention.incentives.operations.reconcile import differences as counter_differences
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Cell, Entry
from retention.ledger.operations.proofs import differences as book_differences
from retention.ledger.querysets import balances
from retention.ledger.units import After, UnitRule
from retention.refusals import Refused
from retention.shop.models import Shop

BY = Actor.command("law")
START = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HASH = hashlib.sha256(b"law").digest()

GIFTS = [
    {"kind": "store_credit", "amounts": {"EUR": 700}, "days": 5},
    {"kind": "points", "points": 333, "days": 9},
]
CARD = [{"kind": "gift_card", "amounts": {"EUR": 1_500}, "days": 20, "categories": ["Books"]}]
DEAL = [{"kind": "percent", "basis_points": 1_500}, {"kind": "cash_back", "basis_points": 700, "days": 3}]

who = st.integers(0, 1)
amounts = st.integers(1, 3_000)
baskets = st.lists(
    st.builds(
        lambda sku, quantity, price: Line(sku, quantity, price, category="Books" if sku == "book" else "Mugs"),
        st.sampled_from(["book", "mug", "pen"]), st.integers(1, 3), st.integers(1, 1_999),
    ),
    min_size=1, max_size=3, unique_by=lambda line: line.sku,
)  # fmt: skip
tenders = st.lists(
    st.sampled_from(["card 0", "card 1", "points", "store_credit_eur"]), min_size=1, max_size=4, unique=True
)


class Value(RuleBasedStateMachine):
    """A shop with two customers, gifts, gift cards and an offer; whatever is refused must leave nothing behind."""

    grants = Bundle("grants")
    orders = Bundle("orders")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = START
        self.numbers = itertools.count()
        Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
        self.customers = [
            Customer.objects.create(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=START) for n in range(2)
        ]
        rule = UnitRule(
            name="Points", kind="points", worth_points=3, worth={"EUR": 2}, most_basis_points=6_000,
            expiry=After(count=10, per="day"), least_days_after_return=2,
        )  # fmt: skip
        ledger.create_unit(key="points", rule=rule, now=START, by=BY)
        ledger.money_unit(purpose="store_credit", currency="EUR", now=START, by=BY)
        self.gift = self.offer("Gift", GIFTS)
        self.card = self.offer("Card", CARD)
        budget = {"money": {"amount_minor": 3_000, "currency": "EUR"}, "per_customer": 4}
        self.offer("Deal", DEAL, codes={"kind": "public", "text": "DEAL"}, limits=budget)
        self.sold = [
            gift_cards.create_card(amount_minor=2_000, currency="EUR", source=f"sold{n}", now=START, by=BY)
            for n in range(2)
        ]
        for n, customer in enumerate(self.customers):
            for unit, amount in (("points", 4_000), ("store_credit_eur", 1_500)):
                unit = ledger.unit_of(unit)
                account = ledger.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=START)[customer.pk]
                source = f"start:{unit.key}:{n}"
                ledger.adjust(account_id=account, amount=amount, source=source, reason="law", now=START, by=BY)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def offer(self, name, effects, **more):
        made = IncentiveRule.model_validate({"name": name, "effects": effects, **more})
        incentive = operations.create_incentive(rule=made, now=START, by=BY)
        return operations.go_live(incentive_id=incentive.pk, now=START, by=BY)

    def source(self) -> str:
        return f"s{next(self.numbers)}"

    def asks(self, of, named, is_careful) -> list[TenderAsk]:
        """Tenders of these names; whoever is careful leaves out what cannot pay anything now."""
        cards = [name for name in named if name.startswith("card")]
        account_of = {name: self.sold[int(name[-1])].account_id for name in cards} | dict(
            Account.objects.filter(customer=self.customers[of]).values_list("unit__key", "pk")
        )
        left = {each.account_id: each.available for each in balances(list(account_of.values()), now=self.now)}
        frozen = set(Account.objects.filter(is_frozen=True).values_list("pk", flat=True))
        return [
            TenderAsk(code=self.sold[int(name[-1])].code.code) if name in cards else TenderAsk(unit=name)
            for name in named
            if not is_careful or left.get(account_of.get(name)) and account_of[name] not in frozen
        ]

    def checkout(self, of, lines, shipping, reference) -> Checkout:
        return Checkout(
            "EUR", tuple(lines), shipping_minor=shipping, buyer=Buyer(self.customers[of].reference),
            order_reference=reference,
        )  # fmt: skip

    @rule(target=grants, of=who, kind=st.sampled_from(["gift", "card"]))
    def grant(self, of, kind):
        source = self.source()
        given = operations.grant(
            incentive_id=getattr(self, kind).pk, sources=[source], customer_ids=[self.customers[of].pk], origin="law",
            origin_ids=[1], now=self.now, by=BY, is_given=True,
        )  # fmt: skip
        return given.grants[source]

    @rule(target=orders, of=who, lines=baskets, shipping=st.integers(0, 499), named=tenders)
    def pay(self, of, lines, shipping, named):
        return self.use(of, lines, shipping, named, False, minutes=None)

    @rule(target=orders, of=who, lines=baskets, shipping=st.integers(0, 499), named=tenders, has_code=st.booleans())
    def redeem(self, of, lines, shipping, named, has_code):
        return self.use(of, lines, shipping, named, has_code, minutes=None)

    @rule(
        target=holds, of=who, lines=baskets, shipping=st.integers(0, 499), named=tenders, minutes=st.integers(1, 3_000)
    )
    def hold(self, of, lines, shipping, named, minutes):
        held = self.use(of, lines, shipping, named, True, minutes=minutes)
        return held if isinstance(held, type(multiple())) else (held, of, tuple(lines), shipping)

    @rule(target=orders, of=who, lines=baskets, number=st.integers(0, 20))
    def redeem_with_a_granted_card(self, of, lines, number):
        codes = list(
            Code.objects.filter(is_card=True, grant__isnull=False).order_by("pk").values_list("code", flat=True)
        )
        return self.use(of, lines, 0, [], False, minutes=None, codes=codes[number : number + 1])

    def use(self, of, lines, shipping, named, has_code, *, minutes, codes=()):
        source = self.source()
        # One in five pays with whatever is there or not.
        is_careful = bool(int(source[1:]) % 5)
        asked = {
            "source": source, "request_hash": HASH, "codes": [*codes, *(["DEAL"] if has_code else [])],
            "tenders": self.asks(of, named, is_careful), "checkout": self.checkout(of, lines, shipping, source),
            "now": self.now,
        }  # fmt: skip
        before = Redemption.objects.count(), Entry.objects.count()
        try:
            done = operations.hold(minutes=minutes, **asked) if minutes else operations.redeem(**asked)
        except Refused:
            assert (Redemption.objects.count(), Entry.objects.count()) == before
            return multiple()
        effects = done.effects
        paid = sum(tender["amount_minor"] for tender in effects["tenders"])
        assert effects["to_pay_minor"] == effects["total_minor"] - paid >= 0
        assert effects["total_minor"] == effects["goods_minor"] + shipping - effects["discount_minor"]
        for place, line in enumerate(effects["lines"]):
            assert sum(tender["lines"][place] for tender in effects["tenders"]) <= line["total_minor"]
        again = operations.hold(minutes=minutes, **asked) if minutes else operations.redeem(**asked)
        assert (again.is_repeated, again.effects) == (True, effects)
        return done.public_id

    @rule(target=orders, held=holds)
    def redeem_held(self, held):
        public_id, of, lines, shipping = held
        source = self.source()
        try:
            operations.redeem_held(
                source=source, request_hash=HASH, public_id=public_id, now=self.now,
                checkout=self.checkout(of, lines, shipping, source),
            )  # fmt: skip
        except Refused:
            return multiple()
        return public_id

    @rule(held=holds)
    def release(self, held):
        self.attempt(operations.release, public_id=held[0])

    @rule(order=orders, line=st.integers(0, 2), quantity=st.integers(1, 3))
    def give_back_some(self, order, line, quantity):
        self.give_back(order, {line: quantity})

    @rule(order=orders)
    def give_back_all(self, order):
        self.give_back(order, None)

    def give_back(self, order, lines):
        """What the preview says is what is done, and the second time nothing is."""
        source, asked = self.source(), {"public_id": order, "lines": lines, "now": self.now}
        try:
            preview = operations.preview_rollback(**asked)
        except Refused:
            return
        entries = Entry.objects.count()
        done = operations.roll_back(**asked, source=source, reason="returned", by=BY)
        for told in (preview, done.effects):
            told["others"].get("benefits", {"parts": []})["parts"] = None
        assert done.effects == preview
        after = Entry.objects.count()
        operations.roll_back(**asked, source=source, reason="returned", by=BY)
        assert Entry.objects.count() == after >= entries
        if done.is_last:
            tenders = Tender.objects.filter(redemption__public_id=order)
            assert all((t.given_back, t.given_back_minor) == (t.amount, t.amount_minor) for t in tenders)

    @rule(grant=grants)
    def cancel(self, grant):
        self.attempt(operations.void_grant, grant_id=grant, by=BY, reason="wrong")

    @rule(number=st.integers(0, 1), amount=amounts)
    def top_up(self, number, amount):
        self.attempt(gift_cards.top_up, card_id=self.sold[number].pk, amount_minor=amount, source=self.source(), by=BY)

    @rule(number=st.integers(0, 1), blocks=st.booleans())
    def block(self, number, blocks):
        act = gift_cards.block_card if blocks else gift_cards.unblock_card
        self.attempt(act, card_id=self.sold[number].pk, reason="law", by=BY)

    @rule(number=st.integers(0, 9), amount=st.integers(-900, 900).filter(bool))
    def adjust(self, number, amount):
        accounts = list(Account.objects.exclude(kind="system").order_by("pk").values_list("pk", flat=True))
        self.attempt(
            ledger.adjust, account_id=accounts[number % len(accounts)], amount=amount, source=self.source(),
            reason="law", by=BY,
        )  # fmt: skip

    @rule(days=st.sampled_from([0.01, 0.5, 2, 6]))
    def wait(self, days):
        self.now += days * DAY

    @rule()
    def night(self):
        operations.release_expired(now=self.now)
        ledger.keep_night(now=self.now, by=BY, progress=lambda done, total: None)

    def attempt(self, operation, **values) -> None:
        try:
            with transaction.atomic():
                operation(now=self.now, **values)
        except Refused:
            pass

    @invariant()
    def the_ledger_says_what_its_entries_say(self):
        assert book_differences() == []
        theirs = Account.objects.exclude(kind="system").aggregate(sum=Sum("balance"))["sum"] or 0
        days = Cell.objects.aggregate(credited=Sum("credited"), debited=Sum("debited"))
        assert theirs + (days["credited"] or 0) - (days["debited"] or 0) == 0

    @invariant()
    def the_counters_say_what_the_uses_say(self):
        assert counter_differences() == []

    @invariant()
    def whoever_paid_paid_what_the_order_says(self):
        tenders = Tender.objects.select_related("redemption", "hold", "entry")
        for tender in tenders:
            assert tender.amount_minor == sum(tender.lines) + tender.shipping_minor
            assert (tender.entry is None) == (tender.redemption.redeemed_at is None)
            assert tender.entry is None or tender.entry.amount == tender.amount
        back = Entry.objects.filter(verb="give_back").aggregate(sum=Sum("amount"))["sum"] or 0
        assert back == (tenders.aggregate(sum=Sum("given_back"))["sum"] or 0)

    @invariant()
    def a_blocked_card_is_frozen(self):
        for card in GiftCard.objects.select_related("account"):
            assert card.account.is_frozen == (card.state != GiftCard.State.ACTIVE)


SIZES = [
    pytest.param((8, 30), id="short"),
    pytest.param((100, 100), id="ten thousand steps", marks=[pytest.mark.laws, pytest.mark.timeout(3600)]),
]


@pytest.mark.django_db
@pytest.mark.parametrize("size", SIZES)
def test_value_keeps_its_laws(size):
    examples, steps = size
    run = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
        derandomize=True, database=None,
    )  # fmt: skip
    run_state_machine_as_test(Value, settings=run)
