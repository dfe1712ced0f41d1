"""The leak alarm: far faster than its own usual, told once a day, taken back when it is quiet or stopped."""

import datetime as dt
import itertools

import pytest

from retention import registries
from retention.incentives import operations
from retention.incentives.models import Code, Redemption, Use
from retention.incentives.operations.leaks import AGAIN_AFTER, LEAST, TIMES, fast_offers, watch_leaks
from retention.work.models import Alert
from retention.work.operations import settle_alert
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
numbers = itertools.count()


def used(incentive, at, count, code=None):
    """So many redemptions of the offer at that instant, as rows that the checkout writes."""
    rows = Redemption.objects.bulk_create(
        [
            Redemption(
                source=f"leak:{next(numbers)}", request_hash=b"x", state="redeemed", currency="EUR",
                discount_minor=100, base_minor=100, effects={}, redeemed_at=at,
            )
            for _ in range(count)
        ]
    )  # fmt: skip
    code = code or Code.objects.filter(incentive=incentive).first()
    Use.objects.bulk_create(
        [
            Use(
                redemption=row, place=0, code=code, incentive_id=incentive.pk, version_id=incentive.version_id,
                discount_minor=100, used_at=at, used_on=at.date(),
            )
            for row in rows
        ]
    )  # fmt: skip


@pytest.fixture
def public(offer):
    """A function that makes a live offer with one public code."""

    def make(text="INSTA500", **rule):
        return offer(name="Insta", codes={"kind": "public", "text": text}, **rule)

    return make


def told():
    return list(Alert.objects.filter(kind="incentives.leak", resolved_at=None).values_list("text", flat=True))


def test_a_sudden_rush_is_told_and_names_the_code(public, now):
    incentive = public()
    used(incentive, now - 3 * HOUR, 12)
    used(incentive, now - 5 * MINUTE, LEAST - 1)
    assert watch_leaks(now=now) == []
    used(incentive, now, 1)
    watch_leaks(now=now)
    assert told() == ["The code INSTA500 of “Insta” may have leaked: 20 uses in 10 minutes, usually 2 at most."]
    alert = Alert.objects.get()
    assert (alert.level, alert.subject.split(":")[0]) == ("urgent", str(incentive.pk))


def test_it_is_measured_by_its_own_busiest_hour(public, now):
    incentive = public()
    # 60 in its busiest hour are 10 in ten minutes: five times as many alarm, fewer do not.
    used(incentive, now - DAY, 60)
    used(incentive, now - MINUTE, 10 * TIMES - 1)
    assert fast_offers(now=now) == []
    used(incentive, now - MINUTE, 1)
    (leak,) = fast_offers(now=now)
    assert (leak.uses, leak.usual) == (50, 10)
    # What lies more than seven days back is not its usual any more.
    other = public("OTHER")
    used(other, now - 8 * DAY, 600)
    used(other, now - MINUTE, LEAST)
    assert [leak.code for leak in fast_offers(now=now)] == ["INSTA500", "OTHER"]


def test_a_young_offer_and_one_that_expects_a_rush_do_not_alarm(public, now):
    used(public("YOUNG"), now - MINUTE, 500)
    rush = public("RUSH", limits={"expects_rush": True})
    used(rush, now - 2 * HOUR, 1)
    used(rush, now - MINUTE, 500)
    assert fast_offers(now=now) == []


def test_one_code_of_many_is_told_apart(offer, grant, customers, now):
    incentive = offer(name="Friends", codes={"kind": "unique", "is_bound": False}, limits={"per_code": 1000})
    grant(incentive, customers, is_given=True)
    codes = list(Code.objects.order_by("pk"))
    for code in codes:
        used(incentive, now - HOUR, 60, code)
        used(incentive, now - MINUTE, 5, code)
    used(incentive, now - MINUTE, LEAST + 25, codes[0])
    (leak,) = fast_offers(now=now)
    assert (leak.code, leak.uses) == (codes[0].code, 50)


def test_it_is_told_once_a_day_and_what_was_settled_stays_settled(public, now):
    incentive = public()
    used(incentive, now - 2 * HOUR, 1)
    used(incentive, now, LEAST)
    assert len(watch_leaks(now=now)) == 1
    settle_alert(alert_id=Alert.objects.get().pk, now=now, by=BY)
    assert watch_leaks(now=now + MINUTE) == []
    assert told() == []
    later = now + AGAIN_AFTER
    used(incentive, later, 10 * LEAST)
    assert len(watch_leaks(now=later)) == 1
    assert len(told()) == 1


def test_a_quiet_hour_or_the_stop_button_takes_it_back(public, now):
    one, two = public("ONE"), public("TWO")
    for incentive in (one, two):
        used(incentive, now - 2 * HOUR, 1)
        used(incentive, now, LEAST)
    watch_leaks(now=now)
    assert len(told()) == 2
    operations.stop(incentive_id=one.pk, now=now, by=BY)
    watch_leaks(now=now + 30 * MINUTE)
    assert len(told()) == 1, "the stopped one is over at once, the other one not yet"
    watch_leaks(now=now + 90 * MINUTE)
    assert told() == []


def test_the_job_says_what_it_would_tell(public, now):
    incentive = public()
    used(incentive, now - 2 * HOUR, 1)
    used(incentive, now, LEAST)
    job = registries.jobs["incentives.watch_leaks"]
    assert job.preview(now=now) == {"due": 1}
    assert job.run(now=now, progress=lambda *_: None) == {"due": 1}
