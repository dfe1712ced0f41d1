"""Programmes like those that everybody knows, with what each member has worked out by hand beside it.

Status by what a year came to (Sephora's and Ulta's), stars by how one pays (Starbucks'), storage for friends
(Dropbox's), and partners who share in an order a month later.
"""

import pytest
import time_machine

from retention import clock
from tests.journeys.clubs import FOLLOW, Club
from tests.journeys.telling import SECOND
from tests.journeys.town import Town, moment

pytestmark = pytest.mark.django_db(transaction=True)
POINTS = {"name": "Points", "kind": "points"}
BASE = {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}


@pytest.fixture
def town(smtp, empty_cache):
    with time_machine.travel(moment("2026-01-05 10:00"), tick=False) as traveller:
        yield Town(smtp, traveller)


def buys(town, who, reference, minor, *, quantity=1, at="", **told):
    """She pays so much for each of so many records; `at`: by the clock in Berlin, if it was not just now."""
    when = moment(at) if at else clock.now()
    line = {"sku": "LP", "quantity": quantity, "unit_price_minor": minor}
    order = {"reference": reference, "customer": who, "state": "paid", "currency": "EUR", "lines": [line]}
    town.post("orders/", {**order, "placed_at": when.isoformat(), **told})


def sends_back(town, reference, minor, quantity=1):
    told = {
        "reference": f"R-{reference}", "order_reference": reference, "amount_minor": minor,
        "lines": [{"sku": "LP", "quantity": quantity}], "occurred_at": clock.now().isoformat(),
    }  # fmt: skip
    town.post("returns/", told)


def test_status_by_what_a_calendar_year_came_to(town):
    year = {"kind": "after", "count": 1, "per": "year", "rounded_to": "year"}
    steps = [
        {"key": "insider", "names": {"en": "Insider"}, "threshold": 0},
        {"key": "vib", "names": {"en": "VIB"}, "threshold": 35_000, "percent": 125},
        {"key": "rouge", "names": {"en": "Rouge"}, "threshold": 100_000, "percent": 150},
    ]
    rule = {
        "names": {"en": "Insiders"}, "earning": [BASE], "expires_after_inactive_days": 548,
        "tiers": {"measure": "spend", "window": {"kind": "calendar_year"}, "validity": year, "steps": steps},
    }  # fmt: skip
    club = Club(town, "insiders", rule, POINTS)
    for who in ("anna", "bela", "cara"):
        club.knows(who)
    # A cent short of the tier is not in it; the cent takes her there, and earns nothing by itself.
    club.at("2026-03-01 12:00")
    buys(town, "anna", "A1", 34_999)
    buys(town, "bela", "B1", 120_000)
    club.runs()
    club.has("anna", 349, 349, "insider")
    buys(town, "anna", "A2", 1)
    club.runs()
    club.has("anna", 349, 349, "vib")
    # 1.25 for 1.00 is 1; 1.25 for 33.33 is 41.66, so 41. The order that took Bela to the top earned as below it.
    buys(town, "anna", "A3", 100)
    buys(town, "anna", "A4", 3_333)
    club.runs()
    club.has("anna", 349 + 1 + 41, 391, "vib")
    club.has("bela", 1_200, 1_200, "rouge")
    # The shop takes one of three records out of an order that it wrote before: 1.5 × 30.00 less a third.
    buys(town, "bela", "B2", 1_000, quantity=3)
    club.runs()
    club.has("bela", 1_245, 1_245, "rouge")
    buys(town, "bela", "B2", 1_000, quantity=2)
    club.runs()
    club.has("bela", 1_230, 1_230, "rouge")

    # What was bought on the last evening of the year is told on the first morning of the next, and counts for its own.
    club.at("2026-12-31 20:00")
    buys(town, "cara", "C1", 30_000)
    club.runs()
    club.has("cara", 300, 300, "insider")
    club.night("2027-01-01")
    club.at("2027-01-01 08:00")
    buys(town, "cara", "C2", 5_000, at="2026-12-31 23:58")
    club.runs()
    club.has("cara", 350, 350, "vib")
    ends = {who: club.member(who)["tier_until"] for who in ("anna", "bela", "cara")}
    assert set(ends.values()) == {"2027-12-31T23:00:00Z"}, "each has it through the year after"
    standing = town.get(f"loyalty/programmes/insiders/members/{town.ids['cara']}/tier/")
    assert (standing["counted"], standing["to_keep"], standing["last_day"]) == (0, 35_000, "2027-12-31")

    # 548 days after her last order Bela has nothing; Anna, who bought meanwhile, has all of hers and keeps her tier.
    club.at("2027-08-30 12:00")
    buys(town, "anna", "A5", 35_000)
    club.runs()
    club.night("2027-08-31")
    club.has("bela", 1_230, 1_230, "rouge")
    club.night("2027-09-01")
    club.has("bela", 0, 0, "rouge")
    club.has("anna", 391 + 437, 828, "vib")
    club.night("2028-01-01")
    assert [club.member(who)["tier"] for who in ("anna", "bela", "cara")] == ["vib", "insider", "insider"]
    assert club.member("anna")["tier_until"] == "2028-12-31T23:00:00Z"


