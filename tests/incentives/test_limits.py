"""The grid of limits: whose × uses or money × within what time, calendar or rolling, budgets, allowances, persons."""

import datetime as dt
import hashlib

import pytest

from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, Counter, Redemption
from retention.incentives.operations.budgets import NoSuchBudget
from retention.incentives.operations.reconcile import differences
from retention.incentives.operations.redemptions import writing
from retention.incentives.policy import Policy
from retention.incentives.querysets import used_of
from retention.incentives.rules import BudgetLimits, IncentiveRule, Limits
from retention.refusals import Refused
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TEN_EUROS = [{"kind": "amount", "amounts": {"EUR": 1000}}]
#: 12 May 2026, a Tuesday, 10:00 in UTC; in the shop's Berlin it is noon.
MIDNIGHT = dt.datetime(2026, 5, 12, 22, tzinfo=dt.UTC)


@pytest.fixture
def use(now):
    """`use(code, at=…, **buyer)` redeems one order of 50.00 EUR; says "used" or the code of the refusal."""
    orders = iter(range(10**6))

    def redeem(code=None, *, at=None, price=5000, currency="EUR", **buyer):
        order = f"o{next(orders)}"
        checkout = Checkout(currency, (Line("a", 1, price),), buyer=Buyer(**buyer), order_reference=order)
        try:
            operations.redeem(
                source=order,
                request_hash=hashlib.sha256(order.encode()).digest(),
                codes=[code] if code else [],
                checkout=checkout,
                now=at or now,
            )
        except Refused as refused:
            return "unworded" if "%(" in str(refused) else refused.code.removeprefix("incentives.")
        return "used"

    yield redeem
    assert differences() == []


@pytest.fixture
def public(offer):
    def make(text="SALE", **rule):
        rule.setdefault("effects", TEN_EUROS)
        return offer(name=text, codes={"kind": "public", "text": text}, **rule)

    return make


def windows(**limit):
    return {"windows": [limit]}


def euros(amount):
    return {"amount_minor": 100 * amount, "currency": "EUR"}


ANNA = {"email": "anna@example.com"}


@pytest.mark.parametrize(
    ("within", "last", "first"),
    [
        ("day", MIDNIGHT - HOUR, MIDNIGHT),
        ("week", dt.datetime(2026, 5, 17, 21, tzinfo=dt.UTC), dt.datetime(2026, 5, 17, 22, tzinfo=dt.UTC)),
        ("month", dt.datetime(2026, 5, 31, 21, tzinfo=dt.UTC), dt.datetime(2026, 5, 31, 22, tzinfo=dt.UTC)),
    ],
)
def test_a_calendar_limit_begins_anew_with_the_shops_day(public, use, within, last, first):
    public(limits=windows(per="incentive", within=within, uses=2))
    assert [use("SALE"), use("SALE"), use("SALE")] == ["used", "used", "limit_reached"]
    assert use("SALE", at=last) == "limit_reached"
    assert use("SALE", at=first) == "used"


def test_a_limit_of_money_in_a_day(public, use, now):
    public(limits=windows(per="incentive", within="day", money={"amount_minor": 2500, "currency": "EUR"}))
    assert [use("SALE"), use("SALE"), use("SALE")] == ["used", "used", "money_limit_reached"]
    assert use("SALE", price=500) == "used"
    assert use("SALE", at=now + DAY) == "used"


def test_money_for_each_customer_in_all(public, use, customers):
    public(limits=windows(per="customer", within="life", money={"amount_minor": 1500, "currency": "EUR"}))
    assert [use("SALE", reference="c1"), use("SALE", reference="c1")] == ["used", "money_limit_reached"]
    assert use("SALE", reference="c2") == "used"
    assert use("SALE") == "customer_unknown"


def test_a_limit_of_money_names_its_currency(public, use):
    public(
        effects=[{"kind": "percent", "basis_points": 1000}],
        limits=windows(per="incentive", within="day", money={"amount_minor": 2500, "currency": "EUR"}),
    )
    assert use("SALE", currency="USD") == "wrong_currency"


