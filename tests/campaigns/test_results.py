"""What came of a campaign: figures counted once, the way a person would by hand; and the winner promoted."""

import csv
import datetime as dt
import io
import uuid
from collections import Counter

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from campaigns import operations
from campaigns.endpoints_results import _out
from campaigns.models import Campaign, Touch
from campaigns.plans import plan_of
from campaigns.results import counting
from campaigns.results.experiments import experiments
from campaigns.results.ladder import Rung
from campaigns.results.operations import NoSuchVariant, promote
from campaigns.results.reading import HELD_OUT, Figures
from campaigns.results.report import NoSuchExperiment, results
from campaigns.results.words import ladder_rows
from retention.audit.models import AuditEntry, Version
from retention.audit.operations import EditedMeanwhile
from retention.customers.models import Activity, Order, Return
from retention.doors import seeds
from retention.doors.keys import create_key
from retention.doors.operations.staff import Person, create_staff
from retention.experiments.assignment import arm
from retention.experiments.holdouts import Holdout
from retention.experiments.operations import hold_out
from retention.incentives import operations as incentives
from retention.incentives.checkouts import Buyer, Checkout, Line
from retention.incentives.models import Code, Grant
from retention.messaging.models import Delivery, Event
from retention.segments.models import Membership, Segment
from tests.campaigns.conftest import BY
from tests.console.conftest import PASSWORD

DAY = dt.timedelta(days=1)


@pytest.fixture
def as_role(client, now):
    """A logged-in client of one role; the campaigns' own `person` is a customer."""
    seeds.seed(now=now)

    def log_in(role):
        made = create_staff(person=Person(role.replace(" ", "_"), roles=[role]), password=PASSWORD, now=now, by=BY)
        one = Client()
        one.force_login(made, backend="django.contrib.auth.backends.ModelBackend")
        return one

    return log_in


@pytest.fixture(autouse=True)
def clean(empty_cache):
    return cache


@pytest.fixture
def tested(planned, template, incentive, now):
    """An approved campaign whose test has the arms `a` and `b` and a holdout of 20 %, goal as told."""

    def make(goal=None, weights=(1, 1), holdout=20, **more):
        variants = [
            {"key": "a", "label": "Plain", "weight": weights[0]},
            {"key": "b", "label": "Ten off", "weight": weights[1], "steps": {"step-1": {"incentive": incentive().pk}}},
        ]
        plan = planned(
            "birthday", {"hour": "09:00"}, goal=goal or {"days": 14}, holdout_percent=holdout, variants=variants, **more
        )
        campaign = operations.create_campaign(plan=plan, now=now - 40 * DAY, by=BY)
        operations.approve(campaign_id=campaign.pk, version=1, now=now - 40 * DAY, by=BY)
        return operations.launch(campaign_id=campaign.pk, now=now - 40 * DAY, by=BY)

    return make


@pytest.fixture
def touch(now, person):
    """Touch somebody (else) in an arm so many days ago."""
    count = [0]

    def make(campaign, arm, *, ago=30, customer=None, version=None, **values):
        count[0] += 1
        return Touch.objects.create(
            campaign=campaign,
            customer=customer or person(consent=False),
            occasion=f"birthday:{count[0]}",
            version=version or campaign.approved_version,
            is_ghost=arm == HELD_OUT,
            variant="" if arm == HELD_OUT else arm,
            due_at=now - ago * DAY,
            enlisted_at=now - ago * DAY,
            **{"state": "done", "begun_at": now - ago * DAY, **values},
        )

    return make


@pytest.fixture
def order(now):
    def make(touched, minor, *, after=1, state="paid", **values):
        return Order.objects.create(
            reference=f"R{Order.objects.count()}",
            customer=touched.customer,
            state=state,
            currency="EUR",
            total_minor=minor,
            base_minor=minor,
            placed_at=touched.due_at + after * DAY,
            recorded_at=now,
            **values,
        )

    return make


