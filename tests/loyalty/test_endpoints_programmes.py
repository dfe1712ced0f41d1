"""Programmes over the API: from writing one to what its members earned, and what a basket would earn."""

import datetime as dt
import json
import uuid

import pytest

from loyalty.models import Earning, Member, Programme
from retention.actors import Actor
from retention.doors.keys import create_key
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from tests.loyalty.conftest import BY, ONE_FOR_ONE

pytestmark = pytest.mark.django_db
RULE = {"names": {"en": "Club"}, "earning": [ONE_FOR_ONE]}
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now + HOUR)


@pytest.fixture
def api(client, now):
    scopes = ("loyalty:read", "loyalty:write", "loyalty:launch", "loyalty:earn")
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret

    def send(path, data=None, *, method="post", key=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": key or uuid.uuid4().hex}
        if data is None:
            response = client.get(f"/api/v1/{path}", headers=headers)
        else:
            response = getattr(client, method)(
                f"/api/v1/{path}", json.dumps(data), content_type="application/json", headers=headers
            )
        return response.status_code, json.loads(response.content or "null")

    return send


def test_a_programme_is_written_changed_and_lives(api, unit):
    unit("stars")
    status, body = api("loyalty/programmes/", {"key": "club", "unit": "stars", "rule": RULE})
    assert (status, body["state"], body["version"], body["unit"], body["sentences"]) == (
        201, "draft", 1, "stars", ["1 Stars for every €1.00 paid"],
    )  # fmt: skip
    again, refused = api("loyalty/programmes/", {"key": "club", "unit": "stars", "rule": RULE})
    assert (again, refused["code"]) == (409, "loyalty.unit_in_use")

    changed = {"rule": {**body["rule"], "names": {"en": "Circle"}}, "edited": 1}
    assert api("loyalty/programmes/club/", changed, method="put")[1]["name"] == "Circle"
    assert api("loyalty/programmes/club/", changed, method="put")[1]["code"] == "audit.edited_meanwhile"
    states = [api(f"loyalty/programmes/club/{verb}/", {})[1]["state"] for verb in ("launch", "pause", "resume", "end")]
    assert states == ["live", "paused", "live", "ended"]
    assert api("loyalty/programmes/club/pause/", {})[1]["code"] == "loyalty.not_live"
    assert [one["key"] for one in api("loyalty/programmes/")[1]["items"]] == ["club"]
    assert api("loyalty/programmes/other/")[1]["code"] == "loyalty.no_such_programme"


def test_what_is_wrong_is_told_by_its_place(api, unit):
    unit("stars")
    wrong = {**RULE, "earning": [{**ONE_FOR_ONE, "amount": 0}, {"kind": "per_hour", "key": "x"}], "odd": 1}

    status, body = api("loyalty/programmes/", {"key": "club", "unit": "stars", "rule": wrong})

    assert status == 422
    assert sorted(error["pointer"] for error in body["errors"]) == [
        "/rule/earning/0/per_amount/amount", "/rule/earning/1", "/rule/odd",
    ]  # fmt: skip
    assert not Programme.objects.exists()


def offer(now, name, tiers, codes="automatic"):
    """An offer for shoppers of these tiers."""
    conditions = [{"kind": "in_tiers", "tiers": tiers}] if tiers else []
    rule = {
        "name": name, "effects": [{"kind": "percent", "basis_points": 1000}], "conditions": conditions,
        "codes": {"kind": codes},
    }  # fmt: skip
    return incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)


def test_a_perk_s_offer_applies_by_itself_and_to_its_tier(api, unit, now):
    unit("stars")
    stopped = offer(now, "Over", ["club.gold"])
    incentives.go_live(incentive_id=stopped.pk, now=now, by=BY)
    incentives.stop(incentive_id=stopped.pk, now=now, by=BY)
    good = offer(now, "Good", ["club.silver", "club.gold"])
    told = {
        offer(now, "Coded", ["club.gold"], "unique"): "“Coded” asks for a code. A perk's offer applies by itself.",
        offer(now, "Others", ["club.silver"]):
            "“Others” is not for this tier. Give it the condition “for tier” with club.gold.",
        offer(now, "All", []): "“All” is not for this tier. Give it the condition “for tier” with club.gold.",
        stopped: "“Over” is stopped, so nobody gets it.",
    }  # fmt: skip
    perks = [{"names": {"en": "Perk"}, "incentive": str(one.public_id)} for one in (good, *told)]
    step = {"key": "gold", "names": {"en": "Gold"}, "threshold": 100}
    rule = {**RULE, "tiers": {"steps": [{**step, "perks": perks}]}}

    status, body = api("loyalty/programmes/", {"key": "club", "unit": "stars", "rule": rule})

    assert status == 422
    assert {error["pointer"]: error["message"] for error in body["errors"]} == {
        f"/rule/tiers/steps/0/perks/{at}/incentive": text for at, text in enumerate(told.values(), 1)
    }
    assert not Programme.objects.exists()
    rule["tiers"] = {"steps": [{**step, "perks": perks[:1]}]}
    assert api("loyalty/programmes/", {"key": "club", "unit": "stars", "rule": rule})[0] == 201
    # What is saved is asked again: the offer was given to others since.
    others = IncentiveRule.model_validate({**good.version.data, "conditions": [{"kind": "in_tiers", "tiers": ["x.y"]}]})
    incentives.save_incentive(incentive_id=good.pk, rule=others, edited=1, now=now, by=BY)
    assert api("loyalty/programmes/club/", {"rule": rule, "edited": 1}, method="put")[0] == 422


