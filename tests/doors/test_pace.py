"""The pace of a key: never more than the limit in a minute, whoever asks how often at once."""

import threading
import uuid

import pytest
import redis

from retention.doors import pace as module
from retention.doors.pace import Pace
from retention.doors.problems import TooManyRequests

MINUTE = 1_000_000 * 60


def admitted(pace, caller, limit, tries, seconds=MINUTE):
    count = 0
    for _ in range(tries):
        try:
            pace.spend(caller, limit, seconds)
        except TooManyRequests:
            continue
        count += 1
    return count


@pytest.fixture
def name():
    return uuid.uuid4().hex


def test_exactly_the_limit_and_then_the_wait_is_named(name):
    pace = Pace()
    assert admitted(pace, name, 10, 25) == 10
    with pytest.raises(TooManyRequests) as refused:
        pace.spend(name, 10, MINUTE + 18)
    assert refused.value.headers == {"Retry-After": "42"}


def test_a_new_minute_begins_anew(name):
    pace = Pace()
    assert admitted(pace, name, 10, 20) == 10
    assert admitted(pace, name, 10, 20, MINUTE + 60) == 10


def test_many_processes_together_never_pass_the_limit(name):
    counts, barrier = [], threading.Barrier(8)

    def process():
        pace = Pace()
        barrier.wait()
        counts.append(admitted(pace, name, 1_000, 400))

    threads = [threading.Thread(target=process) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 900 <= sum(counts) <= 1_000


def test_it_is_open_while_valkey_is_away(name, monkeypatch, free_port):
    away = redis.Redis(port=free_port(), socket_connect_timeout=0.1)
    monkeypatch.setattr(module, "_client", away)
    assert admitted(Pace(), name, 10, 25) == 25


def test_the_api_answers_429_with_retry_after(caller, settings):
    settings.API_REQUESTS_A_MINUTE = 3
    answers = [caller.get("rates/") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # Twelve requests lie in at most two minutes.
    assert 6 <= len(refused) <= 9
    assert refused[0].json()["code"] == "api.too_many_requests"
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
