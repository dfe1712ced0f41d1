"""Held-out customers: their messages live the same life and never leave."""

import pytest
from django.db import IntegrityError, transaction

from retention.incentives.models import Code, Grant
from retention.messaging.models import Delivery
from retention.messaging.operations.outbox import Settlement, claim, mark_sending, settle
from retention.messaging.policy import SendingPolicy
from retention.registries import DeliveryOutcome, outcomes

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch):
    class Row(DeliveryOutcome):
        key = "test.row"
        heard: list = []

        @classmethod
        def sent(cls, deliveries, *, now):
            cls.heard += [("sent", delivery.origin_id) for delivery in deliveries]

        @classmethod
        def not_sent(cls, deliveries, *, now):
            cls.heard += [("not_sent", delivery.origin_id) for delivery in deliveries]

    monkeypatch.setitem(outcomes._entries, "test.row", Row)
    Row.heard = []
    return Row.heard


def test_a_ghost_is_withheld_at_the_moment_at_which_the_others_leave(say, send, customer, coupons, smtp, told):
    real, ghost, silent = customer("anna"), customer("ben"), customer("cleo", consent=False)
    given = coupons(real, ghost)
    say(real, ghost, silent, grants=given, ghosts=[ghost, silent])
    figures = send()
    assert (figures["sent"], figures["withheld"], figures["skipped"]) == (1, 1, {"messaging.no_consent": 1})
    assert len(smtp.messages) == len(smtp.to("anna@example.com")) == 1
    withheld = Delivery.objects.get(customer=ghost)
    assert (withheld.state, withheld.attempts, withheld.language) == ("withheld", 1, "en")
    assert None not in (withheld.left_at, withheld.ended_at)
    assert withheld.lease_until is None
    # The guards are asked about a ghost as about anyone.
    assert Delivery.objects.get(customer=silent).reason == "messaging.no_consent"
    # Nothing was given with it, and nothing taken back.
    assert Code.objects.get(grant_id=given[real.pk]).given_at is not None
    assert Code.objects.get(grant_id=given[ghost.pk]).given_at is None
    assert Grant.objects.get(pk=given[ghost.pk]).state == "active"
    assert sorted(told) == sorted([("sent", real.pk), ("sent", ghost.pk), ("not_sent", silent.pk)])
    assert send()["due"] == 0


def test_the_database_lets_no_ghost_out_and_withholds_nobody_else(say, customer, now):
    anna, ben = customer("anna"), customer("ben")
    say(anna, ben, ghosts=[ben])
    claimed = {one.customer_id: one for one in claim(**_CLAIM, at=now)}
    mark_sending(list(claimed.values()), policy=SendingPolicy(), token="t", at=now)
    for who, state in ((ben, "sent"), (anna, "withheld")):
        with pytest.raises(IntegrityError), transaction.atomic():
            settle([Settlement(claimed[who.pk], state)], token="t", at=now)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sending"}


_CLAIM = {"channel": "email", "is_transactional": False, "limit": 10, "token": "t", "zone": "UTC"}
