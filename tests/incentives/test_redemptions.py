"""At a checkout, through the operations: what is decided, written once, refused with its reason, and undone."""

import datetime as dt
import hashlib
import uuid
from decimal import Decimal

import pytest

from retention.customers.models import Customer, Order, Product
from retention.customers.querysets import NoSuchCustomer
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.decisions import NoSuchCode, decide
from retention.incentives.facts import read_facts
from retention.incentives.models import Code, Counter, Redemption, Use
from retention.incentives.operations.redemptions import NoRate, NoSuchRedemption, RolledBackBefore, SourceReused
from retention.incentives.operations.redemptions.answers import effects_of
from retention.incentives.operations.redemptions.writing import Overtaken, write
from retention.incentives.persons import email_key
from retention.incentives.rules import IncentiveRule
from retention.refusals import Refused
from retention.shop.models import ExchangeRate
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def checkout(buyer=None, *, price=10000, sku="a", order="o1", **more):
    more.setdefault("currency", "EUR")
    more.setdefault("lines", (Line(sku, 1, price),))
    return Checkout(buyer=Buyer(**(buyer or {})), order_reference=order, **more)


@pytest.fixture
def redeem(now):
    def use(code, basket=None, *, source=None, **options):
        basket = basket or checkout()
        return operations.redeem(
            source=source or f"k:{basket.order_reference}",
            request_hash=options.pop("request_hash", hashlib.sha256(f"{code} {basket}".encode()).digest()),
            codes=[code],
            checkout=basket,
            now=options.pop("now", now),
        )

    return use


@pytest.fixture
def public(offer):
    """A function that makes a live offer with the public code SAVE20."""

    def make(**rule):
        return offer(codes={"kind": "public", "text": "SAVE-20"}, **rule)

    return make


def refused(code, call):
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.code == code, str(caught.value)
    assert "%(" not in str(caught.value)
    return caught.value.params


def code_of(redeemed):
    return redeemed.effects["offers"][0]["code"]


def used(incentive, scope="incentive"):
    return list(
        Counter.objects.filter(incentive_id=incentive.pk, scope=scope, period="", currency="").values_list(
            "redeemed", flat=True
        )
    )


def spent(incentive):
    rows = Counter.objects.filter(incentive_id=incentive.pk, scope="incentive", period="").exclude(currency="")
    return dict(rows.values_list("currency", "spent_minor"))


def test_a_public_code_is_validated_without_a_trace_and_redeemed(public, redeem, now):
    incentive = public()
    validated = operations.validate(codes=["save 20"], checkout=checkout(), now=now)
    assert validated.decision.is_good
    assert validated.decision.evaluation.discount_minor == 2000
    assert not Redemption.objects.exists()
    redeemed = redeem("Save-20")
    assert (code_of(redeemed), redeemed.is_repeated, redeemed.effects["discount_minor"]) == ("SAVE20", False, 2000)
    row = Redemption.objects.get()
    assert (row.public_id, row.discount_minor, row.base_minor, row.order_reference, row.redeemed_at) == (
        uuid.UUID(redeemed.public_id),
        2000,
        2000,
        "o1",
        now,
    )
    assert row.effects == redeemed.effects
    assert (used(incentive), spent(incentive)) == ([1], {"EUR": 2000})


def test_the_same_source_gives_the_same_answer_and_another_request_is_refused(public, redeem):
    incentive = public(limits={"total": 1})
    first = redeem("SAVE20")
    again = redeem("SAVE20")
    assert again.is_repeated
    assert again.public_id == first.public_id
    assert (again.effects, again.redeemed_at) == (first.effects, first.redeemed_at)
    with pytest.raises(SourceReused):
        redeem("SAVE20", checkout(price=5))
    assert used(incentive) == [1]


def test_a_unique_code_is_used_once(offer, grant, customers, redeem):
    incentive = offer()
    grant(incentive, customers[:1], is_given=True)
    code = Code.objects.get()
    redeem(code.code, checkout({"reference": "c1"}))
    refused("incentives.code_redeemed", lambda: redeem(code.code, checkout({"reference": "c1"}, order="o2")))
    code.refresh_from_db()
    assert code.state == "redeemed"
    assert (used(incentive), used(incentive, "customer"), used(incentive, "person")) == ([1], [1], [1])


