"""The history of what marketers edit is in their words: labels of the form, and names of what numbers point to."""

import pytest
from django.contrib.admin import site

from loyalty import operations
from loyalty.admin.programmes import ProgrammeAdmin
from loyalty.admin.rewards import RewardAdmin
from loyalty.models import Programme, Reward
from loyalty.operations import rewards
from loyalty.rules import ProgrammeRule
from loyalty.rules.rewards import RewardRule
from retention.audit.querysets import versions_of
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.segments import operations as segments
from tests.loyalty.conftest import BY, ONE_FOR_ONE

pytestmark = pytest.mark.django_db


def rows(page, obj):
    newer, older = versions_of(obj)[:2]
    return [(row["label"], row["before"], row["after"]) for row in page.changes(obj, older, newer)]


def test_a_programmes_rule_is_told_as_the_builder_calls_it(programme, reward, now):
    club = programme(tiers={"measure": "points", "steps": [{"key": "gold", "names": {"en": "Gold"}, "threshold": 100}]})
    one, other = reward(club, names={"en": "Tote bag"}), reward(club, names={"en": "Candle"})
    entry = incentives.create_incentive(
        rule=IncentiveRule.model_validate(
            {"name": "Golden hello", "effects": [{"kind": "percent", "basis_points": 500}]}
        ),
        now=now, by=BY,
    )  # fmt: skip
    choice = {"kind": "choice", "reward_ids": [one.pk, other.pk], "default_id": other.pk}
    base = {**ONE_FOR_ONE, "amount": 2, "per_minor": 250}
    step = {"key": "gold", "names": {"en": "Gold"}, "threshold": 100, "rewards": [entry.pk]}
    rule = ProgrammeRule.model_validate(
        {
            **club.version.data, "earning": [base], "matching": "first",
            "pending": {"kind": "days", "days": 14}, "tiers": {**club.version.data["tiers"], "steps": [step]},
            "milestones": [
                {"key": "ten", "names": {"en": "Ten orders"}, "measure": "orders", "at": 10, "gives": choice}
            ],
        }
    )  # fmt: skip
    operations.save_programme(programme_id=club.pk, rule=rule, edited=1, now=now, by=BY)
    told = rows(ProgrammeAdmin(Programme, site), Programme.objects.get())
    assert ("Reasons to earn › For what was paid (base) › Earns", "1", "2") in told
    assert ("Reasons to earn › For what was paid (base) › for every", "€1.00", "€2.50") in told
    assert ("Where several rules fit", "all of them give", "the first one that fits gives") in told
    assert ("Tiers › Tiers › Gold › Given on reaching it", "—", "Golden hello") in told
    ((_label, before, milestone),) = [row for row in told if row[0] == "Milestones › Ten orders"]
    assert before == "—"
    assert (
        "She chooses (Rewards to choose from: Club: Tote bag, Club: Candle; Without a choice: Club: Candle)"
        in milestone
    )
    said = " ".join(part for row in told for part in row)
    assert not [word for word in ("Default id", "Reward ids", "_", "orders: ") if word in said]

    later = {**rule.model_dump(mode="json")}
    later["milestones"][0]["gives"] = {**choice, "default_id": one.pk}
    operations.save_programme(
        programme_id=club.pk, rule=ProgrammeRule.model_validate(later), edited=2, now=now, by=BY
    )  # fmt: skip
    assert rows(ProgrammeAdmin(Programme, site), Programme.objects.get()) == [
        ("Milestones › Ten orders › What she gets › Without a choice", "Club: Candle", "Club: Tote bag")
    ]


def test_a_rewards_rule_is_told_as_its_form_calls_it(programme, reward, now):
    club = programme()
    given = reward(club)
    vip = segments.create_segment(name="Regulars", rule={"all": []}, now=now, by=BY)
    other = incentives.create_incentive(
        rule=IncentiveRule.model_validate({"name": "Five off", "effects": [{"kind": "percent", "basis_points": 500}]}),
        now=now, by=BY,
    )  # fmt: skip
    before = Reward.objects.get(pk=given.pk)
    data = {**before.version.data, "incentive_id": other.pk, "segment_id": vip.pk, "within": "month", "price": 5}
    rewards.save_reward(reward_id=given.pk, rule=RewardRule.model_validate(data), edited=1, now=now, by=BY)
    assert sorted(rows(RewardAdmin(Reward, site), Reward.objects.get(pk=given.pk))) == [
        ("Only for the segment", "—", "Regulars"),
        ("Price", str(before.price), "5"),
        ("What it gives", before.incentive.name, "Five off"),
        ("Within", "all time", "a month"),
    ]
