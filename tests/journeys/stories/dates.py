"""Dates: birthdays, anniversaries, holidays and what leads up to them, a day of hers."""

from tests.journeys.telling import converted, gets, joins, launches, night, on, redeems, sells, story, tells, why

STORIES = (
    story(
        "birthday",
        on("2026-05-12 11:00", sells("LP"), joins("anna", birthday="1990-05-13"),
           joins("boris", birthday="05-13", agrees=False), joins("clara", birthday="1999-05-20"),
           joins("soo", birthday="1985-05-13", time_zone="Asia/Seoul")),
        on("2026-05-12 12:00", launches("birthday")),
        on("2026-05-13 02:00", gets("soo", "Happy birthday, Soo!", offer="15% off", until="May 27, 2026")),
        on(
            "2026-05-13 09:00",
            gets("anna", "Happy birthday, Anna!", "All of us at Vinyl wish you a wonderful year.",
                 offer="15% off", until="May 27, 2026"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.not_yet", "It falls for her on 2026-05-20 09:00"),
        ),
        on("2026-05-14 20:00", redeems("anna", "A-1", off=600), converted("anna", "2026-05-14 20:00")),
        # A second birthday in the same year brings nothing; Clara's is her first.
        on("2026-05-15 10:00", tells("anna", birthday="1990-05-20")),
        on("2026-05-20 09:00", gets("clara", "Happy birthday, Clara!", offer="15% off", until="June 3, 2026")),
    ),
    story(
        "anniversary",
        on("2026-05-12 11:00", sells("LP"), joins("anna", signed_up_at="2024-05-13T15:00:00+02:00"),
           joins("boris", signed_up_at="2024-05-13T15:00:00+02:00", agrees=False),
           joins("clara", signed_up_at="2025-05-13T15:00:00+02:00"),
           joins("dora", signed_up_at="2025-06-01T15:00:00+02:00")),
        on("2026-05-12 12:00", launches("anniversary")),
        on(
            "2026-05-13 10:00",
            gets("anna", "Thank you for 2 years", "On this day you joined Vinyl.",
                 offer="10% off", until="May 27, 2026"),
            gets("clara", "Thank you for a year", offer="10% off", until="May 27, 2026"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("dora", "campaigns.not_yet", "2026-06-01 10:00"),
        ),
        on("2026-05-14 20:00", redeems("anna", "A-1", off=400), converted("anna", "2026-05-14 20:00")),
    ),
    story(
        "tenure_gift",
        on("2026-05-12 11:00", sells("LP"), joins("anna", signed_up_at="2021-05-13T15:00:00+02:00"),
           joins("boris", signed_up_at="2021-05-13T15:00:00+02:00", agrees=False),
           joins("clara", signed_up_at="2022-05-13T15:00:00+02:00")),
        on("2026-05-12 12:00", launches("tenure_gift")),
        on(
            "2026-05-13 09:00",
            gets("anna", "Five years with Vinyl", "Five years ago today you joined Vinyl.",
                 offer="20% off", until="June 10, 2026"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.not_yet", "2027-05-13 09:00"),
        ),
        on("2026-06-10 08:00", redeems("anna", "A-1", off=800), converted("anna", "2026-06-10 08:00")),
    ),
    story(
        "holiday",
        on("2026-12-19 12:00", sells("LP"), joins("anna", country="DE"), joins("boris", country="DE", agrees=False),
           joins("clara", country="JP"), joins("dora"), night()),
        on("2026-12-20 12:00", launches("holiday")),
        on(
            "2026-12-25 10:00",
            gets("anna", "Christmas Day: a present from Vinyl", "We wish you a happy Christmas Day.",
                 offer="Free shipping", until="January 1, 2027"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.not_yet", "2027-01-01 10:00"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-12-27 12:00", redeems("anna", "A-1", shipping_off=490), converted("anna", "2026-12-27 12:00")),
        # Japan keeps New Year's Day, and not Christmas.
        on(
            "2027-01-01 10:00",
            gets("anna", "New Year's Day: a present from Vinyl", offer="Free shipping", until="January 8, 2027"),
            gets("clara", "New Year's Day: a present from Vinyl", offer="Free shipping", until="January 8, 2027"),
        ),
    ),
    story(
        "gifts_ahead",
        on("2026-11-19 12:00", sells("LP"), joins("anna", country="DE"), joins("boris", country="DE", agrees=False),
           joins("clara", country="JP"), night()),
        on("2026-11-20 12:00", launches("gifts_ahead")),
        on(
            "2026-12-04 10:00",
            gets("anna", "Gifts, while there is time", "There are three weeks until Christmas Day."),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
        ),
        on("2027-01-02 10:00"),
    ),
    story(
        "life_event",
        on("2026-05-12 11:00", sells("LP"), joins("anna"), joins("boris", agrees=False), joins("clara"), joins("dora")),
        on("2026-05-12 12:00", launches("life_event")),
        on("2026-05-12 18:00", tells("anna", attributes={"life-event": "2026-06-20"}),
           tells("boris", attributes={"life-event": "2026-06-20"}),
           tells("clara", attributes={"life-event": "2026-12-24"})),
        on(
            "2026-06-06 10:00",
            gets("anna", "Good wishes for your day", "We wish you all the best for it.",
                 offer="10% off", until="July 4, 2026"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.not_yet", "2026-12-10 10:00"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-06-19 12:00", redeems("anna", "A-1", off=400), converted("anna", "2026-06-19 12:00")),
        on("2026-06-21 12:00"),
    ),
)  # fmt: skip
