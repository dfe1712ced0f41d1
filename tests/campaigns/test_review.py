"""Review and approval, a start in the future, opening by and by, and the limits of touches."""

import datetime as dt

import pytest
from django.contrib.auth import get_user_model

from campaigns import operations
from campaigns.models import Campaign, Quota, Touch
from campaigns.plans import Ramp, plan_of
from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.incentives.models import Grant
from retention.messaging.models import Delivery
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)
NINE = {"hour": "09:00"}


@pytest.fixture
def staff(db):
    users = get_user_model().objects
    return {name: Actor.staff(users.create_user(name, password="x")) for name in ("mia", "lea")}


@pytest.fixture
def policy(shop, now):
    def make(above=0, alone=False):
        return operations.save_policy(
            approval_above_minor=above, currency="EUR", is_one_person_shop=alone, now=now, by=BY
        )

    return make


def test_a_campaign_is_submitted_sent_back_with_a_reason_and_approved_by_another(planned, staff, policy, now):
    policy()
    made = operations.create_campaign(plan=planned("birthday", NINE), now=now, by=staff["mia"])
    one = {"campaign_id": made.pk, "now": now}
    assert operations.submit(**one, by=staff["mia"]).state == "review"
    with pytest.raises(operations.NotADraft):
        operations.submit(**one, by=staff["mia"])
    with pytest.raises(operations.NoReason):
        operations.reject(**one, reason="  ", by=staff["lea"])
    back = operations.reject(**one, reason="Say it in German, too.", by=staff["lea"])
    assert (back.state, back.review_note) == ("draft", "Say it in German, too.")
    with pytest.raises(operations.NotInReview):
        operations.reject(**one, reason="again", by=staff["lea"])
    operations.submit(**one, by=staff["mia"])
    with pytest.raises(operations.OwnWork):
        operations.approve(**one, version=1, by=staff["mia"])
    approved = operations.approve(**one, version=1, by=staff["lea"])
    assert (approved.state, approved.review_note, approved.approved_by_id) == ("approved", "", staff["lea"].staff_id)
    saved = operations.save_campaign(**one, plan=plan_of(made), edited=1, by=staff["lea"])
    assert saved.state == "draft", "what was approved is another version"
    verbs = (
        AuditEntry.objects.filter(subject="campaigns.campaign", subject_id=made.pk)
        .order_by("pk")
        .values_list("verb", flat=True)
    )
    assert [verb.partition(".")[2] for verb in verbs if verb.startswith("campaigns.")] == [
        "create", "submit", "reject", "submit", "approve", "save",
    ]  # fmt: skip


def test_one_person_approves_her_own_where_the_shop_is_one_person(planned, staff, policy, now):
    policy(alone=True)
    made = operations.create_campaign(plan=planned("birthday", NINE), now=now, by=staff["mia"])
    assert operations.approve(campaign_id=made.pk, version=1, now=now, by=staff["mia"]).state == "approved"


def test_what_costs_little_is_launched_without_approval_and_what_may_cost_more_is_not(
    planned, incentive, person, staff, policy, now
):
    policy(above=1_000)
    for _ in range(2):
        person(birth_month=5, birth_day=20)
    words_only = operations.create_campaign(plan=planned("birthday", NINE), now=now, by=staff["mia"])
    launched = operations.launch(campaign_id=words_only.pk, now=now, by=staff["mia"])
    assert (launched.state, launched.approved_version_id) == ("live", launched.version_id)
    # Ten percent of nobody knows what: it cannot be called cheap.
    unknown = operations.create_campaign(
        plan=planned("birthday", NINE, incentive=incentive()), now=now, by=staff["mia"]
    )
    with pytest.raises(operations.NotApproved):
        operations.launch(campaign_id=unknown.pk, now=now, by=staff["mia"])
    with pytest.raises(operations.OwnWork):
        operations.approve(campaign_id=unknown.pk, version=1, now=now, by=staff["mia"])


