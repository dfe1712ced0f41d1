"""Uploaded lists: references or email addresses, one a line, joined to customers once, when they come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention import bulk
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused
from retention.segments.models import CustomerList
from retention.segments.querysets import live_segments

#: Lines that named nobody and are told back to whoever uploaded them.
SHOWN_UNKNOWN = 50
_JOIN = """
    INSERT INTO segments_listentry (list_id, customer_id)
    SELECT %s, found.id FROM (
        SELECT c.id FROM {staging} s JOIN customers_customer c ON c.reference = s.name
        UNION
        SELECT c.id FROM {staging} s JOIN customers_customer c ON c.email_normal = lower(s.name)
    ) AS found JOIN customers_customer c USING (id)
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL
    ON CONFLICT DO NOTHING
"""
_UNKNOWN = """
    SELECT s.name FROM {staging} s
    WHERE NOT EXISTS (
        SELECT 1 FROM customers_customer c
        WHERE c.reference = s.name AND c.merged_into_id IS NULL AND c.erased_at IS NULL
    ) AND NOT EXISTS (
        SELECT 1 FROM customers_customer c
        WHERE c.email_normal = lower(s.name) AND c.merged_into_id IS NULL AND c.erased_at IS NULL
    )
    ORDER BY s.line
"""


class ListInUse(Refused):
    code = "segments.list_in_use"
    sentence = _("This list is used by %(users)s.")


class ListNameTaken(Refused):
    code = "segments.list_name_taken"
    sentence = _("There is a list called “%(name)s” already.")


@dataclass(frozen=True)
class Uploaded:
    """A new list, and the first of the lines that named no customer; they are not kept."""

    list: CustomerList
    unknown: tuple[str, ...]


def upload_list(*, name: str, lines: Iterable[str], now: dt.datetime, by: Actor) -> Uploaded:
    """Make a list of the customers whom the lines name by reference or email; a line twice counts once.

    Raises:
        ListNameTaken
    """
    names = dict.fromkeys(line.strip().strip('"') for line in lines)
    names.pop("", None)
    with transaction.atomic():
        made, is_new = CustomerList.objects.get_or_create(
            name=name, defaults={"uploaded_at": now, "by_id": by.staff_id}
        )
        if not is_new:
            raise ListNameTaken(name=name)
        with bulk.staging("list", [("name", "text")]) as staging, connection.cursor() as cursor:
            bulk.copy_rows(staging, ("line", "name"), enumerate(names, start=1))
            cursor.execute(f"ANALYZE {staging}")
            cursor.execute(_JOIN.format(staging=staging), [made.pk])
            made.size = cursor.rowcount
            cursor.execute(_UNKNOWN.format(staging=staging))
            unknown = [row[0] for row in cursor.fetchall()]
        made.unknown = len(unknown)
        CustomerList.objects.filter(pk=made.pk).update(size=made.size, unknown=made.unknown)
        after = {"name": name, "size": made.size, "unknown": made.unknown}
        record(verb="segments.upload_list", by=by, now=now, subject=made, after=after)
    return Uploaded(made, tuple(unknown[:SHOWN_UNKNOWN]))


def archive_list(*, list_id: int, now: dt.datetime, by: Actor) -> None:
    """Put a list away and forget who was on it.

    Raises:
        ListInUse: a live segment asks for it.
    """
    with transaction.atomic():
        found = CustomerList.objects.select_for_update(of=("self",)).get(pk=list_id)
        users = [segment.name for segment in live_segments() if str(found.public_id) in str(segment.rule)]
        if users:
            raise ListInUse(users=", ".join(users))
        found.entries.all().delete()
        CustomerList.objects.filter(pk=list_id).update(archived_at=now, size=0)
        record(verb="segments.archive_list", by=by, now=now, subject=found)
