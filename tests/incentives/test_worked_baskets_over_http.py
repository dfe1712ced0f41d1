"""Every worked basket through the HTTP API: incentives live, products in the catalogue, the customer with her orders.

What a validation answers is compared with the prices worked by hand; a redemption of the same basket must answer the
same, or refuse with the reason that was expected; and single offers must qualify, or be named as near misses.
"""

import datetime as dt
import json
import uuid
from zoneinfo import ZoneInfo

import pytest

from retention.actors import Actor
from retention.customers.models import Customer, Order, Product
from retention.doors.keys import create_key
from retention.incentives import operations
from retention.incentives.models import Code, Redemption
from retention.incentives.policy import Policy
from retention.incentives.rules import IncentiveRule
from retention.segments.models import Membership, Segment
from retention.shop.models import ExchangeRate
from tests.incentives.worked import WORKED, WorkedBasket, WorkedOffer, WorkedReturn, in_minor

pytestmark = pytest.mark.django_db
BY = Actor.command("test")
ZONE = ZoneInfo("Europe/Berlin")
#: The shop has no rate for it, so nobody can say what a price in it is in another currency.
WITHOUT_RATE = "CHF"
#: Reasons of codes that bring nothing here: they are told, and stop no other code.
BRINGS_NOTHING = {
    "at_minimum_price",
    "ceiling_reached",
    "no_effect",
    "no_shipping_to_pay",
    "not_together",
    "nothing_in_scope",
    "others_are_better",
    "set_incomplete",
    "tier_not_reached",
    "too_few_for_tier",
    "too_many_offers",
}

#: The cases of these files are redeemed by a hold, all others at once.
HELD = {"combinations", "returns", "stacking_best_deal"}


class Checkout:
    """A shop in which one case is true, and its checkout's calls."""

    def __init__(self, case: WorkedBasket, client, secret: str, now: dt.datetime) -> None:
        self.case, self.client, self.now = case, client, now
        self.secret = secret
        Product.objects.bulk_create(self._products())
        self.customer = self._customer()
        self.segments = self._segments()
        self.codes = {key: self._live(key, offer) for key, offer in case.offers.items()}
        if case.policy:
            policy = Policy.model_validate({"stacking": in_minor(case.policy)})
            operations.save_policy(policy=policy, edited=None, now=now, by=BY)

    def post(self, path: str, **more):
        return self.send(path, {"basket": self._basket(), **self._who(), **more})

    def send(self, path: str, body: dict):
        headers = {"authorization": f"Bearer {self.secret}", "idempotency-key": uuid.uuid4().hex}
        response = self.client.generic(
            "POST", f"/api/v1/{path}/", json.dumps(body), content_type="application/json", headers=headers
        )
        return response.status_code, response.json()

    @property
    def typed(self) -> list[str]:
        return [code for code in self.codes.values() if code is not None]

    def _basket(self) -> dict:
        case = self.case
        return {
            "currency": case.currency,
            "lines": [
                {
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "unit_price_minor": case.minor(line.price),
                    "is_discounted": line.discounted,
                }
                for line in case.lines
            ],
            "shipping_minor": case.minor(case.shipping),
            "country": case.country,
            "region": case.region,
            "channel": case.channel,
            "store": case.store,
            "payment_method": case.payment_method,
            "attributes": case.attributes,
        }

    def _who(self) -> dict:
        shopper = self.case.shopper
        if shopper is None:
            return {}
        return {"customer": {"email": " Anna@Example.com "} if shopper.is_guest else {"reference": "anna"}}

    def _products(self) -> list[Product]:
        case, products = self.case, {}
        for line in case.lines:
            minimum = 1 if line.is_unpriced else case.minor(line.minimum or "0")
            products[line.sku] = Product(
                sku=line.sku,
                name=line.sku,
                category=line.category,
                tags=list(line.tags),
                currency=WITHOUT_RATE if line.is_unpriced else case.currency,
                price_minor=max(case.minor(line.price), minimum),
                minimum_price_minor=minimum,
                is_low_margin=line.low_margin,
                recorded_at=self.now,
            )
        return list(products.values())

    def _customer(self) -> Customer | None:
        shopper = self.case.shopper
        if shopper is None or shopper.is_guest and not shopper.orders:
            return None
        reference = None if shopper.is_guest else "anna"
        customer = Customer.objects.create(reference=reference, email="anna@example.com", recorded_at=self.now)
        Order.objects.bulk_create(
            Order(
                reference=f"before-{number}",
                customer=customer,
                state="paid",
                currency="EUR",
                total_minor=1000,
                base_minor=1000,
                placed_at=self.now - dt.timedelta(days=30),
                paid_at=self.now - dt.timedelta(days=30),
                recorded_at=self.now,
            )
            for number in range(shopper.orders)
        )
        if shopper.tier:
            programme, _dot, tier = shopper.tier.partition(".")
            operations.put_tiers(programme=programme, customer_ids=[customer.pk], tiers=[tier])
        # One that was never paid counts for nothing.
        Order.objects.create(
            reference="never-paid",
            customer=customer,
            state="cancelled",
            currency="EUR",
            total_minor=1000,
            base_minor=1000,
            placed_at=self.now,
            recorded_at=self.now,
        )
        return customer

    def _segments(self) -> dict[str, int]:
        asked = {
            name
            for offer in self.case.offers.values()
            for condition in offer.rule.get("conditions", ())
            for name in condition.get("segments", ())
        }
        hers = set(self.case.shopper.segments) if self.case.shopper else set()
        made = {name: Segment.objects.create(name=name) for name in sorted(asked | hers)}
        Membership.objects.bulk_create(
            Membership(segment=made[name], customer=self.customer, entered_at=self.now) for name in sorted(hers)
        )
        return {name: segment.pk for name, segment in made.items()}

    def _live(self, key: str, offer: WorkedOffer) -> str | None:
        """The incentive made and live; its code, None where it applies by itself."""
        rule = in_minor(offer.rule)
        for condition in rule.get("conditions", ()):
            if condition["kind"] == "in_segments":
                condition["segments"] = [self.segments[name] for name in condition["segments"]]
        if offer.is_automatic:
            rule["codes"] = {"kind": "automatic"}
        elif offer.terms is None:
            rule["codes"] = {"kind": "public", "text": key}
        incentive = operations.create_incentive(
            rule=IncentiveRule.model_validate({"name": key, **rule}), now=self.now, by=BY
        )
        operations.go_live(incentive_id=incentive.pk, now=self.now, by=BY)
        if offer.is_automatic:
            return None
        if offer.terms is None:
            return key
        told = {"incentive_id": incentive.pk, "now": self.now, "by": BY}
        if offer.terms:
            operations.grant(
                sources=[f"test:{key}"],
                customer_ids=[self.customer.pk],
                origin="test",
                origin_ids=[None],
                terms=[in_minor(offer.terms)],
                is_given=True,
                **told,
            )
        else:
            # A grant would refuse it; a code from a batch is nobody's and has no terms.
            operations.generate_codes(count=1, purpose="handout", source=f"test:{key}", **told)
        return Code.objects.get(incentive=incentive).code


