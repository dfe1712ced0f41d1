"""The beginning: she signs up, she agrees, she might choose a second channel."""

from tests.journeys.telling import (
    agrees,
    converted,
    ended,
    gets,
    joins,
    launches,
    meanwhile,
    on,
    redeems,
    sells,
    story,
    why,
    withdraws,
)

STORIES = (
    story(
        "welcome",
        on("2026-05-12 11:00", sells("LP", "BOX"), joins("clara")),
        on("2026-05-12 12:00", launches("welcome")),
        on(
            "2026-05-12 12:30",
            joins("anna"),
            joins("boris", agrees=False),
            gets("anna", "Welcome to Vinyl", "Welcome, and thank you for joining us.",
                 offer="10% off your first order", until="May 19, 2026"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.before_launch", "2026-05-12 11:00, before the campaign began"),
        ),
        on("2026-05-13 18:00", redeems("anna", "A-1", "LP", "BOX", off=400), converted("anna", "2026-05-13 18:00")),
        # He confirms late, and is welcomed then.
        on(
            "2026-05-14 09:00",
            agrees("boris"),
            gets("boris", "Welcome to Vinyl", offer="10% off your first order", until="May 21, 2026"),
        ),
        on("2026-06-30 12:00", ended("anna"), ended("boris")),
    ),
    story(
        "consent_gift",
        on("2026-05-12 11:00", sells("LP"), joins("anna", agrees=False), joins("boris", agrees=False), joins("clara")),
        on("2026-05-12 12:00", launches("consent_gift")),
        on(
            "2026-05-20 18:00",
            agrees("anna"),
            gets("anna", "Thank you for letting us write", "only when there is news",
                 offer="Free shipping", until="June 3, 2026"),
            why("boris", "campaigns.no_occasion", "did not fall"),
            why("clara", "campaigns.no_occasion", "did not fall"),
        ),
        # She changes her mind before her thanks has left.
        on("2026-05-20 19:00", joins("dora"), meanwhile(withdraws("dora")),
           why("dora", "campaigns.left_segment", "She left the segment before it left.")),
        on("2026-05-21 09:00", redeems("anna", "A-1", shipping_off=490), converted("anna", "2026-05-21 09:00")),
        on("2026-06-30 12:00", ended("anna")),
    ),
    story(
        "channel_adoption",
        on("2026-05-12 11:00", joins("anna"), joins("boris", agrees=False),
           joins("clara", phone="+4915112345678"), agrees("clara", "sms")),
        on("2026-05-12 12:00", launches("channel_adoption")),
        on(
            "2026-05-19 10:00",
            gets("anna", "Shall we tell you the urgent things by SMS?", "Choose SMS for those",
                 link="http://localhost:8000/p/"),
            why("boris", "campaigns.not_in_audience", "“Everyone with email consent”"),
            why("clara", "campaigns.excluded", "“Everyone with SMS consent”"),
        ),
        on("2026-07-01 10:00", ended("anna")),
    ),
)  # fmt: skip