def test_a_unique_code_may_be_made_for_several_uses(offer, grant, customers, redeem):
    grant(offer(limits={"per_code": 2}), customers[:1], is_given=True)
    code = Code.objects.get()
    for order in ("o1", "o2"):
        redeem(code.code, checkout({"reference": "c1"}, order=order))
    refused("incentives.code_redeemed", lambda: redeem(code.code, checkout({"reference": "c1"}, order="o3")))
    code.refresh_from_db()
    assert code.state == "redeemed"


def test_a_reserved_code_works_for_who_was_told_it_a_moment_too_early(offer, grant, customers, redeem):
    grant(offer(), customers[:1])
    assert redeem(Code.objects.get().code, checkout({"email": " C1@Example.com "})).effects["discount_minor"] == 2000


@pytest.mark.parametrize(
    ("buyer", "code"),
    [
        ({"reference": "c1"}, None),
        ({"email": "C1@EXAMPLE.COM"}, None),
        ({"reference": "c2"}, "incentives.other_customer"),
        ({"email": "guest@example.com"}, "incentives.other_customer"),
        ({}, "incentives.customer_unknown"),
    ],
)
def test_a_bound_code_is_for_its_customer_alone(offer, grant, customers, redeem, buyer, code):
    grant(offer(), customers[:1], is_given=True)
    text = Code.objects.get().code
    if code:
        refused(code, lambda: redeem(text, checkout(buyer)))
        assert not Redemption.objects.exists()
    else:
        redeem(text, checkout(buyer))


def test_an_unbound_code_is_for_whoever_has_it(offer, grant, customers, redeem):
    grant(offer(codes={"kind": "unique", "is_bound": False}), customers[:1], is_given=True)
    assert redeem(Code.objects.get().code, checkout()).effects["offers"]


def test_by_public_id_and_a_number_that_nobody_has(public, redeem, customers):
    public()
    customers[0].refresh_from_db()
    redeem("SAVE20", checkout({"public_id": customers[0].public_id}))
    assert Redemption.objects.get().customer_id == customers[0].pk
    with pytest.raises(NoSuchCustomer):
        redeem("SAVE20", checkout({"reference": "nobody"}, order="o2"))
    redeem("SAVE20", checkout({"reference": "new", "email": "new@example.com"}, order="o3"))


def test_unknown_typed_wrongly_free_and_void_codes(offer, redeem, grant, customers, now):
    with pytest.raises(NoSuchCode):
        redeem("NOSUCHCODE")
    with pytest.raises(NoSuchCode):
        redeem("no;such'code")
    incentive = offer()
    Code.objects.create(code="FREE0NE", incentive=incentive, version=incentive.version)
    refused("incentives.code_not_given", lambda: redeem("FREE0NE"))
    granted = grant(incentive, customers[:1], is_given=True)
    operations.void_grant(grant_id=next(iter(granted.grants.values())), now=now, by=BY, reason="x")
    text = Code.objects.get(state="void").code
    refused("incentives.code_void", lambda: redeem(text, checkout({"reference": "c1"})))


def test_look_alikes_are_read_as_what_was_printed(offer, grant, customers, redeem):
    grant(offer(), customers[:1], is_given=True)
    Code.objects.update(code="A0B1C1D0E0F")
    assert redeem("aOb-ICl-doeof", checkout({"reference": "c1"})).effects["offers"][0]["code"] == "A0B1C1D0E0F"


def test_before_its_start_and_from_its_end_on(public, redeem, now):
    public(validity={"starts_at": now + dt.timedelta(hours=1), "ends_at": now + dt.timedelta(hours=2)})
    refused("incentives.not_started", lambda: redeem("SAVE20"))
    redeem("SAVE20", now=now + dt.timedelta(hours=1), source="first instant")
    refused("incentives.code_expired", lambda: redeem("SAVE20", now=now + dt.timedelta(hours=2), source="end"))


