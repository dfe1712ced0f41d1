"""Returns, cancellations and fulfilment after the earning: exact, once, and by the programme's policy."""

import datetime as dt

import pytest

from loyalty import operations
from loyalty.models import Earning, Member
from loyalty.operations import returns
from loyalty.operations.due import rules_by_time
from loyalty.operations.earning import Swept, earn_for
from loyalty.reading import orders
from loyalty.rules import ProgrammeRule
from retention.actors import Actor
from retention.customers.models import Activity, Order
from retention.incentives import operations as incentives
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.operations.paying import TenderAsk
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry, Lot
from retention.ledger.operations.proofs import differences
from retention.work.models import Watermark
from tests.loyalty.conftest import BY, ONE_FOR_ONE, give_points

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def spend(customer, programme, amount, now):
    account = Account.objects.get(customer=customer, unit_id=programme.unit_id)
    shop = ledger.shop_account(programme.unit, Account.Purpose.REDEEMED)
    wish = ledger.Transfer(
        source=f"spend:{customer.pk}:{amount}", from_id=account.pk, to_id=shop, amount=amount, verb=Entry.Verb.SPEND
    )
    ledger.transfer_one(wish=wish, now=now, by=BY)


def test_a_part_that_comes_back_leaves_what_the_rest_would_have_earned(
    programme, customers, order, sweep, follow, give_back, balance, now
):
    tens = {"kind": "per_amount", "key": "tens", "amount": 10, "per_minor": 5_000, "is_whole": True}
    club = programme(earning=[ONE_FOR_ONE, tens])
    bought = order(customers[0], ("A", 3_333, 3), ("B", 1_999, 1), at=now + HOUR, discount_minor=1_000)
    sweep(now + HOUR)
    assert balance(customers[0], club, now + HOUR)[0] == 109 + 20

    give_back(bought, A=1)
    followed = follow(now + DAY)

    # 2 × 33.33 + 19.99 = 86.65 of 119.98, less their share of the discount: 79.42….
    assert dict(Earning.objects.values_list("rule", "amount")) == {"base": 79, "tens": 10}
    assert dict(Earning.objects.values_list("rule", "given")) == {"base": 109, "tens": 20}
    assert followed.as_dict() == {"due": 1, "touched": 2, "skipped": {}}
    assert balance(customers[0], club, now + DAY) == (89, 89)
    assert Member.objects.get().earned == 89
    alone = orders([bought.pk], "EUR")[0]
    swept = Swept()
    assert earn_for(
        programme=club, rules=rules_by_time(club), facts=[alone], swept=swept, now=now, by=Actor.job("test")
    ) == []  # fmt: skip
    assert differences() == []


def test_the_same_return_again_takes_nothing_more_and_the_rest_takes_the_rest(
    programme, customers, order, sweep, follow, give_back, balance, now
):
    club = programme()
    bought = order(customers[0], ("A", 1_000, 3), at=now + HOUR)
    sweep(now + HOUR)
    give_back(bought, A=1)

    assert [follow(now + DAY).shrunk, follow(now + DAY).shrunk] == [1, 0]
    assert balance(customers[0], club, now + DAY)[0] == 20
    give_back(bought, A=2)
    follow(now + 2 * DAY)
    follow(now + 2 * DAY)
    assert balance(customers[0], club, now + DAY)[0] == 0
    taken = Entry.objects.filter(verb="take_back").order_by("pk")
    pk = Earning.objects.get().pk
    assert list(taken.values_list("amount", "source")) == [(10, f"earning:{pk}:20"), (20, f"earning:{pk}:0")]


def test_a_cancelled_order_loses_what_is_pending_too(programme, customers, order, sweep, follow, balance, now):
    club = programme(pending={"kind": "days", "days": 30})
    bought = order(customers[0], at=now + HOUR)
    sweep(now + HOUR)
    assert balance(customers[0], club, now + HOUR) == (10, 0)
    Order.objects.filter(pk=bought.pk).update(state="cancelled")

    follow(now + DAY)

    assert balance(customers[0], club, now + 60 * DAY) == (0, 0)
    assert (Earning.objects.get().amount, Member.objects.get().earned) == (0, 0)


@pytest.mark.parametrize(
    ("policy", "left", "skipped"),
    [("lot", 5, 1), ("balance", 0, 1), ("negative", -5, 0)],
)
def test_what_was_spent_is_taken_back_by_the_policy(
    programme, customers, order, sweep, follow, balance, now, policy, left, skipped
):
    may = policy == "negative"
    club = programme(returns=policy, unit_rule={"may_be_negative": may})
    first = order(customers[0], ("A", 1_000, 1), at=now + HOUR)
    order(customers[0], ("B", 500, 1), at=now + 2 * HOUR)
    sweep(now + 2 * HOUR)
    spend(customers[0], club, 10, now + 3 * HOUR)
    assert balance(customers[0], club, now + DAY)[0] == 5

    Order.objects.filter(pk=first.pk).update(state="returned")
    followed = follow(now + DAY)

    assert balance(customers[0], club, now + DAY)[0] == left
    assert sum(followed.skipped.values()) == skipped
    assert Member.objects.get().earned == 5
    assert differences() == []


def test_an_order_is_weighed_by_its_own_version_whatever_came_after(
    programme, customers, order, sweep, follow, give_back, now
):
    club = programme()
    bought = order(customers[0], ("A", 1_000, 2), at=now + HOUR)
    sweep(now + HOUR)
    rule = ProgrammeRule.model_validate({"names": {"en": "Club"}, "earning": [{**ONE_FOR_ONE, "amount": 100}]})
    operations.save_programme(programme_id=club.pk, rule=rule, edited=1, now=now + 2 * HOUR, by=BY)

    give_back(bought, A=1)
    follow(now + DAY)

    assert list(Earning.objects.values_list("given", "amount")) == [(20, 10)]


