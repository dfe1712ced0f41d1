"""The room's HTTP API with real keys: a checkout's calls, the management of incentives, and everything wrong."""

import json
import uuid
from types import SimpleNamespace

import pytest

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.incentives import operations
from retention.incentives.models import Code, Counter, Incentive, Redemption
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
SCOPES = ("incentives:redeem", "incentives:read", "incentives:write")


@pytest.fixture
def api(client, now):
    """`api.post(path, data)`, `api.get(path)` and `api.patch(path, data)` → (status, body, response)."""
    secret = create_key(name="checkout", scopes=SCOPES, known=SCOPES, now=now, by=Actor.command("test")).secret
    auth = {"authorization": f"Bearer {secret}"}

    def send(method, path, data=None, *, key=None, **headers):
        sent = {**auth, "idempotency-key": key or uuid.uuid4().hex, **headers}
        body = data if isinstance(data, str) else json.dumps(data)
        response = client.generic(method, f"/api/v1/{path}", body, content_type="application/json", headers=sent)
        return response.status_code, response.json(), response

    return SimpleNamespace(
        post=lambda path, data=None, **options: send("POST", path, data if data is not None else {}, **options),
        patch=lambda path, data, **options: send("PATCH", path, data, **options),
        get=lambda path: (lambda r: (r.status_code, r.json(), r))(client.get(f"/api/v1/{path}", headers=auth)),
    )


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    # Doors read the clock; these tests fix it.
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def public(offer):
    return offer(
        codes={"kind": "public", "text": "SAVE20"}, conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 5000}}]
    )


def basket(price=10000, **more):
    return {"currency": "EUR", "lines": [{"sku": "a", "quantity": 1, "unit_price_minor": price}], **more}


def wish(price=10000, **more):
    return {"codes": ["save-20"], "order_reference": "o1", "basket": basket(price), **more}


def test_validate_then_redeem_then_see_then_roll_back(api, public, now):
    status, body, _ = api.post("validations/", wish())
    assert (status, body["is_valid"], body["effects"]["discount_minor"], body["unused"]) == (200, True, 2000, [])
    assert (body["refusal"], body["hold"]) == (None, None)
    assert not Redemption.objects.exists()
    status, body, response = api.post("redemptions/", wish(), key="k1")
    assert status == 201
    row = Redemption.objects.get()
    assert body == {
        "id": str(row.public_id),
        "state": "redeemed",
        "order_reference": "o1",
        "redeemed_at": "2026-05-12T10:00:00Z",
        "held_until": None,
        "effects": {
            "currency": "EUR",
            "lines": [
                {
                    "sku": "a",
                    "quantity": 1,
                    "amount_minor": 10000,
                    "discount_minor": 2000,
                    "total_minor": 8000,
                    "units": [{"quantity": 1, "total_minor": 8000}],
                }
            ],
            "shipping": {"amount_minor": 0, "discount_minor": 0, "total_minor": 0},
            "goods_minor": 10000,
            "discount_minor": 2000,
            "total_minor": 8000,
        },
        "offers": [
            {
                "code": "SAVE20",
                "incentive": {"id": str(Incentive.objects.get().public_id), "name": "Offer"},
                "discount_minor": 2000,
                "lines": [2000],
                "shipping_minor": 0,
                "benefits": [],
            }
        ],
        "unused": [],
        "tenders": [],
        "to_pay_minor": 8000,
    }
    status, _body, again = api.post("redemptions/", wish(), key="k1")
    assert (status, again.content, again["Idempotency-Replayed"]) == (201, response.content, "true")
    status, body, _ = api.post("redemptions/", wish(9000), key="k1")
    assert (status, body["code"]) == (422, "api.idempotency_key_reused")
    path = f"redemptions/{row.public_id}/"
    assert (api.get(path)[1]["state"], api.get(path)[1]["rollbacks"]) == ("redeemed", [])
    status, body, _ = api.post(f"{path}rollback/", {"reason": "cancelled"}, key="r1")
    assert (status, body["state"], body["given_back_minor"]) == (200, "rolled_back", 2000)
    assert body["rollbacks"][0]["rolled_back_at"].startswith("2026-05-12T10:00:00")
    assert [one["reason"] for one in body["rollbacks"]] == ["cancelled"]
    assert api.post(f"{path}rollback/", {"reason": "cancelled"}, key="r1")[:2] == (200, body)
    assert api.post(f"{path}rollback/", {"reason": "other"}, key="r1")[1]["code"] == "api.idempotency_key_reused"
    status, body, _ = api.post(f"{path}rollback/", {"reason": "cancelled"}, key="r2")
    assert (status, body["code"]) == (409, "incentives.rolled_back_before")
    assert api.post("redemptions/", wish(), key="k1")[2].content == response.content
    assert Redemption.objects.count() == 1


