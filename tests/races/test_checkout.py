"""The checkout's races: whatever meets whatever at the same moment, nothing is over-spent and nothing undone twice.

Each race is run by the product and by a naive twin that looks first and writes then; a race that its twin survives
would prove nothing. A few rounds run with every test; `make races` runs two hundred clients over twenty rounds.
"""

import datetime as dt
import hashlib
import random
import threading
from dataclasses import dataclass, field

import pytest
from django.db import connections, transaction
from django.db.models import F, Sum

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Counter, Redemption, Rollback, Use
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.refusals import Refused
from retention.shop.models import Shop
from tests.races.crowds import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor.command("race")
HASH = hashlib.sha256(b"race").digest()
MINUTE = dt.timedelta(minutes=1)
TEN_EUROS = [{"kind": "amount", "amounts": {"EUR": 1000}}]
#: (clients, rounds) of every test run, and of `make races`.
SIZES = [
    pytest.param((12, 2), id="quick"),
    pytest.param((200, 20), id="full", marks=[pytest.mark.races, pytest.mark.timeout(1800)]),
]


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def live(shop, now):
    """A live incentive with a public code of its own name: ten euros off unless told otherwise."""

    def make(name, **rule):
        rule = {"name": name, "effects": TEN_EUROS, "codes": {"kind": "public", "text": name}, **rule}
        incentive = operations.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
        return operations.go_live(incentive_id=incentive.pk, now=now, by=BY)

    return make


@dataclass
class Meeting:
    """Where naive twins wait for each other between looking and writing; late ones do not wait for ever."""

    parties: int = 2
    barrier: threading.Barrier = field(init=False)

    def __post_init__(self) -> None:
        self.barrier = threading.Barrier(self.parties)

    def __call__(self) -> None:
        try:
            self.barrier.wait(timeout=1)
        except threading.BrokenBarrierError:
            self.barrier.reset()


def basket(order="", buyer=None, price=5000):
    return Checkout("EUR", (Line("a", 1, price),), buyer=buyer or Buyer(), order_reference=order)


def redeem(now, source, *codes, buyer=None, price=5000):
    checkout = basket(f"o{source}", buyer, price)
    operations.redeem(source=f"r:{source}", request_hash=HASH, codes=codes, checkout=checkout, now=now)
    return "redeemed"


def spent(incentive):
    found = Use.objects.filter(incentive_id=incentive.pk).aggregate(
        sum=Sum(F("discount_minor") - F("given_back_minor"))
    )
    return found["sum"] or 0


def naive_use(now, source, incentive, *, discount=1000, customer=None):
    """Rows of a redemption as they are written by a twin that has looked before."""
    with transaction.atomic():
        redemption = Redemption.objects.create(
            source=f"naive:{source}",
            request_hash=HASH,
            state=Redemption.State.REDEEMED,
            customer=customer,
            order_reference=f"o{source}",
            currency="EUR",
            discount_minor=discount,
            base_minor=discount,
            effects={"lines": [{"quantity": 4}], "offers": [{"lines": [discount], "shipping_minor": 0}]},
            redeemed_at=now,
        )
        Use.objects.create(
            redemption=redemption,
            place=0,
            incentive_id=incentive.pk,
            version_id=incentive.version_id,
            discount_minor=discount,
            used_at=now,
            used_on=now.date(),
        )
    return redemption


# One code


@pytest.mark.parametrize("size", SIZES)
def test_one_code_is_used_once(live, now, size):
    clients, rounds = size
    incentive = live("CODE", codes={"kind": "unique", "is_bound": False})
    operations.generate_codes(incentive_id=incentive.pk, count=rounds, purpose="handout", source="x", now=now, by=BY)
    for turn, code in enumerate(Code.objects.values_list("code", flat=True)):
        outcomes = at_once(lambda n, t=turn, c=code: redeem(now, f"{t}:{n}", c), clients, clients)
        assert outcomes == {"redeemed": 1, "incentives.code_redeemed": clients - 1}
    assert Use.objects.count() == rounds
    assert differences() == []


