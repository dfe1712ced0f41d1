"""Figures of a period against a small shop whose every amount was written down by hand."""

import datetime as dt

import pytest

from referrals import operations
from referrals.jobs import CountReports
from referrals.models import Referral, Scheme
from referrals.operations import commissions
from referrals.operations.partners import PartnerData, create_partner, enrol_partner
from referrals.reports import counting
from referrals.reports.counting import BeingCounted, count, figures_of
from referrals.reports.estimates import Cost, cost_of, estimate_defaults
from referrals.reports.figures import report_of
from referrals.reports.reading import Asked, funnel, leaders, months, worths
from referrals.reports.variants import trial
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.customers.models import Customer, Order, Return
from retention.customers.operations.stats import refresh_stats
from retention.incentives import operations as incentives
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code
from tests.referrals.conftest import BY

DAY = dt.timedelta(days=1)


@pytest.fixture
def bought(now):
    """A function: a customer pays for an order; what comes back of it."""

    def pay(customer, minor, at, back=0):
        order = Order.objects.create(
            reference=f"o{Order.objects.count()}", customer=customer, state="paid", currency="EUR", total_minor=minor,
            base_minor=minor, placed_at=at, paid_at=at, recorded_at=at,
        )  # fmt: skip
        if back:
            Return.objects.create(
                order=order, reference=order.reference, amount_minor=back, base_minor=back, occurred_at=at,
                recorded_at=at,
            )  # fmt: skip
        refresh_stats("SELECT id AS customer_id FROM customers_customer")
        return order

    return pay


@pytest.fixture
def shop_with_friends(scheme, offer, customer, bought, now):
    """Anna brought three: one spent €100 of which €20 came back, one €50, one nothing. Ben brought nobody.

    Each side gets €10 of credit, the friend at once, Anna for the first two.
    """
    credit = [{"kind": "store_credit", "amounts": {"EUR": 1_000}}]
    made = scheme(
        friend_incentive=offer("Friend", effects=credit).pk,
        levels=[{"incentive_id": offer("Anna", effects=credit).pk}],
        checks=[],
    )
    Scheme.objects.update(launched_at=now - 40 * DAY)
    anna, ben = customer("anna"), customer("ben")
    opened = operations.open_advocates(scheme_id=made.pk, customer_ids=[anna.pk, ben.pk], now=now - 40 * DAY, by=BY)
    for place, (minor, back) in enumerate([(10_000, 2_000), (5_000, 0), (0, 0)]):
        friend = customer(f"friend{place}", at=now - 30 * DAY)
        referral = operations.refer(
            code=opened.advocates[anna.pk][1], friend_id=friend.pk, source=f"f{place}", now=now - 30 * DAY, by=BY
        ).referral
        if minor:
            order = bought(friend, minor, now - 29 * DAY, back)
            Referral.objects.filter(pk=referral.pk).update(
                state="approved", order=order, qualified_at=now - 29 * DAY, due_at=now - DAY
            )
    for _each in range(2):  # one of an advocate at a time
        operations.reward_due(now=now, progress=lambda done, total: None)
    return made


@pytest.fixture
def period(now):
    """A function that counts everything anew; what is asked of the year."""

    def counted(days=30):
        count(now=now)
        return Asked(None, now.date() - 365 * DAY, now.date(), days)

    return counted


def test_what_came_and_what_it_cost(shop_with_friends, period, now):
    found = funnel(period())
    assert (found.advocates, found.invitations, found.friends, found.won, found.rewarded) == (2, 3, 3, 2, 2)
    # Spent: 100 − 20 + 50. Given: three friends and Anna twice, €10 each.
    assert (found.spend_minor, found.reward_minor) == (13_000, 5_000)
    (anna,) = leaders(period(), most=50)
    assert (anna.friends, anna.won, anna.spend_minor, anna.reward_minor) == (3, 2, 13_000, 5_000)


def test_the_formulas_over_them(shop_with_friends, bought, now):
    last = now.date()
    # Who is not won yet may spend: it is no worth of those who are.
    bought(Customer.objects.get(reference="friend2"), 7_000, now - 20 * DAY)
    found = report_of(Asked(None, last - 364 * DAY, last, 90), running_minor=1_000, now=now)
    # A year at €10 a month is €120, as far as it has lasted: 364 of 365 days. Two friends cost 50 + 119.67.
    assert found.running_minor == 11_967
    assert found.cac_minor == 8_484  # (5,000 + 11,967) / 2
    assert found.k == 1.0  # two won for two advocates
    assert found.roi == pytest.approx((6_500 * 2 - 8_484) / 8_484)
    (anna,) = found.found.leaders
    assert found.roi_of(anna) == pytest.approx((6_500 * 2 - 8_483.5) / 8_483.5)


