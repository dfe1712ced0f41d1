"""Friends who bring friends: a chain with levels, month by month; and a ring of five who bring each other.

Through the API, the public page, the checkout and `run_jobs`, under a moved clock.
"""

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from retention import clock
from retention.customers.models import Customer
from retention.messaging.operations import ensure_ready_templates
from tests.journeys.telling import an_order
from tests.journeys.town import BY, Town, moment, words_of

pytestmark = pytest.mark.django_db(transaction=True)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Circle:
    """A town with a referral scheme, and what its people do in it."""

    def __init__(self, town: Town, **rule: Any) -> None:
        self.town, self.placed = town, {}
        gives = {
            name: town.post("incentives/", {"rule": {"name": name, **effect, "codes": {"kind": "unique"}}})["id"]
            for name, effect in {
                "Welcome": {"effects": [{"kind": "percent", "basis_points": 1000}]},
                "Five": {"effects": [{"kind": "store_credit", "amounts": {"EUR": 500}}]},
                "Ten": {"effects": [{"kind": "store_credit", "amounts": {"EUR": 1000}}]},
                "Record": {"effects": [{"kind": "experience", "name": "A record by hand"}]},
            }.items()
        }
        told = {
            "names": {"en": "Friends of Vinyl"},
            "friend_incentive": gives["Welcome"],
            "levels": [
                {"from_count": 1, "incentive_id": gives["Five"]},
                {"from_count": 3, "incentive_id": gives["Ten"]},
                {"from_count": 4, "incentive_id": gives["Record"], "is_once": True},
            ],
            "has_messages": False,
            **rule,
        }
        scheme = town.post("referrals/schemes/", {"key": "friends", "rule": told})
        town.post(f"referrals/schemes/{scheme['id']}/launch/", {})

    def join(self, *names: str, **profile: Any) -> None:
        for name in names:
            body = {"reference": name, "email": f"{name}@example.com", "given_name": name.capitalize(), **profile}
            self.town.ids[name] = self.town.post("customers/", body)["id"]

    def code(self, who: str) -> str:
        return self.town.post("referrals/links/", {"customer": self.town.ids[who]})["code"]

    def brings(self, who: str, friend: str, **how: Any) -> dict[str, Any]:
        """She passes her code on; a new friend signs up with it."""
        self.join(friend)
        return self.town.post("referrals/", {"code": self.code(who), "customer": self.town.ids[friend], **how})

    def orders(self, who: str, reference: str) -> None:
        self.placed[reference] = self.town.post("orders/", an_order(who, reference, ("LP",)))["placed_at"]

    def cancels(self, who: str, reference: str) -> None:
        told = {**an_order(who, reference, ("LP",), state="cancelled"), "placed_at": self.placed[reference]}
        self.town.post("orders/", told)

    def passes(self, at: str) -> None:
        """Time goes on, and the jobs run."""
        self.town.settle()
        self.town.go(moment(at))
        self.town.run_jobs("referrals.follow")

    def states(self) -> dict[str, str]:
        return {name: row["state"] for name, row in self.referrals().items()}

    def referral(self, friend: str) -> dict[str, Any]:
        return self.referrals()[friend]

    def referrals(self) -> dict[str, dict[str, Any]]:
        """By the friend's name."""
        names = {public_id: name for name, public_id in self.town.ids.items()}
        return {names[row["friend"]]: row for row in self.town.get("referrals/?limit=200")["items"]}

    def credit(self, who: str) -> int:
        found = self.town.get(f"customers/{self.town.ids[who]}/balances/")
        return sum(row["available"] for row in found)

    def why(self, friend: str) -> list[str]:
        return [reason["code"] for reason in self.referral(friend)["steps"][-1]["reasons"]]


@pytest.fixture
def town(smtp, empty_cache):
    with time_machine.travel(moment("2026-01-10 12:00"), tick=False) as traveller:
        yield Town(smtp, traveller)