@pytest.fixture
def message(template, now):
    def make(touched, state, step=0):
        return Delivery.objects.create(
            origin="campaigns.touch", origin_id=touched.pk, step=step, channel="email", customer=touched.customer,
            template=template, version=template.version, state=state, is_ghost=touched.is_ghost,
            queued_at=now, not_before=now, ended_at=now,
        )  # fmt: skip

    return make


def figures(arm, heads, **values):
    names = list(Figures.__dataclass_fields__)[2:]
    return Figures(arm, heads, **{**dict.fromkeys(names, 0), "drawn": heads, **values})


def test_figures_are_those_that_a_person_would_count(tested, touch, order, message, now):
    campaign = tested()
    buyer, twice, waiting = touch(campaign, "a"), touch(campaign, "a"), touch(campaign, "a", ago=5)
    # A second touch of hers whose days overlap, and one of another arm: the first decides, and orders count once.
    again = touch(campaign, "a", customer=twice.customer, ago=25)
    touch(campaign, "b", customer=twice.customer, ago=20)
    order(buyer, 5_000)
    order(twice, 3_000, after=6)
    order(twice, 2_000, after=0)  # at the very instant of the occasion: not after it
    order(twice, 700, after=18)  # after the first window, within the second
    order(again, 900, after=14)  # the end of the days is not in them
    order(waiting, 400, after=1, state="placed")  # converted, and not paid yet
    message(buyer, "sent")
    message(buyer, "failed", step=1)
    message(twice, "suppressed")
    other = touch(campaign, "b")
    order(other, 1_000, state="cancelled")
    back = order(other, 8_000, after=2, state="partially_returned")
    Return.objects.create(
        order=back, reference="B1", amount_minor=3_000, base_minor=3_000, occurred_at=now, recorded_at=now
    )
    sent = message(other, "sent")
    # Twice by her, and once by a scanner that follows every link.
    for kind, is_machine in (("opened", False), ("opened", False), ("clicked", True)):
        Event.objects.create(
            delivery=sent, kind=kind, is_machine=is_machine, source=f"e{Event.objects.count()}", at=now, recorded_at=now
        )
    held, idle = touch(campaign, HELD_OUT), touch(campaign, HELD_OUT)
    order(held, 100)
    message(held, "withheld")
    message(idle, "suppressed")
    # Not reached in any arm alike, or not opened to yet: neither counts.
    touch(campaign, "a", state="skipped", reason="campaigns.no_consent", begun_at=None)
    touch(campaign, "a", state="held", begun_at=None)
    # Refused what it was to get: it counts, as those held out do who would have been refused it too.
    touch(campaign, "b", state="skipped", reason="incentives.budget_issued", begun_at=None)
    report = results(campaign=campaign, lift=20, now=now)
    assert report.arms == (
        figures(
            "a", 3, open=1, queued=2, delivered=1, converted=3, buyers=2,
            revenue=8_700, squares=5_000**2 + 3_700**2, cubes=5_000**3 + 3_700**3,
        ),
        figures(
            "b", 2, queued=1, delivered=1, opened=1, clicked=0, converted=1, buyers=1,
            revenue=5_000, squares=5_000**2, cubes=5_000**3,
        ),
        figures(HELD_OUT, 2, queued=2, delivered=1, converted=1, buyers=1, revenue=100, squares=1e4, cubes=1e6),
    )  # fmt: skip
    assert [found.key for found in report.beyond_holdout] == ["a", "b"]
    assert [found.key for found in report.between] == ["b"]
    assert {found.verdict for found in (*report.beyond_holdout, *report.between)} == {"too_few"}
    assert report.whole.money.value == pytest.approx(13_700 / 5 - 50)