def test_uses_for_each_customer_and_code_in_a_week(offer, grant, customers, use, now):
    limits = {
        "per_code": 10,
        "windows": [
            {"per": "customer", "within": "week", "uses": 3},
            {"per": "code", "within": "week", "uses": 2},
        ],
    }
    grant(offer(effects=TEN_EUROS, limits=limits), [customers[0], customers[0]], sources=["a", "b"], is_given=True)
    one, two = Code.objects.order_by("pk").values_list("code", flat=True)
    assert [use(one, reference="c1") for _ in range(3)] == ["used", "used", "limit_reached"]
    assert [use(two, reference="c1") for _ in range(2)] == ["used", "limit_reached"]
    assert use(one, reference="c1", at=now + 7 * DAY) == "used"


def test_a_rolling_limit_of_a_customer_looks_back_from_now(public, use, now):
    public(limits=windows(per="customer", within="day", is_rolling=True, uses=2))
    assert [use("SALE", **ANNA), use("SALE", **ANNA, at=now + 20 * HOUR)] == ["used", "used"]
    assert use("SALE", **ANNA, at=now + 24 * HOUR - dt.timedelta(seconds=1)) == "limit_reached"
    assert use("SALE", **ANNA, at=now + 24 * HOUR) == "used"
    assert use("SALE", **ANNA, at=now + 25 * HOUR) == "limit_reached"
    assert use("SALE", email="other@example.com", at=now + 25 * HOUR) == "used"


def test_a_rolling_limit_of_money_per_code(offer, grant, customers, use, now):
    limits = {
        "per_code": 99,
        **windows(per="code", within="week", is_rolling=True, money={"amount_minor": 2000, "currency": "EUR"}),
    }
    grant(offer(effects=TEN_EUROS, limits=limits), customers[:1], is_given=True)
    code = Code.objects.get().code
    assert [use(code, reference="c1") for _ in range(3)] == ["used", "used", "money_limit_reached"]
    assert use(code, reference="c1", at=now + 7 * DAY) == "used"


def test_a_use_that_came_back_is_not_counted_by_any_window(public, use, now):
    public(limits={"windows": [
        {"per": "customer", "within": "day", "is_rolling": True, "uses": 1},
        {"per": "incentive", "within": "month", "uses": 1},
    ]})  # fmt: skip
    assert [use("SALE", **ANNA), use("SALE", **ANNA)] == ["used", "limit_reached"]
    redemption = Redemption.objects.get()
    operations.roll_back(public_id=redemption.public_id, source="r", reason="x", now=now + DAY, by=BY)
    assert use("SALE", **ANNA, at=now + HOUR) == "used"


@pytest.mark.parametrize(
    "again",
    [
        {"email": "B@example.com", "phone": "0049 171 555"},
        {"email": "b@example.com", "address": "main st. 5, 10115 berlin"},
        {"email": "b@example.com", "payment_token": "card_1"},
    ],
)
def test_one_person_under_several_emails_gets_a_first_order_offer_once(public, use, again):
    public(conditions=[{"kind": "first_order"}])
    who = {"phone": "+49 171 555", "address": "Main St 5, 10115 Berlin", "payment_token": "card_1"}
    assert use("SALE", email="a@example.com", **who) == "used"
    assert use("SALE", **again) == "customer_limit_reached"
    assert use("SALE", email="b@example.com", phone="+49 171 556", payment_token="card_2") == "used"
    assert not Redemption.objects.filter(persons__contains=[171]).exists()


def test_persons_count_in_windows_too(public, use):
    public(limits={"windows": [
        {"per": "customer", "within": "day", "is_rolling": True, "uses": 1},
        {"per": "customer", "within": "month", "uses": 1},
    ]})  # fmt: skip
    assert use("SALE", email="a@example.com", payment_token="card") == "used"
    assert use("SALE", email="b@example.com", payment_token="card") == "limit_reached"


@pytest.fixture
def budget(now):
    def save(*limits, edited=None, origin_id=7):
        return operations.save_budget(
            origin="support.agent",
            origin_id=origin_id,
            name="Asha",
            limits=BudgetLimits.model_validate({"limits": limits}),
            edited=edited,
            now=now,
            by=BY,
        )

    return save


