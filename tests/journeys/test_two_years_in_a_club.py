"""Anna's two years in a club with three tiers, with what she has and where she stands at each step."""

import pytest
import time_machine

from tests.journeys.clubs import Club
from tests.journeys.town import Town, moment

pytestmark = pytest.mark.django_db(transaction=True)
UNIT = {
    "name": "Points", "kind": "points", "worth_points": 100, "worth": {"EUR": 100}, "most_basis_points": 5_000,
    "expiry": {"kind": "after", "count": 12, "per": "month", "rounded_to": "month"},
}  # fmt: skip
RULE = {
    "names": {"en": "Vinyl Club"},
    "joining": "request",
    "earning": [
        {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100},
        {
            "kind": "activity", "key": "review", "activity": "reviewed", "amount": 25, "is_multiplied": False,
            "caps": [{"most": 2, "of": "times", "per": "month"}],
        },
        {"kind": "yearly", "key": "birthday", "of": "birthday", "amount": 50},
    ],
    "pending": {"kind": "days", "days": 14, "since": "paid"},
    "returns": "balance",
    "tiers": {
        "measure": "points",
        "window": {"kind": "calendar_year"},
        "validity": {"kind": "each_year", "month": 12, "day": 31, "least_days": 365},
        "grace_days": 31,
        "downgrade": "one_step",
        "steps": [
            {"key": "bronze", "names": {"en": "Bronze"}, "threshold": 1},
            {"key": "silver", "names": {"en": "Silver"}, "threshold": 300, "percent": 125},
            {"key": "gold", "names": {"en": "Gold"}, "threshold": 800, "percent": 150},
        ],
    },
}  # fmt: skip
FIVE = [{"kind": "amount", "amounts": {"EUR": 500}}]


@pytest.fixture
def town(smtp):
    with time_machine.travel(moment("2026-01-05 10:00"), tick=False) as traveller:
        yield Town(smtp, traveller)


def test_two_years(town):
    club = Club(town, "club", RULE, UNIT)
    five = club.offers("5 euros off", 200, FIVE, "coupon")
    club.knows("anna", birthday="1990-05-12")
    club.joins("anna")
    club.runs()
    club.has("anna", 0, 0)

    # Her first order counts at once, and can be spent once it can be returned no more.
    club.at("2026-01-10 12:00")
    club.buys("anna", "O1", "PLAYER")
    club.runs()
    club.has("anna", 200, 0, "bronze")
    # A third review in a month brings nothing.
    club.at("2026-01-12 09:00")
    for _n in range(3):
        club.hears("anna", "reviewed")
    club.runs()
    club.has("anna", 250, 0, "bronze")
    club.at("2026-01-24 23:59")
    club.has("anna", 250, 0, "bronze")
    club.night("2026-01-25")
    club.has("anna", 250, 200, "bronze")

    # 55 more take her to silver; from then on she earns a quarter more.
    club.at("2026-02-03 12:00")
    club.buys("anna", "O2", "LP", "FLUID")
    club.runs()
    club.has("anna", 305, 250, "silver")
    assert club.member("anna")["tier_until"] == moment("2028-02-01 00:00").isoformat().replace("+00:00", "Z")
    club.at("2026-02-04 12:00")
    club.buys("anna", "O3", "BOX")
    club.runs()
    club.has("anna", 430, 250, "silver")

    # A coupon for points, once; a second is not refused for want of stock but of points.
    club.at("2026-03-01 12:00")
    club.has("anna", 430, 430, "silver")
    status, taken = club.takes("anna", five)
    assert (status, taken["price"]) == (201, 200)
    club.has("anna", 230, 230, "silver")
    status, refused = club.takes("anna", club.offers("The big one", 231, FIVE, "coupon"))
    assert (status, refused["code"], refused["params"]) == (409, "ledger.not_enough", {"available": 230})
    club.has("anna", 230, 230, "silver")

    # She pays 2.00 of 40.00 with 200 points, and earns for the 38.00 that were money by a quarter more.
    club.at("2026-03-10 12:00")
    assert club.pays("anna", "O4", 200, "LP") == 3_800
    club.runs()
    club.has("anna", 77, 30, "silver")

    # The box comes back after its points were spent: 125 are to be taken, and only 30 can be.
    club.at("2026-03-12 12:00")
    club.sends_back("O3", "BOX")
    club.runs()
    club.has("anna", 47, 0, "silver")
    assert club.member("anna")["earned"] == 352

    club.at("2026-05-12 12:00")
    club.runs()
    club.has("anna", 97, 47, "silver")
    for day, reference in (("2026-06-01", "O5"), ("2026-09-01", "O6")):
        club.at(f"{day} 12:00")
        club.buys("anna", reference, "PLAYER")
        club.runs()
    # 352, 50 for her birthday and 250 twice: gold to the end of the next year but one month of grace.
    club.has("anna", 597, 347, "gold")
    club.night("2026-09-16")
    club.has("anna", 597, 597, "gold")

    # A new year begins at nought; gold earns half more. What she earned a year ago ends with its month.
    club.night("2027-01-01")
    club.has("anna", 597, 597, "gold")
    club.at("2027-03-10 12:00")
    club.buys("anna", "O7", "PLAYER")
    club.runs()
    club.has("anna", 897, 597, "gold")
    club.night("2027-06-01")
    club.has("anna", 850, 850, "gold")
    club.night("2027-07-01")
    club.has("anna", 600, 600, "gold")

    # 350 in 2027 are less than gold takes: when its grace is over she falls one step, to silver, not further.
    club.night("2028-01-01")
    club.has("anna", 350, 350, "gold")
    club.night("2028-02-01")
    club.has("anna", 350, 350, "silver")