def test_the_total_the_customer_s_and_the_money_limit(public, redeem, customers):
    incentive = public(limits={"total": 3, "per_customer": 1, "money": {"amount_minor": 5000, "currency": "EUR"}})
    redeem("SAVE20", checkout({"reference": "c1"}, order="o1"))
    again = checkout({"reference": "c1"}, order="o2")
    assert refused("incentives.customer_limit_reached", lambda: redeem("SAVE20", again)) == {"limit": 1}
    refused("incentives.customer_unknown", lambda: redeem("SAVE20", checkout(order="o3")))
    redeem("SAVE20", checkout({"reference": "c2"}, order="o4"))
    broke = checkout({"reference": "c3"}, order="o5")
    assert refused("incentives.budget_spent", lambda: redeem("SAVE20", broke))["left_minor"] == 1000
    redeem("SAVE20", checkout({"reference": "c3"}, order="o6", price=5000))
    last = checkout({"reference": "c4"}, order="o7", price=100)
    assert refused("incentives.total_limit_reached", lambda: redeem("SAVE20", last)) == {"limit": 3}
    assert (used(incentive), spent(incentive)) == ([3], {"EUR": 5000})


def test_a_guest_who_becomes_a_customer_does_not_begin_again(public, redeem, customers, now):
    public(limits={"per_customer": 1})
    redeem("SAVE20", checkout({"email": "Guest@example.com"}))
    refused(
        "incentives.customer_limit_reached",
        lambda: redeem("SAVE20", checkout({"email": "guest@example.com"}, order="o2")),
    )
    type(customers[0]).objects.create(reference="new", email="guest@example.com", recorded_at=now)
    refused("incentives.customer_limit_reached", lambda: redeem("SAVE20", checkout({"reference": "new"}, order="o3")))


def test_a_customer_who_changes_her_email_does_not_begin_again(public, redeem, customers):
    public(limits={"per_customer": 1})
    redeem("SAVE20", checkout({"reference": "c1"}))
    type(customers[0]).objects.filter(pk=customers[0].pk).update(email="other@example.com")
    refused("incentives.customer_limit_reached", lambda: redeem("SAVE20", checkout({"reference": "c1"}, order="o2")))


def order(customer, now, reference, state="paid"):
    return Order.objects.create(
        reference=reference,
        customer=customer,
        state=state,
        currency="EUR",
        total_minor=1,
        base_minor=1,
        placed_at=now,
        recorded_at=now,
    )


def test_the_first_order_counts_what_was_bought_and_not_this_one(public, redeem, customers, now):
    public(conditions=[{"kind": "first_order"}])
    anna, bert, carla, *_ = customers
    order(anna, now, "old")
    assert refused("incentives.not_first_order", lambda: redeem("SAVE20", checkout({"reference": "c1"})))["orders"] == 1
    order(bert, now, "undone", state="cancelled")
    redeem("SAVE20", checkout({"reference": "c2"}, order="o2"))
    order(carla, now, "o3")
    redeem("SAVE20", checkout({"reference": "c3"}, order="o3"))
    refused("incentives.customer_limit_reached", lambda: redeem("SAVE20", checkout({"reference": "c2"}, order="o4")))


def product(sku, now, **more):
    more.setdefault("currency", "EUR")
    return Product.objects.create(sku=sku, name=sku, price_minor=10000, recorded_at=now, **more)


def test_the_catalogue_knows_category_tags_margin_and_floor_better_than_the_caller(public, redeem, now):
    public(
        effects=[
            {
                "kind": "percent",
                "basis_points": 5000,
                "scope": {"on": "lines", "categories": ["Shoes"], "tags": ["new"], "without_low_margin": True},
            }
        ]
    )
    product("shoe", now, category="Shoes/Run", minimum_price_minor=7000)
    product("thin", now, category="Shoes", is_low_margin=True)
    product("hat", now, category="Hats")
    lines = (
        Line("shoe", 1, 10000),
        Line("thin", 1, 10000),
        Line("hat", 1, 10000, category="Shoes"),
        Line("unheard of", 1, 1000, tags=frozenset({"new"})),
    )
    effects = redeem("SAVE20", checkout(lines=lines)).effects
    assert [line["discount_minor"] for line in effects["lines"]] == [3000, 0, 0, 500]


