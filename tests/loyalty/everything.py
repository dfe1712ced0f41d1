"""A programme with every kind of rule in it, for whoever has to say all of them."""

_WHEN = {
    "weekdays": [1, 4], "from_": "14:00", "until": "00:00", "starts_on": "2027-03-01", "ends_on": "2027-03-31",
}  # fmt: skip
_GOODS = {"categories": ["Shoes"], "tags": ["new"], "without_tags": ["sale"]}
_STEPS = [
    {"key": "silver", "names": {"en": "Silver", "ko": "실버", "ru": "Серебро"}, "threshold": 0},
    {"key": "gold", "names": {"en": "Gold", "ko": "골드", "ru": "Золото"}, "threshold": 100},
]


def _milestone(measure, at, is_repeated):
    return {
        "key": f"{measure}_{int(is_repeated)}", "names": {"en": "Present"}, "measure": measure, "at": at,
        "is_repeated": is_repeated, "gives": {"kind": "automatic", "reward_id": 1},
    }  # fmt: skip


EVERYTHING = {
    "names": {"en": "Club"},
    "earning": [
        {"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 1_000},
        {
            "kind": "per_amount", "key": "steps", "amount": 10, "per_minor": 5_000, "is_whole": True, "of": "before",
            "with_shipping": True, "with_tax": False, "goods": _GOODS, "from_minor": 20_000, "channels": ["web", "app"],
        },
        {
            "kind": "per_unit", "key": "bags", "amount": 50, "goods": {"categories": ["Coffee"]}, "most_units": 3,
            "caps": [{"most": 1, "of": "times", "per": "day"}, {"most": 300, "per": "month"}],
        },
        {"kind": "per_order", "key": "visit", "amount": 1, "cool_down_hours": 2},
        {"kind": "multiplied", "key": "happy", "percent": 200, "of": ["base", "visit"], "when": _WHEN},
        {
            "kind": "multiplied", "key": "app", "percent": 150, "channels": ["app"], "payment_methods": ["card"],
            "when": {"in_birth_month": True}, "for_tiers": ["gold"],
        },
        {
            "kind": "activity", "key": "review", "activity": "reviewed", "amount": 50,
            "filters": [{"name": "rating", "least": 4}, {"name": "photo", "one_of": ["yes", "two"]}],
            "caps": [{"most": 3, "of": "times", "per": "month"}],
        },
        {"kind": "activity", "key": "signup", "activity": "signed_up", "amount": 50},
        {
            "kind": "activity", "key": "run", "activity": "ran", "amount": 5, "per_property": "km",
            "code_property": "run",
        },
        {"kind": "yearly", "key": "birthday", "of": "birthday", "amount": 100},
        {"kind": "yearly", "key": "years", "of": "joining", "amount": 20, "when": {"days": ["2027-03-08"]}},
    ],
    "pending": {"kind": "days", "days": 14, "since": "fulfilled"},
    "tiers": {
        "measure": "spend", "window": {"kind": "rolling", "months": 12}, "grace_days": 31, "downgrade": "one_step",
        "validity": {"kind": "after", "count": 12, "per": "month", "rounded_to": "month"}, "steps": _STEPS,
    },
    "milestones": [
        _milestone(measure, at, is_repeated)
        for measure, at in (("points", 500), ("orders", 10), ("spend", 100_000))
        for is_repeated in (False, True)
    ],
}  # fmt: skip
