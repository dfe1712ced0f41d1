"""Laws of a programme: earned, spent, returned, expired, corrected, merged and erased, in any order.

After every step the books say what their entries say, no member's sums differ from her rows, and what the shop owes is
what is left in open lots; after every sweep each order earned what a few lines of arithmetic say it should. A short run
is part of every test run; `make laws` takes twenty thousand steps.
"""

import datetime as dt
import itertools

import hypothesis.strategies as st
import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from loyalty import operations, seeds
from loyalty.models import Claim, Earning, Member, RewardCount, Tier, TierChange
from loyalty.operations import claims, rewards
from loyalty.operations.earning import earn_due
from loyalty.operations.returns import take_back_due
from loyalty.rules import ProgrammeRule
from loyalty.rules.rewards import RewardRule
from retention import clock
from retention.actors import Actor
from retention.customers import seeds as customers_seeds
from retention.customers.models import Activity, Customer, Order, OrderLine, Product, Return, ReturnLine
from retention.incentives import operations as incentives
from retention.incentives.models import Grant
from retention.incentives.operations.reconcile import differences as counter_differences
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Cell, Entry, Lot
from retention.ledger.operations.proofs import differences as book_differences
from retention.ledger.units import After, UnitRule
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.work.models import Watermark

BY = Actor.command("law")
START = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
ZONE = "Europe/Berlin"
DAY = dt.timedelta(days=1)
TIERS = {"": (0, 100), "silver": (150, 150), "gold": (500, 200)}
REVIEW, REVIEWS_A_MONTH = 20, 2
PRICE, STOCK, EACH = 120, 6, 2
BASE = {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}
REVIEWED = {
    "kind": "activity", "key": "review", "activity": "reviewed", "amount": REVIEW,
    "caps": [{"most": REVIEWS_A_MONTH, "of": "times", "per": "month"}],
}  # fmt: skip

who = st.integers(0, 2)
baskets = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(99, 19_999), st.integers(1, 3)),
    min_size=1, max_size=3, unique_by=lambda line: line[0],
)  # fmt: skip


def nothing(_done, _total):
    """Nobody watches."""