def test_touches_under_other_shares_are_of_another_test(tested, touch, now):
    campaign = tested()
    same = Version.objects.create(
        subject="campaigns.campaign", subject_id=campaign.pk, number=2, saved_at=now,
        data={**campaign.version.data, "lateness_hours": 5},
    )  # fmt: skip
    plan = plan_of(campaign)
    Campaign.objects.update(version=same)
    operations.save_campaign(
        campaign_id=campaign.pk, plan=plan.model_copy(update={"holdout_percent": 5}), edited=2, now=now, by=BY
    )
    operations.approve(campaign_id=campaign.pk, version=3, now=now, by=BY)
    campaign.refresh_from_db()
    for version, count in (
        (same, 1),
        (Version.objects.get(subject=same.subject, number=1), 1),
        (campaign.approved_version, 3),
    ):
        for _n in range(count):
            touch(campaign, "a", version=version)
    report = results(campaign=campaign, lift=20, now=now)
    assert ([arm.heads for arm in report.arms], report.since, report.is_present) == ([3, 0], 3, True)
    earlier = results(campaign=campaign, lift=20, now=now, since=1)
    assert ([arm.heads for arm in earlier.arms], earlier.since, earlier.is_present) == ([2, 0], 1, False)
    with pytest.raises(NoSuchExperiment):
        results(campaign=campaign, lift=20, now=now, since=2)


def test_other_goals(tested, touch, now):
    campaign = tested({"kind": "activity", "activity": "reviewed", "days": 3})
    for after in (1, 2, 4):
        Activity.objects.create(
            customer=touch(campaign, "a").customer, kind="reviewed", reference=str(after),
            occurred_at=now - 30 * DAY + after * DAY, recorded_at=now,
        )  # fmt: skip
    assert results(campaign=campaign, lift=20, now=now).arms[0].converted == 2


def test_discounts_that_were_used_and_not_given_back(tested, touch, incentive, now):
    campaign = tested({"kind": "redemption", "days": 14})
    touched = touch(campaign, "b")
    offer = incentives.go_live(incentive_id=incentive().pk, now=now - 40 * DAY, by=BY)
    incentives.grant(
        incentive_id=offer.pk, customer_ids=[touched.customer_id], sources=["s"], origin="campaigns.touch",
        origin_ids=[touched.pk], now=now - 29 * DAY, by=BY,
    )  # fmt: skip
    code = Code.objects.get(grant=Grant.objects.get())
    buyer = Buyer(reference=touched.customer.reference)
    incentives.redeem(
        source="r", request_hash=b"x" * 32, codes=[code.code], now=now - 28 * DAY,
        checkout=Checkout("EUR", (Line("X", 1, 5_000),), buyer=buyer, order_reference="O1"),
    )  # fmt: skip
    report = results(campaign=campaign, lift=20, now=now)
    assert [(arm.arm, arm.converted, arm.cost) for arm in report.arms] == [("a", 0, 0), ("b", 1, 500)]
    assert report.ladder == ()


def test_what_a_ladder_saved_beside_its_last_rung_for_all(live, touch, order, template, incentive, now):
    """Ten percent on the second step is the last rung; each order is priced without what was taken off it."""
    ten = incentive()
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 48}, "messages": [template.pk], "incentive": ten.pk}]
    campaign = live("birthday", {"hour": "09:00"}, steps=steps, goal={"days": 14}, at=now - 40 * DAY)
    paid_in_full, with_code, never = (touch(campaign, "") for _n in range(3))
    held = touch(campaign, HELD_OUT)
    incentives.grant(
        incentive_id=ten.pk, customer_ids=[with_code.customer_id], sources=["s"], origin="campaigns.touch",
        origin_ids=[with_code.pk], now=now - 29 * DAY, by=BY,
    )  # fmt: skip
    order(paid_in_full, 10_000)
    order(paid_in_full, 99_000, after=3)  # a second order counts for nothing
    order(held, 50_000)
    hers = order(with_code, 4_500, after=2)
    incentives.redeem(
        source="r", request_hash=b"x" * 32, codes=[Code.objects.get().code], now=now - 28 * DAY,
        checkout=Checkout(
            "EUR", (Line("X", 1, 5_000),), buyer=Buyer(reference=with_code.customer.reference),
            order_reference=hers.reference,
        ),
    )  # fmt: skip
    friends, old = Segment.objects.create(name="Friends"), Segment.objects.create(name="Old", archived_at=now)
    for segment, one in ((friends, paid_in_full), (friends, never), (old, with_code)):
        Membership.objects.create(segment=segment, customer=one.customer, entered_at=now)
    report = results(campaign=campaign, lift=20, now=now)
    assert report.ladder == (Rung("", 2, given=500, highest=1_500), Rung("Friends", 1, given=0, highest=1_000))
    assert [row["saved"] for row in ladder_rows(report)] == ["+€10.00", "+€10.00"]
    assert [(one["segment"], one["saved_minor"]) for one in _out(report)["ladder"]] == [("", 1_000), ("Friends", 1_000)]


