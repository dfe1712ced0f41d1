"""Corrections by a list, looked at first and done once; invitations of everybody who was chosen in a list."""

import html

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from loyalty.models import Member, TierChange
from retention.customers.models import Activity
from retention.ledger.models import Entry
from retention.messaging.models import Delivery
from retention.shop.models import Staff
from tests.loyalty.conftest import points_of

pytestmark = pytest.mark.django_db
LIST = """Customer; Amount; Reason
c1; 50; Lost in our move
C2@example.com; -30; Counted twice
c2; -999; More than she has
c9; 5; Nobody
c3; 5; No member
c1; many; Not a number
c1; 50
c1; 50; Lost in our move
"""


@pytest.fixture
def boss(client, shop, now, monkeypatch):
    monkeypatch.setattr("retention.clock.now", lambda: now)
    client.force_login(Staff.objects.create_superuser("boss", "boss@example.com", "x"))
    return client


def said(answer):
    return " ".join(html.unescape(answer.content.decode()).split())


def test_a_list_is_looked_at_then_corrects_each_line_once(boss, programme, member, customers, now):
    club = programme()
    one, two = member(club, customers[0]), member(club, customers[1], points=100)
    page = reverse("admin:loyalty_programme_corrections", args=[club.pk])
    before = Entry.objects.count()

    shown = said(boss.post(page, {"name": "Move", "text": LIST}))

    assert "3 will be corrected, 0 were corrected before, 5 cannot be." in shown
    assert "In all: 70 Club_points." in shown
    for words in ("The customer is not in this programme.", "A reason is missing", "Write an amount such as 12.50."):
        assert words in shown
    assert (Entry.objects.count(), Delivery.objects.count(), Activity.objects.filter(kind="loyalty.points_adjusted")
            .count()) == (before, 0, 0)  # fmt: skip

    done = said(boss.post(page, {"name": "Move", "text": LIST, "confirm": "yes"}))

    # Two lines that are the same are two corrections; the same list again is none.
    assert "3 corrected, 0 were corrected before, 5 not." in done
    assert (points_of(one, now=now), points_of(two, now=now)) == (100, 70)
    upload = SimpleUploadedFile("list.csv", LIST.replace(";", ",").encode())
    again = said(boss.post(page, {"name": "Move", "text": "", "file": upload, "confirm": "yes"}))
    assert "0 corrected, 3 were corrected before, 5 not." in again
    assert (points_of(one, now=now), points_of(two, now=now)) == (100, 70)
    assert Delivery.objects.filter(origin="loyalty.adjustment").count() == 3
    assert not mail.outbox
    # Another list may say the same again.
    boss.post(page, {"name": "June", "text": "c1, 50, Lost in our move", "confirm": "yes"})
    assert points_of(one, now=now) == 150


def test_members_of_a_list_are_invited_to_a_tier(boss, programme, member, customers):
    steps = [
        {"key": key, "names": {"en": key.title()}, "threshold": at} for key, at in (("silver", 100), ("gold", None))
    ]
    club = programme(tiers={"steps": steps})
    chosen = [member(club, customer).pk for customer in customers[:3]]
    other = member(programme("other"), customers[3]).pk
    page = reverse("admin:loyalty_member_changelist")
    asked = {"action": "invite_many", "_selected_action": chosen, "select_across": "0"}

    assert "3 members were chosen." in said(boss.post(page, asked))
    mixed = boss.post(page, {**asked, "_selected_action": [*chosen, other]}, follow=True)
    assert "Choose members of one programme" in said(mixed)
    told = {**asked, "invite": "yes", "tier": "gold", "until": "", "reason": "Founders"}
    assert "3 were invited; 0 had the tier" in said(boss.post(page, told, follow=True))
    assert "0 were invited; 3 had the tier" in said(boss.post(page, told, follow=True))

    assert set(Member.objects.filter(pk__in=chosen).values_list("tier__key", flat=True)) == {"gold"}
    assert TierChange.objects.filter(why="invited", reason="Founders").count() == 3
