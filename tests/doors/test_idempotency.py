"""One effect and one answer per Idempotency-Key."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections
from django.test import Client

from retention.doors.idempotency import KEPT_FOR, REPLAYED
from retention.doors.jobs import ForgetAnswers
from retention.doors.models import IdempotentAnswer
from retention.shop.models import ExchangeRate

RATE = {"currency": "EUR", "on": "2026-05-01", "rate": "1.25"}


def test_the_same_request_again_gives_the_same_bytes_and_no_second_effect(caller):
    first = caller.post("rates/", RATE)
    ExchangeRate.objects.update(rate="9")
    again = caller.post("rates/", RATE)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.get(REPLAYED), again[REPLAYED]) == (None, "true")
    assert str(ExchangeRate.objects.get().rate.normalize()) == "9"


def test_another_request_under_the_key_is_refused(caller):
    caller.post("rates/", RATE)
    response = caller.post("rates/", {**RATE, "rate": "1.26"})
    assert (response.status_code, response.json()["code"]) == (422, "api.idempotency_key_reused")
    assert str(ExchangeRate.objects.get().rate.normalize()) == "1.25"


@pytest.mark.parametrize("key", [None, " ", "k" * 256, "schlüssel"])
def test_a_write_without_a_proper_key_is_refused(caller, key):
    response = caller.post("rates/", RATE, idempotency=key)
    assert (response.status_code, response.json()["code"]) == (400, "api.idempotency_key_missing")
    assert not ExchangeRate.objects.exists()


def test_a_refusal_is_not_kept_and_may_be_mended_under_the_same_key(caller):
    assert caller.post("rates/", {**RATE, "currency": "XXQ"}).status_code == 422
    assert not IdempotentAnswer.objects.exists()
    assert caller.post("rates/", RATE).status_code == 201


def test_two_callers_may_choose_the_same_key(caller, new_key):
    other = new_key("other", "rates:write")
    assert caller.post("rates/", RATE).status_code == 201
    headers = {"authorization": f"Bearer {other.secret}"}
    response = caller.post("rates/", {**RATE, "on": "2026-05-02"}, headers=headers)
    assert response.status_code == 201
    assert REPLAYED not in response
    assert ExchangeRate.objects.count() == 2


def test_old_answers_are_forgotten_and_young_ones_stay(caller):
    caller.post("rates/", RATE)
    caller.post("rates/", {**RATE, "on": "2026-05-02"}, idempotency="k2")
    written = IdempotentAnswer.objects.get(key="k1").at
    later = written + KEPT_FOR + dt.timedelta(seconds=1)
    IdempotentAnswer.objects.filter(key="k2").update(at=later - KEPT_FOR)
    assert ForgetAnswers.preview(now=later) == {"due": 1}
    assert ForgetAnswers.run(now=later, progress=lambda done, total: None) == {"due": 1}
    assert IdempotentAnswer.objects.get().key == "k2"
    assert ForgetAnswers.run(now=later, progress=lambda done, total: None) == {"due": 0}


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_being_answered_the_second_is_told_so(caller):
    """The lock is held by a real second connection, in the middle of its transaction."""
    # The first request is stopped inside its transaction by a lock on the table that it writes.
    answers = []

    def first():
        headers = {"authorization": f"Bearer {caller.secret}", "idempotency-key": "k1"}
        answers.append(Client().post("/api/v1/rates/", RATE, content_type="application/json", headers=headers))
        connections.close_all()

    with connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE shop_exchangerate IN ACCESS EXCLUSIVE MODE")
        thread = threading.Thread(target=first)
        thread.start()
        _wait_until_someone_waits(cursor)
        headers = {"authorization": f"Bearer {caller.secret}", "idempotency-key": "k1"}
        second = []
        knock = threading.Thread(
            target=lambda: (
                second.append(Client().post("/api/v1/rates/", RATE, content_type="application/json", headers=headers)),
                connections.close_all(),
            )
        )
        knock.start()
        knock.join(10)
        cursor.execute("COMMIT")
    thread.join(10)
    assert (second[0].status_code, second[0].json()["code"]) == (409, "api.in_flight")
    assert answers[0].status_code == 201
    assert ExchangeRate.objects.count() == 1


def _wait_until_someone_waits(cursor):
    """Until the other connection stands at the table's lock; the suite's own limit of time ends it otherwise."""
    while True:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'shop_exchangerate'::regclass")
        if cursor.fetchone()[0]:
            return