def test_another_currency_is_redeemed_at_the_day_s_rate_and_protected_by_it(public, redeem, now):
    incentive = public()
    usd = {"currency": "USD", "price": 10000}
    with pytest.raises(NoRate):
        redeem("SAVE20", checkout(**usd))
    ExchangeRate.objects.create(currency="USD", on=now.date() - dt.timedelta(days=3), rate=Decimal("0.8"))
    ExchangeRate.objects.create(currency="USD", on=now.date() + dt.timedelta(days=1), rate=Decimal("7"))
    redeem("SAVE20", checkout(**usd))
    row = Redemption.objects.get()
    assert (row.currency, row.discount_minor, row.base_minor) == ("USD", 2000, 1600)
    assert spent(incentive) == {"USD": 2000}
    product("floor", now, minimum_price_minor=7600)  # 76.00 EUR are 95.00 USD
    assert redeem("SAVE20", checkout(**usd, sku="floor", order="o2")).effects["discount_minor"] == 500
    product("yen", now, minimum_price_minor=100, currency="JPY")
    refused("incentives.at_minimum_price", lambda: redeem("SAVE20", checkout(**usd, sku="yen", order="o3")))


def test_a_stopped_offer_is_stopped_at_once_and_works_again_when_resumed(public, redeem, now):
    incentive = public()
    redeem("SAVE20")
    operations.stop(incentive_id=incentive.pk, now=now, by=BY)
    refused("incentives.stopped", lambda: redeem("SAVE20", checkout(order="o2")))
    assert redeem("SAVE20").is_repeated
    operations.resume(incentive_id=incentive.pk, now=now, by=BY)
    redeem("SAVE20", checkout(order="o2"))


def undo(redemption, now, source="undo"):
    return operations.roll_back(public_id=redemption.public_id, source=source, reason="cancelled", now=now, by=BY)


def test_a_roll_back_gives_everything_back_once(offer, grant, customers, redeem, now):
    incentive = offer(limits={"total": 1, "per_customer": 1, "money": {"amount_minor": 2000, "currency": "EUR"}})
    grant(incentive, customers[:1], is_given=True)
    code = Code.objects.get()
    redeemed = redeem(code.code, checkout({"reference": "c1"}))
    first = undo(redeemed, now)
    assert (first.rolled_back_at, first.reason, first.is_last, first.discount_minor) == (now, "cancelled", True, 2000)
    assert undo(redeemed, now + dt.timedelta(hours=1)).rolled_back_at == now
    assert not Use.objects.get().is_counted
    with pytest.raises(RolledBackBefore):
        undo(redeemed, now, source="another")
    counts = [used(incentive), used(incentive, "customer"), used(incentive, "person"), spent(incentive)]
    assert counts == [[0], [0], [0], {"EUR": 0}]
    code.refresh_from_db()
    assert code.state == "given"
    redeem(code.code, checkout({"reference": "c1"}, order="o2"))


def test_where_the_rule_says_so_a_roll_back_returns_the_money_and_keeps_the_use(offer, grant, customers, redeem, now):
    incentive = offer(codes={"kind": "unique", "is_usable_again": False})
    grant(incentive, customers[:1], is_given=True)
    code = Code.objects.get()
    undo(redeem(code.code, checkout({"reference": "c1"})), now)
    assert Use.objects.get().is_counted
    assert (used(incentive), spent(incentive)) == ([1], {"EUR": 0})
    refused("incentives.code_redeemed", lambda: redeem(code.code, checkout({"reference": "c1"}, order="o2")))


def test_a_roll_back_source_undoes_one_thing(public, redeem, now):
    public()
    one, two = redeem("SAVE20"), redeem("SAVE20", checkout(order="o2"))
    undo(one, now)
    with pytest.raises(SourceReused):
        undo(two, now)
    one = type(one)(**{**one.__dict__, "public_id": "00000000-0000-7000-8000-000000000000"})
    with pytest.raises(NoSuchRedemption):
        undo(one, now, source="nobody")


