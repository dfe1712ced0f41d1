"""Many look for news and many tell it at once: each fact is told once, whenever its transaction commits."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection, connections, transaction

from loyalty.operations.telling import Told, tell
from retention.customers.models import Activity
from retention.webhooks import operations
from retention.webhooks.bodies import body_of
from retention.webhooks.calls import call
from retention.webhooks.models import Notice
from retention.webhooks.signing import headers_of
from tests.marks import settle
from tests.races.crowds import at_once
from tests.webhooks.conftest import anna, endpoint, joined, receiver, receivers, shop  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
JOINED = "loyalty.joined"
FACTS = 20


def test_many_who_follow_at_once_find_each_fact_once(receiver, endpoint, anna, joined, now):  # noqa: F811
    endpoint(receiver, JOINED)
    joined(anna, *range(FACTS))
    settle()
    made = []
    assert at_once(lambda _n: made.append(operations.follow(now=now)), tries=8, shoppers=4) == {"done": 8}
    assert sorted(made) == [0] * 7 + [FACTS]
    assert Notice.objects.count() == FACTS


def test_the_naive_way_to_follow_trips_over_others(receiver, endpoint, anna, joined, now):  # noqa: F811
    made = endpoint(receiver, JOINED)
    joined(anna, *range(FACTS))

    def naive(_n):
        known = set(Notice.objects.values_list("reference", flat=True))
        news = [each for each in Activity.objects.all() if each.reference not in known]
        time.sleep(0.2)
        Notice.objects.bulk_create(
            Notice(
                endpoint=made, kind=each.kind, reference=each.reference, customer=anna, occurred_at=now, data={},
                next_at=now, recorded_at=now,
            )
            for each in news
        )  # fmt: skip

    outcomes = at_once(naive, tries=2, shoppers=2)
    assert any("told_once_an_endpoint" in outcome for outcome in outcomes), "the database alone refuses"


def test_many_who_tell_at_once_tell_each_once(receiver, endpoint, anna, joined, now):  # noqa: F811
    endpoint(receiver, JOINED)
    joined(anna, *range(FACTS))
    settle()
    operations.follow(now=now)
    assert at_once(lambda _n: operations.deliver(now=now) and None, tries=4, shoppers=4) == {"done": 4}
    assert len(receiver.heard) == len({each.id for each in receiver.heard}) == FACTS
    assert Notice.objects.filter(state="delivered", tries=1).count() == FACTS


def test_the_naive_way_to_tell_tells_twice(receiver, endpoint, anna, joined, now):  # noqa: F811
    made = endpoint(receiver, JOINED)
    joined(anna, *range(4))
    settle()
    operations.follow(now=now)

    def naive(_n):
        for notice in Notice.objects.filter(state="waiting").select_related("customer__merged_into"):
            body = body_of(notice)
            call(made.url, body, headers_of(made, str(notice.public_id), body, at=now))
            Notice.objects.filter(pk=notice.pk).update(state="delivered", next_at=None, ended_at=now)

    at_once(naive, tries=4, shoppers=4)
    assert len(receiver.heard) > len({each.id for each in receiver.heard}) == 4


def test_what_commits_late_is_told_all_the_same_and_once(receiver, endpoint, anna, joined, now):  # noqa: F811
    """A transaction that began before and ends after others were told; whoever goes by ids has passed it by then."""
    endpoint(receiver, JOINED)
    settle()
    wrote, may_end = threading.Event(), threading.Event()

    def late():
        try:
            with transaction.atomic():
                tell(kind=JOINED, told=[Told(anna.pk, "loyalty.joined:late", {"programme": "club"})], now=now)
                wrote.set()
                may_end.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=late)
    thread.start()
    assert wrote.wait(30)
    joined(anna, "early")
    last_seen, made = 0, []
    for _look in range(3):
        ids = list(Activity.objects.filter(pk__gt=last_seen).values_list("pk", "reference"))
        made += [reference for _pk, reference in ids]
        last_seen = max([pk for pk, _reference in ids], default=last_seen)
        operations.follow(now=now)
        may_end.set()
        thread.join(30)
        settle()
    assert made == ["loyalty.joined:early"], "by ids the late one is passed by"
    assert sorted(Notice.objects.values_list("reference", flat=True)) == ["loyalty.joined:early", "loyalty.joined:late"]


def test_a_crowd_that_writes_while_others_follow_is_told_whole(receiver, endpoint, anna, now):  # noqa: F811
    endpoint(receiver, JOINED)
    settle()

    def either(n):
        if n % 3 == 0:
            operations.follow(now=now + dt.timedelta(seconds=n))
            return
        with transaction.atomic():
            tell(kind=JOINED, told=[Told(anna.pk, f"loyalty.joined:{n}", {"programme": "club"})], now=now)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [n % 5 / 50])

    assert at_once(either, tries=60, shoppers=6) == {"done": 60}
    settle()
    operations.follow(now=now)
    assert Notice.objects.count() == Activity.objects.filter(kind=JOINED).count() == 40
