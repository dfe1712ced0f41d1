"""What changes under a campaign's feet, each with its rule: zones, birthdays, hours, orders, coupons, consents."""

import datetime as dt
import hashlib

import pytest

from campaigns import operations
from campaigns.models import Touch
from retention.customers.models import ConsentState, Customer
from retention.incentives import operations as incentives
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Grant
from retention.ledger import operations as ledger
from retention.marks import CurrentTransaction
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.work.ingest import ingest
from tests.campaigns.conftest import BY
from tests.marks import settle

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
NINE = {"hour": "09:00"}
#: Facts are read by the marks of committed transactions.
COMMITTING = pytest.mark.django_db(transaction=True)
WEST, EAST = "Pacific/Pago_Pago", "Pacific/Kiritimati"


def change(customer, **values):
    Customer.objects.filter(pk=customer.pk).update(xid=CurrentTransaction(), **values)


def touches():
    return sorted(Touch.objects.values_list("customer__reference", "occasion", "state", "reason"))


# -- the clock


def test_one_day_reaches_every_zone_of_the_world_once_at_its_own_nine(live, person, reach, now):
    zones = {
        "Pacific/Pago_Pago": -11, "Pacific/Honolulu": -10, "America/St_Johns": -2.5, "UTC": 0, "Asia/Kathmandu": 5.75,
        "Pacific/Chatham": 12.75, "Pacific/Tongatapu": 13, "Pacific/Kiritimati": 14,
    }  # fmt: skip
    for zone in zones:
        person(reference=zone, birth_month=5, birth_day=12, time_zone=zone)
    start = now - 2 * DAY
    campaign = live("birthday", NINE, at=start)
    for hours in range(0, 96, 3):
        reach(campaign, start + hours * HOUR)
    nine = dt.datetime(2026, 5, 12, 9, tzinfo=dt.UTC)
    assert dict(Touch.objects.values_list("customer__reference", "due_at")) == {
        zone: nine - offset * HOUR for zone, offset in zones.items()
    }


@pytest.mark.parametrize(
    ("night", "due"),
    [
        # 02:30 is skipped: an hour after half past one comes half past three.
        (dt.datetime(2026, 3, 29, tzinfo=dt.UTC), "01:30"),
        # 02:30 comes twice: the first.
        (dt.datetime(2026, 10, 25, tzinfo=dt.UTC), "00:30"),
    ],
)
def test_nights_in_which_clocks_change_bring_it_once(live, person, reach, night, due):
    person(birth_month=night.month, birth_day=night.day)
    campaign = live("birthday", {"hour": "02:30"}, at=night - DAY)
    for minutes in range(-120, 300, 30):
        reach(campaign, night + minutes * HOUR / 60)
    assert [f"{touch.due_at:%H:%M}" for touch in Touch.objects.all()] == [due]


@COMMITTING
@pytest.mark.parametrize(
    ("before", "after"), [(WEST, EAST), (EAST, WEST), ("", "America/New_York"), ("Asia/Kathmandu", "Not/AZone")]
)
def test_who_moves_on_her_birthday_gets_it_once(live, person, reach, now, before, after):
    """At each of three moments of the day: before it has come anywhere, in the middle, when it is nearly over."""
    moves = [now - 18 * HOUR, now, now + 9 * HOUR]
    people = [person(reference=f"m{n}", birth_month=5, birth_day=12, time_zone=before) for n in range(len(moves))]
    campaign = live("birthday", NINE, at=now - 2 * DAY)
    for at in [now - DAY, *moves, now + 12 * HOUR, now + DAY]:
        reach(campaign, at - HOUR)
        for customer, when in zip(people, moves, strict=True):
            if when == at:
                change(customer, time_zone=after)
        settle()
        reach(campaign, at)
    assert touches() == [(f"m{n}", "birthday:2026", "waiting", "") for n in range(len(moves))]


@COMMITTING
def test_who_joins_on_her_birthday_gets_it_and_no_anniversary(live, person, reach, now):
    birthday, anniversary = live("birthday", NINE), live("anniversary", NINE)
    reach(birthday), reach(anniversary)
    person(reference="anna", birth_month=5, birth_day=12, signed_up_at=now)
    settle()
    for campaign in (birthday, anniversary):
        reach(campaign, now + HOUR)
        reach(campaign, now + DAY)
    assert touches() == [("anna", "birthday:2026", "waiting", "")]