def test_codes_keep_the_version_they_were_given_with(offer, grant, customers, redeem, now):
    incentive = offer()
    grant(incentive, customers[:1], is_given=True)
    old = Code.objects.get()
    rule = incentive.version.data | {"effects": [{"kind": "percent", "basis_points": 500}]}
    operations.save_incentive(
        incentive_id=incentive.pk, rule=IncentiveRule.model_validate(rule), edited=1, now=now, by=BY
    )
    grant(incentive, customers[1:2], is_given=True)
    new = Code.objects.exclude(pk=old.pk).get()
    assert redeem(old.code, checkout({"reference": "c1"})).effects["discount_minor"] == 2000
    assert redeem(new.code, checkout({"reference": "c2"}, order="o2")).effects["discount_minor"] == 500


#: What happens between the read and the write, by the guard that must see it.
MEANWHILE = {
    "the code was withdrawn": lambda incentive, now: Code.objects.update(state="void"),
    "the code has another version": lambda incentive, now: Code.objects.update(
        version_id=other_version(incentive, now)
    ),
    "its uses are used up": lambda incentive, now: count(incentive, "code", Code.objects.get().pk, redeemed=2),
    "the email's uses are used up": lambda incentive, now: count(
        incentive, "person", email_key("a@example.com"), redeemed=3
    ),
    "the customer's uses are used up": lambda incentive, now: count(
        incentive, "customer", Customer.objects.get(email="a@example.com").pk, redeemed=3
    ),
    "all uses are used up": lambda incentive, now: count(incentive, "incentive", 0, redeemed=5),
    "it was stopped": lambda incentive, now: operations.stop(incentive_id=incentive.pk, now=now, by=BY),
    "the budget is spent": lambda incentive, now: count(incentive, "incentive", 0, currency="EUR", spent_minor=8001),
}


def count(incentive, scope, subject, *, currency="", **kept):
    Counter.objects.update_or_create(
        incentive_id=incentive.pk, scope=scope, subject_id=subject, period="", currency=currency, defaults=kept
    )


def other_version(incentive, now):
    rule = IncentiveRule.model_validate(incentive.version.data | {"limits": {"total": 1}})
    return operations.save_incentive(incentive_id=incentive.pk, rule=rule, edited=1, now=now, by=BY).version_id


@pytest.mark.parametrize("happens", [None, *MEANWHILE])
def test_each_guard_sees_what_happened_since_the_read_and_leaves_nothing(public, now, happens):
    incentive = public(
        limits={
            "total": 5, "per_customer": 3, "per_code": 2, "money": {"amount_minor": 10_000, "currency": "EUR"},
        },
    )  # fmt: skip
    Customer.objects.create(reference="a", email="a@example.com", recorded_at=now)
    facts = read_facts(checkout({"email": "a@example.com"}), codes=["SAVE20"], now=now)
    decision = decide(facts)

    def write_it():
        return write(
            source="s",
            request_hash=b"h",
            facts=facts,
            decision=decision,
            effects=effects_of(facts, decision),
            order_reference="o1",
        )

    if happens is None:
        assert write_it() == str(Redemption.objects.get().public_id)
        assert write_it() is None
        return
    MEANWHILE[happens](incentive, now)
    kept = list(Counter.objects.order_by("pk").values())
    with pytest.raises(Overtaken):
        write_it()
    assert not Redemption.objects.exists()
    assert list(Counter.objects.order_by("pk").values()) == kept


def test_a_guest_and_a_customer_with_her_email_are_counted_as_one(public, redeem, customers):
    incentive = public(limits={"per_customer": 1})
    redeem("SAVE20", checkout({"reference": "c1"}))
    assert Counter.objects.get(incentive_id=incentive.pk, scope="person").subject_id == email_key("c1@example.com")


