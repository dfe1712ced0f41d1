"""A campaign of which too much bounces rests by itself: the alert, its own page and the list of pauses name it."""

import pytest

from campaigns.goals import ORIGIN
from campaigns.operations import create_from_playbook
from retention.actors import Actor
from retention.messaging.models import Pause, Tally, Template
from retention.messaging.operations import brake, lift_pause
from retention.work.models import Alert
from tests.console.conftest import as_role, person, shop

__all__ = ["as_role", "person", "shop"]
pytestmark = pytest.mark.django_db


def test_it_is_told_by_name_until_it_is_lifted(as_role, shop, now):
    by = Actor.command("test")
    campaign = create_from_playbook(key="win_back", now=now, by=by)
    other = create_from_playbook(key="birthday", now=now, by=by)
    version = Template.objects.exclude(version=None).first().version
    Tally.objects.bulk_create(
        Tally(
            origin=ORIGIN, group_id=row.pk, version=version, channel="email", day=now.date(), kind=kind, count=count
        )  # fmt: skip
        for row, kind, count in (
            (campaign, "sent", 300),
            (campaign, "bounced", 30),
            (other, "sent", 9_000),
            (other, "bounced", 1),
        )  # fmt: skip
    )
    assert brake(now=now) == 1
    pause = Pause.objects.get()
    assert (pause.origin, pause.group_id) == (ORIGIN, campaign.pk)
    assert Alert.objects.get().text.startswith(f"Marketing of “{campaign}” paused by itself: 30 of 300")
    marketer = as_role("marketer")

    def told(row):
        return "30 of 300" in marketer.get(f"/admin/campaigns/campaign/{row.pk}/progress/").content.decode()

    assert (told(campaign), told(other)) == (True, False)
    assert (
        f"/admin/campaigns/campaign/{campaign.pk}/change/" in marketer.get("/admin/messaging/pause/").content.decode()
    )
    lift_pause(pause_id=pause.pk, now=now, by=by)
    assert not told(campaign)
