"""At the moment a mail is handed over no transaction is open: the mail server itself asks PostgreSQL."""

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, transaction

from retention.messaging.operations import Message, queue, send_due, send_test
from tests.mailbox import Mailbox
from tests.messaging.test_console import CONFIRMED

pytestmark = pytest.mark.django_db(transaction=True)

_OPEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND xact_start IS NOT NULL
"""


class Watchman(Mailbox):
    """Notes for every mail how many transactions were open in this database when its recipient and its words came."""

    def __init__(self, *, port: int) -> None:
        super().__init__(port=port)
        self.open: list[tuple[int, int]] = []
        self._at_recipient = 0
        # Told by this thread: that of the mail server has no connection of Django's.
        self.database = connection_url()

    def _count(self) -> int:
        with psycopg.connect(self.database, autocommit=True) as own:
            return own.execute(_OPEN).fetchone()[0]

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        self._at_recipient = self._count()
        return await super().handle_RCPT(server, session, envelope, address, rcpt_options)

    async def handle_DATA(self, server, session, envelope):
        self.open.append((self._at_recipient, self._count()))
        return await super().handle_DATA(server, session, envelope)


def connection_url() -> str:
    connection.ensure_connection()
    to = connection.connection.info
    return psycopg.conninfo.make_conninfo(
        host=to.host, port=to.port, user=to.user, password=to.password, dbname=to.dbname
    )


@pytest.fixture
def watchman(free_port, smtp, settings):
    with Watchman(port=free_port()) as mailbox:
        settings.EMAIL_PORT = mailbox.port
        yield mailbox


@pytest.fixture
def mia(client, db):
    user = get_user_model().objects.create_user("mia", "mia@example.com", "x", is_staff=True)
    rights = Permission.objects.filter(codename__in=["view_template", "send_test_template"])
    user.user_permissions.set(rights)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def test_a_sender_hands_over_outside_transactions(watchman, template, customer, now):
    people = [customer(f"c{n}") for n in range(25)]
    queue(
        template_id=template().pk,
        origin="test.row",
        messages=[Message(person.pk, person.pk) for person in people],
        now=now,
    )
    assert send_due(now=now, worker="test")["sent"] == 25
    assert watchman.open == [(0, 0)] * 25


def test_a_test_from_the_console_is_handed_over_outside_transactions(watchman, template, mia, client):
    answer = client.post(f"/admin/messaging/template/{template().pk}/send-test/", CONFIRMED)
    assert "HX-Redirect" in answer.headers
    assert [mail.recipients for mail in watchman.messages] == [("mia@example.com",)]
    assert watchman.open == [(0, 0)]


def test_the_watchman_sees_one_that_is_open(watchman, template, mia, now, by):
    made = template()
    with transaction.atomic():
        send_test(template_id=made.pk, to=mia, now=now, by=by)
    assert watchman.open == [(1, 1)]
