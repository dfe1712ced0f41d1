"""Nothing of a person's reaches the log, whatever goes wrong."""

import logging
import sys

import pytest
from django.db import IntegrityError, connection

from retention.customers.models import Customer
from retention.logs import PlainFormatter


def logged(message="", *args):
    record = logging.LogRecord("retention", logging.ERROR, __file__, 1, message, args, sys.exc_info())
    return PlainFormatter("%(levelname)s %(message)s").format(record)


@pytest.mark.django_db
def test_a_refused_row_is_not_quoted(now):
    anna = {"email": "anna@example.com", "given_name": "Annabel", "recorded_at": now}
    Customer.objects.create(**anna)
    try:
        Customer.objects.create(**anna)
    except IntegrityError:
        text = logged("could not save")
    assert "Annabel" not in text
    assert "example.com" not in text
    assert "UniqueViolation 23505 one_customer_an_email" in text
    assert "test_a_refused_row_is_not_quoted" in text


@pytest.mark.django_db
def test_nor_a_value_that_cannot_be_read():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::int", ["secret" + "-anna"])
    except Exception:
        text = logged("no")
    assert "secret-anna" not in text
    assert "InvalidTextRepresentation 22P02" in text


def test_addresses_are_blotted_out_of_any_message():
    try:
        raise ValueError("no mailbox for Anna <anna@example.com>")
    except ValueError:
        text = logged("sending to %s failed", "anna@example.com")
    assert "anna@" not in text
    assert text.startswith("ERROR sending to …@… failed")
    assert "ValueError: no mailbox for Anna <…@…>" in text
