"""Back-tests: what a replay counts is what the jobs would have done, and what was bought anyway is counted by hand."""

import datetime as dt

import pytest
import time_machine
from model_bakery import baker

from campaigns import operations
from campaigns.backtests.models import BackTest
from campaigns.backtests.operations import BadPeriod, BeingReplayed, ask_back_test, do_back_tests
from campaigns.jobs import Campaigns
from campaigns.models import Touch
from retention import registries
from retention.customers.models import Customer, Order, Product
from retention.customers.operations.consents import give_consent, withdraw_consent
from retention.work.ingest import ingest
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)
NINE = {"hour": "09:00"}
FIRST, LAST = dt.date(2026, 4, 13), dt.date(2026, 5, 3)


def quiet(_done, _total):
    pass


@pytest.fixture
def people(shop, person, now):
    """Birthdays within the three weeks and around; consents said, withdrawn and never given."""

    def agree(customer, on):
        said = {"customer_id": customer.pk, "channel": "email", "purpose": "marketing", "source": "test"}
        give_consent(now=now, by=BY, occurred_at=on, **said)
        return said

    for name, month, day in (
        ("before", 4, 12), ("first", 4, 13), ("second", 4, 19), ("third", 4, 20), ("last", 5, 3), ("after", 5, 4),
        ("french", 4, 21), ("silent", 4, 22), ("late", 4, 23), ("gone", 4, 24), ("nowhere", 4, 25),
    ):  # fmt: skip
        values = {"email": None} if name == "nowhere" else {}
        country = "FR" if name == "french" else "DE"
        her = person(reference=name, birth_month=month, birth_day=day, country=country, consent=False, **values)
        if name == "late":
            agree(her, dt.datetime(2026, 4, 24, tzinfo=dt.UTC))
        elif name not in ("silent", "nowhere"):
            said = agree(her, now - 365 * DAY)
            if name == "gone":
                withdraw_consent(now=now, by=BY, occurred_at=dt.datetime(2026, 4, 23, tzinfo=dt.UTC), **said)
    return {customer.reference: customer for customer in Customer.objects.all()}


@pytest.fixture
def bought(people, now):
    """What two of them ordered within the month, and what does not count."""
    rows = [{"sku": sku, "name": sku, "price": "50.00", "currency": "EUR"} for sku in ("LP", "CD")]
    assert ingest("products", rows, now=now, by=BY).is_written
    Product.objects.filter(sku="LP").update(unit_cost_minor=2000)
    lines = [{"sku": "LP", "quantity": 1, "unit_price": "50.00"}, {"sku": "CD", "quantity": 1, "unit_price": "50.00"}]
    orders = [
        {"reference": reference, "customer": who, "state": state, "currency": "EUR", "total": "100.00",
         "placed_at": at, "lines": lines}
        for reference, who, state, at in (
            ("A", "first", "paid", "2026-04-20T10:00:00Z"), ("B", "first", "paid", "2026-04-21T10:00:00Z"),
            ("C", "third", "paid", "2026-04-19T10:00:00Z"), ("D", "second", "cancelled", "2026-04-21T10:00:00Z"),
            ("E", "last", "paid", "2026-05-09T10:00:00Z"), ("F", "silent", "paid", "2026-04-23T10:00:00Z"),
        )
    ]  # fmt: skip
    assert ingest("orders", orders, now=now, by=BY).is_written


@pytest.fixture
def draft(planned, incentive, people, now):
    plan = planned("birthday", NINE, incentive=incentive(), countries=["DE"], goal={"kind": "order", "days": 10})
    return operations.create_campaign(plan=plan, now=now, by=BY)


def figures_of(campaign, now, first=FIRST, last=LAST):
    ask_back_test(campaign_id=campaign.pk, first=first, last=last, now=now, by=BY)
    registries.jobs["campaigns.back_test"].run(now=now, progress=quiet)
    done = BackTest.objects.filter(campaign=campaign).first()
    assert (done.state, done.error, done.done) == ("done", "", done.total)
    return done.figures


