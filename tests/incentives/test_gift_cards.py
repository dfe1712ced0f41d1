"""Gift cards over HTTP and in the console: made once, topped up, corrected, blocked; and strangers learn nothing."""

import datetime as dt

import pytest
import time_machine

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.doors.keys import create_key
from retention.incentives.models import GiftCard
from retention.ledger.operations.proofs import differences
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop", "empty_cache")]
CONSOLE = "/admin/incentives/giftcard"


SCOPES = ["gift_cards:read", "gift_cards:write", "incentives:redeem"]


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def api(client, now):
    """A function that calls the API: (status, answer). `is_public`: with a key for strangers."""
    keys = {
        is_public: create_key(
            name=f"shop {is_public}",
            scopes=SCOPES,
            known=SCOPES,
            now=now,
            by=Actor.command("test"),
            is_public=is_public,
        ).secret
        for is_public in (False, True)
    }

    def call(method, path, body=None, *, key="one", is_public=False):
        headers = {"authorization": f"Bearer {keys[is_public]}", "idempotency-key": key}
        options = {} if method == "get" else {"data": body or {}, "content_type": "application/json"}
        response = getattr(client, method)(f"/api/v1/gift-cards/{path}", headers=headers, **options)
        return response.status_code, response.json()

    return call


@pytest.fixture
def made(api, customers):
    def make(key="made", **body):
        status, card = api("post", "", {"amount_minor": 5_000, "currency": "EUR", **body}, key=key)
        assert status == 201, card
        return card

    return make


class TestApi:
    def test_a_card_is_made_once_and_read(self, api, made, customers):
        card = made(customer=str(customers[0].public_id), categories=["Books"], expires_at="2027-05-12T00:00:00Z")
        assert (
            made(customer=str(customers[0].public_id), categories=["Books"], expires_at="2027-05-12T00:00:00Z") == card
        )
        assert GiftCard.objects.count() == 1
        assert len(card["code"]) == 17
        assert {name: card[name] for name in ("state", "balance_minor", "available_minor", "categories")} == {
            "state": "active", "balance_minor": 5_000, "available_minor": 5_000, "categories": ["Books"],
        }  # fmt: skip
        assert api("get", f"{card['id']}/") == (200, card)
        assert api("get", "")[1]["items"] == [card]

    def test_it_is_topped_up_corrected_and_its_transactions_add_up(self, api, made):
        card = made()
        for _ in range(2):
            assert api("post", f"{card['id']}/top-up/", {"amount_minor": 700}, key="t")[1]["balance_minor"] == 5_700
        body = {"amount_minor": -200, "reason": "charged twice"}
        assert api("post", f"{card['id']}/adjust/", body, key="a")[1]["balance_minor"] == 5_500
        _status, listed = api("get", f"{card['id']}/transactions/")
        assert [(t["amount_minor"], t["verb"]) for t in listed["items"]] == [
            (-200, "adjust"), (700, "top_up"), (5_000, "top_up"),
        ]  # fmt: skip
        assert differences() == []

    def test_its_states(self, api, made):
        card = made(is_active=False)
        path = card["id"]
        assert card["state"] == "inactive"
        assert api("post", f"{path}/activate/", key="1")[1]["state"] == "active"
        assert api("post", f"{path}/activate/", key="2")[1]["code"] == "incentives.card_state_differs"
        assert api("post", f"{path}/block/", {"reason": "stolen"}, key="3")[1]["state"] == "blocked"
        assert api("post", f"{path}/top-up/", {"amount_minor": 1}, key="4")[1]["code"] == "incentives.card_blocked"
        assert api("post", f"{path}/unblock/", {"reason": "found"}, key="5")[1]["state"] == "active"
        verbs = AuditEntry.objects.filter(subject="incentives.giftcard").order_by("id").values_list("verb", flat=True)
        assert list(verbs) == [
            "incentives.create_card", "incentives.activate_card", "incentives.block_card", "incentives.unblock_card",
        ]  # fmt: skip

    def test_a_balance_is_asked_by_code(self, api, made):
        card = made()
        spaced = f"{card['code'][:4].lower()}-{card['code'][4:]}"
        status, balance = api("post", "balance/", {"code": spaced})
        assert (status, balance["available_minor"], balance["currency"]) == (200, 5_000, "EUR")

    def test_strangers_get_one_answer_and_are_stopped(self, api, made):
        card = made()
        api("post", f"{card['id']}/block/", {"reason": "stolen"}, key="b")
        answers = {
            api("post", "balance/", {"code": code}, is_public=True)[1]["code"] for code in ("NOSUCH", card["code"])
        }
        assert answers == {"incentives.code_not_valid"}
        assert api("post", "balance/", {"code": card["code"]})[1]["code"] == "incentives.card_blocked"


class TestConsole:
    def test_a_lead_makes_tops_up_and_blocks_a_card(self, as_role):
        lead = as_role("marketing lead")
        form = {
            "_form_submitted": "True", "amount": "25,00", "currency": "EUR", "reason": "raffle", "source": "console:1",
            "expires_on": "2026-12-31", "categories": "Books, Music",
        }  # fmt: skip
        for _ in range(2):
            assert "HX-Redirect" in lead.post(f"{CONSOLE}/make/", form).headers
        card = GiftCard.objects.get()
        assert (card.initial_minor, card.categories) == (2_500, ["Books", "Music"])
        assert card.expires_at == dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC)
        put = {"_form_submitted": "True", "amount": "5", "reason": "sorry", "source": "console:2"}
        lead.post(f"{CONSOLE}/{card.pk}/top-up/", put)
        lead.post(f"{CONSOLE}/{card.pk}/adjust/", {**put, "amount": "-1.50", "source": "console:3"})
        page = lead.get(f"{CONSOLE}/{card.pk}/change/").content.decode()
        assert "€28.50" in page
        assert card.code.code in page
        lead.post(f"{CONSOLE}/{card.pk}/block/", {"_form_submitted": "True", "reason": "stolen"})
        card.refresh_from_db()
        assert (card.state, card.account.is_frozen) == ("blocked", True)
        listed = lead.get(f"{CONSOLE}/?q={card.code.code[:6].lower()}").content.decode()
        assert card.code.code in listed
        bad = lead.post(f"{CONSOLE}/make/", {**form, "amount": "much", "source": "console:9"})
        assert "Write an amount such as 12.50." in bad.content.decode()

    def test_an_agent_may_block_and_not_make(self, as_role, made):
        made()
        card = GiftCard.objects.get()
        agent = as_role("support agent")
        assert agent.post(f"{CONSOLE}/make/", {}).status_code == 403
        agent.post(f"{CONSOLE}/{card.pk}/block/", {"_form_submitted": "True", "reason": "stolen"})
        card.refresh_from_db()
        assert card.state == "blocked"
