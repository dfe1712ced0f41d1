"""A campaign's life: what may follow what, who is told why not, and that what runs is what was approved."""

import datetime as dt

import pytest
from pydantic import ValidationError

from campaigns import operations
from campaigns.guards import CampaignIsLive
from campaigns.models import Campaign, Reach, Touch
from campaigns.outcomes import TouchOutcome
from campaigns.plans import plan_of, running_plan
from retention import registries
from retention.audit.models import AuditEntry
from retention.audit.operations import EditedMeanwhile
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.segments.models import Segment
from retention.work.models import Alert
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)
NINE = {"hour": "09:00"}


@pytest.fixture
def act(now):
    def do(operation, campaign, **kwargs):
        return operation(campaign_id=campaign.pk, now=now, by=BY, **kwargs)

    return do


@pytest.fixture
def draft(planned, now):
    return operations.create_campaign(plan=planned("birthday", NINE), now=now, by=BY)


def test_the_whole_way(draft, act):
    assert draft.state == "draft"
    assert act(operations.approve, draft, version=1).state == "approved"
    assert act(operations.launch, draft).state == "live"
    assert act(operations.pause, draft).state == "paused"
    assert act(operations.resume, draft).state == "live"
    assert act(operations.end, draft).state == "ended"
    assert act(operations.archive, draft).archived_at is not None
    verbs = AuditEntry.objects.filter(verb__startswith="campaigns.").order_by("pk").values_list("verb", flat=True)
    assert [verb.split(".")[1] for verb in verbs] == [
        "create", "approve", "launch", "pause", "resume", "end", "archive"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "refused", "why"),
    [
        ([], "launch", operations.NotApproved),
        ([], "pause", operations.NotLive),
        ([], "resume", operations.NotPaused),
        ([], "end", operations.NeverLaunched),
        (["approve", "launch"], "launch", operations.AlreadyLaunched),
        (["approve", "launch"], "archive", operations.StillRunning),
        (["approve", "launch"], "resume", operations.NotPaused),
        (["approve", "launch", "pause"], "pause", operations.NotLive),
        (["approve", "launch", "pause"], "archive", operations.StillRunning),
        (["approve", "launch", "end"], "end", operations.CampaignEnded),
        (["approve", "launch", "end"], "launch", operations.CampaignEnded),
        (["approve", "launch", "end"], "approve", operations.CampaignEnded),
        (["approve"], "approve", operations.NothingToApprove),
        (["archive"], "approve", operations.CampaignArchived),
        (["archive"], "archive", operations.CampaignArchived),
    ],
)
def test_each_refusal_is_named(draft, act, before, refused, why):
    for name in before:
        act(getattr(operations, name), draft, **({"version": 1} if name == "approve" else {}))
    state = Campaign.objects.get().state
    with pytest.raises(why) as refusal:
        act(getattr(operations, refused), draft, **({"version": 1} if refused == "approve" else {}))
    assert "%(" not in str(refusal.value)
    assert Campaign.objects.get().state == state


def test_what_runs_is_what_was_approved(live, planned, person, reach, act, now):
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", NINE)
    act(operations.save_campaign, campaign, plan=planned("birthday", NINE, countries=["FR"]), edited=1)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.version.number, campaign.approved_version.number) == ("live", 2, 1)
    assert plan_of(campaign).countries == ("FR",)
    assert running_plan(campaign).countries == ()
    assert reach(campaign).touched == 1
    person(birth_month=5, birth_day=13)
    act(operations.approve, campaign, version=2)
    assert reach(campaign, now + DAY).touched == 0


def test_saving_an_approved_draft_asks_for_approval_again(draft, act, planned):
    act(operations.approve, draft, version=1)
    act(operations.save_campaign, draft, plan=planned("birthday", {"hour": "11:00"}), edited=1)
    with pytest.raises(operations.NotApproved):
        act(operations.launch, draft)


