"""The demo shop's club: members with a year behind them, spread over its tiers, and books that balance."""

import pytest
from django.core.management import call_command

from loyalty.catalogue import offered_to
from loyalty.models import Challenge, Claim, Earning, Member, Programme, Reward
from retention.demoshop.club import CLAIMS, REWARDS, live_a_year, open_club
from retention.ledger.operations.proofs import differences
from tests.demoshop.conftest import BY
from tests.marks import settle


@pytest.mark.django_db(transaction=True)
def test_a_year_in_the_club(small_demo, now):
    call_command("seed", verbosity=0)
    open_club(now=now, by=BY)
    settle()
    live_a_year(now=now, by=BY)

    club = Programme.objects.get()
    assert (club.state, club.tiers.count(), Reward.objects.filter(state="live").count()) == ("live", 3, len(REWARDS))
    assert Challenge.objects.get().state == "live"
    tiers = set(Member.objects.exclude(tier=None).values_list("tier__key", flat=True))
    assert {"listener", "collector"} <= tiers
    assert Earning.objects.filter(order__isnull=False).count() > 10
    assert 0 < Claim.objects.count() <= CLAIMS
    assert Claim.objects.values("reward").distinct().count() > 1
    member = Member.objects.select_related("programme__unit", "tier").order_by("-earned").first()
    assert any(one.can_have for one in offered_to(member, now=now))
    assert differences() == []
