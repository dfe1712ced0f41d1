"""What every test stands on: a real PostgreSQL whose append-only tables may be emptied between tests."""

import datetime as dt

import pytest
from django.db import connection


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET retention.may_truncate = 'on'")
        cursor.execute("SET retention.may_truncate = 'on'")


@pytest.fixture
def now():
    """A fixed instant: Tuesday, 12 May 2026, 10:00 in UTC."""
    return dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