def test_a_start_in_the_future_is_scheduled_and_comes(live, person, reach, now):
    person(birth_month=5, birth_day=14)
    campaign = live("birthday", NINE, at=now, starts_at=now + DAY)
    assert campaign.state == "scheduled"
    reach(campaign, now + DAY / 2)
    campaign.refresh_from_db()
    assert campaign.state == "scheduled"
    operations.pause(campaign_id=campaign.pk, now=now, by=BY)
    assert operations.resume(campaign_id=campaign.pk, now=now, by=BY).state == "scheduled"
    reach(campaign, now + 2 * DAY)
    campaign.refresh_from_db()
    assert (campaign.state, Touch.objects.count()) == ("live", 1)


@pytest.fixture
def many(person, now):
    return [person(reference=f"p{n:02}", birth_month=5, birth_day=12) for n in range(30)]


def states():
    rows = Touch.objects.values_list("state", "reason")
    return {row: list(rows).count(row) for row in rows}


def test_no_more_customers_than_the_limit_the_first_come(live, many, incentive, reach):
    figures = reach(live("birthday", NINE, incentive=incentive(issued=25), limits={"touches": 20}), most=7)
    assert states() == {("waiting", ""): 20, ("skipped", "campaigns.limit_reached"): 10}
    assert figures.as_json() == {
        "due": 30, "touched": 20, "granted": 20, "queued": 20, "skipped": {"campaigns.limit_reached": 10}
    }  # fmt: skip


def test_a_refused_gift_lets_another_come_in(live, many, incentive, reach):
    """Twenty may be touched, but only five gifts are there: those refused do not use the limit up."""
    reach(live("birthday", NINE, incentive=incentive(issued=5), limits={"touches": 20}), most=10)
    assert Quota.objects.get().taken == Grant.objects.count() == 5


def test_so_many_a_day_and_the_others_wait_for_their_turn(live, many, reach, now):
    campaign = live("birthday", NINE, limits={"touches_a_day": 12, "touches": 28})
    counts = []
    for hours in (0, 1, 24, 72, 96):
        reach(campaign, now + dt.timedelta(hours=hours))
        counts.append(Delivery.objects.count())
    assert counts == [12, 12, 24, 28, 28]
    assert states() == {("waiting", ""): 28, ("skipped", "campaigns.limit_reached"): 2}


@pytest.mark.parametrize(("first", "then"), [({"first": 10}, {"first": 18}), ({"percent": 30}, {"percent": 60})])
def test_it_is_opened_by_and_by(live, many, reach, now, first, then):
    campaign = live("birthday", NINE, ramp=first, lateness_hours=24)
    reach(campaign)
    inside = set(Delivery.objects.values_list("customer_id", flat=True))
    assert 0 < len(inside) < 30
    assert states() == {("waiting", ""): len(inside), ("held", ""): 30 - len(inside)}
    with pytest.raises(operations.NotWider):
        operations.widen(campaign_id=campaign.pk, ramp=Ramp(**first), now=now, by=BY)
    operations.widen(campaign_id=campaign.pk, ramp=Ramp(**then), now=now, by=BY)
    reach(campaign)
    wider = set(Delivery.objects.values_list("customer_id", flat=True))
    assert inside < wider
    assert len(wider) == 18 or "percent" in then
    operations.widen(campaign_id=campaign.pk, ramp=None, now=now + 3 * DAY, by=BY)
    reach(campaign, now + 3 * DAY)
    assert states() == {("waiting", ""): len(wider), ("skipped", "campaigns.too_late"): 30 - len(wider)}


def test_one_date_waits_for_who_is_let_in_later(live, many, reach, now):
    args = {"on": "2026-05-12", "hour": "11:00", "clock": "shop"}
    campaign = live("one_date", args, ramp={"first": 5}, lateness_hours=24)
    reach(campaign)
    later = now + 5 * DAY
    assert not operations.finish(campaign_id=campaign.pk, now=later, by=BY), "somebody waits"
    operations.widen(campaign_id=campaign.pk, ramp=None, now=later, by=BY)
    reach(campaign, later)
    assert states() == {("waiting", ""): 30}


def test_ending_it_is_the_end_for_those_who_were_held_back(live, many, reach, now):
    campaign = live("birthday", NINE, ramp={"first": 10})
    reach(campaign)
    operations.end(campaign_id=campaign.pk, now=now, by=BY)
    assert states() == {("waiting", ""): 10, ("skipped", "campaigns.ended"): 20}
    assert Campaign.objects.get().state == "ended"