def test_a_chain_of_friends_with_levels(town):
    circle = Circle(town, hold_days=14)
    town.stocks("LP")
    circle.join("anna")

    # Bela comes by Anna's link, and leaves her email on the page; who she is shows there.
    code = circle.code("anna")
    town.go(moment("2026-03-01 12:00"))
    page = Client(headers={"user-agent": BROWSER})
    form = page.get(f"/r/{code}?via=chat").content.decode()
    visitor = re.search(r'name="visitor" value="([^"]+)"', form)[1]
    town.go(moment("2026-03-01 12:01"))
    assert page.post(f"/r/{code}", {"visitor": visitor, "email": "bela@example.com"}).status_code == 200
    circle.join("bela")
    assert circle.referral("bela")["state"] == "pending"
    # She has a tenth off with what she was given, at once; her order counts when it is paid and kept.
    welcome = circle.referral("bela")["friend_code"]
    basket = {"currency": "EUR", "lines": [{"sku": "LP", "quantity": 1, "unit_price_minor": 4_000}]}
    bought = town.post(
        "redemptions/",
        {"codes": [welcome], "basket": basket, "order_reference": "B-1", "customer": {"reference": "bela"}},
    )
    assert bought["effects"]["discount_minor"] == 400
    circle.orders("bela", "B-1")
    circle.passes("2026-03-02 12:00")
    assert (circle.states(), circle.credit("anna")) == ({"bela": "hold"}, 0)
    circle.passes("2026-03-20 12:00")
    assert (circle.states(), circle.credit("anna")) == ({"bela": "rewarded"}, 500)

    # A month later Bela brings Cara, and Anna three more: 5, 10 from the third on, and the fourth is a record by hand.
    town.go(moment("2026-04-20 12:00"))
    for who, friend in (("bela", "cara"), ("anna", "dora"), ("anna", "emil"), ("anna", "fred"), ("anna", "gala")):
        circle.brings(who, friend)
        circle.orders(friend, f"{friend}-1")
    circle.passes("2026-04-21 12:00")
    circle.cancels("emil", "emil-1")
    circle.passes("2026-05-10 12:00")
    assert circle.states() == {
        "bela": "rewarded", "cara": "rewarded", "dora": "rewarded", "emil": "pending", "fred": "rewarded",
        "gala": "rewarded",
    }  # fmt: skip
    assert [circle.referral(friend)["level"] for friend in ("bela", "dora", "fred", "gala")] == [1, 2, 3, 4]
    assert (circle.credit("anna"), circle.credit("bela")) == (500 + 500 + 1_000, 500)
    assert circle.why("emil") == ["referrals.order_came_back"]
    # Fred sends everything back after the reward: it is taken back, and the next one is the fourth once more. The
    # record for a fourth is hers already, so Hans is worth what any friend from the third on is.
    circle.cancels("fred", "fred-1")
    circle.passes("2026-05-11 12:00")
    assert (circle.referral("fred")["state"], circle.credit("anna")) == ("reversed", 1_000)
    circle.brings("anna", "hans")
    circle.orders("hans", "hans-1")
    circle.passes("2026-05-12 12:00")
    circle.passes("2026-06-01 12:00")
    assert (circle.referral("hans")["level"], circle.credit("anna")) == (4, 1_000 + 1_000)
    # Nothing more happens, however often one looks.
    before = circle.states()
    circle.passes("2026-06-02 12:00")
    assert circle.states() == before
    advocate = town.get(f"referrals/advocates/?customer={town.ids['anna']}")["items"][0]
    assert (advocate["referred"], advocate["rewarded"], advocate["waiting"]) == (6, 4, 1)
    # Emil could have ordered again in time; he did not.
    circle.passes("2026-06-25 12:00")
    assert circle.states() == {**before, "emil": "lapsed"}
    assert (circle.why("emil"), circle.credit("anna")) == (["referrals.not_in_time"], 2_000)


