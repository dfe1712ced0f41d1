"""What the demo shop has beside its facts: made once, and all of it ready to be used."""

import datetime as dt

from django.core.management import call_command
from django.db.models import Count

from campaigns.models import Campaign, Touch
from retention.audit.models import AuditEntry
from retention.demoshop import furniture, staff
from retention.demoshop.value import CARDS, give_value
from retention.incentives.models import Code, GiftCard, Grant, Incentive
from retention.incentives.operations.reconcile import differences as counter_differences
from retention.ledger.models import Account, Lot
from retention.ledger.operations.proofs import differences
from retention.messaging.models import Delivery
from retention.registries import jobs
from retention.segments.models import Segment
from retention.support.models import AgentLimit, Desk
from tests.demoshop.conftest import BY


def test_limits_offers_codes_and_segments_are_there_once(small_demo, now):
    call_command("seed", verbosity=0)
    staff.hire(now=now, by=BY)

    assert furniture.furnish(now=now, by=BY) is True
    assert furniture.furnish(now=now, by=BY) is False

    limits = AgentLimit.objects.values_list("staff__username", "per_case_minor", "per_day_minor")
    assert ("agent", 5_000, 18_000) in limits
    assert {username for username, _case, _day in limits} == {"agent", "lead", "admin"}
    assert set(Code.objects.filter(is_public=True).values_list("code", flat=True)) == {"INSTA500", "SAVEMORE"}
    assert Incentive.objects.filter(code_kind="automatic", state="live").count() == 2
    assert Code.objects.filter(incentive__name="Podcast listeners", state="given").count() == furniture.POOL
    assert Incentive.objects.filter(state="live").count() >= 3
    assert Desk.objects.count() == 1
    sizes = dict(Segment.objects.values_list("key", "size"))
    assert None not in sizes.values()
    assert sizes["repeat-buyers"] > sizes["vip"] > 0
    assert not Segment.objects.exclude(error="").exists()
    live = Campaign.objects.filter(state=Campaign.State.LIVE)
    assert set(live.values_list("playbook", flat=True)) == set(furniture.CAMPAIGNS)
    assert all(campaign.approved_by.username == "lead" for campaign in live)
    assert AuditEntry.objects.filter(actor=BY.name, verb="support.set_limit").count() == 3


def test_customers_hold_cards_credit_and_points_that_partly_end_soon(small_demo, now):
    call_command("seed", verbosity=0)
    give_value(now=now, by=BY)
    held = Account.objects.filter(balance__gt=0, customer__isnull=False)
    assert set(held.values_list("unit__key", flat=True)) == {"points", "store_credit_usd"}
    assert dict(GiftCard.objects.values_list("state").annotate(Count("pk"))) == {
        "active": sum(CARDS.values()) - 2, "inactive": 1, "blocked": 1
    }  # fmt: skip
    soon = Lot.objects.filter(expires_at__gt=now, expires_at__lt=now + dt.timedelta(days=40), remaining__gt=0)
    assert set(soon.values_list("account__unit__key", flat=True)) == {"points", "store_credit_usd"}
    assert differences() == counter_differences() == []


def test_the_first_run_serves_one_day_and_never_the_whole_base(small_demo, now):
    call_command("seed", verbosity=0)
    staff.hire(now=now, by=BY)
    furniture.furnish(now=now, by=BY)

    jobs["campaigns.reach"].run(now=now, progress=lambda done, total: None)

    touched = set(Touch.objects.values_list("campaign__playbook", flat=True))
    assert "welcome" in touched
    assert "broadcast" not in touched
    assert 0 < Touch.objects.count() < 30
    due = Touch.objects.values_list("due_at", flat=True)
    assert all(now - furniture.DAY <= at < now for at in due)
    assert Grant.objects.filter(origin="campaigns.touch").exists()
    assert 0 < Delivery.objects.count() <= Touch.objects.count()
    before = Touch.objects.count(), Grant.objects.count(), Delivery.objects.count()
    jobs["campaigns.reach"].run(now=now, progress=lambda done, total: None)
    assert (Touch.objects.count(), Grant.objects.count(), Delivery.objects.count()) == before
