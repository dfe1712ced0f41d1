"""A broadcast by real workers that are killed at moments nobody chose, with a broker that forgets everything."""

import os
import random
import sys
import time

import pytest
import redis
from django.conf import settings

from campaigns.models import Touch
from tests.faults.broadcasts import check_truth, is_over, launch, let_leases_end, tick_until
from tests.processes import Workers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500), pytest.mark.django_db(transaction=True)]
CUSTOMERS = int(os.environ.get("FAULT_CUSTOMERS", "20000"))
ELIGIBLE = CUSTOMERS - CUSTOMERS // 10
CHILDREN = 2


@pytest.fixture
def broker():
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    yield broker
    broker.flushdb()


@pytest.fixture
def workers(broker, smtp, db):
    workers = Workers(children=CHILDREN, EMAIL_URL=f"smtp://{smtp.host}:{smtp.port}", JOB_LEASE_SECONDS="5")
    yield workers
    workers.kill()


def test_killed_again_and_again_and_flushed(workers, broker, smtp):
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 10_000))
    sys.stdout.write(f"FAULT_SEED={seed}\n")
    chance = random.Random(seed)
    launch(CUSTOMERS)
    in_hand = 0
    # Twice while customers are touched and granted their coupons, in the middle of a transaction …
    for chunk in (1, 2):
        workers.start()
        tick_until(lambda chunk=chunk: Touch.objects.count() >= chunk * 5_000 or is_over(CUSTOMERS), 240)
        time.sleep(chance.uniform(0, 0.1))
        workers.kill()
        broker.flushdb()
        in_hand += let_leases_end()
        if chunk == 1:
            assert 0 < Touch.objects.count() < CUSTOMERS, "it was killed in the middle of granting"
    # … and three times while mails leave; the broker also forgets everything while they work.
    for share in sorted(chance.uniform(0.05, 0.85) for _kill in range(3)):
        workers.start()
        goal = max(int(share * ELIGIBLE), len(smtp.messages) + 1)
        tick_until(lambda goal=goal: len(smtp.messages) >= goal, 300)
        broker.flushdb()
        time.sleep(chance.uniform(0, 1))
        workers.kill()
        in_hand += let_leases_end()
        assert len(smtp.messages) < ELIGIBLE, "it was killed in the middle of sending"
    workers.start()
    tick_until(lambda: is_over(CUSTOMERS), 900)
    check_truth(CUSTOMERS, smtp.messages, unknown_at_most=in_hand)
