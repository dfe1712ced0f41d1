"""Shoppers at the same moment: no limit is passed, nothing is used twice, stop and undo mean it.

Every race is also run by a naive twin that looks first and writes then; if a race cannot catch its twin, it proves
nothing.
"""

import hashlib
import itertools
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction
from django.db.models import F, Sum

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Counter, Grant, Redemption, Use
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.refusals import Refused
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor.command("race")
#: Connections at once; each tries again and again.
SHOPPERS = 10
HASH = hashlib.sha256(b"race").digest()


def at_once(act: Callable[[int], object], tries: int, shoppers: int = SHOPPERS) -> Tally:
    """Let `shoppers` connections loose together until `act(n)` was called for every n below `tries`; tally outcomes."""
    gate, numbers, outcomes = threading.Barrier(shoppers), itertools.count(), []

    def run() -> None:
        try:
            gate.wait(timeout=20)
            while (number := next(numbers)) < tries:
                try:
                    outcomes.append(act(number) or "done")
                except Refused as refused:
                    outcomes.append(refused.code)
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(shoppers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return Tally(outcomes)


@pytest.fixture
def shop():
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def anna(now):
    return Customer.objects.create(reference="anna", email="anna@example.com", recorded_at=now)


@pytest.fixture
def live(shop, now):
    def make(*, effects=None, codes=None, **rule):
        rule = IncentiveRule.model_validate(
            {
                "name": "Race",
                "effects": effects or [{"kind": "amount", "amounts": {"EUR": 1000}}],
                "codes": codes or {"kind": "public", "text": "RACE"},
                **rule,
            }
        )
        incentive = operations.create_incentive(rule=rule, now=now, by=BY)
        return operations.go_live(incentive_id=incentive.pk, now=now, by=BY)

    return make


@pytest.fixture
def unique(live, anna, now):
    """A live incentive and one code of Anna's."""
    incentive = live(codes={"kind": "unique"})
    operations.grant(
        incentive_id=incentive.pk,
        sources=["race"],
        customer_ids=[anna.pk],
        origin="race",
        origin_ids=[1],
        now=now,
        by=BY,
        is_given=True,
    )
    return incentive, Code.objects.get()


def redeem(now, number, *, code="RACE", buyer=None, source=None):
    checkout = Checkout("EUR", (Line("a", 1, 5000),), buyer=buyer or Buyer(), order_reference=f"o{number}")
    redeemed = operations.redeem(
        source=source or f"race:{number}", request_hash=HASH, codes=[code], checkout=checkout, now=now
    )
    return str(redeemed.public_id) if source else "redeemed"


class Meeting:
    """Where naive twins wait for each other between looking and writing; late ones do not wait for ever."""

    def __init__(self, parties: int = SHOPPERS) -> None:
        self.barrier = threading.Barrier(parties)

    def __call__(self) -> None:
        try:
            self.barrier.wait(timeout=2)
        except threading.BrokenBarrierError:
            pass


def naive_redeem(now, number, *, incentive, code, is_free: Callable[[], bool], meet: Callable[[], None], customer=None):
    """What a redemption must not be: look whether there is room, then write."""
    if not is_free():
        return "refused"
    meet()
    redemption = Redemption.objects.create(
        source=f"naive:{number}",
        request_hash=HASH,
        state=Redemption.State.REDEEMED,
        customer=customer,
        order_reference=f"o{number}",
        currency="EUR",
        discount_minor=1000,
        base_minor=1000,
        effects={},
        redeemed_at=now,
    )
    Use.objects.create(
        redemption=redemption,
        place=0,
        code=code,
        incentive_id=incentive.pk,
        version_id=incentive.version_id,
        discount_minor=1000,
        used_at=now,
        used_on=now.date(),
    )
    Counter.objects.filter(incentive_id=incentive.pk, scope="incentive", currency="").update(redeemed=F("redeemed") + 1)
    Code.objects.filter(pk=code.pk).update(state=Code.State.REDEEMED if not code.is_public else Code.State.GIVEN)
    return "redeemed"


def test_a_code_limited_to_50_is_used_50_times(live, now):
    incentive = live(limits={"total": 50})
    outcomes = at_once(lambda n: redeem(now, n), tries=200)
    assert outcomes == {"redeemed": 50, "incentives.total_limit_reached": 150}
    assert Use.objects.filter(incentive_id=incentive.pk).count() == 50
    assert differences() == []


def test_the_naive_twin_passes_the_total(live, now):
    incentive, meet = live(limits={"total": 50}), Meeting()
    code = Code.objects.get()

    def is_free():
        return Use.objects.filter(incentive_id=incentive.pk).count() < 5

    at_once(lambda n: naive_redeem(now, n, incentive=incentive, code=code, is_free=is_free, meet=meet), tries=50)
    assert Redemption.objects.count() > 5


def test_a_unique_code_is_used_once(unique, anna, now):
    _incentive, code = unique
    outcomes = at_once(lambda n: redeem(now, n, code=code.code, buyer=Buyer("anna")), tries=50)
    assert outcomes == {"redeemed": 1, "incentives.code_redeemed": 49}
    assert Redemption.objects.count() == 1
    assert differences() == []


def test_the_naive_twin_uses_a_unique_code_again(unique, now):
    incentive, code = unique
    meet = Meeting()

    def is_free():
        return Code.objects.get(pk=code.pk).state == Code.State.GIVEN

    at_once(lambda n: naive_redeem(now, n, incentive=incentive, code=code, is_free=is_free, meet=meet), tries=20)
    assert Redemption.objects.count() > 1


@pytest.mark.parametrize("buyer", [Buyer("anna"), Buyer(email="guest@example.com")])
def test_a_customer_uses_an_offer_as_often_as_she_may(live, anna, now, buyer):
    live(limits={"per_customer": 2})
    outcomes = at_once(lambda n: redeem(now, n, buyer=buyer), tries=50)
    assert outcomes == {"redeemed": 2, "incentives.customer_limit_reached": 48}
    assert differences() == []


def test_the_naive_twin_serves_a_customer_too_often(live, anna, now):
    incentive, meet = live(), Meeting()
    code = Code.objects.get()

    def is_free():
        return Redemption.objects.filter(customer=anna).count() < 2

    at_once(
        lambda n: naive_redeem(now, n, incentive=incentive, code=code, is_free=is_free, meet=meet, customer=anna),
        tries=20,
    )
    assert Redemption.objects.count() > 2


def test_a_budget_of_100_pays_for_ten_discounts_of_10(live, now):
    incentive = live(limits={"money": {"amount_minor": 10_000, "currency": "EUR"}})
    outcomes = at_once(lambda n: redeem(now, n), tries=60)
    assert outcomes == {"redeemed": 10, "incentives.budget_spent": 50}
    spent = Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="EUR").spent_minor
    assert (spent, Redemption.objects.aggregate(sum=Sum("discount_minor"))["sum"]) == (10_000, 10_000)
    assert differences() == []


