"""What members get, over the API: from writing a reward to its claim and return, with every answer as documented."""

import datetime as dt
import json
import uuid

import pytest

from loyalty import operations
from loyalty.models import Claim, Passing, Reward
from loyalty.operations import challenges, milestones
from loyalty.rules import ProgrammeRule
from retention.actors import Actor
from retention.customers.models import Order
from retention.doors.keys import create_key
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Incentive
from retention.incentives.rules import IncentiveRule
from retention.ledger.models import Lot
from retention.ledger.operations.proofs import differences
from retention.segments.models import Segment
from tests.loyalty.conftest import BY, points_of

pytestmark = pytest.mark.django_db
PLAN = {"names": {"en": "Ten off"}, "kind": "coupon", "price": 100, "stock": 2, "tiers": [], "per_customer": 1}


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def api(client, now):
    scopes = ("loyalty:read", "loyalty:write", "loyalty:claim", "incentives:redeem", "incentives:read")
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


@pytest.fixture
def incentive(shop, now):
    rule = {"name": "Ten off", "effects": [{"kind": "percent", "basis_points": 1000}]}
    return incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)


def test_a_reward_is_written_started_claimed_and_returned(api, programme, member, customers, incentive, now):
    hers = member(programme(), points=150)
    said = {"programme": "club", "plan": PLAN, "incentive": str(incentive.public_id), "why": "spring"}
    customer = str(customers[0].public_id)

    status, body = api("loyalty/rewards/", said)
    assert (status, body["state"], body["version"], body["taken"], body["incentive"]) == (
        201, "draft", 1, 0, said["incentive"],
    )  # fmt: skip
    one = body["id"]
    assert api("loyalty/claims/", {"reward": one, "customer": customer})[1]["code"] == "loyalty.reward_gone"
    assert api(f"loyalty/rewards/{one}/start/", {})[1]["state"] == "live"
    assert Incentive.objects.get(pk=incentive.pk).state == "live"
    change = {**{name: said[name] for name in ("incentive", "why")}, "plan": {**PLAN, "price": 120}, "edited": 1}
    assert api(f"loyalty/rewards/{one}/", change, method="put")[1]["plan"]["price"] == 120
    assert api(f"loyalty/rewards/{one}/", change, method="put")[1]["code"] == "audit.edited_meanwhile"
    assert [row["id"] for row in api("loyalty/rewards/?programme=club")[1]["items"]] == [one]

    status, shown = api(f"loyalty/programmes/club/catalogue/?customer={customer}")
    assert (status, shown["available"], shown["prefers"]) == (200, 150, None)
    assert [(row["id"], row["can_have"], row["price"], row["left"]) for row in shown["rewards"]] == [
        (one, True, 120, 2)
    ]

    status, claim = api("loyalty/claims/", {"reward": one, "customer": customer}, key="k1")
    assert (status, claim["state"], claim["price"], claim["code"]) == (201, "claimed", 120, Code.objects.get().code)
    assert api("loyalty/claims/", {"reward": one, "customer": customer}, key="k1") == (201, claim)
    status, problem = api("loyalty/claims/", {"reward": one, "customer": customer})
    assert (status, problem["code"], problem["params"]["limit"]) == (409, "loyalty.reward_limit", "once in all")
    (offered,) = api(f"loyalty/programmes/club/catalogue/?customer={customer}")[1]["rewards"]
    assert (offered["can_have"], offered["refusal"]["code"], offered["short"]) == (False, "loyalty.reward_limit", 90)
    assert api(f"loyalty/claims/?customer={customer}")[1]["items"] == [claim]

    status, back = api(f"loyalty/claims/{claim['id']}/return/", {"reason": "changed her mind"})
    assert (status, back["state"], back["code"]) == (200, "returned", None)
    assert points_of(hers, now=now) == 150
    assert api(f"loyalty/claims/{claim['id']}/return/", {"reason": "again"})[1]["code"] == "loyalty.claim_returned"
    assert api(f"loyalty/rewards/{one}/stop/", {})[1]["state"] == "stopped"
    assert api(f"loyalty/programmes/club/catalogue/?customer={customer}")[1]["rewards"] == []
    assert differences() == []


