"""The gallery as it is read: playbooks by the moment that they wait for, found by words or aim, each with its data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.functional import Promise

from campaigns.playbooks.base import Aim, CampaignPlaybook, Count, Group, Need
from campaigns.playbooks.needs import living
from retention import registries

#: What playbooks need is counted at most once in so many seconds: over all customers, and many ask for the same.
KEPT = 600


@dataclass(frozen=True)
class Card:
    """One playbook in the gallery.

    Attributes:
        comes_with: why it makes no draft yet; empty: it makes one.
    """

    playbook: type[registries.Playbook]
    needs: tuple[Need, ...]
    comes_with: str

    @property
    def aims(self) -> list[Promise]:
        return [aim.value for aim in self.playbook.aims]


@dataclass(frozen=True)
class Shelf:
    """The playbooks of one moment."""

    group: Group
    cards: tuple[Card, ...]


def shelves(*, words: str = "", aim: str = "", now: dt.datetime) -> list[Shelf]:
    """The gallery in its order; only those that say all the words somewhere, and have the aim of this name, if told."""
    counts = _Counts(now)
    found = [book for book in registries.playbooks if _says(book, words) and (not aim or aim in _aims(book))]
    on_shelf = [(group, [book for book in found if book.group is group]) for group in Group]
    return [Shelf(group, tuple(_card(book, counts) for book in books)) for group, books in on_shelf if books]


def _aims(book: Any) -> set[str]:
    return {aim.name for aim in book.aims}


def _says(book: Any, words: str) -> bool:
    text = " ".join(
        map(
            str, (book.label, book.plan, book.expected, book.watch_out, book.group.value, *(a.value for a in book.aims))
        )
    ).casefold()
    return all(word in text for word in words.casefold().split())


def _card(book: Any, counts: _Counts) -> Card:
    if not issubclass(book, CampaignPlaybook):
        return Card(book, (), str(book.comes_with))
    everyone = counts.of(living)
    needs = tuple(Need(str(label), counts.of(rows), everyone) for label, rows in book.all_needs().items())
    return Card(book, needs, "")


class _Counts:
    """Each kind of data counted once, however many playbooks need it."""

    def __init__(self, now: dt.datetime) -> None:
        self.slot = int(now.timestamp()) // KEPT

    def of(self, rows: Count) -> int:
        return cache.get_or_set(f"playbook-need:{rows.__name__}:{self.slot}", lambda: rows().count(), KEPT)


AIMS = tuple((aim.name, aim.value) for aim in Aim)
