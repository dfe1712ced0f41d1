"""Random histories of referrals: what is counted by day equals a count of every row by hand, in Python."""

import datetime as dt
import random
from collections import defaultdict
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F

from referrals import operations
from referrals.models import Advocate, AdvocateDay, Referral, SchemeDay, Visit, WorthDay
from referrals.operations import commissions
from referrals.operations.partners import PartnerData, create_partner, enrol_partner
from referrals.reports.counting import JOB, count
from referrals.reports.reading import Asked, Worth, funnel, leaders, months, worths
from retention.customers.models import Customer, CustomerStats, Order, Return
from retention.customers.operations.stats import refresh_stats
from retention.incentives import operations as incentives
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Use
from retention.ledger.models import Entry
from retention.work.models import Watermark
from tests.referrals.conftest import BY

DAY = dt.timedelta(days=1)
ZONE = ZoneInfo("Europe/Berlin")
WON = ("hold", "review", "approved", "rewarded")
OPEN = ("claimed", "pending", "hold", "review", "approved")


def by_hand(asked, now):
    """(funnel as a dict, leaders, months, worths): every row is looked at by itself, on the shop's days."""

    def within(at):
        return asked.first <= day_of(at) <= asked.last

    brought = [
        each
        for each in Referral.objects.select_related("scheme").exclude(scheme__state="draft")
        if asked.scheme_id in (None, each.scheme_id)
    ]
    mine = [each for each in brought if within(each.claimed_at)]
    moves = [(each, *move) for each in mine for move in moves_of(each, now)]
    found = {
        "friends": len(mine),
        "won": len([each for each in mine if is_won(each)]),
        **{name: len([each for each in mine if each.state == name]) for name in ("rewarded", "rejected", "reversed")},
        "open": len([each for each in mine if each.state in OPEN]),
        "spend_minor": sum(spend for _each, _at, spend, _cost in moves),
        "won_spend_minor": sum(spend for each, _at, spend, _cost in moves if is_won(each)),
        "reward_minor": whole(sum(cost for _each, _at, _spend, cost in moves)),
    }
    advocates = Advocate.objects.exclude(scheme__state="draft")
    if asked.scheme_id:
        advocates = advocates.filter(scheme=asked.scheme_id)
    found["advocates"] = len([each for each in advocates if day_of(each.joined_at) <= asked.last])
    firsts = {}
    for visit in Visit.objects.filter(advocate__in=advocates).order_by("visited_at"):
        firsts.setdefault((visit.advocate_id, visit.visitor_key), visit.visited_at)
    typed = [each for each in mine if each.visit_id is None]
    found["invitations"] = len([at for at in firsts.values() if within(at)]) + len(typed)
    led = defaultdict(lambda: [0, 0, 0, 0, 0])
    for each in mine:
        led[each.advocate_id][0] += 1
        led[each.advocate_id][1] += is_won(each)
    for each, _at, spend, cost in moves:
        led[each.advocate_id][2] += spend
        led[each.advocate_id][3] += cost
        led[each.advocate_id][4] += spend if is_won(each) else 0
    by_month = defaultdict(lambda: [0, 0])
    for _each, at, spend, cost in moves:
        by_month[day_of(at).replace(day=1)][0] += spend
        by_month[day_of(at).replace(day=1)][1] += cost
    top = sorted(led.items(), key=lambda item: (-item[1][2], -item[1][1], item[0]))
    return (
        found,
        [(pk, friends, won, spend, whole(cost), theirs) for pk, (friends, won, spend, cost, theirs) in top],
        {month: (spend, whole(cost)) for month, (spend, cost) in by_month.items()},
        worths_by_hand(asked, brought, within, now),
    )


def moves_of(referral, now):
    """(at, spent, cost) of one referral."""
    for order in Order.objects.filter(customer=referral.friend_id, state__in=Order.BOUGHT):
        if referral.since_at <= order.placed_at <= now:
            yield order.placed_at, net(order), 0
    grants = [pk for pk in (referral.friend_grant_id, referral.advocate_grant_id) if pk]
    for use in Use.objects.filter(code__grant__in=grants, redemption__state="redeemed").select_related("redemption"):
        worth = Fraction(use.redemption.base_minor, use.redemption.discount_minor)
        yield use.redemption.redeemed_at, 0, worth * (use.discount_minor - use.given_back_minor)
    for entry in Entry.objects.filter(origin="incentives.grant", origin_id__in=grants, verb="issue"):
        back = sum(Entry.objects.filter(reverses=entry).values_list("amount", flat=True))
        yield entry.effective_at, 0, entry.amount - back  # euros of credit
    if hasattr(referral, "commission"):
        one = referral.commission
        yield one.earned_at, 0, one.amount_minor - one.taken_back_minor