def test_a_ring_of_five_who_bring_each_other_gains_nothing(town):
    circle = Circle(town, hold_days=0, review_from=60, at_deadline="reject", review_days=7)
    town.stocks("LP")
    circle.join("honest", "ring1")
    five = ["ring1", "ring2", "ring3", "ring4", "ring5"]
    # Each brings the next, from one browser and one network; the fifth tries to bring the first.
    browser = {"device": "one fingerprint", "network": "192.0.2.7"}
    brought = [circle.brings(who, friend, **browser) for who, friend in zip(five, five[1:], strict=False)]
    closing = town.post("referrals/", {"code": circle.code("ring5"), "customer": town.ids["ring1"], **browser})
    assert [row["state"] for row in brought] == ["pending"] * 4  # one friend of each alone is nobody's pattern
    assert closing["state"] == "review"
    said = {reason["code"]: reason["sentence"] for reason in closing["steps"][-1]["reasons"]}
    assert said["referrals.closed_loop"] == "The friend is among those who brought the advocate, 4 steps back."
    # Beside them somebody brings a real friend.
    assert circle.brings("honest", "friend")["state"] == "pending"
    circle.orders("friend", "F-1")
    # They order once each, to the same address and paid by the same card, as their checkouts tell.
    for number, who in enumerate(five, start=1):
        code = circle.referral(who)["friend_code"] if who != "ring1" else None
        basket = {"currency": "EUR", "lines": [{"sku": "LP", "quantity": 1, "unit_price_minor": 4_000}]}
        if code:
            buyer = {"reference": who, "payment_token": "card-1", "address": "1 Ring Road"}
            town.post(
                "redemptions/",
                {"codes": [code], "basket": basket, "order_reference": f"R-{number}", "customer": buyer},
            )
        circle.orders(who, f"R-{number}")
    circle.passes("2026-01-11 12:00")
    states = circle.states()
    assert states.pop("friend") == "rewarded"
    # Now everybody sees the ring, and the card: each of them waits for a person.
    assert states == dict.fromkeys(five, "review")
    assert circle.why("ring2") == ["referrals.closed_loop"]
    assert {"referrals.closed_loop", "referrals.same_payment"} <= set(circle.why("ring3"))
    # The reviewer looks: one is rejected by hand, the others at the deadline; nobody of them is rewarded.
    third = circle.referral("ring3")
    town.post(f"referrals/{third['id']}/reject/", {"why": "one card for five"})
    circle.passes("2026-01-20 12:00")
    assert circle.states() == {**dict.fromkeys(five, "rejected"), "friend": "rewarded"}
    assert (circle.why("ring3"), circle.why("ring5")) == (["referrals.by_hand"], ["referrals.deadline_passed"])
    assert [circle.credit(who) for who in ("honest", *five)] == [500, 0, 0, 0, 0, 0]


def test_the_shops_own_words_reach_friend_and_advocate_by_mail(town):
    town.campaigns["none"] = "none"  # the jobs have something to do
    circle = Circle(town, hold_days=0, has_messages=True)
    ensure_ready_templates(now=clock.now(), by=BY)
    town.stocks("LP")
    circle.join("anna")
    circle.brings("anna", "bela")
    town.run_jobs("messaging.send_transactional")
    (mail,) = town.new_mails()
    assert (town.name_of(mail), mail.message["Subject"]) == ("bela", "Welcome to Vinyl: a friend has sent you")
    assert circle.referral("bela")["friend_code"] in words_of(mail)
    circle.orders("bela", "B-1")
    circle.passes("2026-01-11 12:00")
    town.run_jobs("messaging.send_transactional")
    (mail,) = town.new_mails()
    assert (town.name_of(mail), mail.message["Subject"]) == ("anna", "Thank you: your friend has bought at Vinyl")
    assert Customer.objects.count() == 2
