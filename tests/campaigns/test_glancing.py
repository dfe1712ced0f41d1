"""One glance over all live campaigns: few statements however many there are, and nobody is left who is due."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.db.models.expressions import RawSQL
from django.test.utils import CaptureQueriesContext

from campaigns import operations
from campaigns.models import Quota, Reach, Touch
from campaigns.operations import glancing
from retention import registries
from retention.customers.models import Customer
from retention.marks import CurrentTransaction
from tests.campaigns.conftest import BY, agree
from tests.campaigns.every_occasion import every_occasion
from tests.marks import settle

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
COMMITTING = pytest.mark.django_db(transaction=True)
NINE = {"hour": "09:00"}


def tick(at):
    """The job of campaigns at an instant: its figures, and the statements that it sent."""
    with CaptureQueriesContext(connection) as sent:
        figures = registries.jobs["campaigns.reach"].run(now=at, progress=lambda done, total: None)
    return figures, [query["sql"] for query in sent]


def learn_of(customer):
    """Something is learned of her that changes nothing."""
    Customer.objects.filter(pk=customer.pk).update(xid=CurrentTransaction())
    settle()


@COMMITTING
def test_an_idle_tick_of_every_occasion_is_eight_statements(live, person, now):
    """For forty-five campaigns, one of them asking for programmes; a loop over campaigns would send some for each."""
    anna = person(birth_month=9, birth_day=1, signed_up_at=now - 40 * DAY)
    campaigns = [live(key, args, at=now - MINUTE) for key, args, _words in every_occasion(now) if key != "one_date"]
    assert len(campaigns) == 45
    settle()
    tick(now)
    tick(now + MINUTE)
    before = Reach.objects.order_by("mark").last()
    figures, sent = tick(now + 2 * MINUTE)
    assert (figures["due"], len(sent)) == (0, 8), sent
    assert set(Reach.objects.values_list("at", "phase")) == {(now + 2 * MINUTE, "rest")}

    # Of somebody something is learned that makes nobody due: all are asked for together.
    learn_of(anna)
    figures, sent = tick(now + 3 * MINUTE)
    assert (figures["due"], len(sent)) == (0, 9), sent
    assert set(Reach.objects.values_list("at", "phase")) == {(now + 3 * MINUTE, "rest")}
    assert Reach.objects.order_by("mark").first().mark > before.mark
    assert not Touch.objects.exists()


@COMMITTING
def test_whoever_is_due_is_found_at_a_glance(live, person, incentive, template, now):
    """Due in time, by a fact that came late, by a consent that followed, and by a step whose wait is over."""
    anna = person(reference="anna", birth_month=5, birth_day=12, consent=False)
    birthdays = live("birthday", {"hour": "12:03"}, at=now - MINUTE)
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 2}, "messages": [template.pk]}]
    welcome = live("signed_up", steps=steps, at=now - MINUTE)
    idle = live("anniversary", NINE, at=now - MINUTE)
    settle()

    def busy(at):
        settle()
        found = operations.glance(now=at)
        tick(at)
        return found

    assert busy(now + MINUTE) == []
    assert busy(now + 3 * MINUTE) == []
    assert busy(now + 4 * MINUTE) == [birthdays.pk], "12:03 in Berlin has passed"
    assert Touch.objects.get().reason == "campaigns.no_consent"
    agree(anna, now)
    assert busy(now + 5 * MINUTE) == [birthdays.pk]
    assert Touch.objects.get().state == "waiting"
    person(reference="ben", signed_up_at=now)
    assert busy(now + 6 * MINUTE) == [welcome.pk]
    person(reference="cleo", birth_month=5, birth_day=12)
    assert busy(now + 7 * MINUTE) == [birthdays.pk], "we learned of her late"
    assert busy(now + 8 * MINUTE) == []
    assert busy(now + 6 * MINUTE + 2 * HOUR) == [welcome.pk], "the second step"
    assert Touch.objects.count() == 3
    assert Reach.objects.get(campaign=idle).at == now + 6 * MINUTE + 2 * HOUR


@COMMITTING
def test_a_full_day_rests_until_there_is_room(live, person, template, now):
    """Three wait, one may begin a day: what is left rests with the others, but for the steps of who has begun."""
    for _n in range(3):
        person(birth_month=5, birth_day=12)
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 2}, "messages": [template.pk]}]
    campaign = live("birthday", NINE, steps=steps, limits={"touches_a_day": 1}, at=now - 4 * HOUR)
    settle()
    tick(now)
    assert sorted(Touch.objects.values_list("step", flat=True)) == [0, 0, 1]
    figures, sent = tick(now + MINUTE)
    assert (figures["due"], len(sent)) == (0, 7), sent
    assert Reach.objects.get().at == now + MINUTE
    assert operations.glance(now=now + 2 * HOUR) == [campaign.pk], "the second step of who has begun"
    tick(now + 2 * HOUR)
    assert operations.glance(now=now + 11 * HOUR) == []
    assert operations.glance(now=now + 12 * HOUR) == [campaign.pk], "midnight in Berlin"
    tick(now + 12 * HOUR)
    assert sorted(Touch.objects.values_list("step", flat=True)) == [0, 1, 2]
    assert operations.glance(now=now + 13 * HOUR) == []
    # A place that is given back is taken again.
    Quota.objects.filter(period="2026-05-13").update(taken=0)
    assert operations.glance(now=now + 13 * HOUR) == [campaign.pk]


@COMMITTING
def test_what_was_moved_meanwhile_stays_where_it_is(live, person, template, planned, now):
    """A new hour was approved after the glance read the campaign: it looks at that day again, and so must the next."""
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", {"hour": "13:00"}, at=now - DAY)
    tick(now)
    read = glancing.running(now).annotate(row=RawSQL("campaigns_reach.xmin::text", [])).get()
    operations.save_campaign(campaign_id=campaign.pk, plan=planned("birthday", NINE), edited=1, now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=2, now=now, by=BY)
    moved = Reach.objects.get().at
    glancing._move_on({read.pk: read.row}, read.mark, now + HOUR)
    assert Reach.objects.get().at == moved < now
    assert operations.glance(now=now) == [campaign.pk]
    tick(now)
    assert Touch.objects.count() == 1


@COMMITTING
def test_a_glance_waits_for_nobody(live, now):
    """Whoever holds a campaign for a whole chunk holds up neither the glance nor the others."""
    held, free = live("birthday", NINE, at=now), live("birthday", NINE, at=now)
    locked, let_go = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Reach.objects.select_for_update(no_key=True).get(campaign=held)
            locked.set()
            let_go.wait(20)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert locked.wait(10)
        assert operations.glance(now=now + MINUTE) == []
        assert dict(Reach.objects.values_list("campaign", "at")) == {held.pk: now, free.pk: now + MINUTE}
    finally:
        let_go.set()
        other.join()