def test_a_refusal_is_precise_and_leaves_nothing(api, public):
    status, body, response = api.post("redemptions/", wish(3800))
    assert (status, response["Content-Type"]) == (409, "application/problem+json")
    assert body["code"] == "incentives.below_minimum"
    assert body["params"] == {
        "missing": "12.00 EUR",
        "missing_minor": 1200,
        "minimum": "50.00 EUR",
        "minimum_minor": 5000,
        "currency": "EUR",
    }
    assert body["detail"] == "The basket is 12.00 EUR short of the 50.00 EUR that this offer begins at."
    assert not Redemption.objects.exists()
    assert not Counter.objects.filter(redeemed__gt=0).exists()
    status, body, _ = api.post("validations/", wish(3800))
    assert (status, body["is_valid"], body["effects"]["discount_minor"], body["offers"]) == (200, False, 0, [])
    assert [one["code"] for one in body["unused"]] == ["SAVE20"]
    assert [reason["code"] for reason in body["unused"][0]["reasons"]] == ["incentives.below_minimum"]
    assert body["refusal"]["code"] == "incentives.below_minimum"


def test_qualify(api, public, offer, grant, customers):
    grant(offer(name="Hers", effects=[{"kind": "percent", "basis_points": 500}]), customers[:1], is_given=True)
    status, body, _ = api.post("qualifications/", {"basket": basket(), "customer": {"email": "C1@example.com"}})
    assert status == 200
    assert [(one["incentive"]["name"], one["discount_minor"]) for one in body["offers"]] == [
        ("Offer", 2000),
        ("Hers", 500),
    ]
    status, body, _ = api.post("qualifications/", {"basket": basket(4000)})
    assert body["offers"] == []
    assert [one["missing"] for one in body["near_misses"]] == ["Add 10.00 EUR to get 20 % off the order"]


def test_the_next_step_is_told_where_one_is_reached(api, offer):
    steps = [
        {"from_amounts": {"EUR": 5_000}, "basis_points": 1_000},
        {"from_amounts": {"EUR": 11_200}, "basis_points": 2_000},
        {"from_amounts": {"EUR": 20_000}, "off": {"EUR": 6_000}},
    ]
    offer(name="More", codes={"kind": "automatic"}, effects=[{"kind": "tiers", "steps": steps}])

    def told(price, quantity=1):
        lines = [{"sku": "a", "quantity": quantity, "unit_price_minor": price}]
        found = []
        for path in ("qualifications/", "validations/"):
            _status, body, _ = api.post(path, {"basket": {"currency": "EUR", "lines": lines}})
            found.append([one["missing"] for one in body["near_misses"]])
        assert found[0] == found[1]
        return found[0]

    assert told(4_000) == ["Add 10.00 EUR to get 10 % from 50.00 EUR, 20 % from 112.00 EUR, 60.00 EUR from 200.00 EUR,"
                           " off the order"]  # fmt: skip
    assert told(10_000) == ["Add 12.00 EUR to save 20 %."]
    assert told(11_200) == ["Add 88.00 EUR to save 60.00 EUR."]
    assert told(20_000) == [], "the last step"

    by_units = [{"from_quantity": 2, "basis_points": 500}, {"from_quantity": 5, "basis_points": 1_500}]
    offer(name="Many", codes={"kind": "automatic"}, effects=[{"kind": "tiers", "steps": by_units}])
    assert "Add 2 more to save 15 %." in told(9_000, 3)


def test_the_next_step_sees_what_earlier_offers_left(api, offer):
    steps = [{"from_amounts": {"EUR": at}, "basis_points": points} for at, points in ((5_000, 1_000), (9_500, 2_000))]
    automatic = {"codes": {"kind": "automatic"}}
    offer(name="First", effects=[{"kind": "percent", "basis_points": 2_000}], stacking={"priority": 5}, **automatic)
    offer(name="More", effects=[{"kind": "tiers", "steps": steps}], **automatic)
    _status, body, _ = api.post("validations/", {"basket": basket()})
    (near,) = body["near_misses"]
    assert (near["incentive"]["name"], near["missing"]) == ("More", "Add 15.00 EUR to save 20 %.")
    assert near["reasons"][0]["params"]["missing_minor"] == 1_500


RULE = {"name": "Spring", "effects": [{"kind": "percent", "basis_points": 1500}]}


