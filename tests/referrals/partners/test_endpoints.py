"""Partners and payouts over HTTP with a real key: from the first to the bank's reference."""

import uuid

import pytest
import time_machine

from referrals.models import Partner, PayoutBatch
from referrals.operations.commissions import earn_commission
from referrals.operations.payouts import approve_payouts
from retention.actors import Actor
from retention.doors.keys import create_key
from retention.shop.models import Staff
from tests.referrals.partners.conftest import BY

SCOPES = ("partners:read", "partners:write", "partners:pay")
ADA = {"reference": "ada", "name": "Ada", "basis_points": 1_000, "currency": "EUR", "payee": "Ada Ltd",
       "iban": "DE89 3704 0044 0532 0130 00"}  # fmt: skip


@pytest.fixture
def ask(client, shop, now):
    """`ask("post", "partners/", {…})` → (status, body)."""
    secret = create_key(name="shop", scopes=SCOPES, known=SCOPES, now=now, by=BY).secret

    def send(method, path, body=None):
        headers = {"authorization": f"Bearer {secret}", "idempotency-key": uuid.uuid4().hex}
        options = {} if method == "get" else {"data": body, "content_type": "application/json"}
        answer = getattr(client, method)(f"/api/v1/referrals/{path}", headers=headers, **options)
        return answer.status_code, answer.json()

    with time_machine.travel(now, tick=False):
        yield send


def test_from_the_first_commission_to_the_bank(ask, referral, now):
    status, ada = ask("post", "partners/", ADA)
    assert (status, ada["iban"], ada["is_active"]) == (201, "DE89 … 3000", True)
    earn_commission(referral=referral(Partner.objects.get()), now=now, by=BY)
    told = ask("get", f"partners/{ada['id']}/statement/")[1]
    assert (told["opening_minor"], told["closing_minor"], len(told["lines"])) == (0, 800, 1)
    line = {"what": "issue", "amount_minor": 800, "balance_minor": 800, "of_minor": 8_000, "basis_points": 1_000}
    assert line.items() < told["lines"][0].items()
    status, drawn = ask("post", "payouts/", {"currency": "EUR"})
    assert (status, drawn["state"], drawn["count"], drawn["total_minor"]) == (201, "draft", 1, 800)
    status, refused = ask("post", f"payouts/{drawn['id']}/paid/", {})
    assert (status, refused["code"]) == (409, "referrals.batch_state_differs")
    lead = Actor.staff(Staff.objects.create_user("lead"))
    approve_payouts(batch_id=PayoutBatch.objects.get().pk, now=now, by=lead)
    assert ask("get", f"payouts/{drawn['id']}/")[1]["payouts"] == [
        {"partner": ada["id"], "partner_reference": "ada", "payee": "Ada Ltd", "iban": "DE89370400440532013000",
         "amount_minor": 800}
    ]  # fmt: skip
    status, paid = ask("post", f"payouts/{drawn['id']}/paid/", {"reference": "B-7"})
    assert (status, paid["state"], paid["reference"]) == (200, "paid", "B-7")
    assert [each["state"] for each in ask("get", "payouts/")[1]["items"]] == ["paid"]


def test_changed_paused_forgotten(ask):
    ada = ask("post", "partners/", ADA)[1]
    assert ask("put", f"partners/{ada['id']}/", {**ADA, "basis_points": 700})[1]["basis_points"] == 700
    assert ask("post", f"partners/{ada['id']}/pause/")[1]["is_active"] is False
    assert ask("post", f"partners/{ada['id']}/resume/")[1]["is_active"] is True
    assert ask("post", f"partners/{ada['id']}/forget/")[1]["name"] == ""
    assert ask("put", f"partners/{ada['id']}/", ADA)[1]["code"] == "referrals.partner_archived"
    assert ask("get", "partners/")[1]["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**ADA, "iban": "DE88370400440532013000"}, 422, "referrals.bad_iban"),
        ({**ADA, "currency": "XQQ"}, 422, "referrals.bad_currency"),
        ({**ADA, "basis_points": 10_001}, 422, "api.invalid"),
        ({**ADA, "surprise": 1}, 422, "api.invalid"),
    ],
)
def test_what_cannot_be_is_refused_by_its_code(ask, body, status, code):
    answer = ask("post", "partners/", body)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert not Partner.objects.exists()


def test_a_period_that_ends_before_it_begins(ask):
    ada = ask("post", "partners/", ADA)[1]
    path = f"partners/{ada['id']}/statement/?first=2026-05-02&last=2026-05-01"
    assert ask("get", path)[1]["code"] == "referrals.bad_period"
