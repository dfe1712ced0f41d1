"""The sorry mail on its way out: her code and the agent's words in her language, or the allowance given back."""

import datetime as dt

import pytest

from retention.customers.models import Customer
from retention.incentives.models import Code, Grant
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.support import querysets
from retention.support.models import Allowance, Compensation
from retention.support.operations import compensate, undo


def send(now):
    return messaging.send_due(now=now, worker="test", transactional=True)


@pytest.mark.parametrize(
    ("language", "subject", "amount"),
    [
        ("en", "We are sorry about order NW-1001", "$12.50"),
        ("ko", "불편을 드려 죄송합니다 (주문 NW-1001)", "US$12.50"),
        ("ru", "Приносим извинения за заказ NW-1001", "12,50\xa0$"),
    ],
)
def test_the_mail_brings_code_amount_and_words_without_asking_for_consent(
    floor, by, now, smtp, language, subject, amount
):
    Customer.objects.filter(pk=floor.anna.pk).update(language=language)
    complaint = floor.complaint(words="I packed it <myself>.", line_id=floor.line.pk, product_id=floor.line.product_id)
    given = compensate(source="form-1", complaint=complaint, amount_minor=1_250, now=now, by=by)

    assert send(now)["sent"] == 1

    (mail,) = smtp.messages
    assert mail.recipients == ("Anna.Meyer@example.com",)
    assert mail.message["subject"] == subject
    html = mail.text("html")
    for expected in (given.code, amount, "I packed it &lt;myself&gt;.", "Half Speed (Vinyl)", "Oleg"):
        assert expected in html, expected
    assert Code.objects.get().state == Code.State.GIVEN
    assert querysets.standing(Compensation.objects.get(), now=now) == querysets.Standing.GIVEN


def test_an_undone_one_never_leaves(floor, by, now, smtp):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    undo(compensation_id=given.compensation.pk, now=now, by=by)

    assert send(now)["sent"] == 0
    assert smtp.messages == []
    assert Delivery.objects.get().reason == "support.undone"
    assert (Allowance.objects.get().spent_minor, Compensation.objects.get().undone_why) == (0, "undone")


def test_an_address_gone_meanwhile_gives_coupon_and_allowance_back(floor, by, now, smtp):
    compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    Customer.objects.filter(pk=floor.anna.pk).update(email=None)

    assert send(now)["sent"] == 0
    assert smtp.messages == []
    found = Compensation.objects.get()
    assert found.undone_by is None
    assert found.undone_why == Delivery.objects.get().reason != ""
    assert (Grant.objects.get().state, Code.objects.get().state) == (Grant.State.RETURNED, Code.State.VOID)
    assert Allowance.objects.get().spent_minor == 0
    assert querysets.standing(found, now=now) == querysets.Standing.NOT_SENT


def test_a_sent_one_can_still_be_undone_before_use(floor, by, now, smtp):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    send(now)
    undo(compensation_id=given.compensation.pk, now=now + dt.timedelta(hours=1), by=by)
    assert Code.objects.get().state == Code.State.VOID
    assert Allowance.objects.get().spent_minor == 0
