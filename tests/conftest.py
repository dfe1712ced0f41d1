"""What every test stands on: real PostgreSQL and Valkey, a real mail server that keeps what it gets, a real browser."""

import datetime as dt
import os
import shutil
import socket
import tempfile

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from model_bakery import baker

from tests.browsing import Browsing
from tests.emptying import empty_quickly
from tests.guards import refuse_guards_in_sub_queries
from tests.mailbox import Mailbox


def pytest_configure(config):
    # Playwright's blocking interface runs an event loop in this thread; Django must not take it for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # Hashed file names need `collectstatic`; a strong password hash needs half a second a log-in.
    django_settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    baker.generators.add("retention.documents.DocumentField", dict)
    django_settings.MEDIA_ROOT = tempfile.mkdtemp(prefix="retention-media-")
    refuse_guards_in_sub_queries()
    empty_quickly()


def pytest_unconfigure(config):
    shutil.rmtree(django_settings.MEDIA_ROOT, ignore_errors=True)


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


@pytest.fixture
def empty_cache():
    """The cache (Valkey) with nothing in it, before and after."""
    cache.clear()
    yield cache
    cache.clear()


@pytest.fixture(scope="session")
def free_port():
    """A function that names a TCP port on which nobody listens at present."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def smtp_server(free_port):
    with Mailbox(port=free_port()) as mailbox:
        yield mailbox


@pytest.fixture
def smtp(smtp_server, settings):
    """A mail server on loopback that speaks real SMTP; Django's mail goes to it (see `tests/mailbox.py`)."""
    smtp_server.reset()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = smtp_server.host
    settings.EMAIL_PORT = smtp_server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield smtp_server
    smtp_server.reset()


@pytest.fixture(scope="session")
def chromium():
    """One headless Chromium for the whole run; without it the tests skip, or fail where REQUIRE_BROWSER=1."""
    path = Browsing.find_chromium()
    if path is None:
        reason = "Chromium is not installed (apt-get install chromium, or set CHROMIUM to its path)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with Browsing.launched(path) as browser:
        yield browser


@pytest.fixture
def browser(chromium, live_server):
    """Drives Chromium through the console: `browser.log_in(staff)`, `browser.page` (see `tests/browsing.py`)."""
    browsing = Browsing(chromium, live_server.url)
    yield browsing
    browsing.close()