@COMMITTING
@pytest.mark.parametrize("days", [(13, 14), (20, 12), (10, 25)])
def test_a_birthday_corrected_twice_in_a_year_comes_once(live, person, reach, now, days):
    anna = person(reference="anna", birth_month=5, birth_day=12)
    campaign = live("birthday", NINE, at=now - 5 * DAY)
    for day in range(10, 30):
        reach(campaign, now.replace(day=day))
        if day in (12, 13):
            change(anna, birth_day=days[day - 12])
            settle()
    assert touches() == [("anna", "birthday:2026", "waiting", "")]


@pytest.mark.parametrize(("pause", "resume", "expected"), [(-3, 5, "waiting"), (-3, 60, "skipped")])
def test_a_day_that_passed_in_a_pause_is_caught_up_unless_it_is_too_late(
    live, person, reach, now, pause, resume, expected
):
    person(birth_month=5, birth_day=12)
    campaign = live("birthday", NINE)
    reach(campaign, now - 5 * HOUR)
    operations.pause(campaign_id=campaign.pk, now=now + pause * HOUR, by=BY)
    reach(campaign, now)
    assert touches() == []
    operations.resume(campaign_id=campaign.pk, now=now + resume * HOUR, by=BY)
    for _twice in range(2):
        reach(campaign, now + resume * HOUR)
    assert [row[2] for row in touches()] == [expected]


def test_launched_after_the_hour_it_begins_with_the_next_day(live, person, reach, now):
    """Nothing reaches back behind a launch: who was served by a campaign before is not served twice today."""
    for day in (12, 13):
        person(reference=str(day), birth_month=5, birth_day=day)
    campaign = live("birthday", NINE, at=now)
    reach(campaign, now + HOUR)
    reach(campaign, now + DAY)
    assert touches() == [("13", "birthday:2026", "waiting", "")]


@pytest.mark.parametrize(
    ("old", "new"), [("15:00", "09:00"), ("09:00", "15:00"), ("09:00", "09:30"), ("23:59", "00:00")]
)
def test_an_hour_moved_at_noon_leaves_nobody_out_and_nobody_gets_two(live, planned, person, reach, now, old, new):
    for day in (11, 12, 13):
        person(reference=str(day), birth_month=5, birth_day=day)
    campaign = live("birthday", {"hour": old}, at=now - 3 * DAY)
    reach(campaign, now - HOUR)
    save = {"campaign_id": campaign.pk, "now": now, "by": BY}
    operations.save_campaign(plan=planned("birthday", {"hour": new}), edited=1, **save)
    operations.approve(version=2, **save)
    for hours in (0, 3, 13, 24, 37, 48):
        reach(campaign, now + hours * HOUR)
    assert touches() == [(str(day), "birthday:2026", "waiting", "") for day in (11, 12, 13)]


