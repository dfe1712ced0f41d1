"""Corrections by hand: in the books once, heard of by others, and told to the member with the reason."""

import pytest

from loyalty import operations
from loyalty.operations.adjusting import ORIGIN, template
from loyalty.operations.members import NoSuchMember
from loyalty.placeholders import AdjustmentWords
from retention.audit.models import AuditEntry
from retention.customers.models import Activity
from retention.ledger.models import Entry
from retention.ledger.operations.corrections import ReasonMissing
from retention.ledger.operations.transfers import NotEnough
from retention.messaging.models import Delivery
from tests.loyalty.conftest import BY


def adjust(member, amount, now, source="1", reason="late parcel"):
    return operations.adjust_points(
        member_id=member.pk, amount=amount, reason=reason, source=source, now=now, by=BY
    )  # fmt: skip


def test_points_are_given_and_taken_with_a_reason_that_she_reads(programme, member, customers, balance, now):
    club = programme()
    hers = member(club)

    adjust(hers, 50, now)
    adjust(hers, 50, now)
    adjust(hers, -20, now, source="2", reason="counted twice")

    assert balance(customers[0], club, now) == (30, 30)
    told = Activity.objects.filter(kind="loyalty.points_adjusted").order_by("pk")
    assert [one.properties["amount"] for one in told] == [50, -20]
    assert AuditEntry.objects.filter(verb="ledger.adjust").count() == 2
    mails = list(Delivery.objects.filter(origin=ORIGIN).order_by("pk"))
    assert [(mail.is_transactional, mail.template.key) for mail in mails] == [(True, "points_adjusted")] * 2
    said = AdjustmentWords.values(mails, now=now)
    assert [said[mail.pk] for mail in mails] == [
        {"amount": "50 Club_points", "is_less": False, "reason": "late parcel", "balance": "30 Club_points"},
        {"amount": "20 Club_points", "is_less": True, "reason": "counted twice", "balance": "30 Club_points"},
    ]


def test_what_cannot_be_corrected_leaves_nothing_behind(programme, member, now):
    hers = member(programme())
    for amount, reason, why in ((50, " ", ReasonMissing), (-1, "x", NotEnough)):
        with pytest.raises(why):
            adjust(hers, amount, now, reason=reason)
    hers.pk = 10**9
    with pytest.raises(NoSuchMember):
        adjust(hers, 5, now)
    assert not Entry.objects.filter(source__startswith=ORIGIN).exists()
    assert not Delivery.objects.exists()


def test_the_mail_is_made_once_and_stays_as_leads_left_it(shop, now):
    first = template(now=now, by=BY)
    assert template(now=now, by=BY).pk == first.pk
    assert first.category == "transactional"