def test_what_was_refunded_without_a_line_shrinks_the_whole(programme, customers, order, sweep, follow, balance, now):
    club = programme()
    bought = order(customers[0], ("A", 10_000, 1), at=now + HOUR)
    sweep(now + HOUR)
    bought.returns.create(reference="r1", amount_minor=2_550, base_minor=2_550, occurred_at=now, recorded_at=now)
    Order.objects.filter(pk=bought.pk).update(state="partially_returned")

    follow(now + DAY)

    assert balance(customers[0], club, now + DAY)[0] == 74


def pays_with(tenders, *, order, price, now, customer):
    line = Line("A", 1, price)
    checkout = Checkout("EUR", (line,), buyer=Buyer(reference=customer.reference), order_reference=order)
    return incentives.redeem(
        source=f"k:{order}", request_hash=b"x" * 32, codes=[], checkout=checkout, tenders=tenders, now=now
    )  # fmt: skip


@pytest.mark.parametrize(("earns_on", "amounts"), [("money", (70, 70)), ("everything", (100, 100))])
def test_what_points_paid_earns_as_the_programme_says_whenever_it_is_told(
    programme, customers, order, sweep, follow, balance, now, earns_on, amounts
):
    """30.00 of 100.00 paid with points: told before the order earned, or a moment after it."""
    club = programme(unit_rule={"worth": {"EUR": 100}}, earns_on=earns_on)
    anna = customers[0]
    hers = operations.join(programme_id=club.pk, customer_ids=[anna.pk], now=now, by=BY).members[anna.pk]
    give_points(Member.objects.get(pk=hers), 10_000, now=now)
    asks = [TenderAsk(unit=club.unit.key, amount=3_000)]
    first = order(anna, ("A", 10_000, 1), at=now + HOUR)
    pays_with(asks, order=first.reference, price=10_000, now=now + HOUR, customer=anna)
    sweep(now + HOUR)
    follow(now + HOUR)
    late = order(anna, ("A", 10_000, 1), at=now + HOUR)
    sweep(now + HOUR)
    assert Earning.objects.get(order=late).amount == 100
    pays_with(asks, order=late.reference, price=10_000, now=now + HOUR, customer=anna)
    for _twice in range(2):
        follow(now + HOUR)

    assert tuple(Earning.objects.order_by("pk").values_list("amount", flat=True)) == amounts
    assert balance(anna, club, now + HOUR)[0] == 10_000 - 6_000 + sum(amounts)
    assert differences() == []


def test_a_return_that_came_before_the_earning_was_seen_is_followed_too(
    programme, customers, order, sweep, follow, give_back, now
):
    programme()
    bought = order(customers[0], ("A", 1_000, 2), at=now + HOUR)
    give_back(bought, A=1)
    sweep(now + DAY)
    follow(now + DAY)

    assert list(Earning.objects.values_list("given", "amount")) == [(10, 10)]


def test_days_begin_when_the_order_is_fulfilled(programme, customers, order, sweep, follow, balance, now):
    club = programme(pending={"kind": "days", "days": 14, "since": "fulfilled"})
    bought = order(customers[0], at=now + HOUR)
    ready = order(customers[0], at=now + HOUR, fulfilled_at=now + 2 * HOUR)
    sweep(now + 2 * HOUR)
    follow(now + 2 * HOUR)
    waiting, running = Lot.objects.order_by("pk")
    assert (waiting.active_at, waiting.pending_event) == (None, f"loyalty.fulfilled:14:{bought.pk}")
    assert running.active_at == dt.datetime(2026, 5, 26, 22, tzinfo=dt.UTC)
    assert ready.pk != bought.pk

    Order.objects.filter(pk=bought.pk).update(state="fulfilled", fulfilled_at=now + 3 * DAY)
    assert follow(now + 4 * DAY).begun == 1
    assert follow(now + 4 * DAY).begun == 0

    assert Lot.objects.get(pk=waiting.pk).active_at == dt.datetime(2026, 5, 29, 22, tzinfo=dt.UTC)
    assert balance(customers[0], club, now + 40 * DAY) == (20, 20)


def test_value_may_wait_for_something_that_she_does(programme, customers, order, activity, sweep, follow, balance, now):
    club = programme(pending={"kind": "event", "activity": "store_visited"})
    for customer in customers[:2]:
        order(customer, at=now + HOUR)
    sweep(now + HOUR)
    activity(customers[0], "store_visited", at=now + DAY)
    follow(now + DAY)

    assert [balance(customer, club, now + DAY) for customer in customers[:2]] == [(10, 10), (10, 0)]


def test_an_event_that_came_before_its_earning_was_written_is_not_lost(
    programme, customers, order, activity, sweep, follow, balance, now
):
    club = programme(pending={"kind": "event", "activity": "store_visited"})
    order(customers[0], at=now + HOUR)
    activity(customers[0], "store_visited", at=now + 2 * HOUR)
    activity(customers[1], "store_visited", at=now + HOUR)
    order(customers[1], at=now + 2 * HOUR)
    follow(now + DAY)
    Activity.objects.update(xid=1)
    sweep(now + DAY)
    # Only the earnings are new since the last look, the visits are not.
    Earning.objects.update(xid=5)
    Watermark.objects.filter(key=returns.JOB).update(mark=2)
    returns.take_back_due(now=now + DAY, progress=lambda done, total: None)

    assert [balance(customer, club, now + DAY) for customer in customers[:2]] == [(10, 10), (10, 0)]
