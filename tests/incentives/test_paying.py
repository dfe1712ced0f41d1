"""Gift cards, credit and points at a checkout: paid, held, given back; and what offers give beside discounts."""

import datetime as dt
import hashlib
import itertools

import pytest

from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Code, GiftCard, Grant, Redemption, Tender
from retention.incentives.operations import gift_cards
from retention.incentives.operations.grant_life import GrantUsed
from retention.incentives.operations.paying import CardEmpty, TenderAsk, TenderNeedsCustomer
from retention.incentives.operations.reconcile import differences
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry
from retention.ledger.operations.proofs import differences as book_differences
from retention.ledger.querysets import balances_of
from retention.ledger.units import UnitRule
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
DAY = dt.timedelta(days=1)
HASH = hashlib.sha256(b"order").digest()
LINES = (Line("mug", 2, 1_000), Line("book", 1, 2_000))


@pytest.fixture
def card(shop, now):
    """A function that sells a gift card."""
    numbers = itertools.count()

    def sell(amount_minor=5_000, currency="EUR", **options):
        source = f"sold:{next(numbers)}"
        return gift_cards.create_card(
            amount_minor=amount_minor, currency=currency, source=source, now=now, by=BY, **options
        )  # fmt: skip

    return sell


@pytest.fixture
def order(shop, now):
    """A function that redeems an order, or holds it."""
    numbers = itertools.count(1)

    def place(*, codes=(), tenders=(), lines=LINES, shipping=400, customer=None, at=now, minutes=None, source=None):
        checkout = Checkout(
            "EUR", lines, shipping_minor=shipping, buyer=Buyer(customer.reference) if customer else Buyer(),
            order_reference=f"o{next(numbers)}",
        )  # fmt: skip
        ask = {
            "source": source or checkout.order_reference, "request_hash": HASH, "codes": codes, "checkout": checkout,
            "tenders": [TenderAsk(**tender) for tender in tenders], "now": at,
        }  # fmt: skip
        return operations.hold(minutes=minutes, **ask) if minutes else operations.redeem(**ask)

    return place


@pytest.fixture
def undo(now):
    def roll_back(redeemed, lines=None, source="return", at=now):
        return operations.roll_back(
            public_id=redeemed.public_id, source=source, reason="returned", lines=lines, now=at, by=BY
        )

    return roll_back


def left(card):
    return Account.objects.get(pk=card.account_id).balance


def has(customer, now):
    return {each.unit.key: (each.amount, each.available) for each in balances_of(customer.pk, now=now)}


def credit(customer, amount, now):
    unit = ledger.money_unit(purpose="store_credit", currency="EUR", now=now, by=BY)
    account = ledger.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=now)[customer.pk]
    ledger.adjust(account_id=account, amount=amount, source=f"c{customer.pk}:{amount}", reason="x", now=now, by=BY)
    return account


def block(card, now):
    gift_cards.block_card(card_id=card.pk, reason="stolen", now=now, by=BY)