def test_stars_by_how_one_pays(town):
    rule = {
        "names": {"en": "Stars"},
        "earning": [
            {**BASE, "key": "paid", "payment_methods": ["cash", "card"]},
            {**BASE, "key": "loaded", "amount": 2, "payment_methods": ["loaded card"]},
            {"kind": "activity", "key": "code", "activity": "code_entered", "amount": 25, "code_property": "code"},
            {"kind": "multiplied", "key": "birthday", "percent": 200, "when": {"in_birth_month": True}},
        ],
    }  # fmt: skip
    club = Club(town, "stars", rule, {"name": "Stars", "kind": "points", "expiry": {"kind": "after", "count": 6}})
    club.knows("anna", birthday="1990-03-31")
    club.knows("bela")
    # 5.50 are 5 stars by card and 11 from the card that she loaded; paid in another way they are none.
    club.at("2026-01-31 10:00")
    for number, method in enumerate(("card", "loaded card", "voucher")):
        buys(town, "anna", f"S{number}", 550, payment_method=method)
    club.runs()
    club.has("anna", 16, 16)
    tried = {"lines": [{"sku": "LP", "unit_price_minor": 550}], "payment_method": "card", "customer": town.ids["anna"]}
    said = {one["rule"]: one["why"] for one in town.post("loyalty/programmes/stars/try/", tried)["rules"]}
    assert said["loaded"] == "This rule is for other ways to pay."
    assert said["birthday"] == "It was not the month of the member's birthday."
    # March is hers by the shop's clock, from its first minute to its last: 22 twice, then 11 once more.
    club.at("2026-03-01 00:00")
    buys(town, "anna", "S3", 550, quantity=2, payment_method="loaded card")
    buys(town, "bela", "T1", 550, quantity=2, payment_method="loaded card")
    club.runs()
    club.has("anna", 16 + 44, 60)
    club.has("bela", 22, 22)
    club.at("2026-03-31 23:58")
    buys(town, "anna", "S4", 550, payment_method="loaded card")
    club.at("2026-04-01 00:00")
    buys(town, "anna", "S5", 550, payment_method="loaded card")
    club.runs()
    club.has("anna", 60 + 22 + 11, 93)
    # Half of it comes back in June, and takes half of the doubled along.
    club.at("2026-06-02 10:00")
    sends_back(town, "S3", 550)
    club.runs()
    club.has("anna", 93 - 22, 71)
    # A code earns once, whoever types it next and however.
    for who, typed in (("anna", "abc-1"), ("anna", "ABC-1"), ("bela", " abc-1 ")):
        town.go(clock.now() + SECOND)
        told = {"kind": "code_entered", "customer": who, "properties": {"code": typed}}
        town.post("activities/", {**told, "occurred_at": clock.now().isoformat()})
    club.runs()
    club.has("anna", 96, 96)
    club.has("bela", 22, 22)
    # Of 31 January they live through 31 July.
    club.night("2026-07-31")
    club.has("anna", 96, 96)
    club.night("2026-08-01")
    club.has("anna", 80, 80)


# --- friends ---------------------------------------------------------------------------------------------------------


def offer(town, name, *effects):
    return town.post("incentives/", {"rule": {"name": name, "effects": list(effects)}})["id"]


def launched(town, key, **rule):
    made = town.post("referrals/schemes/", {"key": key, "rule": {"names": {"en": key}, "has_messages": False, **rule}})
    town.post(f"referrals/schemes/{made['id']}/launch/", {})


def comes(town, who):
    profile = {"reference": who, "email": f"{who}@example.com", "signed_up_at": clock.now().isoformat()}
    town.ids[who] = town.post("customers/", profile)["id"]


def brings(town, code, friend):
    comes(town, friend)
    return town.post("referrals/", {"code": code, "customer": town.ids[friend]})


def passes(town, at):
    """Time goes on, and the jobs run."""
    town.settle()
    town.go(moment(at))
    town.run_jobs("referrals.follow", "referrals.commissions", *FOLLOW)


def has(town, who):
    return {one["unit"]: one["available"] for one in town.get(f"customers/{town.ids[who]}/balances/")}


