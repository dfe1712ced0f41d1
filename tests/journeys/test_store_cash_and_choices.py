"""Store cash that is earned in one window and spent in the next, and a reward that a member chooses at a milestone."""

import pytest
import time_machine

from tests.journeys.clubs import FOLLOW, Club
from tests.journeys.town import Town, moment

pytestmark = pytest.mark.django_db(transaction=True)
#: Ten for every whole fifty in November, to be spent in the first half of December, and not on the big box.
CASH = {
    "name": "Vinyl Cash", "kind": "money", "currency": "EUR", "digits": 2, "excluded_products": ["BOX"],
}  # fmt: skip
NOVEMBER = {
    "names": {"en": "November cash"},
    "earning": [
        {
            "kind": "per_amount", "key": "cash", "amount": 1_000, "per_minor": 5_000, "is_whole": True,
            "when": {"starts_on": "2026-11-01", "ends_on": "2026-11-30"},
        }
    ],
    "pending": {"kind": "date", "on": "2026-12-01", "until": "2026-12-15"},
}  # fmt: skip
POINTS = {"name": "Points", "kind": "points"}
CLUB = {"names": {"en": "Club"}, "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}]}


@pytest.fixture
def town(smtp):
    with time_machine.travel(moment("2026-10-30 10:00"), tick=False) as traveller:
        yield Town(smtp, traveller)


def test_store_cash_of_november_is_spent_in_december(town):
    club = Club(town, "november", NOVEMBER, CASH, unit="vinyl_cash")
    for who in ("anna", "boris"):
        club.knows(who)
    # The day before the window earns nothing, and makes nobody owe or own anything.
    club.at("2026-10-31 23:00")
    club.buys("anna", "O0", "PLAYER")
    club.runs()
    # 240.00 are four whole fifties; 40.00 are none; 100.00 of the second order are two.
    club.at("2026-11-01 00:30")
    club.buys("anna", "O1", "PLAYER", "LP")
    club.buys("boris", "O2", "LP")
    club.runs()
    club.has("anna", 4_000, 0)
    club.at("2026-11-30 23:30")
    club.buys("boris", "O3", "BOX")
    club.runs()
    club.has("boris", 2_000, 0)
    status, refused = club.asks("anna", "X1", 1_000, "LP")
    assert (status, refused["code"]) == (409, "incentives.tender_empty")
    # What comes back before it could be spent is not earned: 40.00 of 240.00 leave four fifties.
    club.at("2026-11-30 23:40")
    club.sends_back("O1", "LP")
    club.runs()
    club.has("anna", 4_000, 0)

    club.night("2026-12-01")
    club.has("anna", 4_000, 4_000)
    status, refused = club.asks("anna", "X2", 1_000, "BOX")
    assert status == 409, "not for the big box"
    assert club.pays("anna", "O4", 3_000, "LP", "FLUID") == 2_500
    club.runs()
    club.has("anna", 1_000, 1_000)
    # An order of December earns nothing more, and the player of November takes its four fifties along as it goes.
    club.at("2026-12-05 12:00")
    club.sends_back("O1", "PLAYER")
    club.runs()
    club.has("anna", 0, 0)
    club.has("boris", 2_000, 2_000)
    club.at("2026-12-15 23:59")
    club.has("boris", 2_000, 2_000)
    club.night("2026-12-16")
    club.has("boris", 0, 0)


def test_she_chooses_at_a_milestone_or_gets_the_default(town):
    club = Club(town, "club", CLUB, POINTS)
    mug = club.offers("A mug", 0, [{"kind": "experience", "name": "A mug"}], "product")
    credit = club.offers("Ten euros", 0, [{"kind": "store_credit", "amounts": {"EUR": 1_000}}], "credit")
    choice = {"kind": "choice", "reward_ids": [mug["id"], credit["id"]], "days": 10, "default_id": credit["id"]}
    milestone = {"key": "first", "names": {"en": "First hundred"}, "measure": "points", "at": 100, "gives": choice}
    club.change(milestones=[milestone])
    for who in ("anna", "boris"):
        club.knows(who)
    club.at("2026-11-02 12:00")
    for who in ("anna", "boris"):
        club.buys(who, f"{who}-1", "LP", "FLUID")
    club.runs()
    assert choices(town, "anna") == [], "55 of 100"
    club.at("2026-11-03 12:00")
    for who in ("anna", "boris"):
        club.buys(who, f"{who}-2", "LP", "FLUID")
    club.runs()
    for who in ("anna", "boris"):
        (open_one,) = choices(town, who)
        assert (open_one["state"], open_one["milestone"]) == ("open", "first")
        assert set(open_one["rewards"]) == {mug["id"], credit["id"]}

    club.at("2026-11-05 12:00")
    (hers,) = choices(town, "anna")
    status, claim = town.call("post", f"loyalty/choices/{hers['id']}/choose/", {"reward": mug["id"]})
    assert (status, claim["price"], claim["name"]) == (200, 0, "A mug")
    status, refused = town.call("post", f"loyalty/choices/{hers['id']}/choose/", {"reward": credit["id"]})
    assert status == 409, refused
    assert choices(town, "anna") == []
    # Ten days later Boris has what is given without a choice, once.
    club.at("2026-11-13 11:00")
    club.runs(*FOLLOW, "ledger.night")
    assert len(choices(town, "boris")) == 1
    club.at("2026-11-13 12:01")
    club.runs(*FOLLOW, "ledger.night")
    assert choices(town, "boris") == []
    taken = {who: [one["name"] for one in claims(town, who)] for who in ("anna", "boris")}
    assert taken == {"anna": ["A mug"], "boris": ["Ten euros"]}


def choices(town, who):
    return town.get(f"loyalty/choices/?customer={town.ids[who]}")["items"]


def claims(town, who):
    return town.get(f"loyalty/claims/?customer={town.ids[who]}")["items"]