def test_counted_by_hand(draft, bought, people, live, reach, now):
    other = live("one_date", {"on": "2026-04-19", "hour": "12:00", "clock": "shop"}, at=now - 30 * DAY)
    reach(other, dt.datetime(2026, 4, 19, 12, tzinfo=dt.UTC))
    found = figures_of(draft, now)
    assert (found["heads"], found["customers"]) == (4, 4), "first, second, third, last"
    assert found["skipped"] == {"campaigns.no_address": 1, "campaigns.no_consent": 3}
    weeks = [(week["first"], week["heads"], week["skipped"], week["bought"]) for week in found["weeks"]]
    assert weeks == [("2026-04-13", 2, 0, 1), ("2026-04-20", 1, 4, 0), ("2026-04-27", 1, 0, 1)]
    assert (found["bought"], found["bought_minor"], found["goal_days"]) == (2, 200_00, 10), "orders A and E"
    assert found["given_away_minor"] == 20_00, "ten percent of both"
    assert (found["margin_minor"], found["margin_of_percent"]) == (60_00, 50), "of the LPs, whose cost is known"
    assert found["cost_minor"] == 4 * 10_00, "ten percent of the average order"
    near = [people["second"], people["third"]]
    touched = Touch.objects.filter(campaign=other, customer__in=near).exclude(state="skipped")
    assert touched.count() == 2
    assert (found["shared"], found["shared_with"]) == (2, [{"campaign": other.pk, "heads": 2}])
    assert found["sample"] == sorted(people[name].pk for name in ("first", "second", "third", "last"))
    assert found["forecast"]["heads"] == 0
    assert ("customers_customerstats" in found["notes"], found["is_blind_to_orders"]) == (False, False)
    assert Touch.objects.filter(campaign=draft).count() == 0, "nothing was done"


def test_a_replay_counts_what_the_jobs_would_have_done(draft, people, now):
    """The same plan launched on the first day, and the jobs run on every day since, under the clock of that day."""
    found = figures_of(draft, now)
    begun = dt.datetime(2026, 4, 13, tzinfo=dt.UTC) - dt.timedelta(hours=2)
    operations.approve(campaign_id=draft.pk, version=1, now=begun, by=BY)
    operations.launch(campaign_id=draft.pk, now=begun, by=BY)
    # As their consents stood then; the state of today is what the jobs ask.
    people["late"].consent_states.update(is_given=False)
    people["gone"].consent_states.update(is_given=False)
    for day in range(22):
        Campaigns.run(now=begun + day * DAY, progress=quiet)
    touches = Touch.objects.filter(campaign=draft).values_list("customer__reference", "reason")
    assert sorted(who for who, reason in touches if not reason) == ["first", "last", "second", "third"]
    assert found["heads"] == sum(not reason for _who, reason in touches)
    assert sum(found["skipped"].values()) == sum(bool(reason) for _who, reason in touches)
    # And a replay of what runs is not blind to whom it touched.
    assert figures_of(draft, now)["heads"] == found["heads"]


def test_who_was_silent_then_is_found_though_she_ordered_since(planned, people, bought, now):
    """Ten days of silence at nine: after B on 2 May, after C on 30 April; A was followed by B on the next day."""
    back = {"reference": "G", "customer": "third", "state": "paid", "currency": "EUR", "total": "80.00",
            "placed_at": "2026-05-05T10:00:00Z",
            "lines": [{"sku": "LP", "quantity": 1, "unit_price": "80.00"}]}  # fmt: skip
    assert ingest("orders", [back], now=now, by=BY).is_written
    plan = planned("days_since_last_order", {"days": 10, "hour": "09:00"}, goal={"kind": "order", "days": 10})
    told = figures_of(operations.create_campaign(plan=plan, now=now, by=BY), now)
    weeks = [(week["first"], week["heads"], week["bought"]) for week in told["weeks"]]
    assert weeks == [("2026-04-13", 0, 0), ("2026-04-20", 0, 0), ("2026-04-27", 2, 1)]
    assert told["sample"] == sorted(people[name].pk for name in ("first", "third"))
    assert (told["bought"], told["bought_minor"]) == (1, 80_00), "G came anyway"
    assert ("customers_customerstats" in told["notes"], told["is_blind_to_orders"]) == (False, False)