@pytest.fixture
def checkout(client, shop, now, monkeypatch):
    """A function that makes one case true."""
    scopes = ("incentives:redeem",)
    ExchangeRate.objects.bulk_create(
        ExchangeRate(currency=currency, on=now.date() - dt.timedelta(days=10), rate=rate)
        for currency, rate in (("USD", "0.9"), ("JPY", "0.006"), ("KWD", "2.9"))
    )
    secret = create_key(name="checkout", scopes=scopes, known=scopes, now=now, by=BY).secret

    def make(case: WorkedBasket) -> Checkout:
        at = now if case.at is None else case.at.replace(tzinfo=ZONE).astimezone(dt.UTC)
        # Doors read the clock; it is what the case says.
        monkeypatch.setattr("retention.clock.now", lambda: at)
        return Checkout(case, client, secret, at)

    return make


@pytest.mark.parametrize("name", WORKED)
def test_worked_by_hand(checkout, name):
    case = WORKED[name]
    made = checkout(case)
    status, told = made.post("validations", codes=made.typed)
    assert status == 200, told
    assert [line["total_minor"] for line in told["effects"]["lines"]] == case.paid
    for line, worked in zip(told["effects"]["lines"], case.lines, strict=True):
        if worked.units is not None:
            units = [unit["total_minor"] for unit in line["units"] for _ in range(unit["quantity"])]
            assert units == [case.minor(price) for price in worked.units]
    assert told["effects"]["shipping"]["total_minor"] == case.paid_shipping
    assert told["effects"]["total_minor"] == case.minor(case.total)
    assert {one["incentive"]["name"]: one["discount_minor"] for one in told["offers"]} == {
        key: case.minor(offer.takes) for key, offer in case.applied.items()
    }
    for one in told["offers"]:
        worked = case.applied[one["incentive"]["name"]]
        assert one["code"] == made.codes[one["incentive"]["name"]]
        assert [known(benefit) for benefit in one["benefits"]] == case.benefits(worked)
        if worked.by_line is not None:
            assert one["lines"] == [case.minor(amount) for amount in worked.by_line]
    refused = {key: offer for key, offer in case.refused.items() if not offer.is_automatic}
    assert {one["code"]: [reason["code"] for reason in one["reasons"]] for one in told["unused"]} == {
        made.codes[key]: [f"incentives.{code}" for code in offer.refused] for key, offer in refused.items()
    }
    for one in told["unused"]:
        missing = refused[one["incentive"]["name"]].missing
        if missing is not None:
            assert one["reasons"][0]["params"]["missing_minor"] == case.minor(missing)
    if len(case.offers) == 1:
        qualifies_as_told(case, made)
    reasons = [code for offer in refused.values() for code in offer.refused]
    redeemed_as_told(case, made, told, reasons, name.partition(":")[0] in HELD)