def test_a_budget_limits_the_money_of_what_was_granted_under_it_over_several_offers(
    offer, grant, customers, use, budget, now
):
    hers = budget({"within": "day", "money": {"amount_minor": 2500, "currency": "EUR"}}, {"uses": 3})
    for name in ("One", "Two"):
        grant(offer(name=name, effects=TEN_EUROS), customers[:3], is_given=True, budget_id=hers.pk)
    grant(offer(name="Free", effects=TEN_EUROS), customers[:1], is_given=True)
    codes = list(Code.objects.order_by("pk").values_list("code", "customer__reference"))
    outcomes = [use(code, reference=reference) for code, reference in codes[:3]]
    assert outcomes == ["used", "used", "money_limit_reached"]
    assert use(codes[-1][0], reference="c1") == "used"
    tomorrow = [use(code, reference=reference, at=now + DAY) for code, reference in codes[2:4]]
    assert tomorrow == ["used", "limit_reached"]


def test_a_budget_limits_grants_by_day_and_in_any_24_hours(offer, grant, customers, budget, now):
    incentive = offer(effects=TEN_EUROS)
    hers = budget({"within": "day", "issued": 2}, {"within": "day", "is_rolling": True, "issued": 3})

    def give(count, at):
        sources = [f"{at}:{n}" for n in range(count)]
        granted = grant(incentive, customers[:count], sources=sources, budget_id=hers.pk, now=at)
        return len(granted.grants), {refusal.code for refusal in granted.refused.values()}

    assert give(3, now) == (2, {"incentives.budget_issued"})
    assert give(1, now + HOUR) == (0, {"incentives.budget_issued"})
    assert give(2, MIDNIGHT) == (1, {"incentives.budget_issued"})
    assert give(2, now + DAY) == (1, {"incentives.budget_issued"}), "two of the shop's new day, one within 24 hours"
    assert differences() == []


def test_a_grant_that_is_undone_gives_its_place_in_the_budget_back(offer, grant, customers, budget, now):
    incentive, hers = offer(effects=TEN_EUROS), budget({"within": "day", "issued": 1})
    granted = grant(incentive, customers[:1], budget_id=hers.pk)
    operations.void_grant(grant_id=next(iter(granted.grants.values())), now=now + DAY, by=BY, reason="x")
    assert grant(incentive, customers[1:2], budget_id=hers.pk).refused == {}
    returned = grant(incentive, customers[2:3], budget_id=hers.pk)
    assert len(returned.refused) == 1
    assert differences() == []


def test_a_budget_that_is_not_there(offer, grant, customers):
    with pytest.raises(NoSuchBudget):
        grant(offer(), customers[:1], budget_id=404)


def test_new_limits_of_a_budget_hold_at_once_and_what_was_used_before_counts(offer, grant, customers, use, budget):
    hers = budget()
    grant(offer(effects=TEN_EUROS), customers[:2], is_given=True, budget_id=hers.pk)
    one, two = Code.objects.order_by("pk").values_list("code", flat=True)
    assert use(one, reference="c1") == "used"
    budget({"uses": 1}, edited=1)
    assert use(two, reference="c2") == "limit_reached"


def test_one_customers_allowance_over_all_offers(public, use, now):
    public("ONE")
    public("TWO")
    policy = Policy.model_validate(
        {"allowance": [
            {"within": "month", "uses": 2},
            {"within": "day", "is_rolling": True, "money": {"amount_minor": 1500, "currency": "EUR"}},
        ]}
    )  # fmt: skip
    operations.save_policy(policy=policy, edited=None, now=now, by=BY)
    assert use("ONE", **ANNA) == "used"
    assert use("TWO", **ANNA) == "money_limit_reached"
    assert use("TWO", **ANNA, at=now + DAY) == "used"
    assert use("ONE", **ANNA, at=now + 3 * DAY) == "limit_reached"
    assert use("ONE", email="b@example.com") == "used"
    assert use("ONE") == "used", "a stranger has no allowance"


