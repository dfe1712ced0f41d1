"""Every playbook: read by people, counted from real data, and one click from a draft that launches."""

import datetime as dt

import pytest

from campaigns import operations
from campaigns.models import Touch
from campaigns.plans import plan_of
from retention import registries
from retention.incentives.models import Incentive
from retention.messaging.models import Delivery
from tests.campaigns.conftest import BY

KEYS = ("anniversary", "birthday", "broadcast", "coupon_expiring", "holiday", "value_expiring", "welcome", "win_back")


def test_the_gallery_has_them_all(db):
    assert tuple(sorted(registries.playbooks.keys())) == KEYS
    for playbook in registries.playbooks:
        for words in (playbook.label, playbook.plan, playbook.expected, playbook.watch_out):
            assert str(words).strip()


@pytest.mark.parametrize("key", KEYS)
def test_one_click_makes_a_draft_that_launches(shop, person, now, key):
    person(country="DE")
    operations.refresh_holidays(now=now)
    campaign = operations.create_from_playbook(key=key, now=now, by=BY)
    assert (campaign.state, campaign.playbook) == ("draft", key)
    operations.forecast(campaign=campaign, plan=plan_of(campaign), now=now)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    operations.launch(campaign_id=campaign.pk, now=now, by=BY)
    operations.reach(campaign_id=campaign.pk, now=now + dt.timedelta(days=10), by=BY)
    assert not Incentive.objects.filter(state="draft").exists()


def test_the_birthday_draft_does_its_work(shop, person, now):
    person(birth_month=5, birth_day=13)
    campaign = operations.create_from_playbook(key="birthday", now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    operations.launch(campaign_id=campaign.pk, now=now, by=BY)
    figures = operations.reach(campaign_id=campaign.pk, now=now + dt.timedelta(days=1), by=BY)
    assert (figures.touched, figures.granted, figures.queued) == (1, 1, 1)
    assert Delivery.objects.get().template.key == "birthday"
    assert Touch.objects.get().occasion == "birthday:2026"


def test_readiness_is_counted(shop, person, now):
    for n in range(4):
        person(birth_month=5 if n else None, birth_day=1 if n else None, consent=n < 2)
    consent, birthday = registries.playbooks["birthday"].readiness(now=now)
    assert (consent.have, consent.of, consent.percent) == (2, 4, 50)
    assert birthday.sentence() == "75 % have a birthday (3 of 4)"
    assert birthday.is_enough


def test_readiness_of_nobody(shop, now):
    assert [need.is_enough for need in registries.playbooks["birthday"].readiness(now=now)] == [False, False]


def test_an_unknown_playbook_is_refused(shop, now):
    with pytest.raises(operations.NoSuchPlaybook):
        operations.create_from_playbook(key="no_such", now=now, by=BY)