def test_an_incentive_s_whole_life(api):
    status, made, _ = api.post("incentives/", {"rule": RULE, "why": "spring sale"})
    assert (status, made["state"], made["version"], made["sentence"]) == (201, "draft", 1, "15 % off the order")
    path = f"incentives/{made['id']}/"
    status, body, _ = api.patch(path, {"edited": 1, "limits": {"total": 500}})
    assert (status, body["version"], body["sentence"]) == (200, 2, "15 % off the order, first 500 shoppers")
    status, body, _ = api.patch(path, {"edited": 1, "name": "x"})
    assert (status, body["code"]) == (409, "audit.edited_meanwhile")
    assert api.post(f"{path}codes/", {"count": 3})[1]["code"] == "incentives.not_live"
    assert api.post(f"{path}go-live/")[1]["state"] == "live"
    assert api.post(f"{path}go-live/")[1]["code"] == "incentives.not_a_draft"
    status, batch, _ = api.post(f"{path}codes/", {"count": 3}, key="b1")
    assert (status, batch["made"], batch["state"]) == (202, 3, "done")
    assert api.post(f"{path}codes/", {"count": 3}, key="b1")[1] == batch
    assert Code.objects.count() == 3
    assert api.get(f"{path}batches/{batch['id']}/")[1] == batch
    status, first, _ = api.get(f"{path}codes/?limit=2")
    status, rest, _ = api.get(f"{path}codes/?limit=2&cursor={first['next']}")
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    code = first["items"][0]["code"]
    assert api.get(f"codes/{code.lower()}/")[1]["state"] == "given"
    assert api.post("redemptions/", wish(codes=[code]))[0] == 201
    assert api.get(f"codes/{code}/")[1]["state"] == "redeemed"
    assert api.get(path)[1]["used"] == {"issued": 0, "redeemed": 1, "spent_minor": {"EUR": 1500}}
    assert api.post(f"{path}stop/", {"why": "too dear"})[1]["state"] == "stopped"
    other = rest["items"][0]["code"]
    assert api.post("redemptions/", wish(codes=[other]))[1]["code"] == "incentives.stopped"
    assert api.post(f"{path}resume/")[1]["state"] == "live"
    assert api.post("redemptions/", wish(codes=[other]))[0] == 201
    assert [one["name"] for one in api.get("incentives/")[1]["items"]] == ["Spring"]


def line(**changes):
    return {**wish(), "basket": {"currency": "EUR", "lines": [{**basket()["lines"][0], **changes}]}}


def but(path, value):
    """A good request, but with `value` at this place."""
    body = wish()
    *parents, last = path.split(".")
    place = body
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return body