def test_an_hour_moved_in_the_middle_of_a_look_is_looked_at_again(live, planned, person, reach, now):
    for n in range(12):
        person(reference=f"p{n:02}", birth_month=5, birth_day=12)
    campaign = live("birthday", {"hour": "15:00"}, at=now - DAY)

    def die(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reach(campaign, most=5, progress=die)
    save = {"campaign_id": campaign.pk, "now": now, "by": BY}
    operations.save_campaign(plan=planned("birthday", NINE), edited=1, **save)
    operations.approve(version=2, **save)
    reach(campaign, now)
    assert len(touches()) == 12


def test_another_version_with_the_same_hour_looks_at_nothing_twice(live, planned, person, reach, now):
    """Who was left out yesterday by the plan of yesterday stays left out."""
    person(reference="yesterday", country="FR", birth_month=5, birth_day=11)
    campaign = live("birthday", NINE, at=now - 3 * DAY, countries=["DE"])
    reach(campaign, now)
    save = {"campaign_id": campaign.pk, "now": now, "by": BY}
    operations.save_campaign(plan=planned("birthday", NINE, countries=["FR"]), edited=1, **save)
    operations.approve(version=2, **save)
    reach(campaign, now + HOUR)
    assert touches() == []


# -- between the look and the hand-over


def order(reference, customer, at, state="paid"):
    return {
        "reference": reference, "customer": customer, "state": state, "currency": "EUR", "total": "20.00",
        "placed_at": at.isoformat(), "lines": [{"sku": "LP", "quantity": 1, "unit_price": "20.00"}],
    }  # fmt: skip


@pytest.fixture
def silent(shop, person, now):
    """Two customers who ordered 180 days ago and never since."""
    people = [person(reference=name) for name in ("anna", "boris")]
    products = [{"sku": "LP", "name": "LP", "price": "20.00"}]
    assert not ingest("products", products, now=now, by=BY).refused
    orders = [order(f"first-{one.reference}", one.reference, now - 180 * DAY) for one in people]
    assert not ingest("orders", orders, now=now, by=BY).refused
    return people


def place(row, now):
    assert not ingest("orders", [row], now=now, by=BY).refused


WIN_BACK = ("days_since_last_order", {**NINE, "days": 180})


def test_who_orders_before_her_win_back_leaves_gets_none_and_the_code_is_void(
    silent, live, incentive, reach, smtp, now
):
    campaign = live(*WIN_BACK, incentive=incentive())
    reach(campaign)
    assert Delivery.objects.filter(state="queued").count() == 2
    place(order("new", "anna", now), now)
    messaging.send_due(now=now + HOUR, worker="test")
    assert [mail.recipients for mail in smtp.messages] == [("p2@example.com",)]
    assert [row[0::2] for row in touches()] == [("anna", "skipped"), ("boris", "done")]
    assert Touch.objects.get(customer__reference="anna").reason == "campaigns.ordered_since"
    assert dict(Code.objects.values_list("customer__reference", "state")) == {"anna": "void", "boris": "given"}
    assert dict(Grant.objects.values_list("customer__reference", "state")) == {"anna": "returned", "boris": "active"}


def test_an_order_that_is_cancelled_or_older_does_not_settle_it(silent, live, reach, smtp, now):
    campaign = live(*WIN_BACK)
    reach(campaign)
    place(order("new", "anna", now, state="cancelled"), now)
    place(order("old", "boris", now - 190 * DAY), now)
    messaging.send_due(now=now + HOUR, worker="test")
    assert len(smtp.messages) == 2


def test_who_orders_between_two_steps_is_given_no_second(silent, live, incentive, template, reach, smtp, now):
    ten = incentive()
    steps = [{"messages": [template.pk]}, {"wait": {"hours": 72}, "messages": [template.pk], "incentive": ten.pk}]
    campaign = live(*WIN_BACK, steps=steps)
    reach(campaign)
    messaging.send_due(now=now, worker="test")
    place(order("new", "anna", now + DAY), now + DAY)
    foreseen, _rows = operations.preview(campaign_id=campaign.pk, now=now + 4 * DAY)
    figures = reach(campaign, now + 4 * DAY)
    assert figures.skipped == foreseen.skipped == {"campaigns.ordered_since": 1}
    assert (figures.granted, foreseen.granted, figures.queued, foreseen.queued) == (1, 1, 1, 1)
    messaging.send_due(now=now + 4 * DAY, worker="test")
    assert sorted(mail.recipients[0] for mail in smtp.messages) == [
        "p1@example.com",
        "p2@example.com",
        "p2@example.com",
    ]
    assert set(Grant.objects.values_list("customer__reference", flat=True)) == {"boris"}


@pytest.fixture
def given(person, incentive, now):
    """Anna and Boris have a coupon each that ends in thirty days."""
    ten = incentive()
    incentives.go_live(incentive_id=ten.pk, now=now, by=BY)
    people = [person(reference=name) for name in ("anna", "boris")]
    incentives.grant(
        incentive_id=ten.pk,
        sources=[one.reference for one in people],
        customer_ids=[one.pk for one in people],
        origin="test",
        origin_ids=[None, None],
        now=now,
        by=BY,
        is_given=True,
    )
    return {code.customer.reference: code for code in Code.objects.select_related("customer")}


def use(code, now):
    checkout = Checkout("EUR", (Line("a", 1, 5000),), buyer=Buyer("anna"), order_reference="o1")
    return incentives.redeem(
        source="use", request_hash=hashlib.sha256(b"use").digest(), codes=[code.code], checkout=checkout, now=now
    )


REMINDER = ("coupon_expiring", {**NINE, "days": 3})


def test_who_uses_her_coupon_before_the_reminder_leaves_is_not_reminded(given, live, reach, smtp, now):
    at = now + 27 * DAY
    campaign = live(*REMINDER, at=now)
    reach(campaign, at)
    assert Delivery.objects.filter(state="queued").count() == 2
    use(given["anna"], at)
    messaging.send_due(now=at + HOUR, worker="test")
    assert [mail.recipients for mail in smtp.messages] == [("p2@example.com",)]
    assert Touch.objects.get(customer__reference="anna").reason == "campaigns.coupon_used"
    assert Code.objects.get(pk=given["anna"].pk).state == "redeemed"


def test_who_used_it_before_the_look_is_not_even_touched(given, live, reach, now):
    use(given["anna"], now + DAY)
    campaign = live(*REMINDER, at=now)
    reach(campaign, now + 27 * DAY)
    assert [row[0] for row in touches()] == ["boris"]


def test_who_spends_what_would_expire_before_the_reminder_leaves_is_not_reminded(live, person, reach, smtp, now):
    unit = ledger.money_unit(purpose="store_cash", currency="EUR", now=now, by=BY)
    issued, used = ledger.shop_account(unit, "issued"), ledger.shop_account(unit, "redeemed")
    people = [person(reference=name) for name in ("anna", "boris")]
    hers = ledger.open_customer_accounts(unit=unit, customer_ids=[each.pk for each in people], now=now)
    gifts = [
        ledger.Transfer(
            source=f"g{pk}", from_id=issued, to_id=account, amount=100, verb="issue", expires_at=now + 30 * DAY
        )
        for pk, account in hers.items()
    ]
    ledger.transfer(transfers=gifts, now=now, by=BY)
    campaign = live("value_expiring", {**NINE, "days": 3}, at=now)
    reach(campaign, now + 27 * DAY)
    assert Delivery.objects.filter(state="queued").count() == 2
    spent = ledger.Transfer(source="s", from_id=hers[people[0].pk], to_id=used, amount=100, verb="spend")
    ledger.transfer_one(wish=spent, now=now + 27 * DAY, by=BY)
    messaging.send_due(now=now + 27 * DAY + HOUR, worker="test")
    assert [mail.recipients for mail in smtp.messages] == [("p2@example.com",)]
    assert Touch.objects.get(customer__reference="anna").reason == "campaigns.value_used"


def test_a_reminder_that_may_not_leave_takes_no_coupon_away(given, live, reach, smtp, now):
    at = now + 27 * DAY
    campaign = live(*REMINDER, at=now)
    reach(campaign, at)
    ConsentState.objects.filter(customer=Customer.objects.get(reference="anna")).update(is_given=False)
    messaging.send_due(now=at + HOUR, worker="test")
    assert [mail.recipients for mail in smtp.messages] == [("p2@example.com",)]
    assert Code.objects.get(pk=given["anna"].pk).state == "given", "it was hers before the reminder"
    assert Grant.objects.get(customer__reference="anna").state == "active"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"erased_at": dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC), "email": None}, "messaging.customer_gone"),
        ({"merged_into": "boris"}, "messaging.customer_gone"),
        ({"email": "new@example.com"}, "messaging.no_consent"),
        ({"email": None}, "messaging.no_address"),
    ],
)
def test_who_is_gone_or_writes_from_elsewhere_gets_nothing_and_keeps_nothing(
    live, person, incentive, reach, smtp, now, what, reason
):
    anna, boris = (person(reference=name, birth_month=5, birth_day=12) for name in ("anna", "boris"))
    campaign = live("birthday", NINE, incentive=incentive())
    reach(campaign)
    change(anna, **({"merged_into": boris} if "merged_into" in what else what))
    messaging.send_due(now=now + HOUR, worker="test")
    assert [mail.recipients for mail in smtp.messages] == [("p2@example.com",)]
    assert Touch.objects.get(customer=anna).reason == reason
    assert Code.objects.get(customer=anna).state == "void"
