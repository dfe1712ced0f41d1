"""One run for all occasions made of facts: due once, not early, not doubled, late facts caught, edits borne."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from campaigns.calls.models import Call
from campaigns.models import Touch
from campaigns.reasons import reason_text
from campaigns.settled import settled
from retention import registries
from retention.customers.models import (
    Activity,
    ActivityKind,
    AttributeDefinition,
    Customer,
    Order,
    OrderLine,
    Product,
    Return,
    ReturnLine,
)
from retention.customers.models.lifecycle import CustomerStage, RfmChange, Stage, StageChange
from retention.customers.operations.stats import refresh_stats
from retention.ledger import operations as ledger
from retention.marks import CurrentTransaction
from retention.recommendations.models import Availability, PriceDrop, Restock
from retention.segments.models import Membership, MembershipChange, Segment
from tests.campaigns.conftest import BY
from tests.marks import settle

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
UTC = dt.UTC
TEN = {"hour": "10:00"}


def did(kind, product=None, **properties):
    def happen(world, customer, at):
        return Activity.objects.create(
            kind=kind, customer=customer, product=product and getattr(world, product), properties=properties,
            occurred_at=at, recorded_at=at,
        )  # fmt: skip

    return happen


def each(*happenings):
    def happen(world, customer, at):
        for one, ago in happenings:
            one(world, customer, at - ago)

    return happen


def bought(product="shoes", *, state="paid", **values):
    def happen(world, customer, at):
        order = Order.objects.create(
            reference=f"{customer.reference}-{at:%m%d%H%M}", customer=customer, state=state, currency="EUR",
            total_minor=1000, base_minor=1000, placed_at=at, recorded_at=at, **{k: at for k in values if values[k]},
        )  # fmt: skip
        OrderLine.objects.create(
            order=order, position=1, product=getattr(world, product), quantity=1, unit_price_minor=1000,
            total_minor=1000,
        )  # fmt: skip
        refresh_stats([customer.pk])
        return order

    return happen


def returned(world, customer, at):
    order = bought()(world, customer, at - 3 * DAY)
    back = Return.objects.create(
        order=order, reference=f"R{order.reference}", reason="faulty", amount_minor=1000, base_minor=1000,
        occurred_at=at, recorded_at=at,
    )  # fmt: skip
    ReturnLine.objects.create(of=back, line=order.lines.get(), quantity=1)


def joined(world, customer, at):
    Membership.objects.create(segment=world.segment, customer=customer, entered_at=at)
    MembershipChange.objects.create(segment=world.segment, customer=customer, has_entered=True, at=at)


def left(world, customer, at):
    MembershipChange.objects.create(segment=world.segment, customer=customer, has_entered=False, at=at)


def grew(world, customer, at):
    CustomerStage.objects.create(customer=customer, stage=world.loyal, since=at)
    StageChange.objects.create(customer=customer, before=world.fresh, after=world.loyal, at=at)


def moved(world, customer, at):
    RfmChange.objects.create(customer=customer, before="champions", after="at_risk", at=at)


def fell(world, customer, at):
    PriceDrop.objects.get_or_create(product=world.shoes, at=at, defaults={"before_minor": 1000, "after_minor": 700})


def returned_to_shelf(world, customer, at):
    Restock.objects.create(product=world.rare[customer.reference], at=at)


def wished_rare(world, customer, at):
    product = world.rare[customer.reference]
    Activity.objects.create(
        kind="added_to_wishlist", customer=customer, product=product, occurred_at=at, recorded_at=at
    )


def earned(world, customer, at):
    account = ledger.open_customer_accounts(unit=world.points, customer_ids=[customer.pk], now=at)[customer.pk]
    wish = ledger.Transfer(
        source=f"{customer.reference} {at}", from_id=ledger.shop_account(world.points, "issued"), to_id=account,
        amount=95, verb="issue",
    )  # fmt: skip
    ledger.transfer_one(wish=wish, now=at, by=BY)


def called(world, customer, at):
    Call.objects.create(name="table-booked", customer=customer, source="1", about={"table": 4}, at=at)


def has_passport(world, customer, at):
    told = {"passport": {"value": at.date().isoformat(), "how": "asked"}}
    Customer.objects.filter(pk=customer.pk).update(attributes=told, xid=CurrentTransaction())


@dataclass
class Case:
    """An occasion, what makes it happen at an instant, and how much later it is due; `undo` settles it."""

    key: str
    args: dict[str, Any]
    happen: Callable
    due: dt.timedelta | dt.datetime = dt.timedelta(0)
    undo: Callable | None = None
    about: dict[str, Any] = field(default_factory=dict)


#: When the facts happen: noon in UTC, 14:00 in Berlin, on a Tuesday.
AT = dt.datetime(2026, 5, 12, 12, tzinfo=UTC)


def berlin(month, number, year=2026):
    """10:00 in Berlin."""
    summer = (3, 29) <= (month, number) < (10, 25)
    return dt.datetime(year, month, number, 8 if summer else 9, tzinfo=UTC)


CART = "https://shop.example.com/cart/1"
SHOES = {"product": "Shoes", "sku": "shoes"}
CASES = [
    Case("activity", {"kind": "reviewed", "number": 0, "unit": "hours"}, did("reviewed")),
    Case("activity", {"kind": "reviewed", "number": 3, "unit": "hours", "property": "rating", "value": "5"},
         did("reviewed", rating=5), 3 * HOUR),
    Case("activity", {"kind": "viewed_product", "number": 2, "unit": "days", "category": "Clothes", **TEN},
         did("viewed_product", "shoes"), berlin(5, 14), about=SHOES),
    Case("activity", {"kind": "trial_started", "number": 1, "unit": "months", **TEN}, did("trial_started"),
         berlin(6, 12)),
    Case("activity", {"kind": "followed", "number": 1, "unit": "weeks", "side": "before", "repeats": "yearly", **TEN},
         did("followed"), berlin(5, 5, 2027), about={"years": 1}),
    Case("nth_view", {"number": 2, "days": 7, "product": "shoes"},
         each((did("viewed_product", "shoes"), HOUR), (did("viewed_product", "shoes"), 0 * HOUR)),
         undo=bought(), about=SHOES),
    Case("cart_abandoned", {"number": 3, "unit": "hours"},
         each((did("checkout_started"), HOUR), (did("checkout_started", restore_url=CART), 0 * HOUR)),
         3 * HOUR, undo=bought(state="placed"), about={"restore_url": CART}),
    Case("cart_left", {"number": 1, "unit": "days"}, did("added_to_cart", "shoes"), DAY, did("checkout_started"),
         SHOES),
    Case("browsed", {"number": 5, "unit": "hours", "category": "Clothes/Shoes"}, did("viewed_product", "shoes"),
         5 * HOUR, did("added_to_cart"), SHOES),
    Case("trial_ended", {"number": 2, "unit": "days"}, did("trial_ended"), 2 * DAY, did("subscription_renewed")),
    Case("used_never", {"kind": "shared", "never": "followed", "number": 7, "unit": "days"},
         each((did("shared"), 0 * HOUR), (did("shared"), -HOUR)), 7 * DAY, did("followed")),
    Case("did_not", {"kind": "searched", "instead": "viewed_product", "number": 1, "unit": "hours"}, did("searched"),
         HOUR, did("viewed_product", "shoes")),
    Case("did_not", {"kind": "store_visited", "number": 1, "unit": "days"}, did("store_visited"), DAY, bought()),
    Case("after_purchase", {"category": "Clothes/Shoes", "number": 6, "unit": "months", **TEN}, bought(),
         berlin(11, 12), about=SHOES),
    Case("after_purchase", {"since": "fulfilled", "number": 1, "unit": "hours"},
         bought(state="fulfilled", fulfilled_at=True), HOUR, about=SHOES),
    Case("nth_order", {"number": 2}, each((bought("beans"), 9 * DAY), (bought("beans"), 0 * DAY)), about={"number": 2}),
    Case("due_again", {"days_before": 3, "by": "product", **TEN}, bought("beans"), berlin(6, 8), bought("beans")),
    Case("due_again", {"days_before": 0, "by": "customer", **TEN},
         each((bought("beans"), 20 * DAY), (bought("beans"), 10 * DAY), (bought("beans"), 0 * DAY)), berlin(5, 22)),
    Case("order_state", {"state": "paid"}, bought("beans", paid_at=True)),
    Case("order_state", {"state": "cancelled"}, bought("beans", state="cancelled", cancelled_at=True)),
    Case("returned", {"reason": "Faulty", "product": "shoes"}, returned, about={"reason": "faulty"}),
    Case("days_since_last_order", {"days": 10, **TEN}, bought("beans"), berlin(5, 22), bought("beans")),
    Case("rhythm_missed", {"percent": 200, "orders": 2, **TEN},
         each((bought("shoes"), 10 * DAY), (bought("shoes"), 0 * DAY)), berlin(6, 1), bought("shoes")),
    Case("segment_entered", {}, joined,
         undo=lambda world, customer, at: Membership.objects.filter(customer=customer).delete()),
    Case("segment_left", {}, left,
         undo=lambda world, customer, at: Membership.objects.create(
             segment=world.segment, customer=customer, entered_at=at)),
    Case("stage_entered", {"stage": "loyal", "before": "fresh"}, grew,
         undo=lambda world, customer, at: CustomerStage.objects.filter(customer=customer).update(stage=world.fresh)),
    Case("stage_left", {"stage": "fresh"}, grew),
    Case("rfm_moved", {"before": "champions"}, moved),
    Case("price_drop", {"interest": "viewed", "days": 30, "percent": 20},
         each((did("viewed_product", "shoes"), DAY), (fell, 0 * DAY)), undo=bought(), about=SHOES),
    Case("back_in_stock", {"interest": "wished", "days": 90},
         each((wished_rare, DAY), (returned_to_shelf, 0 * DAY)),
         undo=lambda world, customer, at: Availability.objects.create(
             product=world.rare[customer.reference], is_in_stock=False, since=at)),
    Case("nearly_there", {"unit": "store_cash_eur", "amount": 100, "short": 10}, earned,
         about={"short": 5, "amount": 100}),
    Case("called", {"name": "table-booked"}, called, about={"table": 4}),
    Case("date_attribute", {"attribute": "passport", "number": 1, "unit": "days", **TEN}, has_passport, berlin(5, 13)),
    Case("date_attribute", {"attribute": "passport", "number": 1, "unit": "weeks", "side": "before",
                            "repeats": "yearly", **TEN}, has_passport, berlin(5, 5, 2027)),
]  # fmt: skip


@pytest.fixture
def world(shop, now):
    def product(sku, **values):
        values = {"currency": "EUR", "price_minor": 700, "recorded_at": now, **values}
        return Product.objects.create(sku=sku, name=sku.capitalize(), **values)

    ActivityKind.objects.bulk_create(
        [ActivityKind(key=key, label=key) for key in {
            "reviewed", "viewed_product", "trial_started", "followed", "checkout_started", "added_to_cart", "shared",
            "trial_ended", "subscription_renewed", "searched", "store_visited", "added_to_wishlist"}]
    )  # fmt: skip
    AttributeDefinition.objects.create(key="passport", label="Passport until", kind="date")
    made = SimpleNamespace(
        rare={},
        shoes=product("shoes", category="Clothes/Shoes"),
        beans=product("beans", category="Coffee", replenish_days=30),
        segment=Segment.objects.create(name="Friends"),
        fresh=Stage.objects.create(key="fresh", position=1),
        loyal=Stage.objects.create(key="loyal", position=2),
        points=ledger.money_unit(purpose="store_cash", currency="EUR", now=now, by=BY),
    )
    return made


def of(campaign):
    return list(
        Touch.objects.filter(campaign=campaign)
        .order_by("customer__reference")
        .values_list("customer__reference", "due_at", "reason")
    )


def check(problems, case, number, words, actual, expected):
    if actual != expected:
        problems.append(f"{number} {case.key} {words}: {actual} instead of {expected}")


@pytest.mark.django_db(transaction=True)
def test_each_is_due_once_whether_its_fact_came_in_time_or_late(world, person, live, reach, planned):
    cases = list(enumerate(CASES))
    people, campaigns, due, problems = {}, {}, {}, []
    for number, case in cases:
        for when in ("in time", "late"):
            reference = f"{when} {number}"
            people[number, when] = person(reference=reference)
            world.rare[reference] = Product.objects.create(
                sku=f"rare {reference}", name="Rare", currency="EUR", price_minor=5, recorded_at=AT
            )
        args = dict(case.args)
        if case.key.startswith("segment"):
            args["segment"] = str(world.segment.public_id)
        # Her own customers alone, so that the cases do not meet.
        campaigns[number] = live(case.key, args, at=AT - HOUR)
        due[number] = case.due if isinstance(case.due, dt.datetime) else AT + case.due
        case.happen(world, people[number, "in time"], AT)
    mine = {number: {f"in time {number}", f"late {number}"} for number, _case in cases}

    def touched(number):
        return [row for row in of(campaigns[number]) if row[0] in mine[number]]

    for number, case in cases:
        reach(campaigns[number], due[number] - MINUTE)
        check(problems, case, number, "early", touched(number), [])
        reach(campaigns[number], due[number] + MINUTE)
        once = [(f"in time {number}", due[number], "")]
        check(problems, case, number, "in time", touched(number), once)
        reach(campaigns[number], due[number] + 2 * MINUTE)
        check(problems, case, number, "again", touched(number), once)
        about = Touch.objects.filter(campaign=campaigns[number], customer=people[number, "in time"]).values_list(
            "about"
        )
        told = about[0][0] if about else {}
        check(problems, case, number, "told", {name: told.get(name) for name in case.about}, case.about)
    assert problems == []
    for number, case in cases:
        case.happen(world, people[number, "late"], AT)
    settle()
    for number, case in cases:
        for minutes in (10, 20):
            reach(campaigns[number], due[number] + minutes * MINUTE)
            both = [(f"in time {number}", due[number], ""), (f"late {number}", due[number], "")]
            check(problems, case, number, "late", touched(number), both)
    # Somebody corrects what is told of all of it: no reason to say it again.
    with connection.cursor() as cursor:
        for table, column in (("activity", "occurred_at"), ("order", "placed_at"), ("return", "occurred_at")):
            cursor.execute(
                f"UPDATE customers_{table} SET {column} = {column} + interval '5 minutes', xid = pg_current_xact_id()"
            )
    settle()
    for number, case in cases:
        before = touched(number)
        reach(campaigns[number], due[number] + HOUR)
        check(problems, case, number, "edited", touched(number), before)
    check_settled(cases, campaigns, people, world, problems)
    assert problems == []


def check_settled(cases, campaigns, people, world, problems):
    for number, case in cases:
        touch = Touch.objects.filter(campaign=campaigns[number], customer=people[number, "in time"]).first()
        occasion = registries.occasions[case.key]
        if case.undo is None or touch is None:
            continue
        check(problems, case, number, "not settled yet", settled([touch.pk]), {})
        case.undo(world, people[number, "in time"], touch.due_at + 10 * MINUTE)
        check(problems, case, number, "settled", settled([touch.pk]), {touch.pk: occasion.settled})
        check(problems, case, number, "said", bool(reason_text(occasion.settled)), True)
