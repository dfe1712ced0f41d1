"""Old visits go, a chunk at a time; what attribution and referrals need stays."""

import pytest

from referrals import operations
from referrals.jobs import PurgeVisits
from referrals.models import Referral, Visit
from referrals.operations import purging
from tests.referrals.conftest import BY, days

pytestmark = pytest.mark.django_db


def test_visits_go_as_their_scheme_says_but_not_those_that_count(
    scheme, advocate, customer, refer, offer, now, monkeypatch
):
    monkeypatch.setattr(purging, "CHUNK", 2)
    short, long = scheme("short", visit_days=10, link_days=9), scheme("long", visit_days=10, link_days=90)
    (brief,), (lasting,) = (advocate(each, customer(each.key, now - days(400))) for each in (short, long))

    def came(code, key, ago):
        return operations.record_visit(code=code, visitor_key=key, now=now - days(ago)).pk

    old = [came(brief, "a", 30), came(brief, "b", 11)]
    brought = came(brief, "friend", 11)
    old += [came(lasting, "c", 95)]
    kept = {came(brief, "d", 9), came(lasting, "e", 89), brought}
    referral = refer(brief, customer("friend"), visitor_key="friend", now=now - days(11))
    assert referral.visit_id == brought

    assert PurgeVisits.preview(now=now) == {"due": len(old)}
    assert PurgeVisits.run(now=now, progress=lambda done, total: None) == {"due": len(old)}
    assert set(Visit.objects.values_list("pk", flat=True)) == kept
    assert PurgeVisits.run(now=now, progress=lambda done, total: None) == {"due": 0}
    # Who came by the long scheme's link is attributed by it still.
    late = operations.refer(
        code=lasting, friend_id=customer("late").pk, source="late", visitor_key="e", now=now, by=BY
    ).referral
    assert (late.visit_id in kept, Referral.objects.count()) == (True, 2)