def test_the_naive_twin_overspends_the_budget(live, now):
    incentive, meet = live(), Meeting()
    code = Code.objects.get()

    def is_free():
        return (Redemption.objects.aggregate(sum=Sum("discount_minor"))["sum"] or 0) + 1000 <= 5_000

    at_once(lambda n: naive_redeem(now, n, incentive=incentive, code=code, is_free=is_free, meet=meet), tries=40)
    assert Redemption.objects.aggregate(sum=Sum("discount_minor"))["sum"] > 5_000


def test_one_source_at_once_is_one_use_and_one_answer(live, now):
    live()
    outcomes = at_once(lambda n: redeem(now, "same", source="same"), tries=40)
    assert outcomes == {str(Redemption.objects.get().public_id): 40}
    assert differences() == []


def test_after_the_stop_no_redemption_commits(live, now):
    incentive = live()
    under_way, stopped = threading.Event(), []

    def act(number):
        if number == 30:
            under_way.set()
        return redeem(now, number)

    def stopper():
        under_way.wait(timeout=20)
        operations.stop(incentive_id=incentive.pk, now=now, by=BY)
        stopped.append(Redemption.objects.count())
        connections.close_all()

    thread = threading.Thread(target=stopper)
    thread.start()
    outcomes = at_once(act, tries=300)
    thread.join(timeout=30)
    assert set(outcomes) == {"redeemed", "incentives.stopped"}
    assert stopped == [outcomes["redeemed"]]
    assert Redemption.objects.count() == stopped[0]
    assert differences() == []


