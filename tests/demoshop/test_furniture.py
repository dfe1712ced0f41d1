"""What the demo shop has beside its facts: made once, and all of it ready to be used."""

from django.core.management import call_command

from retention.audit.models import AuditEntry
from retention.demoshop import furniture, staff
from retention.incentives.models import Code, Incentive
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
    assert Code.objects.get(is_public=True).code == "INSTA500"
    assert Code.objects.filter(incentive__name="Podcast listeners", state="given").count() == furniture.POOL
    assert Incentive.objects.filter(state="live").count() >= 3
    assert Desk.objects.count() == 1
    sizes = dict(Segment.objects.values_list("key", "size"))
    assert None not in sizes.values()
    assert sizes["repeat-buyers"] > sizes["vip"] > 0
    assert not Segment.objects.exclude(error="").exists()
    assert AuditEntry.objects.filter(actor=BY.name, verb="support.set_limit").count() == 3
