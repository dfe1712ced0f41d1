"""Loyalty: statements, tiers, invitations, an event for members, and points that lie unused."""

from django.conf import settings

from tests.journeys.telling import (
    chooses,
    converted,
    enters,
    gets,
    joins,
    launches,
    lets_choose,
    on,
    orders,
    pays,
    redeems,
    rewards,
    runs_a_club,
    sells,
    story,
    surprises_all,
    why,
)

YEAR = {"kind": "after", "count": 1, "per": "year", "rounded_to": "year"}
TIERS = {
    "validity": YEAR,
    "steps": [
        {"key": "silver", "names": {"en": "Silver"}, "threshold": 40, "perks": [{"names": {"en": "Early access"}}]},
        {"key": "gold", "names": {"en": "Gold"}, "threshold": 100},
    ],
}
PEOPLE = (joins("anna"), joins("boris", agrees=False), joins("clara"), joins("dora"))

STORIES = (
    story(
        "points_statement",
        on("2026-05-12 11:00", sells("LP"), *PEOPLE, runs_a_club(tiers=TIERS), rewards("Tote bag", 60)),
        on("2026-05-12 12:00", launches("points_statement")),
        on("2026-05-12 18:00", orders("anna", "A-1"), orders("boris", "B-1")),
        on(
            "2026-06-01 10:00",
            gets("anna", "You have 40 points", "You have 40 points to spend.",
                 "20 points more, and “Tote bag” is yours.", "60 points are missing to Gold."),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
        ),
        # Nothing moved in June.
        on("2026-06-20 18:00", orders("anna", "A-2"), converted("anna", "2026-06-20 18:00")),
    ),
    story(
        "tier_reached",
        on("2026-05-12 11:00", sells("LP", "FLUID"), *PEOPLE, runs_a_club(tiers=TIERS)),
        on("2026-05-12 12:00", launches("tier_reached")),
        on("2026-05-12 18:00", orders("clara", "C-1", "FLUID"), orders("boris", "B-1"),
           why("clara", "campaigns.no_occasion", "did not fall"),
           why("boris", "campaigns.no_consent", "She has not agreed to marketing on email")),
        on("2026-05-13 18:00", orders("anna", "A-1"),
           gets("anna", "Welcome to Silver", "You have reached Silver, and we thank you. It is yours until December 31,"
                " 2027.", "Early access")),
        on("2026-05-20 18:00", orders("anna", "A-2", "FLUID"), converted("anna", "2026-05-20 18:00")),
    ),
    story(
        "tier_ending",
        on("2026-05-12 11:00", sells("LP", "FLUID"), *PEOPLE, runs_a_club(tiers=TIERS)),
        on("2026-05-12 12:00", launches("tier_ending")),
        on("2026-05-12 18:00", *(orders(who, f"{who}-1") for who in ("anna", "boris", "dora"))),
        on("2027-03-01 18:00", orders("dora", "dora-2")),
        on("2027-03-02 18:00", orders("anna", "anna-2", "FLUID")),
        on(
            "2027-11-02 10:00",
            gets("anna", "25 points to stay Silver",
                 "25 points are missing until December 31, 2027, and you stay Silver for another time."),
            gets("dora", "You stay Silver", "You have done enough already: after December 31, 2027 you stay Silver."),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
        ),
        on("2027-11-10 18:00", orders("anna", "anna-3"), converted("anna", "2027-11-10 18:00")),
    ),
    story(
        "programme_invitation",
        on("2026-05-12 11:00", sells("LP"), *PEOPLE, runs_a_club(joining="request"), enters("dora")),
        on("2026-05-12 12:00", launches("programme_invitation")),
        on("2026-05-12 18:00", *(orders(who, f"{who}-1") for who in ("anna", "boris", "clara", "dora"))),
        on("2026-05-20 18:00", *(orders(who, f"{who}-2") for who in ("anna", "boris", "dora")),
           gets("anna", "Your orders would have earned you 80 points",
                "As a member of Club you would have earned 80 points with your orders so far, worth €0.80."),
           why("boris", "campaigns.no_consent", "No consent for this address."),
           why("clara", "campaigns.no_occasion", "did not fall"),
           why("dora", "campaigns.excluded", "She is in “Members of a programme”.")),
        on("2026-05-30 18:00", orders("anna", "anna-3"), converted("anna", "2026-05-30 18:00")),
    ),
    story(
        "members_event",
        on("2026-05-12 11:00", sells("LP"), *PEOPLE, runs_a_club(joining="request"), enters("anna"), enters("boris")),
        on("2026-05-12 12:00", launches("members_event")),
        on(
            "2026-05-26 10:00",
            gets("anna", "An evening for members of Club", "You are invited to an evening for members of Club only.",
                 "This is your ticket; it lets one person in.", offer="The evening for members"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.not_in_audience", "She is not in “Members of a programme”."),
        ),
        on("2026-05-27 18:00", orders("anna", "A-1"), converted("anna", "2026-05-27 18:00")),
    ),
    story(
        "points_unused",
        on("2026-05-12 11:00", sells("LP"), *PEOPLE, runs_a_club(), rewards("Sticker", 10), rewards("Tote bag", 60)),
        on("2026-05-12 12:00", launches("points_unused")),
        on("2026-05-12 18:00", *(orders(who, f"{who}-1") for who in ("anna", "boris", "dora"))),
        on("2026-06-12 18:00", pays("dora", "dora-2", "points", 20)),
        on(
            "2026-08-10 10:00",
            gets("anna", "You have 40 points, and never used any",
                 "You have 40 points to spend at Club, and have not used any yet. They are enough for “Sticker” today."
                 " 20 points more, and you can have “Tote bag”."),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-08-15 18:00", pays("anna", "A-2", "points", 40), converted("anna", "2026-08-15 18:00")),
    ),
    story(
        "choice_closing",
        on("2026-05-12 11:00", sells("LP", "FLUID"), *PEOPLE, runs_a_club(), rewards("A mug", 0), rewards("A bag", 0),
           lets_choose("A mug", "A bag", at=50, days=10)),
        on("2026-05-12 12:00", launches("choice_closing")),
        on("2026-05-12 18:00", *(orders(who, f"{who}-1", "LP", "FLUID") for who in ("anna", "boris", "dora")),
           orders("clara", "C-1")),
        on("2026-05-14 18:00", chooses("dora", "A bag")),
        on(
            "2026-05-19 10:00",
            gets("anna", "Choose your reward by May 22, 2026",
                 "You have earned a reward, and it is yours to choose until May 22, 2026: A mug, A bag.",
                 link=f"{settings.BASE_URL}/m/"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-05-20 18:00", chooses("anna", "A mug"), orders("anna", "A-2"), converted("anna", "2026-05-20 18:00")),
    ),
    story(
        "surprise_unused",
        on("2026-05-12 11:00", sells("LP", "FLUID"), *PEOPLE, runs_a_club()),
        on("2026-05-12 12:00", launches("surprise_unused")),
        on("2026-05-12 18:00", orders("anna", "A-1"), orders("boris", "B-1")),
        on("2026-05-13 18:00", surprises_all(10)),
        on(
            "2026-05-27 10:00",
            gets("anna", "It is still yours",
                 "Not long ago we surprised you, and you have not used it yet.", offer="10% off"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-05-28 18:00", redeems("anna", "A-2", off=400), converted("anna", "2026-05-28 18:00")),
    ),
    story(
        "reward_near",
        on("2026-05-12 11:00", sells("LP", "FLUID"), *PEOPLE, runs_a_club(), rewards("Tote bag", 100)),
        on("2026-05-12 12:00", launches("reward_near")),
        on("2026-05-12 18:00", orders("clara", "C-1"), why("clara", "campaigns.no_occasion", "did not fall")),
        on("2026-05-13 18:00", orders("anna", "A-1", "LP", "FLUID"), orders("boris", "B-1", "LP", "FLUID"),
           gets("anna", "Only 45 points to “Tote bag”", "You have 55 points.",
                "45 points more, and it is yours: “Tote bag”.", link=f"{settings.BASE_URL}/m/"),
           why("boris", "campaigns.no_consent", "No consent for this address.")),
        on("2026-05-20 18:00", orders("anna", "A-2", "LP", "FLUID"), converted("anna", "2026-05-20 18:00")),
    ),
)  # fmt: skip