def test_the_naive_twin_redeems_after_the_stop(live, now):
    incentive, looked, stopped = live(), threading.Event(), threading.Event()
    code = Code.objects.get()

    def meet():
        looked.set()
        stopped.wait(timeout=20)

    def is_free():
        return not Counter.objects.get(incentive_id=incentive.pk, scope="incentive").is_stopped

    def stopper():
        looked.wait(timeout=20)
        operations.stop(incentive_id=incentive.pk, now=now, by=BY)
        stopped.set()
        connections.close_all()

    thread = threading.Thread(target=stopper)
    thread.start()
    outcomes = at_once(
        lambda n: naive_redeem(now, n, incentive=incentive, code=code, is_free=is_free, meet=meet), tries=1, shoppers=1
    )
    thread.join(timeout=30)
    assert outcomes == {"redeemed": 1}


def test_a_redemption_is_rolled_back_once(unique, anna, now):
    incentive, code = unique
    redeem(now, 1, code=code.code, buyer=Buyer("anna"))
    public_id = Redemption.objects.get().public_id
    outcomes = at_once(
        lambda n: operations.roll_back(public_id=public_id, source=f"r{n}", reason="x", now=now, by=BY) and "undone",
        tries=30,
    )
    assert outcomes == {"undone": 1, "incentives.rolled_back_before": 29}
    assert Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="").redeemed == 0
    assert differences() == []


def test_the_naive_twin_gives_a_roll_back_twice(unique, anna, now):
    incentive, code = unique
    redeem(now, 1, code=code.code, buyer=Buyer("anna"))
    Counter.objects.filter(incentive_id=incentive.pk, scope="incentive", currency="").update(redeemed=10)
    meet = Meeting()

    def naive(number):
        row = Redemption.objects.get()
        if row.ended_at:
            return "refused"
        meet()
        Redemption.objects.update(ended_at=now, state=Redemption.State.ROLLED_BACK)
        Counter.objects.filter(incentive_id=incentive.pk, scope="incentive", currency="").update(
            redeemed=F("redeemed") - 1
        )
        return "undone"

    assert at_once(naive, tries=SHOPPERS)["undone"] > 1
    assert Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="").redeemed < 9


def test_a_grant_is_used_or_undone_never_both(live, now):
    incentive = live(codes={"kind": "unique", "is_bound": False})
    customers = Customer.objects.bulk_create(Customer(reference=f"c{n}", recorded_at=now) for n in range(30))
    granted = operations.grant(
        incentive_id=incentive.pk,
        sources=[f"s{n}" for n in range(30)],
        customer_ids=[customer.pk for customer in customers],
        origin="race",
        origin_ids=list(range(30)),
        now=now,
        by=BY,
        is_given=True,
    )
    codes = dict(Code.objects.values_list("grant__source", "code"))

    def act(number):
        source = f"s{number // 2}"
        if number % 2:
            return redeem(now, number, code=codes[source])
        operations.void_grant(grant_id=granted.grants[source], now=now, by=BY, reason="x")
        return "undone"

    outcomes = at_once(act, tries=60)
    assert set(outcomes) <= {"redeemed", "undone", "incentives.code_void", "incentives.grant_used"}
    assert outcomes["redeemed"] + outcomes["undone"] == 30
    pairs = set(Code.objects.values_list("state", "grant__state"))
    assert pairs <= {("void", "void"), ("redeemed", "active")}
    assert differences() == []


