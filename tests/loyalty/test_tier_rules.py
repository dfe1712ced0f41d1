"""Pure: what takes a member to a tier, until when it is hers, where she falls, and what lies ahead."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from loyalty.rules import TierRules
from loyalty.rules.tiers import Forecast, Standing, forecast, look, look_at_end
from loyalty.sentences import Teller

ZONE = "Europe/Berlin"
YEAR = {"kind": "after", "count": 1, "per": "year", "rounded_to": "year"}


def step(key, threshold=None, **more):
    return {"key": key, "names": {"en": key.capitalize()}, "threshold": threshold, **more}


def rules(**more) -> TierRules:
    """Silver from 100, gold from 500, a circle by invitation, platinum from 1,000; until the end of the next year."""
    steps = [step("silver", 100), step("gold", 500, percent=150), step("circle"), step("platinum", 1_000, percent=200)]
    return TierRules.model_validate({"steps": steps, "validity": YEAR, **more})


SILVER, GOLD, CIRCLE, PLATINUM = 1, 2, 3, 4


@pytest.mark.parametrize(
    ("window", "day", "first"),
    [
        ({"kind": "calendar_year"}, "2026-05-12", "2026-01-01"),
        ({"kind": "calendar_year"}, "2027-01-01", "2027-01-01"),
        ({"kind": "rolling", "months": 12}, "2026-12-31", "2026-01-01"),
        ({"kind": "rolling", "months": 12}, "2026-05-12", "2025-05-13"),
        ({"kind": "rolling", "months": 1}, "2026-03-31", "2026-03-01"),
        ({"kind": "rolling", "months": 12}, "2028-02-29", "2027-03-01"),
        ({"kind": "life"}, "2026-05-12", None),
    ],
)
def test_windows_begin(window, day, first):
    found = rules(window=window).window.first_day(dt.date.fromisoformat(day))
    assert found == (dt.date.fromisoformat(first) if first else None)


@pytest.mark.parametrize(
    ("more", "reached_on", "last_day", "until"),
    [
        ({}, "2026-05-12", "2027-12-31", "2028-01-01T00:00+01:00"),
        ({"grace_days": 31}, "2026-05-12", "2027-12-31", "2028-02-01T00:00+01:00"),
        (
            {"validity": {"kind": "after", "count": 6, "per": "month"}},
            "2026-08-31", "2027-02-28", "2027-03-01T00:00+01:00",
        ),
        (
            {"validity": {"kind": "each_year", "month": 3, "day": 31}},
            "2026-05-12", "2027-03-31", "2027-04-01T00:00+02:00",
        ),
        ({"validity": {"kind": "never"}}, "2026-05-12", None, None),
        ({"downgrade": "none"}, "2026-05-12", None, None),
    ],
)  # fmt: skip
def test_a_tier_is_hers_until(more, reached_on, last_day, until):
    made, day = rules(**more), dt.date.fromisoformat(reached_on)
    found = made.looked_at(made.last_day(day), ZONE)
    assert made.last_day(day) == (dt.date.fromisoformat(last_day) if last_day else None)
    assert found == (dt.datetime.fromisoformat(until) if until else None)
    if found:
        assert made.last_day_of(found, ZONE) == made.last_day(day)


@pytest.mark.parametrize(
    ("validity", "last", "then"),
    [
        (YEAR, "2027-12-31", "2028-12-31"),
        ({"kind": "after", "count": 12, "per": "month"}, "2027-05-12", "2028-05-12"),
        ({"kind": "each_year", "month": 3, "day": 31}, "2027-03-31", "2028-03-31"),
        ({"kind": "never"}, "2027-03-31", None),
    ],
)
def test_a_tier_that_she_kept_is_hers_until(validity, last, then):
    found = rules(validity=validity).next_last_day(dt.date.fromisoformat(last))
    assert found == (dt.date.fromisoformat(then) if then else None)


@pytest.mark.parametrize(
    ("counted", "rank"),
    [(0, 0), (99, 0), (100, SILVER), (499, SILVER), (500, GOLD), (999, GOLD), (1_000, PLATINUM), (10**12, PLATINUM)],
)
def test_so_much_takes_her_to(counted, rank):
    assert rules().reached(counted) == rank


@pytest.mark.parametrize(
    ("standing", "returned", "after"),
    [
        (Standing(0, 99), "keep", (0, "")),
        (Standing(0, 600), "keep", (GOLD, "reached")),
        (Standing(SILVER, 1_000), "keep", (PLATINUM, "reached")),
        # As time goes on nobody falls.
        (Standing(GOLD, 0), "keep", (GOLD, "")),
        (Standing(GOLD, 0, since_rising=0), "keep", (GOLD, "")),
        # What she rose with came back.
        (Standing(GOLD, 0, since_rising=499), "lower", (SILVER, "returned")),
        (Standing(GOLD, 0, since_rising=99), "lower", (0, "returned")),
        (Standing(GOLD, 0, since_rising=500), "lower", (GOLD, "")),
        (Standing(GOLD, 120, since_rising=None), "lower", (GOLD, "")),
        # A tier by hand asks for nothing, so nothing can be taken from it.
        (Standing(CIRCLE, 0, is_earned=False, since_rising=0), "lower", (CIRCLE, "")),
    ],
)
def test_a_look(standing, returned, after):
    assert look(rules(returned=returned), standing) == after


@pytest.mark.parametrize(
    ("downgrade", "rank", "counted", "after"),
    [
        ("reassess", GOLD, 500, (GOLD, "")),
        ("reassess", GOLD, 499, (SILVER, "expired")),
        ("reassess", GOLD, 0, (0, "expired")),
        ("reassess", PLATINUM, 100, (SILVER, "expired")),
        ("one_step", PLATINUM, 100, (GOLD, "expired")),
        ("one_step", CIRCLE, 0, (GOLD, "expired")),
        ("one_step", GOLD, 0, (SILVER, "expired")),
        ("one_step", SILVER, 0, (0, "expired")),
        ("one_step", PLATINUM, 1_000, (PLATINUM, "")),
        ("none", PLATINUM, 0, (PLATINUM, "")),
        ("reassess", SILVER, 700, (GOLD, "reached")),
    ],
)
def test_a_look_at_the_end(downgrade, rank, counted, after):
    assert look_at_end(rules(downgrade=downgrade), rank, counted) == after


def test_by_invitation_alone_one_falls_to_the_invitation_below():
    made = TierRules.model_validate(
        {"measure": "invitation", "steps": [step("friend"), step("circle")], "validity": YEAR, "downgrade": "one_step"}
    )
    assert look_at_end(made, 2, 0) == (1, "expired")
    assert look_at_end(made, 1, 0) == (0, "expired")


@given(
    counted=st.integers(0, 2_000), rank=st.integers(0, 4), downgrade=st.sampled_from(["none", "one_step", "reassess"])
)
def test_nobody_falls_below_what_she_reaches_nor_rises_above_it(counted, rank, downgrade):
    made = rules(downgrade=downgrade)
    reached, (after, why) = made.reached(counted), look_at_end(made, rank, counted)
    assert reached <= after <= max(rank, reached)
    assert (why == "") == (after == rank)
    assert look(made, Standing(after, counted)) == (after, "")


@pytest.mark.parametrize(
    ("rank", "counted", "kept", "last_day", "ahead"),
    [
        (0, 30, 0, None, Forecast("", 30, "silver", 70)),
        (
            GOLD, 320, 320, dt.date(2026, 12, 31),
            Forecast("gold", 320, "platinum", 680, dt.date(2026, 12, 31), 180, dt.date(2027, 12, 31)),
        ),
        (
            GOLD, 700, 700, dt.date(2026, 12, 31),
            Forecast("gold", 700, "platinum", 300, dt.date(2026, 12, 31), 0, dt.date(2027, 12, 31)),
        ),
        # Her time ends in the year after: what counts towards keeping it has not begun.
        (
            GOLD, 700, 0, dt.date(2027, 12, 31),
            Forecast("gold", 700, "platinum", 300, dt.date(2027, 12, 31), 500, dt.date(2028, 12, 31)),
        ),
        (CIRCLE, 700, 700, dt.date(2026, 12, 31), Forecast("circle", 700, "platinum", 300, dt.date(2026, 12, 31))),
        (PLATINUM, 2_000, 2_000, None, Forecast("platinum", 2_000)),
    ],
)  # fmt: skip
def test_what_lies_ahead(rank, counted, kept, last_day, ahead):
    assert forecast(rules(), rank=rank, counted=counted, kept=kept, last_day=last_day) == ahead


def test_earning_asks_for_the_factor():
    made = rules()
    assert [made.percent(key) for key in ("silver", "gold", "platinum", "", "gone")] == [100, 150, 200, 100, 100]
    assert TierRules().percent("gold") == 100


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"steps": [step("a", 1), step("a", 2)]}, "same key"),
        ({"steps": [step("a", 100), step("b"), step("c", 100)]}, "takes more than the one below"),
        ({"measure": "invitation", "steps": [step("a", 1)]}, "nothing takes a member to one"),
        ({"steps": [step("a", 1, names={})]}, "names"),
    ],
)
def test_rules_that_cannot_be(more, words):
    with pytest.raises(ValidationError, match=words):
        TierRules.model_validate(more)


def test_in_words():
    assert TierRules().sentences(Teller()) == []
    assert rules(grace_days=31, downgrade="one_step").sentences(Teller()) == [
        "what is earned in a calendar year counts",
        "a tier expires after one year, at the end of that year, with 31 days of grace; then it is one tier down",
    ]
    assert rules(measure="spend", window={"kind": "life"}, downgrade="none").sentences(Teller()) == [
        "what is spent in all counts", "a tier is kept for good",
    ]  # fmt: skip
