"""Jobs that exist only here."""

import datetime as dt

import pytest

from retention import registries
from retention.registries import DueJob
from retention.shop.models import Shop


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en", "ko", "ru"])


@pytest.fixture
def only_jobs(monkeypatch):
    """Give the registry these jobs and no others."""

    def give(*classes):
        monkeypatch.setattr(registries.jobs, "_entries", {cls.key: cls for cls in classes})
        return classes

    return give


@pytest.fixture
def hourly(only_jobs):
    """Two jobs that note when they ran: one at each tick, one at six."""
    ran = []

    class EachTick(DueJob):
        key = "each_tick"
        label = "Each tick"
        order = 20

        @classmethod
        def run(cls, *, now, progress):
            ran.append((cls.key, now))
            progress(1, 1)
            return {"due": 1}

        @classmethod
        def preview(cls, *, now):
            return {"due": 1}

    class AtSix(EachTick):
        key = "at_six"
        label = "At six"
        at = dt.time(6)
        order = 10

    only_jobs(EachTick, AtSix)
    return ran
