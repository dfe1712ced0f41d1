"""Pools that run low: told in time, once, with the way to fill them; taken back when they are filled."""

import datetime as dt

import pytest

from retention import registries
from retention.incentives import operations
from retention.incentives.models import Incentive
from retention.incentives.operations.pools import watch_expiring_pools, watch_pools
from retention.work.ingest import ingest
from retention.work.models import Alert
from tests.incentives.conftest import BY


@pytest.fixture
def pool(offer, now):
    """A live incentive with so many codes in its pool: `pool(5, warn_below=3)`."""

    def make(count, **codes):
        incentive = offer(name="Podcast", codes={"kind": "unique", "is_from_pool": True, **codes})
        if count:
            fill(incentive, count, now)
        return incentive

    return make


def fill(incentive, count, now):
    source = f"{incentive.pk}:{count}"
    operations.generate_codes(
        incentive_id=incentive.pk, count=count, purpose="pool", source=source, now=now, by=BY
    )  # fmt: skip


def told():
    return list(Alert.objects.filter(kind="incentives.pool_low", resolved_at=None).values_list("level", "text"))


def test_it_is_told_below_the_threshold_and_taken_back_when_filled(pool, grant, customers, now):
    incentive = pool(5, warn_below=4)
    watch_pools(now=now)
    grant(incentive, customers[:1])
    watch_pools(now=now)
    assert told() == [], "four are left: not fewer than four"
    grant(incentive, customers[1:2])
    watch_pools(now=now)
    watch_pools(now=now)
    assert told() == [("warning", "The pool of “Podcast” has 3 codes left. Generate or import more.")]
    assert Alert.objects.get().url == f"/admin/incentives/incentive/{incentive.pk}/change/"
    grant(incentive, customers[2:4])
    watch_pools(now=now)
    assert told() == [("warning", "The pool of “Podcast” has one code left. Generate or import more.")]
    grant(incentive, customers[4:])
    watch_pools(now=now)
    assert told() == [("urgent", "The pool of “Podcast” is empty: nobody gets a code. Generate or import more.")]
    assert Alert.objects.count() == 1, "one alert, however often it is reworded"
    fill(incentive, 4, now)
    watch_pools(now=now)
    assert told() == []


def test_imported_codes_fill_a_pool_and_wake_the_watch(pool, shop, now):
    incentive = pool(0, warn_below=2)
    job = registries.jobs["incentives.watch_pools"]
    assert job.run(now=now, progress=None) == {"due": 1}
    rows = [{"incentive": incentive.name, "code": f"LISTEN{n}0000"} for n in range(2)]
    assert not ingest("codes", rows, now=now, by=BY).refused
    assert job.preview(now=now) == {"due": 0}
    job.run(now=now, progress=None)
    assert told() == []
    assert job.woken_by == {"codes"}


def test_a_hundred_unless_it_is_said_and_nought_is_never(pool, now):
    pool(99)
    pool(100)
    pool(1, warn_below=0)
    assert [low.left for low in watch_pools(now=now)] == [99]


def test_only_what_still_gives_from_a_pool_is_told(pool, offer, now):
    stopped, archived = pool(0), pool(0)
    ends = now + dt.timedelta(hours=1)
    offer(codes={"kind": "unique", "is_from_pool": True}, validity={"ends_at": ends})
    offer(codes={"kind": "unique"})
    offer(codes={"kind": "public", "text": "ALL"})
    offer(is_live=False, codes={"kind": "unique", "is_from_pool": True})
    assert len(watch_pools(now=now)) == len(told()) == 3
    operations.stop(incentive_id=stopped.pk, now=now, by=BY)
    Incentive.objects.filter(pk=archived.pk).update(archived_at=now)
    assert len(watch_pools(now=now)) == 1
    assert watch_pools(now=ends) == told() == []


def expiring():
    return list(Alert.objects.filter(kind="incentives.pool_expiring", resolved_at=None).values_list("text", flat=True))


def test_codes_that_soon_expire_are_told_and_taken_back(pool, now):
    incentive = pool(3, warn_below=4)
    operations.generate_codes(
        incentive_id=incentive.pk,
        count=6,
        purpose="pool",
        source="soon",
        expires_at=now + dt.timedelta(days=7),
        now=now,
        by=BY,
    )
    watch_expiring_pools(now=now - dt.timedelta(minutes=1))
    assert expiring() == [], "more than seven days away"
    watch_expiring_pools(now=now)
    assert expiring() == [
        "6 codes of the pool of “Podcast” expire from 2026-05-19 on, and 3 will be left. Generate more."
    ]
    fill(incentive, 1, now)
    watch_expiring_pools(now=now)
    assert expiring() == [], "enough of them last"


def test_where_the_offer_ends_with_its_codes_nobody_is_told(offer, now):
    ends = now + dt.timedelta(days=2)
    incentive = offer(codes={"kind": "unique", "is_from_pool": True}, validity={"ends_at": ends})
    fill(incentive, 5, now)
    watch_expiring_pools(now=now)
    assert expiring() == []
