"""The sweep of earning, on real orders and activities, to real balances."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import operations
from loyalty.models import Earning, Member, UsedCode
from loyalty.operations.earning import earn_due
from loyalty.operations.programmes import watermark_of
from loyalty.rules import ProgrammeRule
from retention.customers.models import Activity, Order
from retention.incentives import operations as incentives
from retention.incentives.models import Grant
from retention.ledger.models import Lot
from retention.ledger.operations.proofs import differences
from retention.marks import CurrentTransaction
from retention.work.models import Watermark
from tests.loyalty.conftest import BY, ONE_FOR_ONE
from tests.marks import settle

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def test_an_order_earns_once_and_its_points_are_there(programme, customers, order, sweep, balance, now):
    club = programme()
    first = order(customers[0], ("A", 1_299, 2), at=now + HOUR)

    swept = sweep(now + HOUR)
    again = sweep(now + HOUR)

    assert (swept.as_dict(), again.as_dict()["due"]) == ({"due": 1, "granted": 1, "skipped": {}}, 0)
    earning = Earning.objects.get()
    assert (earning.order_id, earning.rule, earning.given, earning.amount) == (first.pk, "base", 25, 25)
    assert (earning.why, earning.version_id, earning.earned_at) == ({"worth": "25.98"}, club.version_id, now + HOUR)
    assert balance(customers[0], club, now + HOUR) == (25, 25)
    granted = Grant.objects.get()
    assert (granted.source, granted.origin, granted.origin_id) == (
        f"earning:{earning.pk}", "loyalty.earning", earning.pk,
    )  # fmt: skip
    member = Member.objects.get()
    assert (member.customer_id, member.earned, member.active_at) == (customers[0].pk, 25, now + HOUR)
    assert differences() == []


def test_an_order_that_changes_afterwards_earns_no_second_time(programme, customers, order, sweep, now):
    programme()
    first = order(customers[0], at=now + HOUR)
    sweep(now + HOUR)

    Order.objects.filter(pk=first.pk).update(state="fulfilled", fulfilled_at=now + DAY, xid=CurrentTransaction())

    assert sweep(now + DAY).as_dict() == {"due": 0, "granted": 0, "skipped": {}}
    assert Earning.objects.count() == 1


@pytest.mark.parametrize("state", ["placed", "cancelled", "returned"])
def test_what_is_not_paid_or_is_over_earns_nothing(programme, customers, order, sweep, state, now):
    programme()
    order(customers[0], at=now + HOUR, state=state)

    assert sweep(now + HOUR).granted == 0
    assert not Member.objects.exists()


def test_what_happened_before_the_launch_or_in_a_pause_earns_nothing_however_late_it_is_told(
    programme, customers, order, sweep, now
):
    club = programme()
    operations.pause_programme(programme_id=club.pk, now=now + 2 * HOUR, by=BY)
    assert sweep(now + 3 * HOUR).due == 0
    operations.resume_programme(programme_id=club.pk, now=now + 4 * HOUR, by=BY)
    times = [now - HOUR, now + HOUR, now + 2 * HOUR, now + 3 * HOUR, now + 4 * HOUR]
    made = [order(customers[0], at=at) for at in times]

    sweep(now + 5 * HOUR)

    assert sorted(Earning.objects.values_list("order_id", flat=True)) == [made[1].pk, made[4].pk]


def test_a_fact_counts_by_the_version_that_was_in_force_when_it_happened(programme, customers, order, sweep, now):
    club = programme()
    double = {**ONE_FOR_ONE, "amount": 2}
    rule = ProgrammeRule.model_validate({"names": {"en": "Club"}, "earning": [double]})
    saved = operations.save_programme(programme_id=club.pk, rule=rule, edited=1, now=now + DAY, by=BY)
    early, late = order(customers[0], at=now + HOUR), order(customers[0], at=now + DAY)

    sweep(now + 2 * DAY)

    rows = Earning.objects.order_by("order_id").values_list("order_id", "version_id", "amount")
    assert list(rows) == [(early.pk, club.version_id, 10), (late.pk, saved.version_id, 20)]


def test_who_has_to_join_earns_from_then_on_and_for_the_days_looked_back(
    programme, customers, order, sweep, balance, now
):
    strict = programme("strict", joining="request")
    kind = programme("kind", joining="request", look_back_days=2)
    order(customers[0], at=now + DAY)
    order(customers[0], at=now + 9 * DAY)
    assert sweep(now + 9 * DAY).granted == 0

    for club in (strict, kind):
        operations.join(programme_id=club.pk, customer_ids=[customers[0].pk], now=now + 10 * DAY, by=BY)
    sweep(now + 10 * DAY)
    order(customers[0], at=now + 11 * DAY)
    sweep(now + 11 * DAY)

    assert balance(customers[0], strict, now + 11 * DAY) == (10, 10)
    assert balance(customers[0], kind, now + 11 * DAY) == (20, 20)


def test_who_left_earns_nothing_and_is_not_made_a_member_again(programme, customers, order, sweep, now):
    club = programme()
    order(customers[0], at=now + HOUR)
    sweep(now + HOUR)
    operations.leave(programme_id=club.pk, customer_ids=[customers[0].pk], now=now + DAY, by=BY)
    order(customers[0], at=now + DAY)
    before = order(customers[0], at=now + 2 * HOUR)

    sweep(now + DAY)

    assert sorted(Earning.objects.values_list("order_id", flat=True))[-1] == before.pk
    assert (Earning.objects.count(), Member.objects.get().left_at) == (2, now + DAY)


def test_an_order_of_nobody_earns_as_soon_as_it_is_somebodys(programme, customers, order, sweep, balance, now):
    club = programme()
    guest = order(None, at=now + HOUR)
    assert sweep(now + HOUR).due == 0

    Order.objects.filter(pk=guest.pk).update(customer=customers[1], xid=CurrentTransaction())
    sweep(now + DAY)

    assert balance(customers[1], club, now + DAY) == (10, 10)


def test_any_activity_can_earn_filtered_and_capped(programme, customers, activity, sweep, now):
    rule = {
        "kind": "activity", "key": "review", "activity": "reviewed", "amount": 50,
        "filters": [{"name": "rating", "least": 1}], "caps": [{"most": 2, "of": "times", "per": "month"}],
    }  # fmt: skip
    programme(earning=[rule])
    for at in (1, 2, 3, 30):
        activity(customers[0], "reviewed", at=now + at * DAY, rating=5)
    activity(customers[1], "reviewed", at=now + DAY)
    activity(customers[1], "shared", at=now + DAY)

    sweep(now + 31 * DAY)

    days = Earning.objects.order_by("earned_at").values_list("member__customer_id", "earned_at", "amount")
    assert list(days) == [(customers[0].pk, now + n * DAY, 50) for n in (1, 2, 30)]


def test_a_cap_holds_over_sweeps_and_a_rest_keeps_its_distance(programme, customers, order, sweep, now):
    capped = {**ONE_FOR_ONE, "caps": [{"most": 25, "per": "week"}]}
    resting = {"kind": "per_order", "key": "visit", "amount": 1, "cool_down_hours": 24}
    programme(earning=[capped, resting])
    for at in (1, 2, 3, 26):
        order(customers[0], at=now + at * HOUR)
        sweep(now + at * HOUR)

    rows = Earning.objects.order_by("earned_at", "rule").values_list("rule", "amount")
    assert list(rows) == [("base", 10), ("visit", 1), ("base", 10), ("base", 5), ("visit", 1)]
    assert Earning.objects.get(amount=5).why == {"worth": "10", "before_cap": 10}


def test_a_code_of_a_pack_earns_once_for_everybody(programme, customers, activity, sweep, now):
    pack = {"kind": "activity", "key": "pack", "activity": "shared", "amount": 5, "code_property": "code"}
    programme(earning=[pack])
    first = activity(customers[0], "shared", at=now + HOUR, code=" ab12 ")
    activity(customers[1], "shared", at=now + 2 * HOUR, code="AB12")
    sweep(now + 2 * HOUR)
    activity(customers[2], "shared", at=now + 3 * HOUR, code="ab12")
    other = activity(customers[2], "shared", at=now + 3 * HOUR, code="AB13")
    activity(customers[2], "shared", at=now + 3 * HOUR)
    sweep(now + 3 * HOUR)

    assert list(Earning.objects.order_by("pk").values_list("activity_id", flat=True)) == [first.pk, other.pk]
    assert sorted(UsedCode.objects.values_list("code", flat=True)) == ["AB12", "AB13"]


def test_what_is_refused_is_not_earned_and_is_counted(programme, customers, order, sweep, balance, now):
    club = programme()
    incentives.stop(incentive_id=club.incentive_id, now=now, by=BY)
    order(customers[0], at=now + HOUR)

    assert sweep(now + HOUR).as_dict() == {"due": 1, "granted": 0, "skipped": {"incentives.stopped": 1}}
    assert not Earning.objects.exists()
    assert Member.objects.get().earned == 0
    assert balance(customers[0], club, now + HOUR) == (0, 0)


def test_joining_itself_can_earn(programme, customers, sweep, balance, now):
    joined = {"kind": "activity", "key": "joined", "activity": "loyalty.joined", "amount": 100}
    club = programme(joining="request", earning=[joined])
    operations.join(programme_id=club.pk, customer_ids=[c.pk for c in customers[:2]], now=now + HOUR, by=BY)

    sweep(now + HOUR)

    assert [balance(c, club, now + HOUR)[0] for c in customers[:3]] == [100, 100, 0]
    assert Activity.objects.filter(kind="loyalty.joined").count() == 2


def test_points_wait_their_days_and_live_from_then_on(programme, customers, order, sweep, balance, now):
    club = programme(
        pending={"kind": "days", "days": 14}, unit_rule={"expiry": {"kind": "after", "count": 1, "per": "month"}}
    )
    order(customers[0], at=now + HOUR)
    sweep(now + HOUR)

    lot = Lot.objects.get()
    # 12 May and fourteen days are over when 26 May is: at midnight in Berlin.
    assert lot.active_at == dt.datetime(2026, 5, 26, 22, tzinfo=dt.UTC)
    assert lot.expires_at == dt.datetime(2026, 6, 27, 22, tzinfo=dt.UTC)
    assert balance(customers[0], club, lot.active_at - HOUR) == (10, 0)
    assert balance(customers[0], club, lot.active_at) == (10, 10)


def test_store_cash_is_earned_in_one_window_and_spent_in_the_next(programme, customers, order, sweep, balance, now):
    window = {
        "kind": "per_amount", "key": "cash", "amount": 1_000, "per_minor": 5_000, "is_whole": True,
        "when": {"starts_on": "2026-05-12", "ends_on": "2026-05-20"}, "goods": {"without_categories": ["Bags"]},
    }  # fmt: skip
    cash = programme(
        "cash",
        unit_rule={"kind": "money", "currency": "EUR", "digits": 2},
        earning=[window],
        pending={"kind": "date", "on": "2026-05-21", "until": "2026-05-31"},
    )
    order(customers[0], ("A", 12_000, 1), ("Bag", 9_000, 1), at=now + HOUR)
    order(customers[1], ("A", 4_999, 1), at=now + HOUR)
    order(customers[2], ("A", 5_000, 1), at=now + 10 * DAY)
    sweep(now + 10 * DAY)

    opens, ends = dt.datetime(2026, 5, 20, 22, tzinfo=dt.UTC), dt.datetime(2026, 5, 31, 22, tzinfo=dt.UTC)
    assert balance(customers[0], cash, opens - HOUR) == (2_000, 0)
    assert balance(customers[0], cash, opens) == (2_000, 2_000)
    assert Lot.objects.get().expires_at == ends
    assert [balance(c, cash, opens)[0] for c in customers[1:3]] == [0, 0]


def test_money_of_other_currencies_counts_at_the_rate_of_its_day(programme, customers, order, sweep, balance, now):
    club = programme()
    order(customers[0], ("A", 10_000, 1), currency="USD", base_minor=9_123, at=now + HOUR)
    sweep(now + HOUR)

    assert balance(customers[0], club, now + HOUR) == (91, 91)


@pytest.mark.django_db(transaction=True)
def test_the_mark_moves_with_what_was_read(programme, customers, order, now):
    club = programme()
    key = watermark_of(club.pk)
    since = Watermark.objects.get(key=key).mark
    first = order(customers[0], at=now + HOUR)

    swept = _until_seen(now + HOUR)
    mark = Watermark.objects.get(key=key).mark
    Order.objects.filter(pk=first.pk).update(state="fulfilled", xid=CurrentTransaction())
    order(customers[1], ("A", 2_000, 1), at=now + 2 * HOUR)
    later = _until_seen(now + 2 * HOUR)

    assert (swept, later) == (1, 1)
    assert since < mark < Watermark.objects.get(key=key).mark
    assert list(Earning.objects.order_by("pk").values_list("amount", flat=True)) == [10, 20]


@pytest.mark.django_db(transaction=True)
def test_a_chunk_takes_the_same_statements_however_many_facts(programme, customers, order, now):
    programme(earning=[{**ONE_FOR_ONE, "caps": [{"most": 10_000}]}])
    for customer in customers:
        order(customer, at=now + HOUR)
    _until_seen(now + HOUR)

    counts = []
    for many in (1, 5):
        for customer in customers[:many]:
            order(customer, at=now + 2 * HOUR)
        settle()
        with CaptureQueriesContext(connection) as asked:
            swept = earn_due(now=now + 2 * HOUR, progress=lambda done, total: None)
        counts.append((swept.granted, len(asked)))

    assert [granted for granted, _count in counts] == [1, 5]
    assert counts[0][1] == counts[1][1]


def _until_seen(at):
    settle()
    return earn_due(now=at, progress=lambda done, total: None).granted