def test_month_by_month_by_the_shops_clock(shop_with_friends, period, now):
    found = {month: (spend, given) for month, spend, given in months(period(), until=now.date())}
    assert found[dt.date(2026, 4, 1)] == (13_000, 3_000)  # the friends' at once
    assert found[dt.date(2026, 5, 1)] == (0, 2_000)
    assert len(found) == 13


def test_an_order_that_is_cancelled_was_not_spent(shop_with_friends, period):
    first = Referral.objects.filter(state="rewarded").order_by("pk").first()
    Order.objects.filter(pk=first.order_id).update(state="cancelled")
    assert funnel(period()).spend_minor == 5_000


def test_worth_over_the_same_days_for_both(shop_with_friends, customer, bought, period, now):
    Order.objects.update(placed_at=now - 40 * DAY)
    refresh_stats("SELECT id AS customer_id FROM customers_customer")
    other = customer("other")
    bought(other, 4_000, now - 40 * DAY)
    bought(other, 9_000, now - 3 * DAY)  # after the days
    late = customer("late")
    bought(late, 99_000, now - DAY)  # her days are not over
    referred, others = worths(period(days=30))
    assert (referred.count, referred.mean_minor) == (2, 6_500.0)
    assert (others.count, others.mean_minor) == (1, 4_000.0)


def test_a_partners_commission_is_what_she_cost(scheme, customer, bought, period, now):
    made = scheme("affiliates", kind="partners", friend_incentive=None, levels=[])
    told = PartnerData(reference="p", name="P", basis_points=1_000, currency="EUR")
    partner = create_partner(data=told, now=now, by=BY)
    link = enrol_partner(partner_id=partner.pk, scheme_id=made.pk, now=now, by=BY)
    friend = customer("friend")
    referral = operations.refer(code=link.code, friend_id=friend.pk, source="f", now=now, by=BY).referral
    order = bought(friend, 8_000, now)
    Referral.objects.filter(pk=referral.pk).update(state="approved", order=order, qualified_at=now)
    referral.refresh_from_db()
    commissions.earn_commission(referral=referral, now=now, by=BY)
    assert funnel(period()).reward_minor == 800
    assert leaders(period(), most=50)[0].partner_id == partner.pk


def test_an_estimate_says_what_is_not_the_shops_own(shop_with_friends, now):
    told = estimate_defaults(shop_with_friends, now=now)
    assert (told.inputs.friend_minor, told.inputs.advocate_minor) == (1_000, 1_000)
    assert [str(word) for word in told.assumed] == [
        "how many share their link", "how many they invite", "how many of these come", "what a friend spends",
        "your margin",
    ]  # fmt: skip


def test_the_figures_of_a_large_shop_are_counted_by_the_job(shop_with_friends, customer, now, monkeypatch):
    monkeypatch.setattr(counting, "FEW", 1)
    asked = Asked(shop_with_friends.pk, now.date() - 90 * DAY, now.date() + DAY, 30)
    with pytest.raises(BeingCounted):
        figures_of(asked, now=now)
    run = {"now": now, "progress": lambda done, total: None}
    assert (CountReports.preview(now=now), CountReports.run(**run), CountReports.run(**run)) == (
        {"due": 1}, {"due": 1}, {"due": 0},
    )  # fmt: skip
    found = figures_of(asked, now=now)
    assert (found.funnel.friends, found.funnel.spend_minor, len(found.leaders)) == (3, 13_000, 1)
    assert (found.as_of.at, found.as_of.is_being_counted) == (now, False)
    # Another period is a sum of the same rows: nobody waits for it.
    assert figures_of(Asked(None, now.date() - DAY, now.date(), 90), now=now).funnel.friends == 0
    # Old ones are told, and newer ones counted meanwhile.
    operations.refer(
        code=found.leaders[0].code, friend_id=customer("late").pk, source="late", now=now, by=BY
    )  # fmt: skip
    later = now + DAY
    older = figures_of(asked, now=later)
    assert (older.funnel.friends, older.as_of.at, older.as_of.is_being_counted) == (3, now, True)
    assert CountReports.run(now=later, progress=lambda done, total: None) == {"due": 1}
    assert figures_of(asked, now=later).funnel.friends == 4
    # Once a day without anybody asking.
    assert [CountReports.preview(now=later + wait) for wait in (DAY - counting.FRESH_FOR, DAY)] == [
        {"due": 0}, {"due": 1},
    ]  # fmt: skip