def test_nobody_approves_what_she_did_not_see(draft, act, planned):
    act(operations.save_campaign, draft, plan=planned("birthday", {"hour": "11:00"}), edited=1)
    with pytest.raises(operations.ApprovedMeanwhile):
        act(operations.approve, draft, version=1)
    with pytest.raises(EditedMeanwhile):
        act(operations.save_campaign, draft, plan=planned("birthday", NINE), edited=1)


def test_draft_incentives_go_live_with_it_and_stopped_ones_forbid_it(planned, incentive, act, now):
    ten, stopped = incentive(), incentive()
    for one in (ten, stopped):
        campaign = operations.create_campaign(plan=planned("birthday", NINE, incentive=one), now=now, by=BY)
        act(operations.approve, campaign, version=1)
        if one is stopped:
            incentives.go_live(incentive_id=one.pk, now=now, by=BY)
            incentives.stop(incentive_id=one.pk, now=now, by=BY)
            with pytest.raises(operations.IncentiveNotUsable, match="Ten percent"):
                act(operations.launch, campaign)
        else:
            act(operations.launch, campaign)
    assert Incentive.objects.get(pk=ten.pk).state == "live"


def test_an_archived_template_forbids_it(draft, act, template, now):
    act(operations.approve, draft, version=1)
    messaging.archive_template(template_id=template.pk, now=now, by=BY)
    with pytest.raises(operations.TemplateNotUsable):
        act(operations.launch, draft)
    assert not Reach.objects.exists()


@pytest.mark.parametrize(
    "values", [{"occasion": "one_date", "args": {**NINE, "on": "2026-05-11", "clock": "shop"}}, {}]
)
def test_a_date_that_has_passed_forbids_it(planned, act, now, values):
    ends = {} if values else {"ends_at": now - DAY, "starts_at": now - 2 * DAY}
    plan = planned(values.get("occasion", "birthday"), values.get("args", NINE), **ends)
    campaign = operations.create_campaign(plan=plan, now=now, by=BY)
    act(operations.approve, campaign, version=1)
    with pytest.raises(operations.DateHasPassed):
        act(operations.launch, campaign)


def test_start_and_end(live, person, reach, now):
    for day in (12, 13, 14, 15):
        person(reference=str(day), birth_month=5, birth_day=day)
    campaign = live("birthday", NINE, starts_at=now, ends_at=now + 2 * DAY)
    for n in range(5):
        reach(campaign, now + n * DAY)
    assert list(Touch.objects.order_by("pk").values_list("customer__reference", flat=True)) == ["13", "14"]
    assert operations.finish(campaign_id=campaign.pk, now=now + 4 * DAY, by=BY)


def test_ending_skips_the_steps_that_wait(live, person, template, reach, act, now):
    person(signed_up_at=now - DAY / 2)
    campaign = live("signed_up", steps=[{"wait": {"hours": 24}, "messages": [template.pk]}])
    reach(campaign)
    act(operations.end, campaign)
    assert Touch.objects.values_list("state", "reason").get() == ("skipped", "campaigns.ended")
    assert reach(campaign, now + 2 * DAY).queued == 0


def test_a_copy_is_a_draft_without_dates(live, act, now):
    campaign = live("birthday", NINE, ends_at=now + DAY)
    copy = act(operations.clone, campaign)
    assert (copy.state, copy.name, copy.ends_at, copy.version.number) == ("draft", "birthday (copy)", None, 1)
    with pytest.raises(operations.NoSuchCampaign):
        operations.clone(campaign_id=0, now=now, by=BY)


def test_the_guard_holds_the_paused_and_ends_the_stopped(live, person, reach, act, now):
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", NINE)
    reach(campaign)
    delivery = Delivery.objects.get()
    assert CampaignIsLive.refusals([delivery], now=now) == {}
    act(operations.pause, campaign)
    assert CampaignIsLive.refusals([delivery], now=now)[delivery.pk].until > now
    act(operations.end, campaign)
    skip = CampaignIsLive.refusals([delivery], now=now)[delivery.pk]
    assert (skip.code, skip.until) == ("campaigns.ended", None)
    Campaign.objects.update(stopped_at=None)
    assert CampaignIsLive.refusals([delivery], now=now) == {}, "ended by itself: the outbox still leaves"
    delivery.origin = "support.case"
    Campaign.objects.update(stopped_at=now)
    assert CampaignIsLive.refusals([delivery], now=now) == {}