def test_each_limit_says_itself():
    limits = Limits.model_validate(
        {
            "total": 500,
            "per_customer": 2,
            "per_code": 3,
            "money": {"amount_minor": 10000, "currency": "EUR"},
            "issued": 9,
            "issued_per_customer": 1,
            "windows": [
                {"per": "incentive", "within": "day", "uses": 1},
                {"per": "customer", "within": "week", "uses": 3},
                {"per": "code", "within": "month", "is_rolling": True, "uses": 4},
                {
                    "per": "customer",
                    "within": "day",
                    "is_rolling": True,
                    "money": {"amount_minor": 5, "currency": "JPY"},
                },
                {"per": "customer", "within": "life", "money": {"amount_minor": 5000, "currency": "EUR"}},
            ],
        }
    )
    assert limits.sentences() == [
        "first 500 shoppers",
        "2 times per customer",
        "3 times per code",
        "100.00 EUR in all",
        "one use a day",
        "3 uses per customer a week",
        "4 uses per code in any 30 days",
        "5 JPY per customer in any 24 hours",
        "50.00 EUR per customer in all",
        "given to 9 customers at most",
        "given once to each",
    ]
    budget = BudgetLimits.model_validate({"limits": [
        {"within": "day", "issued": 5}, {"within": "week", "is_rolling": True, "issued": 1}, {"uses": 2},
    ]})  # fmt: skip
    assert budget.sentences() == ["5 grants a day", "one grant in any 7 days", "2 uses in all"]


@pytest.mark.parametrize(
    "limit",
    [
        {},
        {"uses": 1, "money": {"amount_minor": 5, "currency": "EUR"}},
        {"within": "life", "is_rolling": True, "uses": 1, "per": "customer"},
        {"within": "day", "is_rolling": True, "uses": 1, "per": "incentive"},
        {"within": "year", "uses": 1},
        {"uses": 0},
    ],
)
def test_limits_that_make_no_sense_are_refused(limit):
    with pytest.raises(ValueError, match="limit|Input|uses"):
        Limits.model_validate({"windows": [limit]})


#: A rush: the incentive's own counts lie on sixteen stripes.
def rush(**limits):
    return {"expects_rush": True, **limits}


def stripes(incentive, currency=""):
    return Counter.objects.filter(incentive_id=incentive.pk, scope="stripe", currency=currency)


def test_a_rush_spends_its_budget_to_the_last_cent(public, use, monkeypatch):
    incentive = public(limits=rush(money={"amount_minor": 10_000, "currency": "EUR"}, total=99))

    def on(stripe):
        monkeypatch.setattr(writing, "stripe_of_connection", lambda: stripe)
        return "SALE"

    assert [use(on(stripe)) for stripe in range(1, 10)] == ["used"] * 9
    on(11)
    assert use("SALE", price=900) == "used"
    assert use("SALE") == "budget_spent"
    assert use("SALE", price=100) == "used"
    assert use("SALE", price=1) == "budget_spent"
    assert sum(row.spent_minor for row in stripes(incentive, "EUR")) == 10_000


def test_a_rush_counts_to_its_total_and_shows_what_was_used(public, use):
    incentive = public(limits=rush(total=3))
    assert [use("SALE") for _ in range(4)] == ["used"] * 3 + ["total_limit_reached"]
    assert operations.qualify(checkout=Checkout("EUR", (Line("a", 1, 5000),)), now=MIDNIGHT).offers == ()
    assert used_of([incentive.pk])[incentive.pk] == {"issued": 0, "redeemed": 3, "spent_minor": {"EUR": 3000}}


def test_what_comes_back_in_a_rush_can_be_used_again_on_any_stripe(public, use, now, monkeypatch):
    public(limits=rush(money={"amount_minor": 1000, "currency": "EUR"}))
    assert use("SALE") == "used"
    redemption = Redemption.objects.get()
    operations.roll_back(public_id=redemption.public_id, source="r", reason="x", now=now, by=BY)
    monkeypatch.setattr(writing, "stripe_of_connection", lambda: redemption.uses.get().stripe % 16 + 1)
    assert [use("SALE"), use("SALE")] == ["used", "budget_spent"]


def test_a_stop_reaches_every_stripe(public, use, now):
    incentive = public(limits=rush())
    assert use("SALE") == "used"
    operations.stop(incentive_id=incentive.pk, now=now, by=BY)
    assert stripes(incentive).filter(is_stopped=True).count() == 16
    assert use("SALE") == "stopped"


def test_a_limit_that_comes_later_counts_what_the_rush_used_before(public, use, now):
    incentive = public(limits=rush())
    assert [use("SALE") for _ in range(3)] == ["used"] * 3
    rule = incentive.version.data | {"limits": rush(total=4, money={"amount_minor": 3500, "currency": "EUR"})}
    operations.save_incentive(
        incentive_id=incentive.pk, rule=IncentiveRule.model_validate(rule), edited=1, now=now, by=BY
    )
    operations.apply_version_to_codes(incentive_id=incentive.pk, now=now, by=BY)
    assert use("SALE") == "budget_spent"
    assert [use("SALE", price=500), use("SALE", price=500)] == ["used", "total_limit_reached"]