def test_the_naive_twin_uses_one_code_twice(live, now):
    incentive = live("CODE", codes={"kind": "unique", "is_bound": False})
    operations.generate_codes(incentive_id=incentive.pk, count=1, purpose="handout", source="x", now=now, by=BY)
    meet = Meeting()

    def naive(number):
        if Code.objects.get().state != Code.State.GIVEN:
            return "refused"
        meet()
        naive_use(now, number, incentive)
        Code.objects.update(state=Code.State.REDEEMED)
        return "redeemed"

    assert at_once(naive, 2, 2) == {"redeemed": 2}


# One budget, on one row and on stripes


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_rush", [False, True])
def test_one_budget_is_spent_to_the_last_cent_and_no_further(live, now, size, is_rush):
    clients, rounds = size
    for turn in range(rounds):
        limits = {"money": {"amount_minor": 10_000, "currency": "EUR"}, "expects_rush": is_rush}
        incentive = live(f"BUDGET{turn}", limits=limits)
        outcomes = at_once(lambda n, t=turn: redeem(now, f"{t}:{n}", f"BUDGET{t}"), max(clients, 20), clients)
        assert outcomes == {"redeemed": 10, "incentives.budget_spent": max(clients, 20) - 10}
        assert spent(incentive) == 10_000
    assert differences() == []


@pytest.mark.parametrize("size", SIZES)
def test_a_rush_of_odd_discounts_leaves_no_cent_that_somebody_wanted(live, now, size):
    clients, rounds = size
    for turn in range(rounds):
        limits = {"money": {"amount_minor": 4_321, "currency": "EUR"}, "total": 10**6, "expects_rush": True}
        incentive = live(f"ODD{turn}", effects=[{"kind": "percent", "basis_points": 1000}], limits=limits)
        chance = random.Random(turn)
        prices = [chance.choice([70, 990, 3330, 10000]) for _ in range(max(clients, 40))]
        outcomes = at_once(
            lambda n, t=turn, p=prices: redeem(now, f"{t}:{n}", f"ODD{t}", price=p[n]), len(prices), clients
        )
        assert set(outcomes) <= {"redeemed", "incentives.budget_spent"}
        left = 4_321 - spent(incentive)
        assert left >= 0
        # Now that nobody is in the way, what is left is spent to the cent.
        if left:
            assert redeem(now, f"{turn}:last", f"ODD{turn}", price=left * 10) == "redeemed"
        assert spent(incentive) == 4_321
    assert differences() == []


def test_the_naive_twin_overspends_a_budget(live, now):
    incentive, meet = live("BUDGET"), Meeting()

    def naive(number):
        if spent(incentive) + 1000 > 1000:
            return "refused"
        meet()
        naive_use(now, number, incentive)
        return "redeemed"

    assert at_once(naive, 2, 2) == {"redeemed": 2}
    assert spent(incentive) == 2000


def test_a_naive_stripe_that_leases_without_a_lock_overspends(live, now):
    """What the lease's lock on the incentive's own row is for."""
    limits = {"money": {"amount_minor": 1_000, "currency": "EUR"}, "expects_rush": True}
    incentive, meet = live("BUDGET", limits=limits), Meeting()

    def naive(number):
        own = Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="EUR")
        if own.spent_minor + 1000 > 1000:
            return "refused"
        meet()
        Counter.objects.filter(pk=own.pk).update(spent_minor=F("spent_minor") + 1000)
        stripe = Counter.objects.filter(
            incentive_id=incentive.pk, scope="stripe", currency="EUR", subject_id=number + 1
        )
        stripe.update(most=F("most") + 1000, spent_minor=F("spent_minor") + 1000)
        naive_use(now, number, incentive)
        return "redeemed"

    assert at_once(naive, 2, 2) == {"redeemed": 2}
    assert spent(incentive) == 2000