class Club(RuleBasedStateMachine):
    """A club with two tiers, a reward of which there are few, and three customers; what is refused leaves nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = START
        self.numbers = itertools.count()
        customers_seeds.seed(now=START)
        seeds.seed(now=START)
        Shop.objects.create(name="Shop", time_zone=ZONE, currency="EUR")
        self.customers = [
            Customer.objects.create(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=START) for n in range(3)
        ]
        self.goods = {
            sku: Product.objects.create(sku=sku, name=sku, price_minor=1_000, currency="EUR", recorded_at=START)
            for sku in "ABC"
        }
        points = UnitRule(
            name="Points", kind="points", expiry=After(count=20, per="day"), least_days_after_return=2
        )  # fmt: skip
        ledger.create_unit(key="club_points", rule=points, now=START, by=BY)
        gift = self.offer("Welcome to the tier", [{"kind": "store_credit", "amounts": {"EUR": 500}, "days": 9}])
        rule = {
            "names": {"en": "Club"},
            "earning": [BASE, REVIEWED],
            "pending": {"kind": "days", "days": 3, "since": "paid"},
            "returns": "balance",
            "tiers": {
                "window": {"kind": "rolling", "months": 1},
                "validity": {"kind": "after", "count": 10, "per": "day"},
                "grace_days": 2,
                "downgrade": "one_step",
                "steps": [
                    {"key": key, "names": {"en": key}, "threshold": least, "percent": percent, "rewards": [gift.pk]}
                    for key, (least, percent) in TIERS.items()
                    if key
                ],
            },
        }
        made = operations.create_programme(
            key="club", unit_key="club_points", rule=ProgrammeRule.model_validate(rule), now=START, by=BY
        )
        self.club = operations.launch_programme(programme_id=made.pk, now=START, by=BY)
        coupon = self.offer("A tenth off", [{"kind": "percent", "basis_points": 1_000}])
        told = {
            "names": {"en": "A tenth off"}, "kind": "coupon", "price": PRICE, "incentive_id": coupon.pk,
            "stock": STOCK, "per_customer": EACH,
        }  # fmt: skip
        self.reward = rewards.create_reward(
            programme_id=self.club.pk, rule=RewardRule.model_validate(told), now=START, by=BY
        )
        rewards.start_reward(reward_id=self.reward.pk, now=START, by=BY)
        for of in range(3):
            self.buys(of, [("A", 10_000, 3)], True)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def offer(self, name, effects):
        rule = IncentiveRule.model_validate({"name": name, "effects": effects})
        made = incentives.create_incentive(rule=rule, now=START, by=BY)
        return incentives.go_live(incentive_id=made.pk, now=START, by=BY)

    def number(self) -> int:
        return next(self.numbers)

    def living(self, of) -> Customer:
        """She, or who she became."""
        self.customers[of].refresh_from_db()
        return self.customers[of].merged_into or self.customers[of]

    def attempt(self, operation, **values) -> bool:
        try:
            with transaction.atomic():
                operation(now=self.now, **values)
        except Refused:
            return False
        return True

    # Facts

    @rule(of=who, lines=baskets, is_swept=st.booleans())
    def buys(self, of, lines, is_swept):
        customer = self.living(of)
        total = sum(price * count for _sku, price, count in lines)
        order = Order.objects.create(
            reference=f"o{self.number()}", customer=customer, state="paid", currency="EUR", total_minor=total,
            base_minor=total, placed_at=self.now, paid_at=self.now, recorded_at=self.now,
        )  # fmt: skip
        for position, (sku, price, count) in enumerate(lines):
            OrderLine.objects.create(
                order=order, position=position, product=self.goods[sku], quantity=count, unit_price_minor=price,
                total_minor=price * count,
            )  # fmt: skip
        if is_swept:
            self.sweep()

    @rule(of=who)
    def reviews(self, of):
        Activity.objects.create(
            kind="reviewed", reference=f"a{self.number()}", customer=self.living(of), occurred_at=self.now,
            recorded_at=self.now,
        )  # fmt: skip

    @rule(pick=st.integers(0, 50), place=st.integers(0, 2), count=st.integers(1, 3))
    def sends_back(self, pick, place, count):
        orders = list(Order.objects.filter(state__in=["paid", "partially_returned"]).order_by("pk"))
        if not orders:
            return
        order = orders[pick % len(orders)]
        lines = list(order.lines.order_by("position"))
        line = lines[place % len(lines)]
        count = min(count, line.quantity - line.returned_quantity)
        if not count:
            return
        made = Return.objects.create(
            order=order, reference=f"r{self.number()}", amount_minor=line.unit_price_minor * count,
            base_minor=line.unit_price_minor * count, occurred_at=self.now, recorded_at=self.now,
        )  # fmt: skip
        ReturnLine.objects.create(of=made, line=line, quantity=count)
        OrderLine.objects.filter(pk=line.pk).update(returned_quantity=F("returned_quantity") + count)
        is_over = not order.lines.filter(returned_quantity__lt=F("quantity")).exists()
        Order.objects.filter(pk=order.pk).update(state="returned" if is_over else "partially_returned")

    @rule(pick=st.integers(0, 50))
    def cancels(self, pick):
        orders = list(Order.objects.filter(state="paid").order_by("pk"))
        if orders:
            Order.objects.filter(pk=orders[pick % len(orders)].pk).update(state="cancelled", cancelled_at=self.now)

    # What members and staff do

    @rule(of=who)
    def takes_the_reward(self, of):
        member = Member.objects.filter(programme=self.club, customer=self.living(of)).first()
        before = Entry.objects.count(), Grant.objects.count(), Claim.objects.count()
        source = f"claim{self.number()}"
        asked = {"reward_id": self.reward.pk, "member_id": member.pk if member else 0, "source": source, "by": BY}
        if not self.attempt(claims.claim, **asked):
            assert (Entry.objects.count(), Grant.objects.count(), Claim.objects.count()) == before
            return
        after = Entry.objects.count(), Grant.objects.count(), Claim.objects.count()
        assert after == tuple(count + 1 for count in before)
        self.attempt(claims.claim, **asked)
        assert (Entry.objects.count(), Grant.objects.count(), Claim.objects.count()) == after, "the same claim again"

    @rule(pick=st.integers(0, 20))
    def brings_a_reward_back(self, pick):
        taken = list(Claim.objects.order_by("pk"))
        if taken:
            self.attempt(claims.return_claim, claim_id=taken[pick % len(taken)].pk, by=BY, reason="law")

    @rule(of=who, amount=st.integers(-400, 400).filter(bool))
    def is_corrected(self, of, amount):
        unit = self.club.unit
        opened = ledger.open_customer_accounts(unit=unit, customer_ids=[self.living(of).pk], now=self.now)
        source = f"adjust{self.number()}"
        self.attempt(
            ledger.adjust, account_id=opened[self.living(of).pk], amount=amount, source=source, reason="law", by=BY
        )

    @rule(of=who, comes=st.booleans())
    def leaves_or_joins(self, of, comes):
        act = operations.join if comes else operations.leave
        self.attempt(act, programme_id=self.club.pk, customer_ids=[self.living(of).pk], by=BY)

    @rule()
    def becomes_another(self):
        """The last customer turns out to be the first; late, for it cannot be undone."""
        if self.number() < 25 or self.living(2) == self.customers[0]:
            return
        first, last = self.customers[0], self.customers[2]
        ledger.merge_accounts(customer_id=last.pk, into_id=first.pk, now=self.now, by=BY)
        Customer.objects.filter(pk=last.pk).update(merged_into=first, email=None)

    @rule()
    def is_erased(self):
        """The second one is forgotten: what was owed to her stays in the books, by number alone."""
        if self.number() < 35:
            return
        Customer.objects.filter(pk=self.customers[1].pk, erased_at=None).update(erased_at=self.now, email=None)

    # Time and the jobs

    @rule(days=st.sampled_from([0.01, 0.5, 2, 6]))
    def waits(self, days):
        """Nights come with it, but for the last one."""
        while days > 1:
            self.now += DAY
            days -= 1
            self.night()
        self.now += days * DAY

    @rule()
    def sweeps(self):
        self.sweep()
        rows = Entry.objects.count(), Grant.objects.count(), Earning.objects.count(), TierChange.objects.count()
        self.sweep()
        again = Entry.objects.count(), Grant.objects.count(), Earning.objects.count(), TierChange.objects.count()
        assert again == rows, "nothing is earned, taken back or given twice"
        self.each_order_earned_what_it_should()
        self.nobody_is_below_what_she_reached()

    def sweep(self) -> None:
        # All of this is one transaction, whose facts no mark passes: so they are of an earlier one, and looked at anew.
        for model in (Order, Return, Activity, Member, Earning):
            model.objects.update(xid=1)
        Watermark.objects.filter(key__startswith="loyalty.").update(mark=0)
        earn_due(now=self.now, progress=nothing)
        take_back_due(now=self.now, progress=nothing)
        operations.retier(now=self.now, by=BY, progress=nothing)

    @rule()
    def night(self):
        ledger.keep_night(now=self.now, by=BY, progress=nothing)
        operations.keep_tiers(now=self.now, by=BY, progress=nothing)

    # Laws

    def each_order_earned_what_it_should(self):
        for order in Order.objects.exclude(paid_at=None):
            rows = list(Earning.objects.filter(order=order, rule="base"))
            kept = sum(line.unit_price_minor * (line.quantity - line.returned_quantity) for line in order.lines.all())
            paid = 0 if order.state in ("cancelled", "returned") else kept
            assert len(rows) <= 1
            for row in rows:
                percent = TIERS[row.tier][1]
                assert row.amount == min(row.given, paid * percent // 100 // 100), (order.pk, row.why)
            member = Member.objects.filter(programme=self.club, customer=order.customer).first()
            if member is not None and member.left_at is None and not rows and order.customer.erased_at is None:
                assert paid < 100 or order.placed_at < member.joined_at or Earning.objects.filter(order=order).exists()
        for member in Member.objects.filter(programme=self.club):
            months = [
                row.earned_at.astimezone(clock.zone(ZONE)).strftime("%Y-%m")
                for row in member.earnings.filter(rule="review")
            ]
            assert all(months.count(month) <= REVIEWS_A_MONTH for month in months)

    def nobody_is_below_what_she_reached(self):
        ranks = {tier.key: tier.rank for tier in Tier.objects.filter(programme=self.club)} | {"": 0}
        today = self.now.astimezone(clock.zone(ZONE)).date()
        for member in Member.objects.filter(programme=self.club, left_at=None, customer__erased_at=None):
            if member.customer.merged_into_id:
                continue
            counted = sum(
                row.amount
                for row in member.earnings.filter(counts_for_tier=True)
                if _months_before(today) < row.earned_at.astimezone(clock.zone(ZONE)).date() <= today
            )
            reached = max(rank for key, rank in ranks.items() if not key or counted >= TIERS[key][0])
            stands = member.tier.rank if member.tier else 0
            assert stands >= reached, (member.pk, counted, stands)

    @invariant()
    def the_books_balance(self):
        assert book_differences() == []
        owed = Account.objects.exclude(kind="system").aggregate(sum=Sum("balance"))["sum"] or 0
        lots = Lot.objects.filter(remaining__gt=0).aggregate(sum=Sum("remaining"))["sum"] or 0
        cells = Cell.objects.aggregate(debited=Sum("debited"), credited=Sum("credited"))
        liability = (cells["debited"] or 0) - (cells["credited"] or 0)
        assert liability == owed == lots
        assert not Lot.objects.filter(remaining__lt=0).exists()

    @invariant()
    def the_counters_say_what_the_rows_say(self):
        assert counter_differences() == []
        taken = Claim.objects.filter(reward=self.reward, state="claimed")
        for count in RewardCount.objects.filter(reward=self.reward):
            mine = taken if count.member_id is None else taken.filter(member=count.member_id)
            assert count.taken >= mine.count()
            assert count.most is None or count.taken <= count.most
        assert taken.count() <= STOCK

    @invariant()
    def a_member_earned_the_sum_of_her_earnings(self):
        for member in Member.objects.filter(programme=self.club):
            assert member.earned == sum(row.amount for row in member.earnings.all())

    @invariant()
    def what_an_earning_brought_is_at_least_what_stands_of_it(self):
        for earning in Earning.objects.all():
            issued = Entry.objects.get(source=f"grant:{self.grant_of(earning)}:0")
            back = issued.reversals.aggregate(sum=Sum("amount"))["sum"] or 0
            assert issued.amount == earning.given
            assert earning.amount <= issued.amount - back <= earning.given

    @staticmethod
    def grant_of(earning) -> int:
        return Grant.objects.get(source=f"earning:{earning.pk}").pk

    @invariant()
    def what_a_tier_brings_is_brought_once_a_rise(self):
        ups = TierChange.objects.filter(is_up=True).count()
        assert Grant.objects.filter(incentive__name="Welcome to the tier").count() <= ups


def _months_before(day: dt.date) -> dt.date:
    """The same day a month before, or the last one of that month."""
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month, last)
        except ValueError:
            continue
    raise AssertionError


SIZES = [
    pytest.param((4, 40), id="short"),
    pytest.param((200, 100), id="twenty thousand steps", marks=[pytest.mark.laws, pytest.mark.timeout(7200)]),
]


@pytest.mark.django_db
@pytest.mark.parametrize("size", SIZES)
def test_a_programme_keeps_its_laws(size):
    examples, steps = size
    run = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
        derandomize=True, database=None,
    )  # fmt: skip
    run_state_machine_as_test(Club, settings=run)