def redeem(made: Checkout) -> tuple[int, dict]:
    return made.post("redemptions", codes=made.typed, order_reference="this-one")


def redeem_held(made: Checkout) -> tuple[int, dict]:
    """In two steps: held first, as at a checkout that waits for its payment."""
    status, body = made.post("validations", codes=made.typed, hold_minutes=10)
    if status != 200:
        return status, body
    return made.post("redemptions", hold=body["hold"]["id"], order_reference="this-one")


def redeemed_as_told(case: WorkedBasket, made: Checkout, told: dict, reasons: list[str], is_held: bool) -> None:
    """What was validated is what is redeemed; a code with something wrong, or nothing at all to use, refuses it."""
    status, body = redeem_held(made) if is_held else redeem(made)
    wrong = [code for code in reasons if code not in BRINGS_NOTHING]
    if wrong or not case.applied:
        assert (status, body["code"]) == (409, f"incentives.{(wrong or reasons)[0]}"), body
        assert told["is_valid"] is False
        assert told["refusal"]["code"] == body["code"]
        assert not Redemption.objects.exists()
        return
    assert status == 201, body
    assert (told["is_valid"], told["refusal"]) == (True, None)
    assert (body["effects"], body["offers"], body["unused"]) == (told["effects"], told["offers"], told["unused"])
    kept = Redemption.objects.get()
    assert (kept.discount_minor, kept.currency) == (told["effects"]["discount_minor"], case.currency)
    for worked in case.returns:
        returned_as_told(case, made, f"redemptions/{kept.public_id}", worked)
    if case.returns:
        kept.refresh_from_db()
        is_all_back = [sum(back) for back in zip(*[worked.units for worked in case.returns], strict=True)] == [
            line.quantity for line in case.lines
        ]
        assert kept.state == ("rolled_back" if is_all_back else "redeemed")
        assert kept.given_back_minor == sum(case.minor(worked.discount) for worked in case.returns)


def returned_as_told(case: WorkedBasket, made: Checkout, path: str, worked: WorkedReturn) -> None:
    """The preview says what the roll-back then does."""
    lines = [{"line": place, "quantity": count} for place, count in worked.quantities.items()]
    status, preview = made.send(f"{path}/rollback-preview", {"lines": lines})
    assert status == 200, preview
    assert preview["discount_minor"] == case.minor(worked.discount)
    assert preview["refund_minor"] == case.minor(worked.refund)
    assert preview["shipping_discount_minor"] == case.minor(worked.shipping)
    status, now = made.send(f"{path}/rollback", {"lines": lines, "reason": "returned"})
    assert status == 200, now
    done = now["rollbacks"][-1]
    assert {name: done[name] for name in preview} == preview


def qualifies_as_told(case: WorkedBasket, made: Checkout) -> None:
    """One offer alone is offered with its discount, or is a near miss with what is missing, or is not named."""
    ((key, offer),) = case.offers.items()
    status, told = made.post("qualifications")
    assert status == 200, told
    offered = [] if offer.takes is None else [(key, case.minor(offer.takes))]
    assert [(one["incentive"]["name"], one["discount_minor"]) for one in told["offers"]] == offered
    missed = [one for one in told["near_misses"] if not one["reasons"][0]["code"].startswith("incentives.next_tier")]
    assert [one["incentive"]["name"] for one in missed] == [key] * offer.is_near_miss
    if offer.missing is not None:
        assert f"Add {offer.missing} {case.currency}" in told["near_misses"][0]["missing"]


def known(benefit: dict) -> dict:
    return {name: value for name, value in benefit.items() if value is not None}
