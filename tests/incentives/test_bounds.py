"""The checkout policy and budgets, through the API and the console."""

import json
import uuid

import pytest

from retention.actors import Actor
from retention.audit.models import Version
from retention.doors.keys import create_key
from retention.incentives import operations
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Checkout
from retention.incentives.models import Budget, CheckoutPolicy, Counter
from retention.incentives.policy import Policy
from retention.incentives.rules import BudgetLimits
from retention.incentives.versions import policy_of
from tests.console.conftest import as_role, person
from tests.incentives.conftest import BY

__all__ = ["as_role", "person"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
PAGE = "/admin/incentives/checkoutpolicy/"


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def api(client, now):
    scopes = ("incentives:read", "incentives:write")
    secret = create_key(name="office", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret

    def send(method, path, data=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        body = {} if data is None else {"data": json.dumps(data), "content_type": "application/json"}
        response = getattr(client, method)(f"/api/v1/{path}", headers=headers, **body)
        return response.status_code, response.json()

    return send


def discount(now):
    checkout = Checkout(currency="EUR", lines=(Line("a", 1, 10000),))
    return operations.validate(codes=["TEN", "FIVE"], checkout=checkout, now=now).effects["discount_minor"]


def test_what_the_api_says_is_what_the_next_basket_meets(api, offer, now):
    offer(name="10", codes={"kind": "public", "text": "TEN"}, effects=[{"kind": "percent", "basis_points": 1000}])
    offer(name="5", codes={"kind": "public", "text": "FIVE"}, effects=[{"kind": "percent", "basis_points": 500}])
    status, body = api("get", "checkout-policy/")
    assert (status, body["version"], body["sentence"]) == (200, None, "the best deal")
    assert discount(now) == 1450
    one = {"stacking": {"most_offers": 1}, "allowance": [{"within": "month", "uses": 3}]}
    status, body = api("put", "checkout-policy/", {"policy": one, "edited": None, "why": "calm"})
    assert (status, body["version"]) == (200, 1)
    assert body["sentence"] == "the best deal, one offer an order, 3 uses per customer a month"
    assert discount(now) == 1000
    assert api("put", "checkout-policy/", {"policy": {}, "edited": None})[1]["code"] == "audit.edited_meanwhile"
    assert api("get", "checkout-policy/")[1]["policy"]["stacking"]["most_offers"] == 1
    assert Version.objects.get(subject="incentives.checkoutpolicy").why == "calm"


def test_a_lead_edits_it_in_the_console_and_others_read(as_role):
    lead = as_role("marketing lead")
    page = lead.get(PAGE, follow=True)
    assert not CheckoutPolicy.objects.exists(), "to look writes nothing"
    assert lead.get(f"{PAGE}1/history/").status_code == 200
    assert lead.get(f"{PAGE}2/change/").status_code in (302, 404)
    form = page.context["adminform"].form
    assert form["policy"].initial == {}
    policy = {"stacking": {"mode": "priority", "ceiling": {"EUR": 5000}}}
    sent = {"policy": json.dumps(policy), "edited": "", "why": "sale"}
    assert lead.post(f"{PAGE}1/change/", sent).status_code == 302
    row = CheckoutPolicy.objects.get()
    assert policy_of(row.version_id) == Policy.model_validate(policy)
    bad = {"stacking": {"most_offers": 0}}
    answer = lead.post(f"{PAGE}1/change/", {**sent, "policy": json.dumps(bad), "edited": "1"})
    assert "/stacking/most_offers: At least 1." in str(answer.context["adminform"].form.errors)
    analyst = as_role("analyst")
    page = analyst.get(f"{PAGE}1/change/").content.decode()
    assert "by priority" in page
    assert "incentive-catalogue" not in page
    assert analyst.post(f"{PAGE}1/change/", sent).status_code == 403
    said = lead.post(
        "/admin/incentives/incentive/builder/say/?of=policy",
        json.dumps({"rule": policy}),
        content_type="application/json",
    ).json()
    assert said == {"sentence": "By priority, at most 50.00 EUR off", "example": ""}


def test_budgets_by_api(api, now):
    whose = {"name": "Spring", "origin": "campaigns.campaign", "origin_id": 7}
    status, body = api("put", "budgets/", {**whose, "limits": [{"issued": 100}], "edited": None})
    assert (status, body["version"], body["sentences"]) == (200, 1, ["100 grants in all"])
    money = {"money": {"amount_minor": 5000, "currency": "EUR"}, "within": "day"}
    again = {**whose, "limits": [money]}
    assert api("put", "budgets/", {**again, "edited": None})[1]["code"] == "audit.edited_meanwhile"
    status, body = api("put", "budgets/", {**again, "edited": 1})
    assert (status, body["version"], body["sentences"]) == (200, 2, ["50.00 EUR a day"])
    assert api("get", f"budgets/{body['id']}/")[1] == body
    assert api("get", "budgets/")[1]["items"] == [body]
    assert api("get", f"budgets/{uuid.uuid4()}/")[1]["code"] == "incentives.no_such_budget"


def test_a_budgets_page_says_what_is_used_today(as_role, now):
    limits = BudgetLimits.model_validate(
        {
            "limits": [
                {"money": {"amount_minor": 5000, "currency": "EUR"}, "within": "day"},
                {"issued": 100},
                {"uses": 9, "within": "week", "is_rolling": True},
            ]
        }
    )
    budget = operations.save_budget(
        name="Agents", origin="test.agent", origin_id=1, limits=limits, edited=None, now=now, by=BY
    )
    kept = {"incentive_id": 0, "subject_id": budget.pk}
    Counter.objects.create(**kept, scope="budget", period="D2026-05-12", currency="EUR", spent_minor=1250)
    Counter.objects.create(**kept, scope="budget", period="D2026-05-11", currency="EUR", spent_minor=5000)
    Counter.objects.create(**kept, scope="issue_budget", issued=40)
    page = as_role("analyst").get(f"/admin/incentives/budget/{budget.pk}/change/").content.decode()
    assert "12.50 EUR / 50.00 EUR" in page
    assert "40 / 100" in page
    assert "9 uses in any 7 days" in page
    assert Budget.objects.count() == 1
