"""Limits and budgets are told of at 50, 80 and 100 %, each once; raised limits take it back."""

import pytest

from retention import registries
from retention.incentives import operations
from retention.incentives.models import Counter
from retention.incentives.operations.near_limits import untold_limits, watch_limits
from retention.incentives.rules import BudgetLimits
from retention.incentives.versions import rule_of
from retention.work.models import Alert
from retention.work.operations import settle_alert
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def use(incentive, *, redeemed=0, spent=0, issued=0):
    own = Counter.objects.filter(incentive_id=incentive.pk, subject_id=0)
    own.filter(scope="incentive", currency="").update(redeemed=redeemed)
    own.filter(scope="issue").update(issued=issued)
    if spent:
        Counter.objects.update_or_create(
            incentive_id=incentive.pk, scope="incentive", subject_id=0, currency="EUR", defaults={"spent_minor": spent}
        )


def told():
    return sorted(Alert.objects.filter(resolved_at=None).values_list("level", "text"))


def budget(minor):
    return {"limits": {"money": {"amount_minor": minor, "currency": "EUR"}}}


def test_each_step_is_told_once(offer, now):
    incentive = offer(name="Spring", **budget(10000))
    use(incentive, spent=4999)
    assert watch_limits(now=now) == 0
    steps = [
        (5000, "note", "“Spring” has spent 50.00 EUR of its budget of 100.00 EUR (50 %)."),
        (8000, "warning", "“Spring” has spent 80.00 EUR of its budget of 100.00 EUR (80 %)."),
        (10000, "urgent", "“Spring” has spent 100.00 EUR of its budget of 100.00 EUR (100 %)."),
    ]
    for spent, level, text in steps:
        use(incentive, spent=spent)
        assert [limit.step for limit in untold_limits()] == [spent // 100]
        assert (watch_limits(now=now), watch_limits(now=now)) == (1, 0)
        assert told() == [(level, text)]
    assert Alert.objects.get().url == f"/admin/incentives/incentive/{incentive.pk}/change/"


def test_what_somebody_settled_does_not_come_back(offer, now):
    incentive = offer(name="Spring", **budget(10000))
    use(incentive, spent=5000)
    watch_limits(now=now)
    settle_alert(alert_id=Alert.objects.get().pk, now=now, by=BY)
    use(incentive, spent=6000)
    watch_limits(now=now)
    assert told() == []
    use(incentive, spent=8100)
    watch_limits(now=now)
    assert [level for level, _text in told()] == ["warning"], "the next step is news"


def test_a_raised_limit_takes_it_back_and_begins_again(offer, now):
    incentive = offer(name="Spring", **budget(10000))
    use(incentive, spent=9000)
    watch_limits(now=now)
    rule = rule_of(incentive.version_id)
    money = rule.limits.money.model_copy(update={"amount_minor": 20000})
    raised = rule.model_copy(update={"limits": rule.limits.model_copy(update={"money": money})})
    operations.save_incentive(incentive_id=incentive.pk, rule=raised, edited=1, now=now, by=BY)
    assert watch_limits(now=now) == 0
    assert told() == []
    use(incentive, spent=17000)
    watch_limits(now=now)
    assert told() == [("warning", "“Spring” has spent 170.00 EUR of its budget of 200.00 EUR (85 %).")]


def test_uses_and_grants_are_told_too_and_a_stopped_offer_is_not(offer, now):
    incentive = offer(name="First", limits={"total": 500, "issued": 40})
    offer(name="Without limits")
    draft = offer(name="Draft", is_live=False, limits={"total": 1})
    use(draft, redeemed=1)
    use(incentive, redeemed=250, issued=40)
    assert watch_limits(now=now) == 2
    assert told() == [
        ("note", "“First” was used 250 times of 500 (50 %)."),
        ("urgent", "“First” was given 40 times of 40 (100 %)."),
    ]
    operations.stop(incentive_id=incentive.pk, now=now, by=BY)
    watch_limits(now=now)
    assert told() == []
    operations.resume(incentive_id=incentive.pk, now=now, by=BY)
    assert watch_limits(now=now) == 2


def test_a_budget_over_several_offers_is_told_of_too(now):
    limits = {"limits": [{"money": {"amount_minor": 10000, "currency": "EUR"}}, {"uses": 5, "within": "day"}]}
    budget = operations.save_budget(
        name="Agents", origin="test.agent", origin_id=1, limits=BudgetLimits.model_validate(limits), edited=None,
        now=now, by=BY,
    )  # fmt: skip
    kept = {"incentive_id": 0, "scope": "budget", "subject_id": budget.pk}
    Counter.objects.create(**kept, currency="EUR", spent_minor=8000)
    Counter.objects.create(**kept, period="D2026-05-12", redeemed=5)
    assert watch_limits(now=now) == 1
    assert told() == [("warning", "“Agents” has spent 80.00 EUR of its budget of 100.00 EUR (80 %).")]
    assert Alert.objects.get().url == f"/admin/incentives/budget/{budget.pk}/change/"
    Counter.objects.filter(currency="EUR").update(spent_minor=100)
    watch_limits(now=now)
    assert told() == []


def test_the_job_says_what_it_would_tell(offer, now):
    use(offer(limits={"total": 10}), redeemed=8)
    job = registries.jobs["incentives.watch_limits"]
    assert job.preview(now=now) == {"due": 1}
    assert job.run(now=now, progress=lambda *_: None) == {"due": 1}
    assert job.preview(now=now) == {"due": 0}


def test_money_of_each_customer_is_told_of_by_who_is_furthest(offer, now):
    incentive = offer(
        name="Spring",
        limits={
            "windows": [
                {"per": "customer", "within": "life", "money": {"amount_minor": 10_000, "currency": "EUR"}},
                {"per": "customer", "within": "month", "money": {"amount_minor": 10, "currency": "EUR"}},
                {"per": "code", "within": "life", "money": {"amount_minor": 50_000, "currency": "EUR"}},
            ]
        },
    )

    def spent(*amounts, scope="customer"):
        for subject, amount in enumerate(amounts, start=1):
            Counter.objects.update_or_create(
                incentive_id=incentive.pk, scope=scope, subject_id=subject, currency="EUR",
                defaults={"spent_minor": amount},
            )  # fmt: skip

    def watch():
        return watch_limits(now=now, of_each=True)

    spent(4_999, 100)
    assert (watch(), watch_limits(now=now)) == (0, 0)
    spent(5_000, 4_999)
    assert (len(untold_limits(of_each=True)), untold_limits(), watch(), watch()) == (1, [], 1, 0)
    assert told() == [("note", "Of “Spring” one customer has used 50.00 EUR of the 100.00 EUR that each may.")]
    spent(10_000, 10_000, 7_999)
    assert watch_limits(now=now) == 0, "the other job knows nothing of it, and takes nothing back"
    assert watch() == 1
    assert told() == [("urgent", "Of “Spring” 2 customers have used 100 % or more of the 100.00 EUR that each may.")]
    spent(45_000, scope="code")
    assert watch() == 1
    assert ("warning", "Of “Spring” one code has spent 450.00 EUR of the 500.00 EUR that each may.") in told()
    spent(0, 0, 0)
    assert (watch(), len(told())) == (0, 1)
