"""Prepared statements of the hot paths: types there and back, one plan, lost connections, failed transactions."""

import datetime as dt
import threading
import uuid
from decimal import Decimal

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from retention.statements import fetch_row, read_row

ECHO = """SELECT %s::bigint, %s::bigint, %s::bigint, %s::text, %s::boolean, %s::bytea, %s::uuid, %s::timestamptz,
                 %s::date, %s::numeric, %s::jsonb"""


@pytest.fixture(params=[False, True], ids=["inside a transaction", "alone"])
def database(request):
    request.getfixturevalue("transactional_db" if request.param else "db")


def prepared():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return sorted(text for (text,) in cursor.fetchall())


def test_values_come_back_as_they_went(database, now):
    known = uuid.uuid4()
    sent = [2**62, -1, None, "é'\\", True, b"\x00\xff", known, now, now.date(), Decimal("1.500000001"), '{"a": [1]}']
    row = fetch_row(ECHO, sent)
    assert row == (*sent[:-1], {"a": [1]})
    assert row[7].utcoffset() == dt.timedelta()


def test_one_plan_serves_small_numbers_large_ones_and_none(database):
    connection.close() if not connection.in_atomic_block else None
    statement = "SELECT %s::bigint + 1"
    assert [fetch_row(statement, [n])[0] for n in (1, 2**40, None, 2**62, 1)] == [2, 2**40 + 1, None, 2**62 + 1, 2]
    assert [text for text in prepared() if "+ 1" in text] == ["SELECT $1::bigint + 1"]


def test_a_lost_connection_is_made_anew_and_prepared_again(transactional_db):
    (first,) = fetch_row("SELECT pg_backend_pid()", [])
    connection.close()
    (second,) = fetch_row("SELECT pg_backend_pid()", [])
    assert first != second
    assert prepared().count("SELECT pg_backend_pid()") == 1


def test_threads_have_connections_of_their_own(transactional_db):
    (mine,), theirs = fetch_row("SELECT pg_backend_pid()", []), []

    def other():
        theirs.extend(fetch_row("SELECT pg_backend_pid()", []))
        connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(timeout=20)
    assert len(theirs) == 1
    assert theirs != [mine]
    assert fetch_row("SELECT pg_backend_pid()", []) == (mine,)


def test_it_belongs_to_the_transaction_around_it(transactional_db):
    with transaction.atomic():
        (first,) = fetch_row("SELECT pg_current_xact_id()::text", [])
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text")
            assert cursor.fetchone() == (first,)
    assert fetch_row("SELECT pg_current_xact_id()::text", []) != (first,)


def test_an_error_is_djangos_and_leaves_the_connection_usable(transactional_db):
    with pytest.raises(DatabaseError) as caught:
        fetch_row("SELECT 1 / %s::int", [0])
    assert caught.value.__cause__.sqlstate == "22012"
    assert fetch_row("SELECT 1 / %s::int", [1]) == (1,)


def test_it_is_seen_where_queries_are_counted(database):
    with CaptureQueriesContext(connection) as seen:
        fetch_row("SELECT %s::text", ["x"])
    assert len(seen) == 1


@pytest.fixture
def lost(transactional_db, settings):
    """A function that begins a request whose connection the server has closed since the last one."""

    def lose():
        (gone,) = fetch_row("SELECT pg_backend_pid()", [])
        with psycopg.connect(**connection.get_connection_params()) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [gone])
        connection.health_check_enabled, connection.health_check_done = True, False
        return gone

    return lose


@pytest.mark.parametrize("fetch", [fetch_row, read_row])
def test_a_request_after_the_server_closed_the_connection_is_answered(lost, fetch):
    gone = lost()
    assert fetch("SELECT pg_backend_pid()", []) != (gone,)


def test_a_read_asks_once_where_the_connection_is_there(transactional_db):
    fetch_row("SELECT 1", [])
    connection.health_check_enabled, connection.health_check_done = True, False
    with CaptureQueriesContext(connection) as seen:
        read_row("SELECT 2", [])
        assert connection.health_check_done
    assert len(seen) == 1


def test_a_read_that_fails_for_another_reason_is_not_sent_again(transactional_db):
    fetch_row("SELECT set_config('statement_timeout', '50', false)", [])
    connection.health_check_enabled, connection.health_check_done = True, False
    with CaptureQueriesContext(connection) as seen, pytest.raises(OperationalError):
        read_row("SELECT pg_sleep(5)::text", [])
    assert len(seen) == 1
    connection.close()


def test_a_connection_lost_in_the_midst_of_a_request_is_told(lost):
    lost()
    connection.health_check_done = True
    with pytest.raises(OperationalError):
        read_row("SELECT 1", [])
    connection.close()