@pytest.mark.parametrize("limits", [{"issued": 35}, {"issued_per_customer": 1, "issued": 35}])
def test_no_more_is_issued_than_the_limit_and_each_source_once(live, now, limits):
    incentive = live(codes={"kind": "unique"}, limits=limits)
    customers = Customer.objects.bulk_create(Customer(reference=f"c{n}", recorded_at=now) for n in range(50))

    def act(number):
        # Neighbours overlap by half, so that the same source comes from two connections at once.
        chosen = customers[(number * 5) % 50 :][:10]
        granted = operations.grant(
            incentive_id=incentive.pk,
            sources=[f"s{customer.pk}" for customer in chosen],
            customer_ids=[customer.pk for customer in chosen],
            origin="race",
            origin_ids=[None] * len(chosen),
            now=now,
            by=BY,
        )
        return "done" if len(granted.grants) + len(granted.refused) == len(chosen) else "lost"

    assert at_once(act, tries=20) == {"done": 20}
    assert Grant.objects.count() == 35
    assert Code.objects.count() == 35
    assert differences() == []


def test_one_source_at_once_is_one_grant(live, anna, now):
    incentive = live(codes={"kind": "unique"})

    def act(_number):
        granted = operations.grant(
            incentive_id=incentive.pk,
            sources=["same"],
            customer_ids=[anna.pk],
            origin="race",
            origin_ids=[None],
            now=now,
            by=BY,
        )
        return str(granted.grants["same"])

    assert at_once(act, tries=40) == {str(Grant.objects.get().pk): 40}
    assert Code.objects.count() == 1
    assert Counter.objects.get(incentive_id=incentive.pk, scope="issue").issued == 1
    assert differences() == []


def test_the_naive_twin_grants_one_source_twice(live, now):
    """Looking for the source first and writing then, without the unique key."""
    incentive, meet = live(codes={"kind": "unique"}), Meeting(2)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE incentives_grant DROP CONSTRAINT one_grant_a_source")
    try:

        def is_free():
            return not Grant.objects.filter(source="naive:same").exists()

        found = at_once(
            lambda _n: naive_grant(now, "same", incentive=incentive, is_free=is_free, meet=meet), tries=2, shoppers=2
        )
        assert found == {"granted": 2}
        assert Grant.objects.filter(source="naive:same").count() == 2
    finally:
        Grant.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE incentives_grant ADD CONSTRAINT one_grant_a_source UNIQUE (source)")


def test_nothing_is_issued_after_the_stop(live, now):
    incentive = live(codes={"kind": "unique"})
    customers = Customer.objects.bulk_create(Customer(reference=f"c{n}", recorded_at=now) for n in range(400))
    under_way, stopped = threading.Event(), []

    def act(number):
        if number == 20:
            under_way.set()
        customer = customers[number]
        granted = operations.grant(
            incentive_id=incentive.pk,
            sources=[f"s{number}"],
            customer_ids=[customer.pk],
            origin="race",
            origin_ids=[None],
            now=now,
            by=BY,
        )
        return "granted" if granted.grants else next(iter(granted.refused.values())).code

    def stopper():
        under_way.wait(timeout=20)
        operations.stop(incentive_id=incentive.pk, now=now, by=BY)
        stopped.append(Grant.objects.count())
        connections.close_all()

    thread = threading.Thread(target=stopper)
    thread.start()
    outcomes = at_once(act, tries=400)
    thread.join(timeout=30)
    assert set(outcomes) == {"granted", "incentives.stopped"}
    assert stopped == [outcomes["granted"]] == [Grant.objects.count()]
    assert differences() == []


def naive_grant(now, number, *, incentive, is_free: Callable[[], bool], meet: Callable[[], None]):
    """What a grant must not be: look whether there is room, then write."""
    if not is_free():
        return "refused"
    meet()
    Grant.objects.create(
        incentive=incentive,
        version_id=incentive.version_id,
        source=f"naive:{number}",
        origin="race",
        granted_at=now,
        granted_by=BY.name,
    )
    return "granted"


