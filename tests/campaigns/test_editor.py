"""The campaign's form: what it sends becomes the plan, what is said of it live, and what changes with a version."""

import json
import re

import pytest
from django.contrib.auth import get_user_model

from campaigns import operations
from campaigns.models import Campaign, Touch
from campaigns.plans import Plan, plan_of
from campaigns.sentences import differences
from retention.segments.models import Segment
from tests.campaigns.conftest import BY

ADD = "/admin/campaigns/campaign/add/"
SAY = "/admin/campaigns/campaign/say/"


@pytest.fixture
def console(client, shop):
    client.force_login(get_user_model().objects.create_superuser("lead", "lead@example.com", "a long password"))
    return client


@pytest.fixture
def fields(template, incentive):
    """A whole form: a welcome of two steps with everything that bounds it."""
    ten, vip = incentive(), Segment.objects.create(name="VIP", rule={})
    steps = [
        {"key": "hello", "wait": {"hours": 0}, "messages": [template.pk]},
        {"key": "ten", "wait": {"days": 3, "hour": "10:00"}, "messages": [template.pk], "incentive": ten.pk,
         "only_for": vip.pk, "otherwise": "end"},
    ]  # fmt: skip
    variants = [{"key": "a", "label": "Slow"}, {"key": "b", "label": "Fast", "steps": {"ten": {"wait": {"hours": 5}}}}]
    return {
        "name": "Welcome", "countries": "DE, AT", "occasion": "signed_up", "lateness_hours": "48", "priority": "3",
        "windows": json.dumps([{"weekdays": [0, 4], "from": "09:00", "until": "18:00"}]), "steps": json.dumps(steps),
        "starts_low_step": "2", "starts_low_percent": "20", "goal_kind": "order", "goal_days": "14",
        "exits_on_goal": "on", "limit_touches": "1000", "limit_touches_a_day": "100", "limit_per_customer": "1",
        "re_entry_days": "90", "cool_down_days": "30", "ramp_percent": "10", "variants": json.dumps(variants),
        "holdout_percent": "5", "experiment": "1",
    }  # fmt: skip


def test_the_whole_form_is_the_whole_plan_and_comes_back_as_it_was(console, fields):
    answer = console.post(ADD, fields)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    campaign = Campaign.objects.get()
    plan = plan_of(campaign)
    assert (plan.countries, plan.limits.touches_a_day, plan.ramp.percent) == (("DE", "AT"), 100, 10)
    assert (plan.steps[1].otherwise, plan.starts_low.others_at, plan.step_for(1, "b").wait.hours) == ("end", "ten", 5)
    assert (plan.exits.on_goal, plan.goal.days, plan.holdout_percent, plan.windows[0].weekdays) == (True, 14, 5, (0, 4))
    page = console.get(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    form = page.context["adminform"].form
    again = {name: form[name].value() for name in fields} | {"edited": 1}
    sent = {name: value for name, value in again.items() if value not in (None, False)}
    assert console.post(f"/admin/campaigns/campaign/{campaign.pk}/change/", sent).status_code == 302
    campaign.refresh_from_db()
    assert campaign.version.number == 2
    assert plan_of(campaign) == plan


def test_it_is_said_in_a_few_sentences_as_it_is_typed_and_nothing_is_saved(console, fields):
    told = console.post(SAY, fields).json()
    for words in (
        "Everyone in DE, AT,", "At once: the message “", "After 3 days, at 10:00 of her clock: 10% off",
        "only for “VIP”, others: the end.", "It ends for her when she orders.", "Full-price buyers begin at step 1",
        "At most 1,000 customers in all, 100 a day, once for each customer.", "At first for 10 % of them",
        "Only Monday, Friday 09:00–18:00", "Tested: Slow (50 %), Fast (50 %).", "5 % get nothing",
    ):  # fmt: skip
        assert words.replace("10% off", "10") in told["sentence"], told["sentence"]
    counted = console.post(SAY, {**fields, "count": "1"}).json()
    assert "It would have reached 0 customers" in counted["count"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": "[]"}, "Add at least one step."),
        ({"steps": "{"}, "Steps: This cannot be read."),
        ({"starts_low_step": "7"}, "begin at a step after the first"),
        ({"ramp_first": "10"}, "Opening: it opens to a share of the customers, or to so many of them."),
        ({"variants": json.dumps([{"key": "a", "label": "Alone"}])}, "at least two variants"),
        ({"occasion": "one_date"}, "This field is required."),
        ({"goal_kind": "activity"}, "Goal: a goal names an activity"),
    ],
)
def test_what_is_wrong_is_said_in_words(console, fields, change, words):
    told = console.post(SAY, {**fields, **change}).json()
    assert "sentence" not in told
    assert words in " ".join(told["faults"])
    assert console.post(ADD, {**fields, **change}).status_code == 200
    assert not Campaign.objects.exists()


def test_who_may_not_edit_is_told_nothing(client, shop, fields):
    client.force_login(get_user_model().objects.create_user("sam", password="x", is_staff=True))
    assert client.post(SAY, fields).status_code == 403


def test_versions_differ_in_the_marketers_words(planned, template, incentive):
    ten = incentive()
    base = planned("signed_up", steps=[{"key": "one", "messages": [template.pk]}])
    step = {"key": "one", "messages": [template.pk], "incentive": ten.pk, "wait": {"hours": 5}}
    newer = Plan.model_validate(base.as_json() | {"steps": [step], "limits": {"touches": 50}, "countries": ["DE"]})
    found = {one.label: (one.before, one.after) for one in differences(base, newer)}
    assert set(found) == {"Who", "Step 1", "Limits"}
    assert found["Who"] == ("Everyone", "Everyone in DE")
    assert found["Step 1"][1].startswith("After 5 hours: ")
    assert found["Limits"] == ("", "At most 50 customers in all.")
    assert differences(base, base) == []


def test_a_change_of_a_live_campaign_says_what_of_the_codes_that_are_out(console, live, person, incentive, reach, now):
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", {"hour": "09:00"}, incentive=incentive())
    reach(campaign)
    plan = plan_of(campaign).model_copy(update={"countries": ("DE",)})
    operations.save_campaign(campaign_id=campaign.pk, plan=plan, edited=1, now=now, by=BY)
    page = console.get(f"/admin/campaigns/campaign/{campaign.pk}/change/").content.decode()
    assert "Everyone → Everyone in DE" in page
    assert "One code is already out; it keeps what it promises." in page
    history = console.get(f"/admin/campaigns/campaign/{campaign.pk}/history/").content.decode()
    assert "Everyone in DE" in history
    in_force = re.findall(r"(\d+) <span[^>]*>\(in force\)", history)
    assert in_force == ["1"], "the newer one waits for its approval"


def test_the_progress_of_a_running_campaign(console, live, person, reach):
    for n in range(3):
        person(birth_month=5, birth_day=12 + n // 2)
    campaign = live("birthday", {"hour": "09:00"})
    reach(campaign)
    page = console.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/").content.decode()
    assert "Messages: 0 have left, 2 wait" in page
    assert Touch.objects.count() == 2
    operations.reaching.Reach.objects.update(phase="fresh", position=10**9)
    assert (
        "It looks at the customers: 100 %"
        in console.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/").content.decode()
    )
