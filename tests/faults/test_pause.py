"""A broadcast that is paused, and then stopped, while workers touch, grant and send: within a second nothing moves."""

import time

import pytest

from campaigns import operations
from campaigns.models import Touch
from retention import clock
from retention.incentives.models import Grant
from retention.messaging.models import Delivery
from tests.faults.broadcasts import BY, Haste, launch
from tests.processes import Beat, Workers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
CUSTOMERS = 20_000
#: In how much of it everything must have come to rest, and how long it is watched afterwards.
A_SECOND, WATCHED = 1.0, 5.0


@pytest.fixture
def services(server, broker, heads):
    more = {"EMAIL_URL": f"smtp://{heads.host}:{heads.port}"}
    services = [Workers(queues="sweeps,transactional", **more), Workers(queues="bulk", **more), Beat(**more)]
    for service in services:
        service.start()
    yield services
    for service in services:
        service.kill()


def moved(heads) -> tuple[int, int, int]:
    return len(heads), Grant.objects.count(), Touch.objects.count()


def rests(haste, heads, act) -> float:
    """Do it, and see that nothing moves from a second after it was answered; how long the last mail took."""
    act()
    answered = time.monotonic()
    last, at = len(heads), answered
    while time.monotonic() - answered < A_SECOND:
        if len(heads) > last:
            last, at = len(heads), time.monotonic()
        time.sleep(0.005)
    then = moved(heads)
    assert not haste.until(lambda: moved(heads) != then, WATCHED, every=0.02), (then, moved(heads))
    return at - answered


def test_it_rests_within_a_second_and_goes_on_where_it_was(services, heads, say):
    campaign, haste = launch(CUSTOMERS), Haste()

    def act(operation):
        return lambda: operation(campaign_id=campaign.pk, now=clock.now(), by=BY)

    assert haste.until(lambda: len(heads) > 1_000, 120, every=0.05), "it never began"
    paused = rests(haste, heads, act(operations.pause))
    assert Delivery.objects.exclude(state="sent").exists(), "it was paused in the middle"
    before = len(heads)

    act(operations.resume)()
    assert haste.until(lambda: len(heads) > before + 1_000, 120, every=0.05), "it did not go on"
    ended = rests(haste, heads, act(operations.end))
    arrived = [mail.recipients[0] for mail in heads.messages]
    assert len(arrived) == len(set(arrived)) < CUSTOMERS
    say(f"PAUSED at {before:,} mails, the last {paused:.2f} s after; STOPPED at {len(arrived):,}, {ended:.2f} s after")
