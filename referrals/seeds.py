"""The kinds of activity by which neighbours hear of referrals."""

import datetime as dt

from retention.customers.models import ActivityKind

_ABOUT = {
    "type": "object",
    "properties": {
        "referral": {"type": "string"},
        "scheme": {"type": "string"},
        "level": {"type": "integer", "minimum": 1},
    },
}
#: key → label. The friend's is `friend_joined`; the others are the advocate's.
KINDS = {
    "referrals.claimed": "A friend came by her link",
    "referrals.friend_joined": "Was brought by a friend",
    "referrals.qualified": "A friend she brought did what counts",
    "referrals.rewarded": "Was rewarded for a friend",
    "referrals.reversed": "A friend she brought gave everything back",
}


def seed(*, now: dt.datetime) -> None:
    """Make what is missing and refresh the built-in ones; run again it does nothing more."""
    ActivityKind.objects.bulk_create(
        [ActivityKind(key=key, label=label, schema=_ABOUT, is_built_in=True) for key, label in KINDS.items()],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["label", "schema", "is_built_in"],
    )