def test_outcomes_end_the_touch(live, person, template, reach, now):
    person(birth_month=5, birth_day=12)
    person(birth_month=5, birth_day=12)
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 1}, "messages": [template.pk]}]
    campaign = live("birthday", NINE, steps=steps)
    reach(campaign)
    first, second = Delivery.objects.order_by("pk")
    TouchOutcome.sent([first], now=now)
    assert Touch.objects.get(pk=first.origin_id).state == "due", "a step is before her"
    Delivery.objects.filter(pk=second.pk).update(reason="messaging.no_consent")
    TouchOutcome.not_sent([second], now=now)
    assert Touch.objects.values_list("state", "reason").get(pk=second.origin_id) == ("skipped", "messaging.no_consent")
    reach(campaign, now + DAY)
    assert Delivery.objects.count() == 3, "no further step for her who could not be written to"
    TouchOutcome.sent([Delivery.objects.get(step=1)], now=now)
    assert Touch.objects.get(pk=first.origin_id).state == "done"


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"occasion": "no_such"},
        {"occasion_args": {"hour": "25:00"}},
        {"countries": ["Germany"]},
        {"lateness_hours": 0},
        {"steps": []},
        {"steps": [{"wait": {"hours": 3}}]},
        {"steps": [{"wait": {"hours": -1}, "messages": [1]}]},
        {"starts_at": "2026-05-13T00:00Z", "ends_at": "2026-05-12T00:00Z"},
        {"starts_at": "2026-05-13T00:00"},
        {"priority": 1000},
        {"surprise": 1},
    ],
)
def test_bad_plans_are_refused(planned, change):
    good = planned("birthday", NINE)
    with pytest.raises(ValidationError):
        type(good).model_validate({**good.as_json(), **change})


def test_one_broken_campaign_does_not_hold_up_the_others(live, person, reach, now, template):
    person(birth_month=5, birth_day=12)
    segment = Segment.objects.create(name="s", rule={"key": "no_such_condition"})
    broken = live("birthday", NINE, audience=segment.pk, priority=5)
    good = live("birthday", NINE)
    figures = registries.jobs["campaigns.reach"].run(now=now, progress=lambda done, total: None)
    assert figures["failed"] == [broken.pk]
    assert figures["touched"] == Touch.objects.filter(campaign=good).count() == 1
    assert Alert.objects.get(kind="campaigns.failed").subject == str(broken.pk)
    Segment.objects.update(rule={})
    registries.jobs["campaigns.reach"].run(now=now, progress=lambda done, total: None)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_a_forecast_counts_heads_skips_and_cost(planned, person, incentive, shop, now):
    for n in range(6):
        person(birth_month=5, birth_day=13 + n, consent=n > 0)
    person(birth_month=9, birth_day=1)
    plan = planned("birthday", NINE, incentive=incentive(issued=4))
    campaign = operations.create_campaign(plan=plan, now=now, by=BY)
    found = operations.forecast(campaign=campaign, plan=plan, now=now)
    assert (found.heads, dict(found.skipped), found.is_ahead, len(found.sample)) == (
        5, {"campaigns.no_consent": 1}, True, 5
    )  # fmt: skip
    assert found.cost_minor is None, "no order yet, no cap: a percentage of nothing known"
    assert not Touch.objects.exists()


def test_a_forecast_of_sign_ups_looks_back(planned, person, now):
    person(signed_up_at=now - 20 * DAY)
    person(signed_up_at=now - 40 * DAY)
    plan = planned("signed_up")
    campaign = operations.create_campaign(plan=plan, now=now, by=BY)
    found = operations.forecast(campaign=campaign, plan=plan, now=now)
    assert (found.heads, found.is_ahead, dict(found.skipped)) == (1, False, {})