def test_a_discount_costs_what_of_its_codes_is_used(offer, customer, bought, now):
    given = offer("Tenth", is_live=True)
    bought(customer("buyer"), 6_000, now)
    assert cost_of(given.pk, now=now) == Cost(600)  # at its face: of the usual order
    whose = [customer(f"g{n}").pk for n in range(25)]
    for n, pk in enumerate(whose):
        incentives.grant(
            incentive_id=given.pk, sources=[f"g{n}"], customer_ids=[pk], origin="test", origin_ids=[n], is_given=True,
            now=now - (40 if n < 20 else 1) * DAY, by=BY,
        )  # fmt: skip
    for code in Code.objects.filter(customer__in=whose[:5]):
        checkout = Checkout(
            "EUR",
            (Line("LP", 1, 5_000),),
            buyer=Buyer(public_id=str(code.customer.public_id)),
            order_reference=code.code,
        )
        incentives.redeem(source=code.code, request_hash=b"x" * 32, codes=[code.code], checkout=checkout, now=now)
    # Five of the twenty that have had a month; credit has nothing to be used.
    assert cost_of(given.pk, now=now) == Cost(600, 0.25)
    assert Cost(600, 0.25).minor == 150
    credit = offer("Credit", effects=[{"kind": "store_credit", "amounts": {"EUR": 1_000}}], is_live=True)
    assert cost_of(credit.pk, now=now) == Cost(1_000)


def test_an_estimate_counts_every_level(scheme, offer, now):
    def worth(minor):
        return offer(f"Credit {minor}", effects=[{"kind": "store_credit", "amounts": {"EUR": minor}}]).pk

    levels = [{"from_count": 1, "incentive_id": worth(1_000)}, {"from_count": 2, "incentive_id": worth(9_000)}]
    made = scheme(friend_incentive=worth(500), levels=levels)
    told = estimate_defaults(made, now=now)
    # 3 invitations × 8 % = 0.24 friends each: of them P(N ≥ 1) / 0.24 = 0.8891 are first ones, the others later ones.
    assert (told.inputs.friend_minor, told.inputs.advocate_minor) == (500, 1_888)
    assert [str(note) for note in told.notes] == [
        "The friend's reward counts at its face value.",
        "The advocate's reward counts at its face value.",
        "The advocate's is the average over her levels, if 0.24 friends of each come as chance has it.",
    ]
    capped = estimate_defaults(scheme("capped", friend_incentive=None, levels=levels, caps={"in_all": 1}), now=now)
    assert capped.inputs.advocate_minor == 889  # beyond the cap nothing


def test_a_test_counts_every_advocate_in_her_arm(shop_with_friends, customer, now):
    rule = rule_of(shop_with_friends.version_id)
    variants = [{"key": "a", "weight": 50}, {"key": "b", "weight": 50}]
    scheme = operations.save_scheme(
        scheme_id=shop_with_friends.pk, rule=SchemeRule.model_validate({**rule.model_dump(), "variants": variants}),
        edited=1, now=now - 35 * DAY, by=BY,
    )  # fmt: skip
    more = [customer(f"more{n}").pk for n in range(98)]
    operations.open_advocates(scheme_id=scheme.pk, customer_ids=more, now=now - 35 * DAY, by=BY)
    scheme.refresh_from_db()
    assert trial(scheme) is None  # not counted yet
    figures_of(Asked(None, now.date(), now.date(), 90), now=now)
    run = trial(scheme)
    assert sum(arm.heads for arm in run.arms) == 100
    assert sum(arm.converted for arm in run.arms) == 1  # Anna
    assert sum(arm.money.total for arm in run.arms) == 13_000
    assert not run.is_mismatch
    assert [each.verdict for each in run.compared] == ["too_few"]
    assert Customer.objects.count() > 100
    # A new draw begins anew: what came before is not in it.
    again = rule_of(scheme.version_id).model_copy(update={"experiment": 2})
    scheme = operations.save_scheme(scheme_id=scheme.pk, rule=again, edited=2, now=now, by=BY)
    scheme.refresh_from_db()
    assert trial(scheme) is None
    figures_of(Asked(None, now.date(), now.date(), 90), now=now)
    assert sum(arm.converted for arm in trial(scheme).arms) == 0