def test_the_naive_twin_issues_too_many(live, now):
    incentive, meet = live(codes={"kind": "unique"}), Meeting()

    def is_free():
        return Grant.objects.filter(incentive=incentive).count() < 5

    at_once(lambda n: naive_grant(now, n, incentive=incentive, is_free=is_free, meet=meet), tries=50)
    assert Grant.objects.count() > 5


def test_the_naive_twin_issues_after_the_stop(live, now):
    incentive, looked, stopped = live(codes={"kind": "unique"}), threading.Event(), threading.Event()

    def is_free():
        return not Counter.objects.get(incentive_id=incentive.pk, scope="issue").is_stopped

    def meet():
        looked.set()
        stopped.wait(timeout=20)

    def stopper():
        looked.wait(timeout=20)
        operations.stop(incentive_id=incentive.pk, now=now, by=BY)
        stopped.set()
        connections.close_all()

    thread = threading.Thread(target=stopper)
    thread.start()
    grants = at_once(
        lambda n: naive_grant(now, n, incentive=incentive, is_free=is_free, meet=meet), tries=1, shoppers=1
    )
    thread.join(timeout=30)
    assert grants == {"granted": 1}


def test_the_naive_twin_undoes_what_was_used(unique, anna, now):
    _incentive, code = unique
    looked, used = threading.Event(), threading.Event()

    def naive_void():
        if Code.objects.get(pk=code.pk).state == Code.State.GIVEN:
            looked.set()
            used.wait(timeout=20)
            Code.objects.filter(pk=code.pk).update(state=Code.State.VOID)
        connections.close_all()

    thread = threading.Thread(target=naive_void)
    thread.start()
    looked.wait(timeout=20)
    redeem(now, 1, code=code.code, buyer=Buyer("anna"))
    used.set()
    thread.join(timeout=30)
    assert Code.objects.get(pk=code.pk).state == "void"
    assert Redemption.objects.filter(uses__code=code, ended_at=None).count() == 1


def is_waiting() -> bool:
    """Whether another connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            # Asked of the locks themselves: what `pg_stat_activity` says stays the same in a transaction.
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
        )
        return cursor.fetchone()[0] > 0


def test_a_grant_and_a_taking_back_never_wait_in_a_circle(shop, now):
    """Half-way through a grant under an issue limit another is taken back: it waits, and holds nothing meanwhile."""
    anna = Customer.objects.create(reference="anna", email="anna@example.com", recorded_at=now)
    limits = {"issued": 10, "issued_per_customer": 5}
    rule = IncentiveRule(name="Few", effects=[{"kind": "percent", "basis_points": 1000}], limits=limits)
    incentive = operations.create_incentive(rule=rule, now=now, by=BY)
    operations.go_live(incentive_id=incentive.pk, now=now, by=BY)
    granted = operations.grant(
        incentive_id=incentive.pk, sources=["first"], customer_ids=[anna.pk], origin="test", origin_ids=[1], now=now,
        by=BY,
    )  # fmt: skip
    outcome = []

    def take_back() -> None:
        try:
            outcome.append(operations.take_back(grant_ids=granted.grants.values(), now=now, by=BY, reason="test"))
        finally:
            connections.close_all()

    thread = threading.Thread(target=take_back)
    rows = Counter.objects.filter(incentive_id=incentive.pk)
    with transaction.atomic():
        rows.select_for_update(no_key=True).get(scope="issue")
        thread.start()
        deadline = time.monotonic() + 20
        while not is_waiting() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert is_waiting()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
        assert rows.filter(scope="customer", subject_id=anna.pk).update(issued=F("issued") + 1) == 1
    thread.join(timeout=20)
    assert outcome == [1]
    assert rows.get(scope="customer", subject_id=anna.pk).issued == 1
    assert rows.get(scope="issue").issued == 0
