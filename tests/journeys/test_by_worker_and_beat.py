"""Two playbooks with nobody at the terminal: a worker is rung and a scheduler ticks, as in production."""

import datetime as dt

import pytest
import redis
from django.conf import settings

from campaigns.models import Touch
from retention import clock
from retention.work.models import JobRun
from tests.journeys.telling import gets as getting
from tests.journeys.telling import joins, orders, read, redeems, sells
from tests.journeys.town import Town
from tests.processes import Beat, Workers, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]
CART = "https://shop.example.com/cart/7"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def live_at(smtp, db, monkeypatch):
    """Worker, scheduler and this test live so much later from now on: `live_at("25h")`."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    running = []

    def stop():
        while running:
            running.pop().stop()
        # What was rung for a time that is over.
        broker.flushdb()

    def start(offset=""):
        stop()
        monkeypatch.setenv("CLOCK_OFFSET", offset)
        clock._offset.cache_clear()
        running.extend([Workers(EMAIL_URL=f"smtp://{smtp.host}:{smtp.port}"), Beat()])
        for process in running:
            process.start()

    yield start
    stop()
    monkeypatch.undo()
    clock._offset.cache_clear()


@pytest.fixture
def town(smtp, db):
    return Town(smtp, None)


def leaves_a_cart(town, who, *, ago):
    told = {"kind": "checkout_started", "customer": who, "properties": {"restore_url": CART}}
    town.post("activities/", {**told, "occurred_at": (clock.now() - ago).isoformat()})


def ticks():
    """Runs of the campaigns' job that are over."""
    return JobRun.objects.filter(job__key="campaigns.reach", state="done", lane=0).count()


def date(at):
    """The day in Berlin, as an English mail says it."""
    day = at.astimezone(clock.zone("Europe/Berlin"))
    return f"{day:%B} {day.day}, {day.year}"


def test_a_welcome_and_an_abandoned_cart(town, live_at, smtp):
    for told in (sells("LP"), joins("dora"), joins("eva"), joins("fay", agrees=False)):
        told.happen(town)
    town.launch("welcome")
    town.launch("abandoned_cart")
    live_at()

    # Anna signs up, and her welcome is there at once, because her sign-up rang.
    joins("anna").happen(town)
    wait_until(lambda: smtp.to("anna@example.com"), what="the welcome")
    (welcome,) = town.new_mails()
    until = date(clock.now() + 7 * 24 * HOUR)
    read(getting("anna", "Welcome to Vinyl", offer="10% off your first order", until=until), welcome)
    town.last_mail["anna"] = welcome
    redeems("anna", "A-1", off=400).happen(town)

    # Three carts were left, and nothing rings when their three hours are over: the scheduler's tick finds them.
    due_at = clock.now() + dt.timedelta(seconds=10)
    for who in ("eva", "dora", "fay"):
        leaves_a_cart(town, who, ago=3 * HOUR - dt.timedelta(seconds=10))
    orders("dora", "D-1").happen(town)
    wait_until(lambda: smtp.to("eva@example.com"), seconds=150, what="the reminder")
    assert clock.now() >= due_at
    (reminder,) = town.new_mails()
    read(getting("eva", "Your cart is still waiting", link=CART), reminder)

    # A day later she gets the parcel's price, pays without it, and has converted; Anna has long ago.
    live_at("24h")
    wait_until(lambda: len(smtp.to("eva@example.com")) == 2, seconds=150, what="the second reminder")
    (second,) = town.new_mails()
    until = date(clock.now() + 48 * HOUR)
    wanted = getting("eva", "Your cart will not wait much longer", offer="Free shipping", until=until, link=CART)
    read(wanted, second)
    town.last_mail["eva"] = second
    redeems("eva", "E-1", shipping_off=490).happen(town)
    won = Touch.objects.filter(converted_at__isnull=False).values_list(
        "customer__reference", "converted_order__reference"
    )
    wait_until(lambda: sorted(won.all()) == [("anna", "A-1"), ("eva", "E-1")], seconds=150, what="conversions")

    # Two ticks more bring nobody anything.
    seen = ticks()
    wait_until(lambda: ticks() >= seen + 2, seconds=200, what="two ticks more")
    assert town.new_mails() == []
    assert {mail.recipients[0] for mail in smtp.messages} == {"anna@example.com", "eva@example.com"}
    skipped = Touch.objects.filter(state="skipped").values_list("customer__reference", "campaign__playbook", "reason")
    assert list(skipped) == [("fay", "abandoned_cart", "campaigns.no_consent")]
    assert not JobRun.objects.filter(state="failed").exists()