def test_those_silent_already_are_found_as_of_the_first_day(planned, people, bought, now):
    """Up to forty days: who ordered before the first day of the replay was not silent then."""
    old = [
        {"reference": reference, "customer": who, "state": "paid", "currency": "EUR", "total": "10.00",
         "placed_at": at, "lines": [{"sku": "CD", "quantity": 1, "unit_price": "10.00"}]}
        for reference, who, at in (
            ("H", "second", "2026-03-20T10:00:00Z"), ("I", "last", "2026-03-20T10:00:00Z"),
            ("J", "last", "2026-04-10T10:00:00Z"), ("K", "after", "2026-02-20T10:00:00Z"),
        )
    ]  # fmt: skip
    assert ingest("orders", old, now=now, by=BY).is_written
    args = {"days": 10, "hour": "09:00", "already_days": 40}
    told = figures_of(
        operations.create_campaign(plan=planned("days_since_last_order", args), now=now, by=BY), now, last=FIRST
    )
    assert told["sample"] == [people["second"].pk], "I was followed by J; K is older than forty days"


def test_what_cannot_be_replayed_is_said_and_what_fails_says_so(planned, people, bought, now):
    plan = planned("rhythm_missed", {"percent": 150, "orders": 2, "hour": "09:00"})
    silent = operations.create_campaign(plan=plan, now=now, by=BY)
    told = figures_of(silent, now)
    assert ("customers_customerstats" in told["notes"], told["is_blind_to_orders"]) == (True, True)
    for first, last in ((LAST, FIRST), (FIRST, now.date()), (FIRST - 500 * DAY, LAST)):
        with pytest.raises(BadPeriod):
            ask_back_test(campaign_id=silent.pk, first=first, last=last, now=now, by=BY)
    ask_back_test(campaign_id=silent.pk, first=FIRST, last=LAST, now=now, by=BY)
    with pytest.raises(BeingReplayed):
        ask_back_test(campaign_id=silent.pk, first=FIRST, last=LAST, now=now, by=BY)
    broken = BackTest.objects.filter(state="waiting")
    # A run that died left it running: the next one does it anew.
    broken.update(state="running", done=1)
    assert do_back_tests(now=now, progress=quiet) == 1
    gone = baker.make("audit.Version", data={"name": ""})
    ask_back_test(campaign_id=silent.pk, first=FIRST, last=LAST, now=now, by=BY)
    BackTest.objects.filter(state="waiting").update(version=gone)
    assert do_back_tests(now=now, progress=quiet) == 0
    failed = BackTest.objects.first()
    assert (failed.state, "ValidationError" in failed.error) == ("failed", True)
    assert Order.objects.count() == 6


def test_the_page_asks_and_shows_the_result_with_its_version(draft, bought, admin_client, now):
    address = f"/admin/campaigns/back-tests/{draft.pk}/"
    with time_machine.travel(now, tick=False):
        assert "not replayed yet" in admin_client.get(address).content.decode()
        asked = admin_client.post(address, {"first": FIRST, "last": LAST})
        assert (asked.status_code, BackTest.objects.get().state) == (302, "waiting")
        assert "Replaying" in admin_client.get(f"{address}results/").content.decode()
        do_back_tests(now=now, progress=quiet)
        page = admin_client.get(address).content.decode()
        for words in ("€20.00", "€200.00", "€60.00", "Version 1", "no consent for this address"):
            assert words in page
        backwards = admin_client.post(address, {"first": LAST, "last": FIRST}, follow=True).content.decode()
        assert "Choose days gone by" in backwards
        assert BackTest.objects.count() == 1
