"""What became of messages, added up by campaign, template, channel or day: one statement over the tallies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from django.db import connection
from django.db.models import Model

from retention.messaging.groups import rows_of
from retention.messaging.models import Template

#: By what lines are made → the columns that tell them apart, the names of these in the answer.
BY = {
    "campaign": ("t.origin, t.group_id", "t.group_id IS NOT NULL"),
    "template": ("v.subject_id", "true"),
    "channel": ("t.channel", "true"),
    "day": ("t.day", "true"),
}
#: No page shows more lines; the ones that sent most come first.
MOST = 500

_LINES = """
SELECT {columns},
    coalesce(sum(count) FILTER (WHERE kind = 'sent'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'delivered'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'opened' AND NOT is_machine), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'opened' AND is_machine), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'clicked' AND NOT is_machine), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'clicked' AND is_machine), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'soft_bounced'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'bounced'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'complained'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'unsubscribed'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'unsent'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'unknown'), 0),
    coalesce(sum(count) FILTER (WHERE kind = 'withheld'), 0)
FROM messaging_tally t JOIN audit_version v ON v.id = t.version_id
WHERE t.day BETWEEN %(since)s AND %(until)s AND {which} AND (%(channel)s = '' OR t.channel = %(channel)s)
GROUP BY {columns} ORDER BY {order} LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages; opens and clicks are told by people from those by machines, each message counted once."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    opened_by_machine: int = 0
    clicked: int = 0
    clicked_by_machine: int = 0
    soft_bounced: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    unsent: int = 0
    unknown: int = 0
    withheld: int = 0

    def rate(self, kind: str) -> float | None:
        """Of a hundred that were sent; None where none was."""
        return 100 * getattr(self, kind) / self.sent if self.sent else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Counts)))


@dataclass(frozen=True, slots=True)
class Line:
    """One campaign's (origin, its id), template's (id), channel's or day's counts."""

    key: tuple
    counts: Counts


def lines(*, by: str, since: dt.date, until: dt.date, channel: str = "") -> list[Line]:
    """The counts of these days (in UTC, both included), of whatever sent most first, or of the newest day first."""
    columns, which = BY[by]
    width = columns.count(",") + 1
    order = "t.day DESC" if by == "day" else f"{width + 1} DESC, {columns}"
    with connection.cursor() as cursor:
        cursor.execute(
            _LINES.format(columns=columns, which=which, order=order),
            {"since": since, "until": until, "channel": channel, "most": MOST},
        )
        return [Line(row[:width], Counts(*map(int, row[width:]))) for row in cursor.fetchall()]


def total(of: list[Line]) -> Counts:
    """All of them together."""
    return sum((line.counts for line in of), Counts())


def rows_behind(of: list[Line], *, by: str) -> list[Model | None]:
    """The campaign or template that each line is about; None where there is none, as behind a channel or a day."""
    if by == "campaign":
        groups = rows_of(line.key for line in of)
        return [groups.get(line.key) for line in of]
    if by == "template":
        templates = Template.objects.in_bulk([line.key[0] for line in of])
        return [templates.get(line.key[0]) for line in of]
    return [None] * len(of)
