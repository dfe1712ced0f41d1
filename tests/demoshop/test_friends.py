"""The demo shop's friends: a scheme with a past, some friends that somebody has to look at, a partner who is owed."""

import pytest
from django.core.management import call_command
from django.db.models import Count

from referrals.models import Commission, Partner, Referral, Scheme
from referrals.operations.payouts import outlook
from retention.demoshop.friends import ADVOCATES, BY_PARTNER, DOUBTFUL, FRIENDS, READERS, YEAR, bring_friends
from retention.ledger.operations.proofs import differences
from retention.messaging.models import Delivery
from tests.demoshop.conftest import BY
from tests.marks import settle


@pytest.mark.django_db(transaction=True)
def test_friends_have_come_since_the_first_summer(small_demo, now):
    call_command("seed", verbosity=0)
    settle()

    bring_friends(now=now, by=BY)

    schemes = {scheme.key: scheme for scheme in Scheme.objects.filter(state="live")}
    assert {key: scheme.advocates.count() for key, scheme in schemes.items()} == {
        "give_and_get": ADVOCATES, "affiliates": 1, "readers": ADVOCATES,
    }  # fmt: skip
    states = dict(Referral.objects.order_by().values_list("state").annotate(Count("pk")))
    assert FRIENDS + DOUBTFUL < sum(states.values()) <= FRIENDS + DOUBTFUL + READERS
    assert schemes["readers"].referrals.filter(state="rewarded", claimed_at__gt=now - YEAR).exists()
    assert states["review"] >= DOUBTFUL
    assert states["rewarded"] > FRIENDS / 2
    assert set(states) - {"rewarded", "review", "pending", "lapsed", "reversed", "rejected"} == set()
    assert Commission.objects.filter(referral__advocate__partner=Partner.objects.get()).count() > BY_PARTNER / 2
    assert outlook(currency="USD", now=now).total_minor > 0
    # What is long past is told to nobody.
    assert not Delivery.objects.exists()
    assert differences() == []
