"""What the demo shop has beside its facts: made once, and all of it ready to be used."""

from django.core.management import call_command

from campaigns.models import Campaign, Touch
from retention.audit.models import AuditEntry
from retention.demoshop import furniture, staff
from retention.incentives.models import Code, Grant, Incentive
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