def test_the_lot_is_checked_by_those_it_decided_about(tested, touch, now):
    campaign = tested(weights=(3, 1))
    for side, count in (("a", 60), ("b", 20), (HELD_OUT, 20)):
        for _n in range(count):
            touch(campaign, side)
    assert results(campaign=campaign, lift=20, now=now).ratio_p == pytest.approx(1.0)
    for _n in range(40):
        touch(campaign, "b")
    found = results(campaign=campaign, lift=20, now=now, is_fresh=True)
    assert found.is_mismatch
    # Once the shop's own holdout has changed, nobody can say any more whose ghosts are whose: variants remain.
    hold_out(percent=5, now=now, by=BY)
    assert results(campaign=campaign, lift=10, now=now).is_mismatch
    Touch.objects.filter(variant="b", pk__gt=Touch.objects.order_by("pk")[100].pk - 1).delete()
    assert results(campaign=campaign, lift=50, now=now, is_fresh=True).ratio_p > 0.1


def test_counted_once_in_ten_minutes_unless_asked(tested, touch, now):
    campaign = tested()
    assert results(campaign=campaign, lift=20, now=now).heads == 0
    touch(campaign, "a")
    kept = results(campaign=campaign, lift=20, now=now + dt.timedelta(minutes=9))
    assert (kept.heads, kept.counted_at) == (0, now)
    assert results(campaign=campaign, lift=20, now=now, is_fresh=True).heads == 1