# One customer's limits, for ever, in a day, in any 24 hours, and over all offers

LIMITS = {
    "for ever": {"per_customer": 3},
    "in a day": {"windows": [{"per": "customer", "within": "day", "uses": 3}]},
    "in any 24 hours": {"windows": [{"per": "customer", "within": "day", "is_rolling": True, "uses": 3}]},
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("within", LIMITS)
def test_one_customer_uses_an_offer_as_often_as_she_may_under_any_name(live, now, size, within):
    clients, rounds = size
    Customer.objects.create(reference="anna", email="anna@example.com", recorded_at=now)
    names = [Buyer("anna"), Buyer(email="anna@example.com"), Buyer(email="other@example.com", payment_token="card")]
    names[:2] = [Buyer(one.reference, None, one.email, payment_token="card") for one in names[:2]]
    for turn in range(rounds):
        live(f"HERS{turn}", limits=LIMITS[within])
        outcomes = at_once(lambda n, t=turn: redeem(now, f"{t}:{n}", f"HERS{t}", buyer=names[n % 3]), clients, clients)
        assert outcomes["redeemed"] == 3, outcomes
        assert set(outcomes) <= {"redeemed", "incentives.customer_limit_reached", "incentives.limit_reached"}
    assert differences() == []


def test_the_naive_twin_serves_a_customer_too_often(live, now):
    incentive, meet = live("HERS"), Meeting()
    anna = Customer.objects.create(reference="anna", recorded_at=now)

    def naive(number):
        if Redemption.objects.filter(customer=anna).exists():
            return "refused"
        meet()
        naive_use(now, number, incentive, customer=anna)
        return "redeemed"

    assert at_once(naive, 2, 2) == {"redeemed": 2}


# A hold against redemptions, and against its own end


@pytest.mark.parametrize("size", SIZES)
def test_holds_and_redemptions_share_the_last_uses(live, now, size):
    clients, rounds = size

    def act(turn, number):
        if number % 2:
            return redeem(now, f"{turn}:{number}", f"LAST{turn}")
        operations.hold(
            source=f"{turn}:{number}",
            request_hash=HASH,
            codes=[f"LAST{turn}"],
            checkout=basket(),
            minutes=5,
            now=now,
        )
        return "held"

    for turn in range(rounds):
        incentive = live(f"LAST{turn}", limits={"total": 5})
        outcomes = at_once(lambda n, t=turn: act(t, n), clients, clients)
        assert outcomes["held"] + outcomes["redeemed"] == 5, outcomes
        assert outcomes["incentives.total_limit_reached"] == clients - 5
        assert Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="").redeemed == 5
    assert differences() == []


@pytest.mark.parametrize("size", SIZES)
def test_a_hold_is_redeemed_or_released_never_both(live, now, size):
    clients, rounds = size
    incentive = live("HELD")

    def act(turn, held, number):
        if number % 3 == 0:
            return operations.release(public_id=held.public_id, now=now + MINUTE).state
        if number % 3 == 1:
            return f"job {operations.release_expired(now=now + 5 * MINUTE)}"
        operations.redeem_held(
            source=f"c:{turn}:{number}",
            request_hash=HASH,
            public_id=held.public_id,
            checkout=basket(f"o{turn}"),
            now=now + MINUTE,
        )
        return "redeemed"

    for turn in range(rounds):
        held = operations.hold(
            source=f"h{turn}", request_hash=HASH, codes=["HELD"], checkout=basket(), minutes=5, now=now
        )
        outcomes = at_once(lambda n, t=turn, h=held: act(t, h, n), clients, clients)
        row = Redemption.objects.get(public_id=held.public_id)
        assert outcomes["redeemed"] == (row.state == "redeemed"), outcomes
        assert set(outcomes) <= {"redeemed", "released", "job 0", "job 1", "incentives.hold_over"}
        uses = Use.objects.filter(incentive_id=incentive.pk, is_counted=True).count()
        assert Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="").redeemed == uses
    assert differences() == []


