"""Each playbook of the gallery, from the facts to the used code: one story each, played through the real doors."""

import re

import pytest
import time_machine

from campaigns.models import Campaign
from campaigns.playbooks.base import CampaignPlaybook
from retention import registries
from tests.journeys.stories import bought, dates, left, members, news, silence, start, value
from tests.journeys.telling import Story, play
from tests.journeys.town import Town

pytestmark = pytest.mark.django_db(transaction=True)
STORIES = tuple(told for shelf in (start, dates, bought, left, silence, value, members, news) for told in shelf.STORIES)
GALLERY = "/admin/campaigns/campaign/playbooks/"
#: Every tactic that the gallery was promised with, and the playbook that it is.
TACTICS = {
    "welcome (no minimum)": "welcome",
    "consent for a gift": "consent_gift",
    "birthday": "birthday",
    "sign-up anniversary": "anniversary",
    "shoe half-year": "half_year",
    "holiday": "holiday",
    "local event": "local_event",
    "win-back ladder": "win_back_ladder",
    "nth order": "nth_order",
    "tenure gift": "tenure_gift",
    "post-purchase bounce-back": "bounce_back",
    "how to use your purchase": "how_to_use",
    "add-on after X": "add_on",
    "replenishment": "replenishment",
    "life event": "life_event",
    "abandoned cart": "abandoned_cart",
    "email my cart": "email_my_cart",
    "abandoned browse": "abandoned_browse",
    "cross-category": "cross_category",
    "trial activation": "trial_activation",
    "expiring account credit": "credit_expiring",
    "sleeping subscriber re-permission": "sleeping_subscriber",
    "review request": "review_request",
    "NPS follow-up": "nps_follow_up",
    "faulty-return voucher": "faulty_return",
    "points expiring": "points_expiring",
    "monthly points statement": "points_statement",
    "unused store cash": "store_cash_unused",
    "tier reached": "tier_reached",
    "programme invitation": "programme_invitation",
    "members-only event": "members_event",
    "referral invite": "referral_invite",
    "surprise reward": "surprise_reward",
    "first 500 shoppers": "first_500",
    "seasonal return": "seasonal_return",
    "new product": "new_product",
    "gift finder before holidays": "gifts_ahead",
    "channel adoption": "channel_adoption",
}
#: Those whose facts no room tells yet, and what they say of it.
COMING = {
    "nps_follow_up": "Comes with surveys",
}


@pytest.mark.parametrize("told", STORIES, ids=lambda told: told.playbook)
def test_the_story_of(told: Story, smtp):
    with time_machine.travel(told.scenes[0].at, tick=False) as traveller:
        play(told, Town(smtp, traveller))


def test_each_playbook_that_makes_a_draft_has_a_story():
    drafting = [book.key for book in registries.playbooks if issubclass(book, CampaignPlaybook)]
    assert sorted(told.playbook for told in STORIES) == sorted(drafting)
    assert sorted(drafting) == sorted({*registries.playbooks.keys()} - COMING.keys())


@pytest.fixture
def mina(smtp):
    """The marketer at the gallery of a new shop."""
    with time_machine.travel("2026-05-12T10:00:00Z", tick=False) as traveller:
        yield Town(smtp, traveller).desk("mina")


def test_the_gallery_shows_every_tactic_and_those_to_come_make_no_draft(mina):
    page = mina.get(GALLERY).content.decode()
    offered = set(re.findall(r'name="key" value="(\w+)"', page))
    assert offered == {*(told.playbook for told in STORIES)}
    assert {*TACTICS.values()} <= offered | COMING.keys()
    for key, words in COMING.items():
        card = page.partition(f'aria-labelledby="book-{key}"')[2].partition("</section>")[0]
        assert words in card
        assert "<button" not in card
        answer = mina.post(GALLERY, {"key": key}, follow=True).content.decode()
        assert "makes no draft yet: what it needs is not there." in answer
    assert not Campaign.objects.exists()