class TestPaying:
    def test_a_card_pays_over_several_orders(self, card, order):
        card = card(7_000)
        first = order(tenders=[{"code": card.code.code}])
        assert (first.effects["to_pay_minor"], first.effects["tenders"][0]["amount_minor"]) == (0, 4_400)
        second = order(tenders=[{"code": card.code.code.lower()}])
        assert (second.effects["to_pay_minor"], left(card)) == (1_800, 0)
        with pytest.raises(CardEmpty):
            order(tenders=[{"code": card.code.code}])
        assert [tender.amount for tender in Tender.objects.all()] == [4_400, 2_600]
        assert {entry.origin_id for entry in Entry.objects.filter(verb="spend")} == set(
            Redemption.objects.values_list("pk", flat=True)
        )
        assert book_differences() == []

    def test_an_offer_a_card_typed_as_a_code_credit_and_points_pay_one_order(self, card, offer, order, customers, now):
        offer(codes={"kind": "public", "text": "TENOFF"}, effects=[{"kind": "amount", "amounts": {"EUR": 1_000}}])
        card, anna = card(1_500), customers[0]
        account = credit(anna, 600, now)
        rule = UnitRule(name="Points", kind="points", worth={"EUR": 100}, most_basis_points=1_000)
        points = ledger.create_unit(key="points", rule=rule, now=now, by=BY)
        hers = ledger.open_customer_accounts(unit=points, customer_ids=[anna.pk], now=now)[anna.pk]
        ledger.adjust(account_id=hers, amount=5_000, source="p", reason="x", now=now, by=BY)
        redeemed = order(
            codes=["tenoff", card.code.code], tenders=[{"unit": "points"}, {"unit": "store_credit_eur"}], customer=anna
        )
        told = [(t["unit"], t["amount"], t["amount_minor"]) for t in redeemed.effects["tenders"]]
        assert told == [("points", 340, 340), ("store_credit_eur", 600, 600), ("gift_card_eur", 1_500, 1_500)]
        assert redeemed.effects["to_pay_minor"] == 3_400 - 340 - 600 - 1_500
        assert (left(card), Account.objects.get(pk=account).balance, Account.objects.get(pk=hers).balance) == (
            0,
            0,
            4_660,
        )
        again = order(codes=[], tenders=[], customer=anna, source="o1")
        assert (again.is_repeated, again.effects) == (True, redeemed.effects)
        assert Entry.objects.filter(verb="spend").count() == 3
        assert differences() == book_differences() == []

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (block, "incentives.card_blocked"),
            (lambda c, now: Code.objects.filter(pk=c.code_id).update(state="void"), "incentives.code_void"),
            (lambda c, now: GiftCard.objects.update(products=["no such"]), "incentives.tender_not_for_these"),
        ],
    )  # fmt: skip
    def test_a_card_that_cannot_pay_stops_the_order(self, card, order, now, change, code):
        card = card()
        change(card, now)
        with pytest.raises(Exception) as refused:  # noqa: PT011
            order(tenders=[{"code": card.code.code}])
        assert refused.value.code == code
        assert (Redemption.objects.count(), left(card)) == (0, 5_000)

    def test_other_refusals(self, card, order, now, customers):
        dollars, asleep = card(currency="USD"), card(is_active=False)
        old = card(expires_at=now + DAY)
        ledger.keep_night(now=now + DAY, by=BY, progress=lambda done, total: None)
        credit(customers[0], 100, now)
        for tender, code, at in [
            ({"code": dollars.code.code}, "incentives.tender_other_currency", now),
            ({"code": asleep.code.code}, "incentives.card_inactive", now),
            ({"code": old.code.code}, "incentives.card_expired", now + DAY),
            ({"code": "NOSUCHCARD"}, "incentives.no_such_code", now),
            ({"unit": "no_such"}, "ledger.no_such_unit", now),
            ({"unit": "store_credit_eur", "amount": 101}, "incentives.tender_too_small", now),
        ]:
            with pytest.raises(Exception) as refused:  # noqa: PT011
                order(tenders=[tender], at=at, customer=customers[0])
            assert refused.value.code == code
        with pytest.raises(TenderNeedsCustomer):
            order(tenders=[{"unit": "store_credit_eur"}])
        gift_cards.activate_card(card_id=asleep.pk, now=now, by=BY)
        assert order(tenders=[{"code": asleep.code.code}]).effects["to_pay_minor"] == 0
        assert Redemption.objects.count() == 1

    def test_a_card_for_a_product_pays_that_alone(self, card, order):
        card = card(products=["book"])
        redeemed = order(tenders=[{"code": card.code.code}])
        assert (redeemed.effects["tenders"][0]["lines"], left(card)) == ([0, 2_000], 3_000)