def test_the_naive_twin_redeems_a_hold_that_was_released(live, now):
    live("HELD")
    held = operations.hold(source="h", request_hash=HASH, codes=["HELD"], checkout=basket(), minutes=5, now=now)
    meet = Meeting()

    def naive(number):
        row = Redemption.objects.get(public_id=held.public_id)
        if row.state != "held":
            return "refused"
        meet()
        if number:
            Counter.objects.filter(scope="incentive", currency="").update(redeemed=F("redeemed") - 1)
            return "released"
        Redemption.objects.filter(pk=row.pk).update(state="redeemed", redeemed_at=now)
        return "redeemed"

    assert at_once(naive, 2, 2) == {"redeemed": 1, "released": 1}
    assert [difference.what for difference in differences()] == ["incentive redeemed"]


# Roll-backs against each other


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("how", ["whole", "in part", "both"])
def test_roll_backs_at_once_give_back_what_was_taken_once(live, now, size, how):
    clients, rounds = size
    incentive = live("BACK", effects=[{"kind": "amount", "amounts": {"EUR": 1000}}])

    def act(turn, public_id, number):
        is_whole = how == "whole" or how == "both" and number % 4 == 0
        operations.roll_back(
            public_id=public_id,
            source=f"b:{turn}:{number}",
            reason="x",
            lines=None if is_whole else {0: 1},
            now=now,
            by=BY,
        )
        return "undone"

    for turn in range(rounds):
        checkout = Checkout("EUR", (Line("a", 7, 700),), order_reference=f"o{turn}")
        done = operations.redeem(source=f"r:{turn}", request_hash=HASH, codes=["BACK"], checkout=checkout, now=now)
        outcomes = at_once(lambda n, t=turn, p=done.public_id: act(t, p, n), clients, clients)
        undone = Rollback.objects.filter(redemption__public_id=done.public_id)
        assert outcomes["undone"] == undone.count()
        assert outcomes["undone"] == {"whole": 1, "in part": 7}.get(how, outcomes["undone"])
        assert set(outcomes) <= {"undone", "incentives.rolled_back_before", "incentives.nothing_returned"}
        assert undone.aggregate(sum=Sum("discount_minor"))["sum"] == 1000
    assert spent(incentive) == 0
    assert differences() == []


def test_the_naive_twin_gives_a_line_back_twice(live, now):
    incentive, meet = live("BACK"), Meeting()
    redemption = naive_use(now, "x", incentive)

    def naive(number):
        returned = sum(line["quantity"] for one in Rollback.objects.all() for line in one.effects["lines"])
        if returned + 4 > 4:
            return "refused"
        meet()
        Rollback.objects.create(
            redemption=redemption,
            source=f"naive:{number}",
            reason="x",
            lines=[{"line": 0, "quantity": 4}],
            discount_minor=1000,
            effects={"lines": [{"line": 0, "quantity": 4}]},
            is_last=True,
            rolled_back_at=now,
        )
        return "undone"

    assert at_once(naive, 2, 2) == {"undone": 2}
    assert Rollback.objects.aggregate(sum=Sum("discount_minor"))["sum"] == 2000


