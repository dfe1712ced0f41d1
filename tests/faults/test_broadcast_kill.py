"""A hundred random kills of workers, two emptied brokers and a crashed database while a broadcast goes to 100,000.

Customers keep coming while it runs, and the provider takes mails at a pace, so that there is something to disturb to
the end. `FAULT_SEED` repeats the choice of victims and moments; `FAULT_CUSTOMERS` and `FAULT_KILLS` make it smaller.
"""

import os
import random
import signal
import time
import uuid
from collections import Counter

import pytest
from django.db import connection
from django.urls import reverse

from retention import clock
from retention.doors.keys import create_key
from retention.embedded.processes import stop as stop_process
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.messaging.policy import Pace, SendingPolicy
from retention.shop.models import Staff
from retention.work.models import Alert
from tests.faults.broadcasts import BY, Haste, check, is_over, join, launch, truth_of, where
from tests.processes import Beat, Service, Workers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]
CUSTOMERS = int(os.environ.get("FAULT_CUSTOMERS", "100000"))
KILLS = int(os.environ.get("FAULT_KILLS", "100"))
FLUSHES = 2
#: Those who are there when it begins; the others come in small groups, each just before it is disturbed.
FIRST = int(CUSTOMERS * 0.4)
#: So slow that most mails are still to be sent after the last kill.
PER_SECOND = CUSTOMERS / 500
#: Which service a moment belongs to, how often it is chosen, and what PostgreSQL is asked then.
MOMENTS = {
    "touching": ("sweeps", 15, "WITH due AS MATERIALIZED"),
    "granting": ("sweeps", 15, "INSERT INTO incentives_"),
    "queueing": ("sweeps", 15, "INSERT INTO messaging_delivery"),
    "marking": ("bulk", 10, "SET state = 'sending'"),
    "sending": ("bulk", 25, ""),
    "recording": ("bulk", 10, "SET state = settled.state"),
    "ticking": ("beat", 4, ""),
}
ENLISTING = ("touching", "granting", "queueing")


class Supervisor:
    """Keeps the services running that production has, whatever becomes of them."""

    def __init__(self, services: dict[str, Service]) -> None:
        self.services = services

    def keep(self) -> None:
        """Start what does not run: killed, or given up because it had lost its children before it was ready."""
        for service in self.services.values():
            if not service.runs:
                service.start()


@pytest.fixture
def supervisor(server, broker, heads):
    more = {"EMAIL_URL": f"smtp://{heads.host}:{heads.port}", "JOB_LEASE_SECONDS": "4"}
    supervisor = Supervisor(
        {
            "sweeps": Workers(queues="sweeps,transactional", **more),
            "bulk": Workers(queues="bulk", **more),
            "beat": Beat(**more),
        }
    )
    yield supervisor
    for service in supervisor.services.values():
        service.kill()


class Disturber:
    """Waits for chosen moments and kills who is at them: one process of its pool, or all of it."""

    def __init__(self, chance: random.Random, supervisor: Supervisor, haste: Haste, heads) -> None:
        self.chance = chance
        self.supervisor = supervisor
        self.haste = haste
        self.heads = heads
        self.caught: Counter = Counter()

    def kill(self, moment: str) -> None:
        """Wait for the moment, and a little, and kill. A moment that does not come is not waited for long."""
        name, _weight, words = MOMENTS[moment]
        service = self.supervisor.services[name]
        if moment == "sending":
            goal = len(self.heads) + self.chance.randrange(1, 60)
            came = self.haste.until(lambda: len(self.heads) >= goal, 12)
        elif words:
            came = self.haste.until(lambda: is_asked(words), 12)
        else:
            came = not self.haste.until(lambda: False, self.chance.uniform(0, 2))
        self.caught[moment if came else "unawares"] += 1
        time.sleep(self.chance.uniform(0, 0.02))
        children = service.children() if isinstance(service, Workers) and self.chance.random() < 0.5 else []
        if children:
            os.kill(self.chance.choice(children), signal.SIGKILL)
        else:
            service.kill()
            self.supervisor.keep()


def moments_of(chance: random.Random) -> list[str]:
    """When the kills come; never twice in a row to the same service, which is only just starting."""
    moments: list[str] = []
    for _kill in range(KILLS):
        last = MOMENTS[moments[-1]][0] if moments else ""
        others = {moment: weight for moment, (name, weight, _words) in MOMENTS.items() if name != last}
        moments += chance.choices(list(others), list(others.values()))
    return moments