@pytest.mark.django_db(transaction=True)
def test_one_read_and_one_write(offer, grant, customers, redeem, django_assert_num_queries):
    grant(offer(), customers[:2], is_given=True)
    one, two = Code.objects.order_by("pk")
    redeem(one.code, checkout({"reference": "c1"}))
    with django_assert_num_queries(2):
        redeem(two.code, checkout({"reference": "c2"}, order="o2"))
    with django_assert_num_queries(2):  # the read, and the redemption of this source
        assert redeem(two.code, checkout({"reference": "c2"}, order="o2")).is_repeated


def test_qualify_names_what_fits_best_first_and_what_nearly_does(offer, grant, customers, now):
    def public(text, points, **rule):
        return offer(
            name=text,
            codes={"kind": "public", "text": text},
            effects=[{"kind": "percent", "basis_points": points}],
            **rule,
        )

    public("TEN", 1000)
    public("THIRTY", 3000, conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 11200}}])
    public("ABROAD", 9000, conditions=[{"kind": "in_countries", "countries": ["FR"]}])
    public("SPENT", 9000, limits={"money": {"amount_minor": 1, "currency": "EUR"}})
    stopped = public("STOPPED", 9000)
    operations.stop(incentive_id=stopped.pk, now=now, by=BY)
    public("OVER", 9000, validity={"ends_at": now})
    offer(name="draft", is_live=False)
    grant(offer(name="hers"), customers[:2], is_given=True)
    hers = Code.objects.get(customer=customers[0]).code
    found = operations.qualify(checkout=checkout({"reference": "c1"}, country="DE"), now=now)
    assert [one.offer.code for one in found.offers] == [hers, "TEN"]
    assert [one.missing for one in found.near_misses] == ["Add 12.00 EUR to get 30 % off the order"]
    anonymous = operations.qualify(checkout=checkout(), now=now)
    assert [one.offer.code for one in anonymous.offers] == ["TEN"]


def test_her_own_offer_applies_to_her_next_order_by_itself_once(offer, grant, customers, now):
    offer(
        codes={"kind": "unique", "applies_by_itself": True},
        conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 5000}}],
    )
    incentive = offer(name="Hers", codes={"kind": "unique", "applies_by_itself": True})
    grant(incentive, customers[:1], is_given=True)

    def order(reference, who, **more):
        basket = checkout({"reference": who}, order=reference)
        digest = hashlib.sha256(f"{reference} {more}".encode()).digest()
        return operations.redeem(source=f"k:{reference}", request_hash=digest, checkout=basket, now=now, **more)

    # Nobody else's order has it, and a stranger's neither.
    refused("incentives.nothing_to_redeem", lambda: order("o0", "c2"))
    assert operations.validate(checkout=checkout(), now=now).effects["discount_minor"] == 0
    looked = operations.validate(checkout=checkout({"reference": "c1"}), now=now)
    assert looked.effects["discount_minor"] == 2000
    redeemed = order("o1", "c1")
    assert [one["code"] for one in redeemed.effects["offers"]] == [Code.objects.get().code]
    assert redeemed.effects["discount_minor"] == 2000
    assert Code.objects.get().state == "redeemed"
    refused("incentives.nothing_to_redeem", lambda: order("o2", "c1"))


def test_her_own_offer_typed_as_well_is_used_once_and_says_why_not(offer, grant, customers, redeem, now):
    incentive = offer(
        codes={"kind": "unique", "applies_by_itself": True},
        conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 20_000}}],
    )
    grant(incentive, customers[:1], is_given=True)
    code = Code.objects.get().code
    her = {"reference": "c1"}
    refused("incentives.below_minimum", lambda: redeem(code, checkout(her)))
    # Not typed, it says nothing.
    assert operations.validate(checkout=checkout(her), now=now).effects["unused"] == []
    redeemed = redeem(code, checkout(her, price=30_000))
    assert (len(redeemed.effects["offers"]), redeemed.effects["discount_minor"]) == (1, 6000)


def test_what_applies_by_itself_is_for_its_customer_alone(offer):
    with pytest.raises(ValueError, match="for its customer alone"):
        offer(codes={"kind": "unique", "applies_by_itself": True, "is_bound": False})
