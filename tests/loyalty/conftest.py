"""Programmes and customers for the tests of this room, made through the operations that make them for real."""

import pytest
from django.db.models import F

from loyalty import operations, seeds
from loyalty.models import Earning, Member
from loyalty.operations import rewards
from loyalty.operations.earning import earn_due
from loyalty.operations.returns import take_back_due
from loyalty.rules import ProgrammeRule
from loyalty.rules.rewards import RewardRule
from retention.actors import Actor
from retention.customers import seeds as customers_seeds
from retention.customers.models import Activity, Customer, Order, OrderLine, Product
from retention.incentives import operations as incentives
from retention.incentives.models import Redemption
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.models import Account
from retention.ledger.querysets import balances, balances_of
from retention.ledger.units import UnitRule
from retention.marks import CurrentTransaction
from retention.shop.models import Shop
from retention.work.models import Watermark

BY = Actor.command("test")
#: One for every 1.00 that was paid.
ONE_FOR_ONE = {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}


@pytest.fixture
def shop(db, now):
    customers_seeds.seed(now=now)
    seeds.seed(now=now)
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def customers(db, now):
    """Five customers, by rising id."""
    return [Customer.objects.create(reference=f"c{n}", email=f"c{n}@example.com", recorded_at=now) for n in range(1, 6)]


@pytest.fixture
def unit(shop, now):
    """A function that makes a unit: points that never expire unless told otherwise."""

    def make(key="points", **rule):
        rule = {"name": key.capitalize(), "kind": "points", **rule}
        return ledger.create_unit(key=key, rule=UnitRule.model_validate(rule), now=now, by=BY)

    return make


@pytest.fixture
def programme(unit, now):
    """A function that makes a live programme of points: one for every 1.00, for everyone, unless told otherwise."""

    def make(key="club", *, is_live=True, at=now, unit_rule=None, **rule):
        unit(f"{key}_points", **(unit_rule or {}))
        rule = {"names": {"en": key.capitalize()}, "earning": [ONE_FOR_ONE], **rule}
        made = operations.create_programme(
            key=key, unit_key=f"{key}_points", rule=ProgrammeRule.model_validate(rule), now=at, by=BY
        )
        if is_live:
            made = operations.launch_programme(programme_id=made.pk, now=at, by=BY)
        return made

    return make


@pytest.fixture
def member(programme, customers, now):
    """A function that makes a customer a member of a programme, with some points that never expire."""

    def make(of, customer=None, *, points=0, expires_at=None):
        customer = customer or customers[0]
        joined = operations.join(programme_id=of.pk, customer_ids=[customer.pk], now=now, by=BY)
        hers = Member.objects.get(pk=joined.members[customer.pk])
        if points:
            give_points(hers, points, now=now, expires_at=expires_at)
        return hers

    return make


def give_points(member, amount, *, now, expires_at=None):
    unit = member.programme.unit
    accounts = ledger.open_customer_accounts(unit=unit, customer_ids=[member.customer_id], now=now)
    return ledger.adjust(
        account_id=accounts[member.customer_id], amount=amount, source=f"t:{member.pk}:{amount}:{expires_at}",
        reason="test", now=now, by=BY, expires_at=expires_at,
    )  # fmt: skip


def points_of(member, *, now):
    account = Account.objects.get(customer_id=member.customer_id, unit_id=member.programme.unit_id)
    return balances([account.pk], now=now)[0].available


@pytest.fixture
def reward(now):
    """A function that makes a live reward of a programme: a coupon of 10 % for 100 points unless told otherwise."""

    def make(of, *, is_live=True, effects=None, limits=None, **rule):
        given = IncentiveRule.model_validate(
            {"name": "Gift", "effects": effects or [{"kind": "percent", "basis_points": 1000}], "limits": limits or {}}
        )
        incentive = incentives.create_incentive(rule=given, now=now, by=BY)
        rule = {"names": {"en": "10 % off"}, "kind": "coupon", "price": 100, "incentive_id": incentive.pk, **rule}
        made = rewards.create_reward(programme_id=of.pk, rule=RewardRule.model_validate(rule), now=now, by=BY)
        return rewards.start_reward(reward_id=made.pk, now=now, by=BY) if is_live else made

    return make


@pytest.fixture
def order(db, now):
    """A function that makes a paid order of (sku, price, quantity) lines, as the shop would tell it."""

    def make(customer, *lines, at=now, state="paid", **columns):
        lines = lines or (("A", 1_000, 1),)
        goods = sum(price * count for _sku, price, count, *_rest in lines)
        columns.setdefault("currency", "EUR")
        total = goods - columns.get("discount_minor", 0) + columns.get("shipping_minor", 0)
        columns.setdefault("total_minor", total)
        columns.setdefault("base_minor", columns["total_minor"])
        number = Order.objects.count() + 1
        made = Order.objects.create(
            reference=f"o{number}", customer=customer, state=state, placed_at=at, paid_at=at, recorded_at=at, **columns
        )
        for position, (sku, price, count) in enumerate(lines):
            category, tags = {"S": ("Shoes/Boots", ["warm"]), "B": ("Bags", [])}.get(sku[0], ("", []))
            product, _is_new = Product.objects.get_or_create(
                sku=sku,
                defaults={
                    "name": sku, "price_minor": price, "currency": "EUR", "category": category, "tags": tags,
                    "recorded_at": at,
                },
            )  # fmt: skip
            OrderLine.objects.create(
                order=made, position=position, product=product, quantity=count, unit_price_minor=price,
                total_minor=price * count,
            )  # fmt: skip
        return made

    return make


@pytest.fixture
def activity(db, now):
    """A function that makes an activity of a customer."""

    def make(customer, kind, at=now, **properties):
        number = Activity.objects.count() + 1
        return Activity.objects.create(
            kind=kind, reference=f"a{number}", customer=customer, properties=properties, occurred_at=at, recorded_at=at
        )

    return make


@pytest.fixture
def sweep(now):
    """A function that runs the sweep of earning, in the test's own transaction: as if others had written the facts."""

    def run(at=now):
        as_if_written_before()
        return earn_due(now=at, progress=lambda done, total: None)

    return run


@pytest.fixture
def follow(now):
    """A function that runs the sweep over returns, as `sweep` does."""

    def run(at=now):
        as_if_written_before()
        return take_back_due(now=at, progress=lambda done, total: None)

    return run


def as_if_written_before():
    for model in (Order, Activity, Member, Earning, Redemption):
        model.objects.update(xid=1)
    Watermark.objects.filter(key__startswith="loyalty.").update(mark=0)


@pytest.fixture
def give_back(now):
    """A function that lets units of an order's lines come back, as the shop would tell it."""

    def come_back(order, at=now, **quantities):
        for line in order.lines.select_related("product"):
            count = quantities.get(line.product.sku, 0)
            OrderLine.objects.filter(pk=line.pk).update(returned_quantity=F("returned_quantity") + count)
        left = OrderLine.objects.filter(order=order, returned_quantity__lt=F("quantity")).exists()
        state = "partially_returned" if left else "returned"
        Order.objects.filter(pk=order.pk).update(state=state, xid=CurrentTransaction())

    return come_back


@pytest.fixture
def balance():
    """A function that tells what a customer has in a programme: (everything, of it spendable)."""

    def of(customer, programme, at):
        found = [each for each in balances_of(customer.pk, now=at) if each.unit.pk == programme.unit_id]
        return (found[0].amount, found[0].available) if found else (0, 0)

    return of