def is_asked(words: str) -> bool:
    """Whether PostgreSQL is at such a statement, or between it and the next."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> 'idle'"
            " AND strpos(query, %s) > 0)",
            [words],
        )
        return cursor.fetchone()[0]


def set_pace(per_second: float | None, edited: int | None) -> None:
    paces = () if per_second is None else (Pace(per_second=per_second),)
    messaging.save_messaging_policy(policy=SendingPolicy(paces=paces), edited=edited, now=clock.now(), by=BY)


def crash(server, haste: Haste) -> None:
    """No farewell and no check point: PostgreSQL recovers at its next start. Senders live on, with nothing in hand."""
    connection.close()
    stop_process(server.pid, signal.SIGQUIT)
    time.sleep(2)
    server.start()
    time.sleep(1)
    in_hand = Delivery.objects.filter(state__in=["claimed", "sending"])
    haste.cut_off |= set(in_hand.values_list("claimed_by", flat=True))


def test_a_hundred_kills_two_flushes_and_a_crash(supervisor, server, broker, heads, client, say):
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 10_000))
    say(f"FAULT_SEED={seed}")
    chance, haste, began = random.Random(seed), Haste(also=supervisor.keep), time.monotonic()
    launch(FIRST)
    set_pace(PER_SECOND, None)
    supervisor.keep()
    disturber = Disturber(chance, supervisor, haste, heads)
    moments = moments_of(chance)
    groups = sum(moment in ENLISTING for moment in moments) or 1
    crashes_at, *flushes_at = chance.sample(range(KILLS // 5, KILLS), 1 + FLUSHES)
    came = FIRST
    for number, moment in enumerate(moments):
        if number in flushes_at:
            broker.flushdb()
        if number == crashes_at:
            crash(server, haste)
        if moment in ENLISTING:
            more = min(CUSTOMERS, came + -(-(CUSTOMERS - FIRST) // groups))
            join(range(came, more))
            came = more
        disturber.kill(moment)
    join(range(came, CUSTOMERS))
    sent_before = len(heads)
    assert sent_before < CUSTOMERS * 0.9, "the broadcast outlasted its disturbers"
    set_pace(None, 1)
    assert haste.until(lambda: is_over(CUSTOMERS), 1200, every=0.5), where()
    for service in supervisor.services.values():
        service.stop()
    truth = truth_of(CUSTOMERS, heads.messages)
    say(
        f"FAULTS customers {CUSTOMERS:,}, kills {KILLS} ({dict(sorted(disturber.caught.items()))}), flushes {FLUSHES}, "
        f"restarts 1, {truth}, seconds {time.monotonic() - began:.0f}, seed {seed}"
    )
    check(truth, heads.messages, unknown_at_most=haste.in_hand)
    assert truth.at_sink + truth.unknown >= CUSTOMERS
    check_unknown_are_listed_and_left(client, heads)


def check_unknown_are_listed_and_left(client, heads) -> None:
    """People find every one of them in the console and over the API, and no sender takes one up again."""
    unknown = set(Delivery.objects.filter(state="unknown").values_list("public_id", flat=True))
    seen, now = len(heads), clock.now()
    assert messaging.send_due(now=now, worker="later")["due"] == 0
    assert len(heads) == seen
    boss = Staff.objects.create(username="boss", is_staff=True, is_superuser=True, date_joined=now)
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"{reverse('admin:messaging_delivery_changelist')}?state__exact=unknown")
    assert (page.status_code, page.context["cl"].result_count) == (200, len(unknown))
    scopes = ("messages:read",)
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=BY).secret
    listed, cursor = set(), ""
    while cursor is not None:
        answer = client.get(
            "/api/v1/deliveries/",
            {"state": "unknown", "limit": 200, **({"cursor": cursor} if cursor else {})},
            headers={"authorization": f"Bearer {secret}"},
        ).json()
        listed |= {uuid.UUID(item["id"]) for item in answer["items"]}
        cursor = answer["next"]
    assert listed == unknown
    assert not Alert.objects.filter(resolved_at=None).exclude(kind__in=["messaging.unknown", "work.silent"]).exists()