def test_a_rule_names_incentives_by_their_ids(api, unit, now):
    unit("stars")
    rule = IncentiveRule.model_validate({"name": "Gift", "effects": [{"kind": "percent", "basis_points": 1000}]})
    gift = incentives.create_incentive(rule=rule, now=now, by=BY)
    step = {"key": "gold", "names": {"en": "Gold"}, "threshold": 100, "rewards": [str(gift.public_id)]}
    sale = offer(now, "Sale", ["club.gold"])
    perk = {"names": {"en": "Sale"}, "incentive": str(sale.public_id)}
    said = {**RULE, "tiers": {"steps": [{**step, "perks": [perk]}]}}

    status, body = api("loyalty/programmes/", {"key": "club", "unit": "stars", "rule": said})

    assert status == 201
    (shown,) = body["rule"]["tiers"]["steps"]
    assert (shown["rewards"], shown["perks"][0]["incentive"]) == ([str(gift.public_id)], str(sale.public_id))
    (kept,) = Programme.objects.get().version.data["tiers"]["steps"]
    assert (kept["rewards"], kept["perks"][0]["incentive"]) == ([gift.pk], sale.pk)
    for strange in (str(uuid.uuid4()), gift.pk, "x", None, True):
        other = {**said, "tiers": {"steps": [{**step, "rewards": [strange]}]}}
        assert api("loyalty/programmes/club/", {"rule": other, "edited": 1}, method="put")[1]["code"] == (
            "loyalty.unknown_part"
        )


def test_members_join_earn_at_once_and_leave(api, programme, customers, order, now):
    programme(joining="request")
    ids = [str(customer.public_id) for customer in customers[:2]]

    assert api("loyalty/programmes/club/members/", {"customers": [*ids, str(uuid.uuid4())]})[1] == {"joined": 2}
    bought = order(customers[0], ("A", 4_200, 1), at=now + HOUR)
    first = api("loyalty/programmes/club/earnings/", {"order": bought.reference})
    again = api("loyalty/programmes/club/earnings/", {"order": bought.reference})

    assert first == again
    assert (first[0], first[1]["amount"], [each["rule"] for each in first[1]["earnings"]]) == (200, 42, ["base"])
    assert Earning.objects.count() == 1
    hers = api(f"loyalty/programmes/club/members/{ids[0]}/")[1]
    assert [hers[name] for name in ("balance", "available", "pending", "earned", "tier")] == [42, 42, 0, 42, None]
    history = api(f"loyalty/programmes/club/members/{ids[0]}/earnings/")[1]["items"]
    assert [(each["order"], each["amount"], each["given"]) for each in history] == [(bought.reference, 42, 42)]
    assert api("loyalty/programmes/club/members/leave/", {"customers": ids})[1] == {"left": 2}
    assert Member.objects.filter(left_at=None).count() == 0
    assert api(f"loyalty/programmes/club/members/{customers[2].public_id}/")[1]["code"] == "loyalty.no_such_member"
    late = order(customers[0], at=now + 2 * HOUR)
    assert api("loyalty/programmes/club/earnings/", {"order": late.reference})[1]["earnings"] == []
    assert api("loyalty/programmes/club/earnings/", {"order": "nothing"})[0] == 404


def test_a_basket_is_tried_rule_by_rule_and_nothing_is_written(api, programme, customers, order, now):
    steps = [{"key": "gold", "names": {"en": "Gold"}, "threshold": 100, "percent": 150}]
    bags = {"kind": "per_unit", "key": "bags", "amount": 50, "goods": {"categories": ["Bags"]}}
    capped = {**ONE_FOR_ONE, "caps": [{"most": 60, "per": "day"}]}
    programme(earning=[capped, bags], tiers={"steps": steps}, pending={"kind": "days", "days": 14})
    basket = {"lines": [{"sku": "A", "quantity": 2, "unit_price_minor": 1_550}]}

    status, body = api("loyalty/programmes/club/try/", basket)

    assert (status, body["amount"], body["tier"], body["counts"]) == (
        200, 31, None, "can be spent 14 days after the order",
    )  # fmt: skip
    assert [(each["rule"], each["amount"], each["why"]) for each in body["rules"]] == [
        ("base", 31, "31 reckoned, rounded down"),
        ("bags", 0, "Nothing of it is what this rule is about."),
    ]
    gold = api("loyalty/programmes/club/try/", {**basket, "tier": "gold"})[1]
    assert (gold["amount"], gold["rules"][0]["why"]) == (46, "31 reckoned, times 1.5 for the tier, rounded down")
    assert not Earning.objects.exists()
    assert not Member.objects.exists()

    bought = order(customers[0], ("A", 5_000, 1), at=now + HOUR)
    api("loyalty/programmes/club/earnings/", {"order": bought.reference})
    hers = api("loyalty/programmes/club/try/", {**basket, "customer": str(customers[0].public_id)})[1]
    assert (hers["amount"], hers["rules"][0]["why"]) == (10, "31 reckoned, 31 before the cap, rounded down")
    assert api("loyalty/programmes/club/try/", {"order": bought.reference})[1]["amount"] == 50


def test_what_cannot_be_tried_is_told(api, programme):
    programme()
    basket = {"lines": [{"sku": "A", "quantity": 1, "unit_price_minor": 100}]}
    for wrong, code in (
        ({}, "api.invalid"),
        ({**basket, "order": "o1"}, "api.invalid"),
        ({**basket, "tier": "gold"}, "api.invalid"),
        ({**basket, "currency": "USD"}, "loyalty.no_rate"),
        ({**basket, "customer": str(uuid.uuid4())}, "customers.no_such_customer"),
    ):
        status, body = api("loyalty/programmes/club/try/", wrong)
        assert (status >= 400, body["code"]) == (True, code)
