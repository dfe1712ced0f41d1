"""The kinds of column a file may have: each knows its checks, its value and its difference as SQL over staged text.

Staged cells are text: NULL where the row does not say anything (the stored value stays), empty where it says "blank".
A percent sign in SQL is doubled, because every statement runs with parameters (see `params`).
"""

from retention.work.ingest.columns.base import Column, major, params, scale
from retention.work.ingest.columns.moments import Birthday, Day, Instant
from retention.work.ingest.columns.places import Country, Currency, Language, Money, Zone
from retention.work.ingest.columns.plain import Choice, Document, Email, Flag, Phone, Whole, Words

__all__ = [
    "Birthday",
    "Choice",
    "Column",
    "Country",
    "Currency",
    "Day",
    "Document",
    "Email",
    "Flag",
    "Instant",
    "Language",
    "Money",
    "Phone",
    "Whole",
    "Words",
    "Zone",
    "major",
    "params",
    "scale",
]