def test_those_of_many_are_counted_in_the_background(tested, touch, now, monkeypatch, client, django_user_model):
    monkeypatch.setattr(counting, "FEW", 1)
    campaign = tested()
    for _n in range(2):
        touch(campaign, "a")
    lead = django_user_model.objects.create_superuser("lead", password="x")
    client.force_login(lead, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/admin/campaigns/campaign/{campaign.pk}/results/"
    first = client.get(address)
    assert "being counted for the first time" in first.content.decode()
    assert first.headers["Refresh"] == "5"
    with pytest.raises(counting.BeingCounted):
        results(campaign=campaign, lift=20, now=now)
    assert counting.count_waiting(now=now, progress=lambda *_done: None) == 1
    assert counting.count_waiting(now=now, progress=lambda *_done: None) == 0, "it was counted once for both"
    touch(campaign, "b")
    kept = results(campaign=campaign, lift=5, now=now)
    assert (kept.heads, kept.is_being_counted) == (2, False)

    late = now + dt.timedelta(minutes=11)
    older = results(campaign=campaign, lift=20, now=late)
    assert (older.heads, older.is_being_counted, older.counted_at) == (2, True, now)
    counting.count_waiting(now=late, progress=lambda *_done: None)
    newer = results(campaign=campaign, lift=20, now=late)
    assert (newer.heads, newer.is_being_counted, newer.counted_at) == (3, False, late)


def test_promote_saves_the_winner_as_the_plan_and_waits_for_approval(tested, now):
    campaign = tested()
    won = plan_of(campaign).variants[1].steps["step-1"].incentive
    saved = promote(campaign_id=campaign.pk, variant="b", edited=1, now=now, by=BY)
    plan = plan_of(saved)
    assert (plan.variants, plan.holdout_percent, plan.steps[0].incentive, plan.experiment) == ((), 20, won, 2)
    assert (saved.version.number, saved.version.why) == (2, "Promoted: Ten off")
    assert saved.approved_version.number == 1
    assert AuditEntry.objects.filter(verb="campaigns.promote", subject_id=campaign.pk).get().after == {"variant": "b"}
    with pytest.raises(NoSuchVariant):
        promote(campaign_id=campaign.pk, variant="b", edited=2, now=now, by=BY)
    with pytest.raises(operations.NoSuchCampaign):
        promote(campaign_id=0, variant="b", edited=2, now=now, by=BY)


def test_the_test_after_a_winner_is_drawn_anew_and_the_first_can_still_be_opened(tested, touch, person, reach, now):
    campaign = tested(holdout=0)
    for side in "aab":
        touch(campaign, side)
    variants = plan_of(campaign).variants
    promote(campaign_id=campaign.pk, variant="b", edited=1, now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=2, now=now, by=BY)
    campaign.refresh_from_db()
    # The next test, saved by someone who left the number where it was.
    again = plan_of(campaign).model_copy(update={"variants": variants})
    operations.save_campaign(campaign_id=campaign.pk, plan=again, edited=2, now=now, by=BY)
    operations.approve(campaign_id=campaign.pk, version=3, now=now, by=BY)
    campaign.refresh_from_db()
    people = [person(birth_month=5, birth_day=12).pk for _n in range(40)]
    reach(campaign, now + dt.timedelta(hours=1))
    drawn = dict(Touch.objects.filter(customer__in=people).values_list("customer", "variant"))
    assert drawn == {pk: "ab"[arm(f"{campaign.public_id}:2", pk, (1, 1))] for pk in people}
    assert drawn != {pk: "ab"[arm(f"{campaign.public_id}:1", pk, (1, 1))] for pk in people}
    found = [(one.since, one.plan.experiment, len(one.plan.variants)) for one in experiments(campaign)]
    assert found == [(3, 2, 2), (2, 2, 0), (1, 1, 2)]
    heads = {since: [side.heads for side in results(campaign=campaign, lift=20, now=now, since=since).arms]
             for since in (1, 2, 3)}  # fmt: skip
    counted = Counter(drawn.values())
    assert heads == {1: [2, 1], 2: [0], 3: [counted["a"], counted["b"]]}


def test_a_test_goes_on_where_a_variant_is_kept(tested, now):
    campaign = tested()
    plan = plan_of(campaign)
    kept = plan.model_copy(update={"variants": (plan.variants[0], plan.variants[1].model_copy(update={"key": "c"}))})
    saved = operations.save_campaign(campaign_id=campaign.pk, plan=kept, edited=1, now=now, by=BY)
    assert plan_of(saved).experiment == 1
    renamed = tuple(one.model_copy(update={"key": f"new-{one.key}"}) for one in plan.variants)
    other = plan.model_copy(update={"variants": renamed})
    saved = operations.save_campaign(campaign_id=campaign.pk, plan=other, edited=2, now=now, by=BY)
    assert plan_of(saved).experiment == 2


def test_promote_refuses_what_was_edited_meanwhile(tested, now):
    campaign = tested()
    operations.save_campaign(campaign_id=campaign.pk, plan=plan_of(campaign), edited=1, now=now, by=BY)
    with pytest.raises(EditedMeanwhile):
        promote(campaign_id=campaign.pk, variant="b", edited=1, now=now, by=BY)


def test_the_page_the_file_and_the_button(tested, touch, order, as_role, now):
    campaign = tested()
    order(touch(campaign, "b"), 12_300)
    touch(campaign, "a")
    touch(campaign, HELD_OUT)
    lead, address = as_role("marketing lead"), reverse("admin:campaigns_campaign_results", args=[campaign.pk])
    page = lead.get(address).content.decode()
    for words in ("Ten off", "Plain", "Held out", "€123.00", "Not enough data yet", "Promote “Ten off”"):
        assert words in page
    rows = list(csv.DictReader(io.StringIO(lead.get(f"{address}?format=csv&again=1", follow=True).content.decode())))
    assert [(row["arm"], row["heads"], row["revenue"]) for row in rows] == [
        ("a", "1", "0.00"), ("b", "1", "123.00"), ("holdout", "1", "0.00"),
    ]  # fmt: skip
    assert as_role("support agent").get(address).status_code == 403
    analyst = as_role("analyst")
    assert b"Promote" not in analyst.get(address).content
    assert analyst.post(address, {"variant": "b", "edited": "1"}).status_code == 403
    assert lead.post(address, {"variant": "no", "edited": "1"}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.version.number == 1
    lead.post(address, {"variant": "b", "edited": "1"})
    campaign.refresh_from_db()
    assert campaign.version.number == 2
    operations.approve(campaign_id=campaign.pk, version=2, now=now, by=BY)
    present, earlier = lead.get(address).content.decode(), lead.get(f"{address}?since=1").content.decode()
    assert "Version 1, " in present
    assert "Plain, Ten off, 20 % held out" in present
    assert "€123.00" not in present
    assert "€123.00" in earlier
    assert "earlier experiment" in earlier
    assert "End the test" not in earlier
    assert lead.get(f"{address}?since=7").status_code == 404


def test_over_the_api(tested, touch, order, client, now):
    campaign = tested()
    order(touch(campaign, "b"), 12_300)
    touch(campaign, HELD_OUT)
    secret = create_key(name="shop", scopes=("campaigns:read",), known=("campaigns:read",), now=now, by=BY).secret
    headers = {"authorization": f"Bearer {secret}"}
    answer = client.get(f"/api/v1/campaigns/{campaign.public_id}/results/?lift=50", headers=headers).json()
    assert [(arm["key"], arm["customers"], arm["revenue_minor"]) for arm in answer["arms"]] == [
        ("a", 0, 0), ("b", 1, 12_300), ("holdout", 1, 0),
    ]  # fmt: skip
    assert [(found["key"], found["against"]) for found in answer["differences"]] == [
        ("a", "holdout"), ("b", "holdout"), ("b", "a"),
    ]  # fmt: skip
    assert answer["differences"][1]["revenue_interval"] == {"low": None, "high": None}
    assert (answer["lift_percent"], answer["is_mismatch"]) == (50, False)
    [present] = answer["experiments"]
    assert (answer["since"], present["since"], present["arms"], present["holdout_percent"]) == (1, 1, ["a", "b"], 20)
    unknown = client.get(f"/api/v1/campaigns/{campaign.public_id}/results/?since=9", headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "campaigns.no_such_experiment")
    nobody = client.get(f"/api/v1/campaigns/{uuid.uuid4()}/results/", headers=headers)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "campaigns.no_such_campaign")


def test_a_test_that_really_ran_has_the_arms_of_the_lot(tested, person, reach, now):
    campaign = tested()
    people = [person(birth_month=5, birth_day=12).pk for _n in range(60)]
    reach(campaign, now + dt.timedelta(hours=1))
    seed = f"{campaign.public_id}:{plan_of(campaign).experiment}"
    held, drawn = Holdout(f"{seed}:holdout", 20), Counter()
    for pk in people:
        drawn[HELD_OUT if held.holds(pk) else "ab"[arm(seed, pk, (1, 1))]] += 1
    report = results(campaign=campaign, lift=20, now=now + dt.timedelta(hours=2))
    assert {figures.arm: figures.heads for figures in report.arms} == dict(drawn)
    assert sum(drawn.values()) == 60
    assert not Grant.objects.filter(customer__in=[pk for pk in people if held.holds(pk)]).exists()
    assert {figures.arm: figures.queued for figures in report.arms} == dict(drawn)