def worths_by_hand(asked, brought, within, now):
    friends = {each.friend_id for each in brought if each.state not in ("rejected", "claimed")}
    known = set(Referral.objects.values_list("friend_id", flat=True))
    sums = {True: [], False: []}
    for stats in CustomerStats.objects.exclude(first_order_at=None):
        over = stats.first_order_at + asked.days * DAY
        if not within(stats.first_order_at) or over > now:
            continue
        orders = Order.objects.filter(customer=stats.customer_id, state__in=Order.BOUGHT)
        spent = sum(net(order) for order in orders if stats.first_order_at <= order.placed_at < over)
        if stats.customer_id in friends or stats.customer_id not in known:
            sums[stats.customer_id in friends].append(spent)
    return tuple(
        Worth(len(each), sum(each), sum(n**2 for n in each), sum(n**3 for n in each))
        for each in (sums[True], sums[False])
    )


def net(order):
    return order.base_minor - sum(Return.objects.filter(order=order).values_list("base_minor", flat=True))


def is_won(referral):
    return referral.qualified_at is not None and referral.state in WON


def day_of(at):
    return at.astimezone(ZONE).date()


def whole(minor):
    return int(minor + Fraction(1, 2))


@pytest.fixture
def history(scheme, offer, customer, now):
    """A function that lives through some months of two schemes of customers and one of partners, as the dice fall."""
    credit = [{"kind": "store_credit", "amounts": {"EUR": 1_000}}]
    made = [
        scheme("one", friend_incentive=offer("Tenth").pk, levels=[{"incentive_id": offer("C", effects=credit).pk}]),
        scheme("two", friend_incentive=offer("D", effects=credit).pk, levels=[{"incentive_id": offer("Tenth 2").pk}]),
    ]
    affiliates = scheme("three", kind="partners", friend_incentive=None, levels=[])
    partner = create_partner(
        data=PartnerData(reference="p", name="P", basis_points=1_000, currency="EUR"), now=now, by=BY
    )

    def live(dice, friends):
        def when(days=400):
            return now - dt.timedelta(minutes=dice.randrange(days * 1_440))

        people = [customer(f"a{n}", at=when()) for n in range(4)]
        pks = [each.pk for each in people]
        for each in made:
            operations.open_advocates(scheme_id=each.pk, customer_ids=pks, now=when(), by=BY)
        enrol_partner(partner_id=partner.pk, scheme_id=affiliates.pk, now=when(), by=BY)
        codes = list(Advocate.objects.order_by("pk"))
        for n in range(3 * friends):
            Visit.objects.create(advocate=dice.choice(codes), visitor_key=f"v{n % friends}", visited_at=when())
        for n in range(friends):
            come(dice, customer(f"f{n}", at=when()), codes, when)
        for n in range(friends // 2):  # nobody brought these
            buy(dice, customer(f"o{n}"), when)
        refresh_stats("SELECT id AS customer_id FROM customers_customer")

    def come(dice, friend, codes, when):
        claimed = when()
        for advocate in dice.sample(codes, dice.choice([1, 1, 2])):
            if Referral.objects.filter(friend=friend, scheme=advocate.scheme_id).exists():
                continue
            referral = operations.refer(
                code=advocate.code, friend_id=friend.pk, source=f"{advocate.pk}:{friend.pk}", now=claimed, by=BY
            ).referral
            found = {"since_at": claimed - dice.choice([0, 3]) * DAY, "state": dice.choice(Referral.State.values)}
            orders = [buy(dice, friend, when) for _n in range(dice.randrange(3))]
            if orders and dice.random() < 0.7:
                found |= {"order": orders[0], "qualified_at": claimed + DAY}
            if dice.random() < 0.3:
                visit = Visit.objects.filter(advocate=advocate).first()
                found["visit"] = visit
            Referral.objects.filter(pk=referral.pk).update(**found)
            referral = Referral.objects.get(pk=referral.pk)
            if advocate.partner_id and referral.order_id and referral.qualified_at:
                commissions.earn_commission(referral=referral, now=now, by=BY)
            use(dice, friend, when)

    def buy(dice, who, when):
        at, minor = when(), dice.randrange(1, 20_000)
        order = Order.objects.create(
            reference=f"o{Order.objects.count()}", customer=who, state=dice.choice(["paid", "paid", "cancelled"]),
            currency="EUR", total_minor=minor, base_minor=minor, placed_at=at, paid_at=at, recorded_at=at,
        )  # fmt: skip
        if dice.random() < 0.2:
            back = dice.randrange(1, minor + 1)
            Return.objects.create(
                order=order, reference=order.reference, amount_minor=back, base_minor=back, occurred_at=at,
                recorded_at=at,
            )  # fmt: skip
        return order

    def use(dice, friend, when):
        for code in Code.objects.filter(customer=friend):
            if dice.random() < 0.5:
                buyer = Buyer(public_id=str(friend.public_id))
                line = Line("LP", 1, dice.randrange(100, 9_000))
                checkout = Checkout("EUR", (line,), buyer=buyer, order_reference=code.code)
                at = max(when(30), code.grant.granted_at)
                incentives.redeem(
                    source=code.code, request_hash=b"x" * 32, codes=[code.code], checkout=checkout, now=at
                )

    return live


def test_what_is_counted_by_day_is_what_is_counted_by_hand(history, now, django_assert_max_num_queries):
    dice = random.Random(20261123)
    history(dice, 40)
    for turn in range(2):
        count(now=now)
        for scheme_id in (None, *sorted(set(Referral.objects.values_list("scheme_id", flat=True)))):
            first = now.date() - dice.randrange(1, 420) * DAY
            asked = Asked(scheme_id, first, first + dice.randrange(10, 420) * DAY, dice.choice([30, 90, 180, 365]))
            told, led, by_month, worth = by_hand(asked, now)
            assert vars(funnel(asked)) == told
            mine = leaders(asked, most=50)
            assert [
                (o.advocate_id, o.friends, o.won, o.spend_minor, o.reward_minor, o.won_spend_minor) for o in mine
            ] == led
            listed = months(asked, until=now.date())
            assert {month: tuple(money) for month, *money in listed if any(money)} == {
                month: sums for month, sums in by_month.items() if any(sums) and month >= listed[0][0]
            }
            assert worths(asked) == worth
        if turn == 0:  # what came back, was taken back or ended since is counted too, and nothing twice
            Referral.objects.filter(state="rewarded").update(state="reversed")
            Order.objects.filter(pk__in=list(Order.objects.values_list("pk", flat=True))[::3]).update(state="cancelled")
            refresh_stats("SELECT id AS customer_id FROM customers_customer")


def test_who_was_invited_stays_counted_when_visits_are_deleted(history, now):
    history(random.Random(7), 10)
    count(now=now)
    asked = Asked(None, now.date() - 500 * DAY, now.date(), 90)
    before = funnel(asked)
    Visit.objects.exclude(pk__in=Referral.objects.exclude(visit=None).values("visit")).delete()
    count(now=now)
    assert funnel(asked) == before
    assert before.invitations > before.friends


def test_rows_that_are_as_they_were_are_not_touched(history, now):
    history(random.Random(8), 10)
    count(now=now)
    rows = "SELECT id, xmin::text FROM referrals_advocateday ORDER BY id"
    before = [str(row.xmin) for row in SchemeDay.objects.raw(rows)]
    count(now=now)
    assert [str(row.xmin) for row in SchemeDay.objects.raw(rows)] == before
    assert before
    assert Customer.objects.exists()


def test_many_small_parts_tell_what_one_tells(history, now):
    history(random.Random(9), 20)

    def told(size):
        reported = []
        count(now=now, progress=lambda *figures: reported.append(figures), size=size)
        tables = [
            sorted(map(repr, model.objects.values_list(*(f.attname for f in model._meta.fields if f.name != "id"))))
            for model in (AdvocateDay, SchemeDay, WorthDay)
        ]
        assert all(tables)
        return tables, len(reported)

    whole, few = told(10**6)
    for model in (AdvocateDay, SchemeDay, WorthDay):
        model.objects.filter(pk__in=list(model.objects.values_list("pk", flat=True))[::2]).delete()
    WorthDay.objects.update(day=F("day") - 1_000 * DAY)
    AdvocateDay.objects.filter(friends=1).update(day=F("day") - 1_000 * DAY)
    AdvocateDay.objects.update(friends=99)
    mended, many = told(2)  # what is not so is deleted too, by each part of its own
    assert mended == whole
    assert many > few + 10


def test_who_began_earlier_leaves_it_to_who_began_later(history, now):
    history(random.Random(10), 5)
    count(now=now)
    before = Watermark.objects.get(key=JOB).at
    AdvocateDay.objects.update(friends=99)
    count(now=now - DAY)
    assert set(AdvocateDay.objects.values_list("friends", flat=True)) == {99}
    assert Watermark.objects.get(key=JOB).at == before == now