class TestHolding:
    def test_a_hold_sets_aside_and_is_redeemed_or_released(self, card, order, now):
        card = card(6_000)
        held = order(tenders=[{"code": card.code.code}], minutes=30)
        assert Account.objects.get(pk=card.account_id).held == 4_400
        assert order(tenders=[{"code": card.code.code}]).effects["to_pay_minor"] == 2_800
        redeemed = operations.redeem_held(
            source="r", request_hash=HASH, public_id=held.public_id, now=now,
            checkout=Checkout("EUR", LINES, shipping_minor=400, order_reference="o9"),
        )  # fmt: skip
        assert redeemed.effects == held.effects
        assert (left(card), Account.objects.get(pk=card.account_id).held) == (0, 0)
        assert all(tender.entry_id for tender in Tender.objects.all())
        assert book_differences() == []

    def test_a_hold_that_ran_out_is_free_again(self, card, order, now):
        card = card(6_000)
        order(tenders=[{"code": card.code.code}], minutes=30)
        later = now + dt.timedelta(minutes=30)
        assert operations.release_expired(now=later) == 1
        assert order(tenders=[{"code": card.code.code}], at=later).effects["to_pay_minor"] == 0
        assert Account.objects.get(pk=card.account_id).held == 0
        assert book_differences() == []


class TestGivingBack:
    def test_parts_go_back_to_whom_they_came_from_and_sum_to_the_whole(self, card, order, undo, customers, now):
        card = card(1_001)
        account = credit(customers[0], 777, now)
        redeemed = order(tenders=[{"code": card.code.code}, {"unit": "store_credit_eur"}], customer=customers[0])
        preview = operations.preview_rollback(public_id=redeemed.public_id, lines={0: 1}, now=now)
        part = undo(redeemed, {0: 1}, "a")
        assert part.effects == preview
        assert [(t["amount"], t["amount_minor"]) for t in preview["others"]["tenders"]["parts"]] == [
            (228, 228),
            (177, 177),
        ]
        assert preview["refund_money_minor"] == 1_000 - 228 - 177
        undo(redeemed, {0: 1}, "b")
        assert undo(redeemed, None, "c").is_last
        assert (left(card), Account.objects.get(pk=account).balance) == (1_001, 777)
        assert [(t.given_back, t.given_back_minor) for t in Tender.objects.all()] == [(1_001, 1_001), (777, 777)]
        undo(redeemed, {0: 1}, "a")
        assert left(card) == 1_001
        assert book_differences() == []

    def test_it_goes_back_to_a_card_that_has_expired_or_is_blocked(self, card, order, undo, now):
        card = card(5_000, expires_at=now + DAY)
        redeemed = order(tenders=[{"code": card.code.code}])
        later = now + 10 * DAY
        ledger.keep_night(now=later, by=BY, progress=lambda done, total: None)
        gift_cards.block_card(card_id=card.pk, reason="stolen", now=later, by=BY)
        undo(redeemed, at=later)
        assert left(card) == 4_400
        gift_cards.unblock_card(card_id=card.pk, reason="found", now=later, by=BY)
        assert order(tenders=[{"code": card.code.code}], at=later + 29 * DAY).effects["to_pay_minor"] == 0
        assert book_differences() == []


