"""Clicks, noes, sweeps and claims at one moment: one mail, one owner, and never a yes after a no."""

import datetime as dt
import threading

import pytest

from retention.actors import Actor
from retention.customers import seeds
from retention.customers.models import Activity, Consent, ConsentState, Customer, KnownVisitor
from retention.customers.operations import ask_consent, join_leftovers, save_customer, withdraw_consent
from retention.messaging import tokens
from retention.messaging.models import Delivery
from retention.messaging.operations import (
    Message,
    confirm,
    confirming,
    ensure_ready_template,
    queue,
    queue_confirmations,
)
from retention.shop.models import Shop
from retention.work.ingest import ingest
from tests.races.test_facts import at_once

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")


@pytest.fixture
def shop(now):
    seeds.seed(now=now)
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", country="DE")
    ensure_ready_template(key="confirmation", now=now, by=BY)


@pytest.fixture
def anna(shop, now):
    return save_customer(customer_id=None, values={"email": "anna@example.com"}, now=now, by=BY).customer


@pytest.fixture
def ask(anna, now):
    def say(purpose="marketing", at=now):
        ask_consent(customer_id=anna.pk, channel="email", purpose=purpose, source="form", now=at, by=BY)
        return Consent.objects.latest("pk")

    return say


class TestOneMail:
    """Two sweeps find what was asked; between their looks another ask comes, so that the row's own key is no help."""

    def test_sweeps_at_once_queue_one(self, ask, now):
        ask()
        queued = at_once(lambda _number: queue_confirmations(now=now, by=BY), 4)
        assert sorted(queued) == [0, 0, 0, 1]
        assert Delivery.objects.count() == 1

    def test_an_ask_between_two_sweeps_makes_no_second_mail(self, ask, now):
        ask()
        asked = threading.Barrier(2)

        def sweep(number):
            if number:
                ask("topic:news")
                asked.wait(timeout=20)
            else:
                asked.wait(timeout=20)
            return queue_confirmations(now=now, by=BY)

        assert sorted(at_once(sweep, 2)) == [0, 1]

    def test_the_naive_twin_sends_two(self, anna, ask, now):
        """What the sweep must not be: look, then queue, with nothing held in between."""
        ask()
        met = threading.Barrier(2)
        template = ensure_ready_template(key="confirmation", now=now, by=BY)

        def naive(number):
            if number:
                met.wait(timeout=20)
                ask("topic:news")
            wanted = confirming._wanted(now)
            if not number:
                met.wait(timeout=20)
            met.wait(timeout=20)
            messages = [Message(origin_id=newest, customer_id=customer) for newest, customer in wanted]
            return queue(template_id=template.pk, origin="customers.consent", messages=messages, now=now).queued

        assert at_once(naive, 2) == [1, 1]


class TestANoWins:
    """She clicks, and at the same moment the shop tells that she said no."""

    def race(self, click, anna, ask, now):
        token = tokens.ask_token(ask(at=now - dt.timedelta(hours=1)).pk)

        def act(number):
            if number:
                return withdraw_consent(
                    customer_id=anna.pk, channel="email", purpose="marketing", source="support", now=now, by=BY
                )
            return click(token)

        outcomes = at_once(act, 2)
        assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
        return ConsentState.objects.get().is_given

    @pytest.mark.parametrize("later", [0, 5, -5])
    def test_whichever_comes_first(self, anna, ask, now, later):
        at = now + dt.timedelta(milliseconds=later)
        assert self.race(lambda token: confirm(token=token, now=at), anna, ask, now) is False

    def test_the_naive_twin_brings_the_yes_back(self, anna, ask, now):
        """It looks, and writes without having held what it looked at."""
        looked, said = threading.Event(), threading.Event()

        def act(number):
            if number:
                looked.wait(timeout=20)
                withdraw_consent(
                    customer_id=anna.pk, channel="email", purpose="marketing", source="support", now=now, by=BY
                )
                return said.set()
            found = confirming.asked_by(token, now=now)
            looked.set()
            said.wait(timeout=20)
            later = now + dt.timedelta(milliseconds=5)
            for channel, purpose in found.choices:
                row = {"customer_id": anna.pk, "channel": channel, "purpose": purpose, "event": "given"}
                ingest("consents", [{**row, "source": "x", "occurred_at": later}], now=later, by=BY, is_own=True)

        token = tokens.ask_token(ask(at=now - dt.timedelta(hours=1)).pk)
        at_once(act, 2)
        assert ConsentState.objects.get().is_given is True

    def test_clicks_at_once_are_one_yes(self, anna, ask, now):
        token = tokens.ask_token(ask().pk)
        answers = at_once(lambda _number: confirm(token=token, now=now), 4)
        assert all(answer.is_done for answer in answers), answers
        assert Consent.objects.filter(event="given").count() == 1


class TestOneOwner:
    """Two customers claim one visitor's key."""

    @pytest.fixture
    def looked(self, shop, now):
        row = {"kind": "searched", "visitor_key": "v1", "occurred_at": now.isoformat()}
        ingest("activities", [row, row, row], now=now, by=BY)

    def claim(self, number, now):
        values = {"reference": f"c{number}", "visitor_key": "v1", "visitor_has_agreed": True}
        return save_customer(customer_id=None, values=values, now=now, by=BY).customer.pk

    def test_one_has_it_with_everything(self, looked, now):
        customers = at_once(lambda number: self.claim(number, now), 4)
        assert not [one for one in customers if isinstance(one, Exception)], customers
        owner = KnownVisitor.objects.get().customer_id
        assert owner in customers
        assert set(Activity.objects.values_list("customer", flat=True)) == {owner}

    def test_the_naive_twin_shares_it_out(self, looked, now):
        """It looks whether anything of the key is anybody's, and takes what it saw."""
        customers = [
            save_customer(customer_id=None, values={"reference": f"c{n}"}, now=now, by=BY).customer for n in range(2)
        ]
        met = threading.Barrier(2)

        def naive(number):
            free = not Activity.objects.filter(visitor_key="v1", customer__isnull=False).exists()
            met.wait(timeout=20)
            if free:
                Activity.objects.filter(visitor_key="v1").update(customer=customers[number])
            return free

        assert at_once(naive, 2) == [True, True], "both believe that it is theirs"

    def test_what_comes_in_meanwhile_is_hers_by_the_morning(self, shop, now):
        """Activities and their visitor's sign-up at once: whoever misses the other, the night finds it."""

        def act(number):
            if number == 0:
                return self.claim(0, now)
            row = {"kind": "searched", "visitor_key": "v1", "occurred_at": now.isoformat()}
            return ingest("activities", [row] * 50, now=now, by=BY).new

        outcomes = at_once(act, 4)
        assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
        join_leftovers(progress=lambda _done, _total: None)
        assert Activity.objects.filter(customer=Customer.objects.get()).count() == 150