def test_strangers_and_nonsense_are_told_so(api, programme, reward, customers, incentive):
    one = reward(programme())
    nobody, customer = str(uuid.uuid4()), str(customers[0].public_id)
    said = {"programme": "club", "plan": PLAN, "incentive": str(incentive.public_id)}
    for path, data, status, code in [
        ("loyalty/rewards/", {**said, "programme": "none"}, 404, "loyalty.no_such_programme"),
        ("loyalty/rewards/", {**said, "incentive": nobody}, 404, "incentives.no_such_incentive"),
        ("loyalty/rewards/", {**said, "segment": nobody}, 422, "loyalty.reward_names_nobody"),
        ("loyalty/rewards/", {**said, "plan": {**PLAN, "tiers": ["gold"]}}, 422, "loyalty.reward_names_nobody"),
        ("loyalty/rewards/", {**said, "plan": {**PLAN, "kind": "gift_card"}}, 422, "loyalty.reward_needs_offer"),
        ("loyalty/rewards/", {**said, "plan": {**PLAN, "price": -1}}, 422, "api.invalid"),
        ("loyalty/claims/", {"reward": nobody, "customer": customer}, 404, "loyalty.no_such_reward"),
        ("loyalty/claims/", {"reward": str(one.public_id), "customer": customer}, 404, "loyalty.no_such_member"),
        (f"loyalty/choices/{nobody}/choose/", {"reward": str(one.public_id)}, 404, "loyalty.no_such_choice"),
        (f"loyalty/claims/{nobody}/return/", {"reason": "x"}, 404, "loyalty.no_such_claim"),
    ]:
        answer = api(path, data)
        assert (answer[0], answer[1]["code"]) == (status, code), path
    assert not Claim.objects.exists()
    assert Reward.objects.count() == 1


def test_her_preferred_kind_comes_first(api, programme, member, reward, customers):
    club = programme()
    hers = member(club)
    reward(club, price=1)
    reward(club, kind="gift_card", effects=[{"kind": "gift_card", "amounts": {"EUR": 500}}])
    path = f"loyalty/programmes/club/members/{customers[0].public_id}/preference/"
    assert api(path, {"kind": "gift_card"}, method="put") == (204, None)
    shown = api(f"loyalty/programmes/club/catalogue/?customer={customers[0].public_id}")[1]
    assert (shown["prefers"], [row["kind"] for row in shown["rewards"]]) == ("gift_card", ["gift_card", "coupon"])
    assert api(path, {"kind": "a car"}, method="put")[0] == 422
    assert api(path, {"kind": None}, method="put")[0] == 204
    hers.refresh_from_db()
    assert hers.prefers == ""


def test_she_chooses_for_a_milestone(api, programme, member, reward, customers, now):
    club = programme()
    first, second = reward(club), reward(club)
    hers = member(club)
    rule = {**club.version.data, "milestones": [
        {"key": "ten", "names": {"en": "Ten orders"}, "measure": "orders", "at": 1, "reaches_back": True,
         "gives": {"kind": "choice", "reward_ids": [first.pk, second.pk], "days": 7}}
    ]}  # fmt: skip
    operations.save_programme(
        programme_id=club.pk, rule=ProgrammeRule.model_validate(rule), edited=1, now=now, by=BY
    )  # fmt: skip
    order(customers[0], now)
    milestones.pass_milestones(now=now)
    (choice,) = api(f"loyalty/choices/?customer={customers[0].public_id}")[1]["items"]
    assert (choice["milestone"], choice["state"]) == ("ten", "open")
    assert choice["rewards"] == [str(first.public_id), str(second.public_id)]

    status, claim = api(f"loyalty/choices/{choice['id']}/choose/", {"reward": choice["rewards"][1]})

    assert (status, claim["reward"], claim["price"]) == (200, str(second.public_id), 0)
    assert api(f"loyalty/choices/?customer={customers[0].public_id}")[1]["items"] == []
    again = api(f"loyalty/choices/{choice['id']}/choose/", {"reward": choice["rewards"][0]})
    assert (again[0], again[1]["code"]) == (409, "loyalty.choice_over")
    assert Passing.objects.get().member_id == hers.pk