class TestGranting:
    def test_every_kind_of_value_leaves_by_grant(self, offer, grant, customers, now):
        incentive = offer(
            effects=[
                {"kind": "gift_card", "amounts": {"EUR": 2_500}, "categories": ["Books"], "days": 30},
                {"kind": "store_credit", "amounts": {"EUR": 500}, "days": 10},
                {"kind": "cash", "amounts": {"EUR": 300}},
            ]
        )  # fmt: skip
        granted = grant(incentive, customers, is_given=True)
        assert grant(incentive, customers, is_given=True).repeated == set(granted.grants)
        assert has(customers[0], now) == {"store_credit_eur": (500, 500), "cash_eur": (300, 300)}
        cards = GiftCard.objects.select_related("code", "account")
        assert {(c.initial_minor, c.account.balance, tuple(c.categories)) for c in cards} == {
            (2_500, 2_500, ("Books",))
        }
        assert {c.code.grant_id for c in cards} == set(granted.grants.values())
        assert {c.expires_at for c in cards} == {dt.datetime(2026, 6, 11, 22, tzinfo=dt.UTC)}
        assert Entry.objects.filter(origin="incentives.grant", verb="issue").count() == 15
        assert differences() == book_differences() == []

    def test_an_amount_of_her_own_and_her_products(self, offer, grant, order, customers):
        incentive = offer(effects=[{"kind": "gift_card", "is_from_grant": True}])
        terms = [{"amount_minor": 1_700, "currency": "EUR", "products": ["mug"]}]
        grant(incentive, customers[:1], terms=terms, is_given=True)
        card = GiftCard.objects.get()
        assert order(codes=[card.code.code]).effects["tenders"][0]["lines"] == [1_700, 0]

    def test_a_gift_without_a_code(self, offer, grant, customers, now):
        ledger.create_unit(key="points", rule=UnitRule(name="Points", kind="points"), now=now, by=BY)
        incentive = offer(effects=[{"kind": "points", "points": 120}])
        grant(incentive, customers[:2])
        assert not Code.objects.exists()
        assert has(customers[1], now) == {"points": (120, 120)}

    def test_what_was_never_sent_goes_back(self, offer, grant, customers, now):
        incentive = offer(effects=[{"kind": "gift_card", "amounts": {"EUR": 900}}])
        granted = grant(incentive, customers[:2])
        ids = list(granted.grants.values())
        assert operations.take_back(grant_ids=ids, now=now, by=BY, reason="bounced") == 2
        assert {account.balance for account in Account.objects.filter(kind="gift_card")} == {0}
        assert differences() == book_differences() == []

    def test_a_gift_that_was_used_cannot_be_undone(self, offer, grant, order, customers, now):
        incentive = offer(effects=[{"kind": "gift_card", "amounts": {"EUR": 900}}])
        ids = list(grant(incentive, customers[:2], is_given=True).grants.values())
        first, second = GiftCard.objects.order_by("pk")
        order(tenders=[{"code": first.code.code, "amount": 1}])
        with pytest.raises(GrantUsed):
            operations.void_grant(grant_id=ids[0], now=now, by=BY, reason="wrong")
        operations.void_grant(grant_id=ids[1], now=now, by=BY, reason="wrong")
        assert (left(first), left(second)) == (899, 0)


class TestWithAnOrder:
    @pytest.fixture
    def back(self, offer):
        return offer(
            codes={"kind": "public", "text": "BACK"},
            effects=[
                {"kind": "amount", "amounts": {"EUR": 400}},
                {"kind": "cash_back", "basis_points": 1_000, "days": 14},
            ],
        )

    def test_cash_comes_back_after_the_return_window(self, back, order, customers, now):
        order(codes=["BACK"], customer=customers[0])
        assert has(customers[0], now) == {"store_credit_eur": (360, 0)}
        # 26 May has ended in Berlin.
        begins = dt.datetime(2026, 5, 26, 22, tzinfo=dt.UTC)
        assert has(customers[0], begins - dt.timedelta(seconds=1)) == {"store_credit_eur": (360, 0)}
        assert has(customers[0], begins) == {"store_credit_eur": (360, 360)}
        assert Grant.objects.get().origin == "incentives.redemption"
        assert differences() == book_differences() == []

    def test_what_an_order_brought_goes_back_in_its_share(self, back, order, undo, customers, now):
        redeemed = order(codes=["BACK"], customer=customers[0])
        preview = operations.preview_rollback(public_id=redeemed.public_id, lines={0: 1}, now=now)
        part = undo(redeemed, {0: 1}, "a")
        assert part.effects == preview
        assert preview["others"]["benefits"]["parts"] == [{"unit": "store_credit_eur", "amount": 90, "taken": 90}]
        undo(redeemed, None, "b")
        assert has(customers[0], now) == {"store_credit_eur": (0, 0)}
        assert book_differences() == []

    def test_a_hold_brings_nothing_yet(self, back, order, customers, now):
        held = order(codes=["BACK"], customer=customers[0], minutes=5)
        assert Grant.objects.count() == 0
        operations.redeem_held(
            source="r", request_hash=HASH, public_id=held.public_id, now=now,
            checkout=Checkout("EUR", LINES, shipping_minor=400, buyer=Buyer("c1"), order_reference="o"),
        )  # fmt: skip
        assert has(customers[0], now) == {"store_credit_eur": (360, 0)}

    def test_a_card_that_comes_with_an_order(self, offer, order, customers):
        offer(codes={"kind": "automatic"}, effects=[{"kind": "gift_card", "amounts": {"EUR": 500}}])
        order(customer=customers[0])
        card = GiftCard.objects.get()
        assert (card.account.balance, card.code.customer, card.code.is_card) == (500, customers[0], True)
