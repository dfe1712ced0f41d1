"""Every playbook: read by people, counted from real data, and one click from a draft that launches."""

import datetime as dt

import pytest

from campaigns import operations
from campaigns.models import Campaign, Touch
from campaigns.plans import plan_of
from campaigns.playbooks.base import CampaignPlaybook, Group
from campaigns.playbooks.gallery import shelves
from campaigns.templatetags.campaigns import campaign_sentence
from retention import registries
from retention.incentives.models import Incentive
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery, Template
from tests.campaigns.conftest import BY

#: Every playbook of the gallery that makes a draft, and those that can only be read so far.
KEYS = (
    "abandoned_browse", "abandoned_cart", "add_on", "anniversary", "birthday", "bounce_back", "broadcast",
    "channel_adoption", "choice_closing", "consent_gift",
    "coupon_expiring", "credit_expiring", "cross_category", "email_my_cart",
    "faulty_return", "first_500", "gifts_ahead", "half_year", "holiday", "how_to_use", "life_event", "local_event",
    "members_event", "new_product", "nth_order", "points_expiring", "points_statement", "points_unused",
    "programme_invitation", "referral_invite", "replenishment", "review_request", "reward_near", "seasonal_return",
    "sleeping_subscriber", "store_cash_unused", "surprise_reward", "surprise_unused", "tenure_gift", "tier_ending",
    "tier_reached", "trial_activation",
    "value_expiring", "welcome", "win_back", "win_back_ladder",
)  # fmt: skip
COMING = ("nps_follow_up",)


def test_the_gallery_is_whole_and_reads_well(db):
    assert tuple(sorted(registries.playbooks.keys())) == tuple(sorted(KEYS + COMING))
    seen = set()
    for playbook in registries.playbooks:
        for words in (playbook.label, playbook.plan, playbook.expected, playbook.watch_out):
            said = str(words).strip()
            assert said
            assert said not in seen
            assert "  " not in said
            seen.add(said)
        for words in (playbook.plan, playbook.expected, playbook.watch_out):
            assert str(words).endswith(".")
        assert isinstance(playbook.group, Group)
        assert playbook.aims
        assert issubclass(playbook, CampaignPlaybook) or playbook.comes_with


@pytest.mark.parametrize("key", KEYS)
def test_one_click_makes_a_draft_that_launches(shop, person, now, key):
    anna = person(country="DE", given_name="Anna")
    operations.refresh_holidays(now=now)
    campaign = operations.create_from_playbook(key=key, now=now, by=BY)
    assert (campaign.state, campaign.playbook) == ("draft", key)
    plan, playbook = plan_of(campaign), registries.playbooks[key]
    sentence = campaign_sentence(campaign)
    assert sentence.endswith(".")
    assert not [bad for bad in ("None", "%(", "?", "  ", "..", "{") if bad in sentence]
    for step, ready in zip(plan.steps, playbook.planned_steps(), strict=True):
        (template,) = Template.objects.filter(pk__in=step.messages)
        assert template.key == ready.template
        assert f"“{template.name}”" in sentence
        # As it is filled for the customers of each language that it was written in.
        for language in template.version.data["words"]:
            shown = messaging.preview(template_id=template.pk, language=language, customer_id=anna.pk, now=now)
            assert shown.subject.strip()
            assert "{" not in shown.subject + shown.text
    operations.forecast(campaign=campaign, plan=plan, now=now)
    operations.approve(campaign_id=campaign.pk, version=1, now=now, by=BY)
    operations.launch(campaign_id=campaign.pk, now=now, by=BY)
    operations.reach(campaign_id=campaign.pk, now=now + dt.timedelta(days=10), by=BY)
    assert not Incentive.objects.filter(state="draft").exists()
    assert all(need.of == 1 for need in playbook.readiness(now=now))
    assert anna


@pytest.mark.parametrize("key", COMING)
def test_what_is_coming_makes_no_draft(shop, now, key):
    assert registries.playbooks[key].readiness(now=now) == []
    with pytest.raises(operations.PlaybookIsComing):
        operations.create_from_playbook(key=key, now=now, by=BY)
    assert not Campaign.objects.exists()


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


def keys(**asked):
    return {card.playbook.key for shelf in shelves(**asked) for card in shelf.cards}


def test_the_gallery_is_searched_by_words_and_by_aim(db, now, empty_cache):
    assert keys(now=now) == {*KEYS, *COMING}
    assert [shelf.group for shelf in shelves(now=now)] == list(Group)
    assert keys(words="cart checkout", now=now) == {"abandoned_cart", "email_my_cart"}
    assert keys(words="FREE shipping ladder", now=now) == {"win_back_ladder"}
    assert "win_back" in keys(aim="BACK", now=now)
    assert "welcome" not in keys(aim="BACK", now=now)
    assert keys(words="nothing says this", now=now) == set()


def test_each_kind_of_data_is_counted_once(shop, person, now, empty_cache, django_assert_max_num_queries):
    person(country="DE", birth_month=5, birth_day=1)
    kinds = {rows for book in registries.playbooks if hasattr(book, "all_needs") for rows in book.all_needs().values()}
    with django_assert_max_num_queries(len(kinds) + 1):
        shelves(now=now)
    with django_assert_max_num_queries(0):
        (dates,) = (shelf for shelf in shelves(now=now) if shelf.group is Group.DATES)
    birthday = next(card for card in dates.cards if card.playbook.key == "birthday")
    assert [need.sentence() for need in birthday.needs] == [
        "100 % may be written to by email (1 of 1)", "100 % have a birthday (1 of 1)",
    ]  # fmt: skip