def test_storage_for_friends_and_a_bonus_once(town):
    town.post("units/", {"key": "mb", "rule": {"name": "MB", "kind": "points"}})
    room = offer(town, "500 MB", {"kind": "points", "unit": "mb", "points": 500})
    bonus = offer(town, "Bonus", {"kind": "points", "unit": "mb", "points": 3_000})
    levels = [{"incentive_id": room}, {"from_count": 3, "incentive_id": bonus, "is_once": True}]
    launched(town, "storage", friend_incentive=room, levels=levels, hold_days=0, caps={"in_all": 4})
    town.stocks("LP")
    comes(town, "anna")
    code = town.post("referrals/links/", {"customer": town.ids["anna"]})["code"]
    # Both sides get 500, the friend at once and Anna when the friend has bought; the third brings the bonus instead.
    for number, (day, total) in enumerate((("06", 500), ("08", 1_000), ("10", 4_000)), start=1):
        town.go(moment(f"2026-01-{day} 12:00"))
        assert brings(town, code, f"friend{number}")["state"] == "pending"
        assert has(town, f"friend{number}") == {"mb": 500}
        buys(town, f"friend{number}", f"F{number}", 4_000)
        passes(town, f"2026-01-{day} 12:01")
        assert has(town, "anna") == {"mb": total}
    # The first one's order is cancelled, so the next friend is the third once more: the bonus is not hers twice.
    town.post("orders/", {"reference": "F1", "state": "cancelled"})
    passes(town, "2026-01-11 12:00")
    assert has(town, "anna") == {"mb": 3_500}
    for number, total in ((4, 4_000), (5, 4_500), (6, 4_500)):
        town.go(moment(f"2026-01-{10 + 2 * number} 12:00"))
        brings(town, code, f"friend{number}")
        buys(town, f"friend{number}", f"F{number}", 4_000)
        passes(town, f"2026-01-{10 + 2 * number} 12:01")
        assert has(town, "anna") == {"mb": total}
    # The sixth is over what one advocate may bring, and it is said; an alias of Anna's own is nobody new.
    last = town.get("referrals/?limit=1")["items"][0]
    reasons = [reason["code"] for reason in last["steps"][-1]["reasons"]]
    assert (last["state"], reasons) == ("rejected", ["referrals.cap_reached"])
    town.ids["alias"] = town.post("customers/", {"reference": "alias", "email": "anna+2@example.com"})["id"]
    alias = town.post("referrals/", {"code": code, "customer": town.ids["alias"]})
    assert (alias["state"], alias["steps"][-1]["reasons"][0]["code"]) == ("rejected", "referrals.same_person")


def test_a_partner_has_a_tenth_a_month_later(town):
    launched(town, "partners", kind="partners", hold_days=30)
    town.stocks("LP")
    told = {"reference": "P1", "name": "Blog", "currency": "EUR", "basis_points": 1_000, "least_minor": 1_000}
    bank = {"iban": "DE89370400440532013000", "payee": "Blog Ltd"}
    partner = town.post("referrals/partners/", {**told, **bank})["id"]
    code = town.post(f"referrals/partners/{partner}/links/", {"scheme": "partners"})["code"]
    town.go(moment("2026-01-06 10:00"))
    brings(town, code, "bela")
    brings(town, code, "cara")
    buys(town, "bela", "B1", 9_995)
    buys(town, "cara", "C1", 3_333, quantity=3)
    passes(town, "2026-01-07 10:00")

    def statement():
        found = town.get(f"referrals/partners/{partner}/statement/?first=2026-01-01")
        return [line["amount_minor"] for line in found["lines"]], found["closing_minor"]

    assert statement() == ([], 0), "both orders can come back"
    status, refused = town.call("post", "referrals/payouts/", {"currency": "EUR"})
    assert (status, refused["code"]) == (409, "referrals.nothing_to_pay")
    # Of 99.99 one of three comes back within the thirty days: a tenth of 66.66 is 6.67, and of 99.95 it is 10.00.
    sends_back(town, "C1", 3_333)
    passes(town, "2026-02-06 10:00")
    assert statement() == ([1_000, 667], 1_667)
    paid = town.post("referrals/payouts/", {"currency": "EUR"})
    assert (paid["count"], paid["total_minor"], paid["state"]) == (1, 1_667, "draft")
    # Drawn up twice it is not there twice; what comes back now is owed, and comes off the next.
    assert town.call("post", "referrals/payouts/", {"currency": "EUR"})[0] == 409
    town.post("orders/", {"reference": "B1", "state": "cancelled"})
    passes(town, "2026-02-07 10:00")
    assert statement() == ([1_000, 667, -1_000], 667)
    # Nobody's customer credit is touched by any of it.
    assert has(town, "bela") == has(town, "cara") == {}