class TestLimitsThatBeginLater:
    """What was used before in the running period counts; `use` compares all counters with the facts at its end."""

    @pytest.fixture
    def later(self, public, now):
        """A public offer without limits, and a function that saves some and lets the code out follow them."""
        incentive = public()

        def save(at=now, edited=1, **limits):
            rule = incentive.version.data | {"limits": limits}
            operations.save_incentive(
                incentive_id=incentive.pk, rule=IncentiveRule.model_validate(rule), edited=edited, now=at, by=BY
            )  # fmt: skip
            operations.apply_version_to_codes(incentive_id=incentive.pk, now=at, by=BY)

        return save

    @pytest.mark.parametrize(
        ("limits", "refusal"),
        [
            (windows(per="incentive", within="day", uses=3), "limit_reached"),
            (windows(per="incentive", within="week", money=euros(30)), "money_limit_reached"),
            (windows(per="customer", within="month", uses=2), "limit_reached"),
            (windows(per="customer", within="life", money=euros(20)), "money_limit_reached"),
            (windows(per="customer", within="day", is_rolling=True, uses=2), "limit_reached"),
            (windows(per="code", within="week", is_rolling=True, uses=3), "limit_reached"),
            (windows(per="code", within="day", uses=3), "limit_reached"),
            ({"per_code": 3}, "code_redeemed"),
        ],
    )  # fmt: skip
    def test_of_an_offer(self, later, use, customers, limits, refusal):
        assert [use("SALE", reference="c1"), use("SALE", reference="c1"), use("SALE", reference="c2")] == ["used"] * 3
        later(**limits)
        assert use("SALE", reference="c1") == refusal
        last = Redemption.objects.order_by("-pk")[0]
        operations.roll_back(public_id=last.public_id, source="r", reason="x", now=last.redeemed_at, by=BY)
        first = Redemption.objects.order_by("pk")[0]
        operations.roll_back(public_id=first.public_id, source="s", reason="x", now=last.redeemed_at, by=BY)
        assert use("SALE", reference="c1") == "used", "what came back is no use, of these limits either"

    def test_a_window_that_ended_does_not_count(self, later, use, now):
        assert use("SALE") == "used"
        later(at=MIDNIGHT, **windows(per="incentive", within="day", uses=1))
        assert [use("SALE", at=MIDNIGHT), use("SALE", at=MIDNIGHT)] == ["used", "limit_reached"]

    def test_each_save_counts_what_it_adds(self, later, use):
        day = {"per": "incentive", "within": "day", "uses": 9}
        assert use("SALE") == "used"
        later(windows=[day])
        assert use("SALE") == "used"
        later(edited=2)
        assert use("SALE") == "used"
        later(edited=3, windows=[{**day, "uses": 4}, {**day, "within": "month", "uses": 5}])
        assert [use("SALE"), use("SALE")] == ["used", "limit_reached"]

    def test_of_a_budget_and_of_each_customer(self, offer, grant, customers, use, budget, now):
        hers = budget()
        grant(offer(effects=TEN_EUROS), customers[:4], is_given=True, budget_id=hers.pk)
        codes = list(Code.objects.order_by("customer_id").values_list("code", flat=True))
        assert use(codes[0], reference="c1") == "used"
        budget({"within": "day", "uses": 2}, {"within": "week", "is_rolling": True, "uses": 9}, edited=1)
        assert [use(codes[1], reference="c2"), use(codes[2], reference="c3")] == ["used", "limit_reached"]
        budget(edited=2)
        allowance = ({"within": "day", "uses": 1}, {"within": "week", "is_rolling": True, "uses": 9})
        operations.save_policy(policy=Policy.model_validate({"allowance": allowance}), edited=None, now=now, by=BY)
        assert use(codes[2], reference="c1") == "other_customer"
        grant(offer(name="More", effects=TEN_EUROS), customers[:1], sources=["more"], is_given=True)
        more = Code.objects.order_by("-pk")[0].code
        assert use(more, reference="c1") == "limit_reached"
        assert use(codes[3], reference="c4") == "used"