def test_challenges_with_progress_and_badges(api, programme, member, reward, customers, now):
    club = programme()
    member(club)
    one, insiders = reward(club), Segment.objects.create(name="Insiders")
    plan = {"names": {"en": "Twice"}, "task": {"kind": "orders", "count": 2}}
    said = {"programme": "club", "plan": plan, "reward": str(one.public_id), "segment": str(insiders.public_id)}
    status, body = api("loyalty/challenges/", said)
    assert (status, body["sentence"], body["reward"], body["segment"]) == (
        201, "2 orders", said["reward"], said["segment"],
    )  # fmt: skip
    path = f"loyalty/challenges/{body['id']}/"
    assert api(path, {"plan": plan, "edited": 1}, method="put")[1]["segment"] is None
    nothing = {**plan, "badge": False}
    assert api(path, {"plan": nothing, "edited": 2}, method="put")[0] == 422
    assert api(f"{path}start/", {})[1]["state"] == "live"
    order(customers[0], now)
    progress = f"loyalty/programmes/club/challenges/?customer={customers[0].public_id}"
    assert [(row["done"], row["target"], row["completed_at"]) for row in api(progress)[1]] == [(1, 2, None)]
    order(customers[0], now)
    # Within one transaction, marks stand still: everything is looked at.
    type(one)._meta.apps.get_model("work", "Watermark").objects.filter(key__startswith="loyalty.chall").update(mark=0)
    assert challenges.progress_of(hers_of(club), now=now)[0].done == 2
    assert api("loyalty/badges/?customer=" + str(customers[0].public_id))[1]["items"] == []
    assert api(f"{path}stop/", {})[1]["state"] == "stopped"
    assert [row["name"] for row in api("loyalty/challenges/?programme=club")[1]["items"]] == ["Twice"]


def hers_of(club):
    return club.members.select_related("customer", "programme").get()


def test_surprises_say_who_would_win(api, programme, member, reward, now):
    club = programme()
    member(club)
    one = reward(club, is_in_catalogue=False)
    plan = {"names": {"en": "Treat"}, "chance": 10_000, "limits": {"limits": [{"issued": 5}]}}
    status, body = api("loyalty/surprises/", {"programme": "club", "plan": plan, "reward": str(one.public_id)})
    assert (status, body["state"], body["winners_today"], body["drawn_on"]) == (201, "draft", 1, None)
    path = f"loyalty/surprises/{body['id']}/"
    assert api(f"{path}start/", {})[1]["state"] == "live"
    rare = {"plan": {**plan, "chance": 1, "limits": {"limits": []}}, "reward": str(one.public_id), "edited": 1}
    assert api(path, rare, method="put")[1]["code"] == "loyalty.no_limit"
    assert api(path)[1]["version"] == 1
    assert api(f"{path}stop/", {})[1]["state"] == "stopped"
    assert len(api("loyalty/surprises/?programme=club")[1]["items"]) == 1


def order(customer, at):
    return Order.objects.create(
        reference=f"o{Order.objects.count()}", customer=customer, state="paid", currency="EUR", total_minor=1_000,
        base_minor=1_000, placed_at=at, paid_at=at, recorded_at=at,
    )  # fmt: skip


def test_points_pay_a_part_of_an_order_and_come_back_with_it(api, programme, member, customers, now):
    """A hundred points are worth 1.00, for at most half of an order; what came back keeps the end it had."""
    ends = now + dt.timedelta(days=90)
    club = programme(unit_rule={"worth": {"EUR": 100}, "most_basis_points": 5_000})
    hers = member(club, points=3_333, expires_at=ends)
    asked = {
        "customer": {"id": str(customers[0].public_id)}, "order_reference": "A1",
        "basket": {"currency": "EUR", "lines": [
            {"sku": "a", "quantity": 3, "unit_price_minor": 1_999}, {"sku": "b", "quantity": 1, "unit_price_minor": 4},
        ]},
    }  # fmt: skip
    tender = {"unit": "club_points"}

    status, problem = api("redemptions/", {**asked, "tenders": [{**tender, "amount": 3_001}]})
    assert (status, problem["code"], problem["params"]["available"]) == (
        409, "incentives.tender_too_small", "3,000 Club_points",
    )  # fmt: skip
    status, body = api("redemptions/", {**asked, "tenders": [tender]})

    assert status == 201, body
    assert body["to_pay_minor"] == 3_001
    (paid,) = body["tenders"]
    assert (paid["unit"], paid["amount"], paid["amount_minor"], sum(paid["lines"])) == (
        "club_points",
        3_000,
        3_000,
        3_000,
    )
    assert points_of(hers, now=now) == 333

    # Two of three units come back, then the rest: the parts sum to the whole, to the point.
    path = f"redemptions/{body['id']}/rollback/"
    first = api(path, {"reason": "returned", "lines": [{"line": 0, "quantity": 2}]})
    assert first[0] == 200
    back = points_of(hers, now=now) - 333
    assert back == round(3_000 * paid["lines"][0] * 2 / 3 / 3_000)
    assert api(path, {"reason": "returned"})[0] == 200
    assert points_of(hers, now=now) == 3_333
    assert set(Lot.objects.filter(remaining__gt=0).values_list("expires_at", flat=True)) == {ends}
    assert differences() == []