BAD = {
    "no JSON": ("{", 400, "api.bad_json", None),
    "an array": ("[]", 422, "api.invalid", ""),
    "nothing": ("{}", 422, "api.invalid", "/basket"),
    "no code and no offer": (but("codes", []), 409, "incentives.nothing_to_redeem", None),
    "too many codes": (but("codes", ["A1B"] * 21), 422, "api.invalid", "/codes"),
    "one code as a text": (but("codes", "SAVE20"), 422, "api.invalid", "/codes"),
    "codes and a hold": (but("hold", str(uuid.UUID(int=1))), 422, "api.invalid", ""),
    "no such hold": ({**but("hold", str(uuid.UUID(int=1))), "codes": []}, 404, "incentives.no_such_redemption", None),
    "a code of nothing": (but("codes", [""]), 422, "api.invalid", "/codes/0"),
    "a code that is too long": (but("codes", ["A" * 101]), 422, "api.invalid", "/codes/0"),
    "a code that is a number": (but("codes", [5]), 422, "api.invalid", "/codes/0"),
    "a code of other symbols": (but("codes", ["x'; DROP TABLE"]), 404, "incentives.no_such_code", None),
    "an unknown code": (but("codes", ["NOSUCH"]), 404, "incentives.no_such_code", None),
    "a NUL": (but("codes", ["A\x00B"]), 400, "api.control_characters", None),
    "no basket": (but("basket", ...), 422, "api.invalid", "/basket"),
    "no lines": (but("basket.lines", []), 422, "api.invalid", "/basket/lines"),
    "too many lines": (but("basket.lines", basket()["lines"] * 501), 422, "api.invalid", "/basket/lines"),
    "no currency": (but("basket.currency", ...), 422, "api.invalid", "/basket/currency"),
    "no such currency": (but("basket.currency", "EURO"), 422, "api.invalid", "/basket/currency"),
    "a small currency": (but("basket.currency", "eur"), 422, "api.invalid", "/basket/currency"),
    "a currency without a rate": (
        {**wish(), "codes": ["PERCENT"], "basket": basket(currency="USD")},
        409,
        "incentives.no_rate",
        None,
    ),
    "a wrong currency": (but("basket.currency", "USD"), 409, "incentives.wrong_currency", None),
    "no quantity": (line(quantity=0), 422, "api.invalid", "/basket/lines/0/quantity"),
    "a negative quantity": (line(quantity=-1), 422, "api.invalid", "/basket/lines/0/quantity"),
    "half of one": (line(quantity=0.5), 422, "api.invalid", "/basket/lines/0/quantity"),
    "a quantity in words": (line(quantity="1"), 422, "api.invalid", "/basket/lines/0/quantity"),
    "a huge quantity": (line(quantity=10**30), 422, "api.invalid", "/basket/lines/0/quantity"),
    "a negative price": (line(unit_price_minor=-1), 422, "api.invalid", "/basket/lines/0/unit_price_minor"),
    "a price with a dot": (line(unit_price_minor=19.99), 422, "api.invalid", "/basket/lines/0/unit_price_minor"),
    "a price that is true": (line(unit_price_minor=True), 422, "api.invalid", "/basket/lines/0/unit_price_minor"),
    "a price of NaN": ('{"a": NaN}', 400, "api.bad_json", None),
    "worth too much": (line(quantity=1_000_000, unit_price_minor=10**12), 422, "api.invalid", "/basket"),
    "no SKU": (line(sku=" "), 422, "api.invalid", "/basket/lines/0/sku"),
    "a total of the client's": (but("basket.total_minor", 1), 422, "api.invalid", "/basket/total_minor"),
    "an unknown field": (but("discount", 1), 422, "api.invalid", "/discount"),
    "negative shipping": (but("basket.shipping_minor", -1), 422, "api.invalid", "/basket/shipping_minor"),
    "a country in words": (but("basket.country", "Germany"), 422, "api.invalid", "/basket/country"),
    "no order": (but("order_reference", ...), 422, "api.invalid", "/order_reference"),
    "an order of nothing": (but("order_reference", " "), 422, "api.invalid", "/order_reference"),
    "an order that is too long": (but("order_reference", "x" * 101), 422, "api.invalid", "/order_reference"),
    "nobody's customer": (but("customer", {}), 422, "api.invalid", "/customer"),
    "a customer who is not there": (but("customer", {"reference": "x"}), 404, "customers.no_such_customer", None),
    "a customer id of letters": (but("customer", {"id": "x"}), 422, "api.invalid", "/customer/id"),
    "an email without a place": (but("customer", {"email": "anna"}), 422, "api.invalid", "/customer/email"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_redemptions_are_refused_precisely_and_leave_nothing(api, public, offer, name):
    offer(codes={"kind": "public", "text": "PERCENT"})
    data, status, code, pointer = BAD[name]
    answered, body, response = api.post("redemptions/", data)
    assert (answered, body["code"]) == (status, code), body
    assert response["Content-Type"] == "application/problem+json"
    if pointer is not None:
        assert pointer in [error["pointer"] for error in body["errors"]], body["errors"]
    assert not Redemption.objects.exists()
    assert not Counter.objects.filter(redeemed__gt=0).exists()


BAD_RULES = {
    "no name": ({**RULE, "name": ""}, "/rule/name"),
    "no effect": ({**RULE, "effects": []}, "/rule/effects"),
    "an unknown kind": ({**RULE, "effects": [{"kind": "gift"}]}, "/rule/effects/0"),
    "more than everything": ({**RULE, "effects": [{"kind": "percent", "basis_points": 10001}]}, None),
    "nothing off": ({**RULE, "effects": [{"kind": "percent", "basis_points": 0}]}, None),
    "no amount": ({**RULE, "effects": [{"kind": "amount"}]}, None),
    "a negative amount": ({**RULE, "effects": [{"kind": "amount", "amounts": {"EUR": -5}}]}, None),
    "no such currency": ({**RULE, "effects": [{"kind": "amount", "amounts": {"XXL": 5}}]}, None),
    "one discount twice": ({**RULE, "effects": RULE["effects"] * 2}, "/rule"),
    "lines without a choice": (
        {**RULE, "effects": [{"kind": "percent", "basis_points": 1, "scope": {"on": "lines"}}]},
        None,
    ),
    "an unknown condition": ({**RULE, "conditions": [{"kind": "full_moon"}]}, None),
    "the same condition twice": ({**RULE, "conditions": [{"kind": "first_order"}] * 2}, "/rule"),
    "a country in words": ({**RULE, "conditions": [{"kind": "in_countries", "countries": ["Germany"]}]}, None),
    "a limit of none": ({**RULE, "limits": {"total": 0}}, "/rule/limits/total"),
    "a budget in no currency": ({**RULE, "limits": {"money": {"amount_minor": 5}}}, "/rule/limits/money/currency"),
    "a budget in a currency of no amount": (
        {
            **RULE,
            "effects": [{"kind": "amount", "amounts": {"EUR": 5}}],
            "limits": {"money": {"amount_minor": 5, "currency": "USD"}},
        },
        "/rule",
    ),
    "a code that is too short": ({**RULE, "codes": {"kind": "public", "text": "A"}}, None),
    "codes that are easy to guess": ({**RULE, "codes": {"kind": "unique", "pattern": "SALE-###"}}, "/rule"),
    "hours of a public code": (
        {**RULE, "codes": {"kind": "public", "text": "ALL"}, "validity": {"hours_after_given": 5}},
        "/rule",
    ),
    "an end before its start": (
        {**RULE, "validity": {"starts_at": "2026-05-02T00:00:00Z", "ends_at": "2026-05-01T00:00:00Z"}},
        "/rule/validity",
    ),
    "a time without a zone": ({**RULE, "validity": {"ends_at": "2026-05-01T00:00:00"}}, "/rule/validity/ends_at"),
    "an unknown part": ({**RULE, "weather": {}}, "/rule/weather"),
}


@pytest.mark.parametrize("name", BAD_RULES)
def test_bad_rules_are_refused(api, name):
    rule, pointer = BAD_RULES[name]
    status, body, _ = api.post("incentives/", {"rule": rule})
    assert (status, body["code"]) == (422, "api.invalid"), body
    if pointer is not None:
        assert pointer in [error["pointer"] for error in body["errors"]], body["errors"]
    assert not Incentive.objects.exists()


def test_a_patch_that_makes_a_rule_wrong_is_refused(api, offer):
    incentive = offer()
    incentive.refresh_from_db()
    status, body, _ = api.patch(
        f"incentives/{incentive.public_id}/", {"edited": 1, "codes": {"kind": "unique", "pattern": "SALE-###"}}
    )
    assert (status, body["code"]) == (422, "api.invalid")
    incentive.refresh_from_db()
    assert incentive.version.number == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "redemptions/00000000-0000-7000-8000-000000000000/"),
        ("post", "redemptions/00000000-0000-7000-8000-000000000000/rollback/"),
        ("get", "incentives/00000000-0000-7000-8000-000000000000/"),
        ("post", "incentives/00000000-0000-7000-8000-000000000000/stop/"),
        ("get", "incentives/00000000-0000-7000-8000-000000000000/codes/"),
        ("get", "codes/NOSUCH/"),
        ("get", "codes/%27;--/"),
        ("get", "incentives/00000000-0000-7000-8000-000000000000/batches/00000000-0000-7000-8000-000000000001/"),
    ],
)
def test_what_is_not_there(api, method, path):
    status, body, _ = getattr(api, method)(
        path, *([{"reason": "x"} if "rollback" in path else {}] * (method == "post"))
    )
    assert status == 404, body


def test_a_key_without_the_scope_is_refused(client, now, public):
    secret = create_key(name="reader", scopes=["incentives:read"], known=SCOPES, now=now, by=BY).secret
    response = client.post(
        "/api/v1/redemptions/",
        json.dumps(wish()),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}", "idempotency-key": "k"},
    )
    assert (response.status_code, response.json()["code"]) == (403, "api.scope_missing")
    assert not Redemption.objects.exists()


def test_two_keys_may_use_the_same_idempotency_key(api, client, now, public):
    assert api.post("redemptions/", wish(), key="same")[0] == 201
    secret = create_key(name="other", scopes=SCOPES, known=SCOPES, now=now, by=BY).secret
    response = client.post(
        "/api/v1/redemptions/",
        json.dumps(wish(order_reference="o2")),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}", "idempotency-key": "same"},
    )
    assert response.status_code == 201
    assert Redemption.objects.count() == 2


def test_a_dry_answer_and_the_real_one_agree(api, public):
    _status, dry, _ = api.post("validations/", wish(7777))
    _status, real, _ = api.post("redemptions/", wish(7777))
    assert dry["effects"] == real["effects"]
    assert operations.reconcile(now=Redemption.objects.get().redeemed_at) == []
