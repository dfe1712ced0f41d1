"""Queueing: one row for one reason, however often and however many."""

import datetime as dt

import pytest

from retention.messaging.models import Delivery
from retention.messaging.operations import Message, archive_template, queue
from retention.messaging.operations.queueing import TemplateUnusable, TooMany

pytestmark = pytest.mark.django_db


def test_a_set_is_queued_with_the_version_of_the_moment(template, customer, now):
    made, anna, ben = template(), customer("anna"), customer("ben")
    later = now + dt.timedelta(hours=5)
    messages = [
        Message(origin_id=1, customer_id=anna.pk),
        Message(origin_id=2, customer_id=ben.pk, context={"occasion": {"years": 3}}, not_before=later),
    ]
    done = queue(template_id=made.pk, origin="campaigns.touch", step=1, messages=messages, priority=4, now=now)
    assert (done.queued, done.repeated) == (2, 0)
    first, second = Delivery.objects.order_by("origin_id")
    assert (first.customer, first.version, first.template) == (anna, made.version, made)
    assert (first.state, first.channel, first.step, first.priority) == ("queued", "email", 1, 4)
    assert (first.not_before, first.queued_at, first.context) == (now, now, {})
    assert (second.not_before, second.context) == (later, {"occasion": {"years": 3}})
    assert not first.is_transactional


def test_asking_again_queues_nothing_more(template, customer, now):
    made, anna, ben = template(), customer("anna"), customer("ben")
    one = [Message(1, anna.pk)]
    queue(template_id=made.pk, origin="campaigns.touch", messages=one, now=now)
    both = [Message(1, anna.pk), Message(2, ben.pk)]
    done = queue(template_id=made.pk, origin="campaigns.touch", messages=both, now=now)
    assert (done.queued, done.repeated) == (1, 1)
    assert queue(template_id=made.pk, origin="campaigns.touch", step=1, messages=one, now=now).queued == 1
    assert queue(template_id=made.pk, origin="support.case", messages=one, now=now).queued == 1
    assert Delivery.objects.count() == 4


def test_a_pair_within_one_call_is_one(template, customer, now):
    made, anna = template(), customer("anna")
    done = queue(template_id=made.pk, origin="x.y", messages=[Message(1, anna.pk), Message(1, anna.pk)], now=now)
    assert (done.queued, done.repeated) == (1, 1)


def test_nothing_is_nothing(template, now):
    assert queue(template_id=template().pk, origin="x.y", messages=[], now=now).queued == 0


def test_too_many_and_archived_are_refused(template, customer, now, by):
    made, anna = template(), customer("anna")
    with pytest.raises(TooMany):
        queue(template_id=made.pk, origin="x.y", messages=[Message(n, anna.pk) for n in range(5001)], now=now)
    archive_template(template_id=made.pk, now=now, by=by)
    with pytest.raises(TemplateUnusable):
        queue(template_id=made.pk, origin="x.y", messages=[Message(1, anna.pk)], now=now)
    assert not Delivery.objects.exists()


def test_five_thousand_take_one_statement(template, customer, now, django_assert_num_queries):
    made, anna = template(), customer("anna")
    messages = [Message(n, anna.pk) for n in range(5000)]
    with django_assert_num_queries(4):  # savepoint, template, insert, release
        assert queue(template_id=made.pk, origin="x.y", messages=messages, now=now).queued == 5000
