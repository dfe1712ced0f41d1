"""Scanners at one door, clicks on one line of the work-list, a withdrawal at that moment: one of them counts."""

import datetime as dt
import threading
import time
from functools import partial

import pytest
from django.db import connection, connections, transaction

from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives import operations
from retention.incentives.models import Code, Fulfilment, Grant, Ticket
from retention.incentives.operations.by_hand import CheckedInBefore, FulfilmentSettled, TicketNotValid
from retention.incentives.operations.grant_life import GrantUsed, void_grant
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
BY = Actor.command("test")
AT_ONCE, ROUNDS = 8, 5
SEAT = {"kind": "access", "to": "event", "name": "Evening", "is_ticket": True}
CARD = {"kind": "experience", "name": "Card"}


def at_once(*acts):
    """Runs the acts in threads let go together; what each returned or raised."""
    gate = threading.Barrier(len(acts))
    outcomes = [None] * len(acts)

    def run(place, act):
        try:
            gate.wait(timeout=20)
            outcomes[place] = act()
        except Exception as error:
            outcomes[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.fixture
def give(transactional_db):
    """A function that grants an incentive of these effects to one customer, its code handed over."""
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    customer = Customer.objects.create(reference="a", email="a@example.com", recorded_at=NOW)
    numbers = iter(range(1000))

    def make(*effects):
        rule = IncentiveRule.model_validate({"name": "Given", "effects": effects})
        incentive = operations.create_incentive(rule=rule, now=NOW, by=BY)
        operations.go_live(incentive_id=incentive.pk, now=NOW, by=BY)
        number = next(numbers)
        operations.grant(
            incentive_id=incentive.pk, sources=[f"s{number}"], customer_ids=[customer.pk], origin="test",
            origin_ids=[number], now=NOW, by=BY, is_given=True,
        )  # fmt: skip
        return Grant.objects.latest("pk")

    return make


def naive_check_in(*, code, now, by, meet):
    """What `check_in` must not be: look, then write."""
    ticket = Ticket.objects.get(grant__code__code=code)
    if ticket.checked_in_at is not None:
        raise CheckedInBefore(at="", checked_in_at="")
    meet()
    Ticket.objects.filter(pk=ticket.pk).update(checked_in_at=now, checked_in_by=by.name)
    return ticket


def let_in(check_in, code):
    """How many of eight scanners say "come in"."""
    outcomes = at_once(*[partial(check_in, code=code, now=NOW, by=BY)] * AT_ONCE)
    assert {type(one) for one in outcomes} <= {Ticket, CheckedInBefore}, outcomes
    return sum(isinstance(one, Ticket) for one in outcomes)


def test_a_ticket_lets_in_one(give):
    for _round in range(ROUNDS):
        grant = give(SEAT)
        assert let_in(operations.check_in, Code.objects.get(grant=grant).code) == 1


def test_the_race_catches_who_looks_first_and_writes_then(give):
    grant = give(SEAT)
    everyone = threading.Barrier(AT_ONCE)
    naive = partial(naive_check_in, meet=partial(everyone.wait, timeout=20))
    assert let_in(naive, Code.objects.get(grant=grant).code) == AT_ONCE


def test_one_line_is_done_once(give):
    for _round in range(ROUNDS):
        give(CARD)
        row = Fulfilment.objects.latest("pk")
        settle = partial(operations.settle_fulfilment, public_id=row.public_id, state="done", now=NOW, by=BY)
        outcomes = at_once(*[settle] * AT_ONCE)
        assert sum(isinstance(one, Fulfilment) for one in outcomes) == 1
        assert sum(isinstance(one, FulfilmentSettled) for one in outcomes) == AT_ONCE - 1


def test_a_grant_is_withdrawn_or_carried_out_never_both(give):
    seen = set()
    for number in range(4 * ROUNDS):
        grant = give(*((SEAT,) if number % 2 else (CARD,)))
        withdraw = partial(void_grant, grant_id=grant.pk, now=NOW, by=BY, reason="wrong")
        if number % 2:
            code = Code.objects.get(grant=grant).code
            use = partial(operations.check_in, code=code, now=NOW, by=BY)
        else:
            row = Fulfilment.objects.get(grant=grant)
            use = partial(operations.settle_fulfilment, public_id=row.public_id, state="done", now=NOW, by=BY)
        withdrawn, used = at_once(withdraw, use)
        grant.refresh_from_db()
        is_void = grant.state == Grant.State.VOID
        is_used = not isinstance(used, Exception)
        assert is_void != is_used, (withdrawn, used)
        assert isinstance(used if is_void else withdrawn, (TicketNotValid, FulfilmentSettled, GrantUsed))
        seen.add(is_void)
    assert seen, "somebody is always first"


def test_a_withdrawal_that_waits_for_who_is_carrying_it_out_sees_that_it_is_done(give):
    """The same, with the one moment held open that a race meets once in hundreds of runs."""
    grant = give(CARD)
    row = Fulfilment.objects.get(grant=grant)
    is_settled = threading.Event()

    def settle():
        with transaction.atomic():
            operations.settle_fulfilment(public_id=row.public_id, state="done", now=NOW, by=BY)
            is_settled.set()
            wait_until_somebody_waits()

    def withdraw():
        is_settled.wait(20)
        return void_grant(grant_id=grant.pk, now=NOW, by=BY, reason="wrong")

    settled, withdrawn = at_once(settle, withdraw)
    row.refresh_from_db()
    assert (settled, type(withdrawn), row.state) == (None, GrantUsed, "done")


def wait_until_somebody_waits():
    """Until another connection waits for us."""
    for _try in range(400):
        with connection.cursor() as cursor:
            # `pg_stat_activity` stands still in a transaction; this does not.
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waited")