# Redemptions against the stop button


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_rush", [False, True])
def test_once_the_stop_has_answered_nothing_is_redeemed_not_even_from_a_hold(live, now, size, is_rush):
    clients, rounds = size

    def act(turn, incentive, holds, stopped, number):
        if number == clients // 2:
            operations.stop(incentive_id=incentive.pk, now=now, by=BY)
            stopped.append(Use.objects.filter(incentive_id=incentive.pk, redemption__state="redeemed").count())
            return "stop"
        if number % 2:
            return redeem(now, f"{turn}:{number}", f"STOP{turn}")
        operations.redeem_held(
            source=f"c:{turn}:{number}",
            request_hash=HASH,
            public_id=holds[number].public_id,
            checkout=basket(f"o{turn}:{number}"),
            now=now,
        )
        return "redeemed"

    for turn in range(rounds):
        incentive, stopped = live(f"STOP{turn}", limits={"expects_rush": is_rush}), []
        holds = {
            number: operations.hold(
                source=f"{turn}:{number}", request_hash=HASH, codes=[f"STOP{turn}"], checkout=basket(), minutes=5,
                now=now,
            )
            for number in range(0, clients, 2)
        }  # fmt: skip
        outcomes = at_once(lambda n, t=turn, i=incentive, h=holds, s=stopped: act(t, i, h, s, n), clients, clients)
        assert set(outcomes) <= {"redeemed", "stop", "incentives.stopped"}, outcomes
        assert stopped == [outcomes["redeemed"]]
    assert differences() == []


def test_the_naive_twin_redeems_after_the_stop(live, now):
    incentive, looked, stopped = live("STOP"), threading.Event(), threading.Event()

    def naive(number):
        if number:
            looked.wait(timeout=20)
            operations.stop(incentive_id=incentive.pk, now=now, by=BY)
            stopped.set()
            return Use.objects.count()
        if Counter.objects.get(incentive_id=incentive.pk, scope="incentive").is_stopped:
            return "refused"
        looked.set()
        stopped.wait(timeout=20)
        naive_use(now, number, incentive)
        return "redeemed"

    assert at_once(naive, 2, 2) == {"done": 1, "redeemed": 1}
    assert Use.objects.count() == 1


# Orders with many codes


@pytest.mark.parametrize("size", SIZES)
def test_orders_with_five_codes_in_any_order_never_wait_in_a_circle(live, now, size):
    clients, rounds = size
    names = [f"MANY{n}" for n in range(8)]
    for n, name in enumerate(names):
        live(name, effects=[{"kind": "amount", "amounts": {"EUR": 10 + n}}], limits={"expects_rush": n % 2 == 0})
    live("SELF", codes={"kind": "automatic"}, effects=[{"kind": "amount", "amounts": {"EUR": 5}}])
    for turn in range(rounds):
        outcomes = at_once(
            lambda n, t=turn: redeem(now, f"{t}:{n}", *random.Random(f"{t}:{n}").sample(names, 5)), clients, clients
        )
        assert outcomes == {"redeemed": clients}
    assert Use.objects.count() == clients * rounds * 6
    assert differences() == []


def test_one_order_is_all_or_nothing_when_another_takes_a_part(live, now):
    live("WIDE")
    live("ONCE", limits={"total": 1})

    def act(number):
        return redeem(now, number, "WIDE", "ONCE") if number % 2 else redeem(now, number, "ONCE")

    outcomes = at_once(act, 20, 10)
    assert outcomes == {"redeemed": 1, "incentives.total_limit_reached": 19}
    wide, once = (Use.objects.filter(code__code=code).count() for code in ("WIDE", "ONCE"))
    assert (once, wide) in {(1, 0), (1, 1)}
    assert differences() == []


def test_a_refusal_of_one_is_not_an_error_of_all(live, now):
    """A crowd over a hot offer: every answer is a redemption or a reason, never an error of the database."""
    live("HOT", limits={"money": {"amount_minor": 3_000, "currency": "EUR"}, "per_customer": 1, "expects_rush": True})

    def act(number):
        try:
            return redeem(now, number, "HOT", buyer=Buyer(email=f"p{number % 6}@example.com"))
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()

    outcomes = at_once(act, 40, 10)
    assert set(outcomes) <= {"redeemed", "incentives.budget_spent", "incentives.customer_limit_reached"}, outcomes
    assert outcomes["redeemed"] == 3
