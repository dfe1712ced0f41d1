"""The kinds of activities by which this room tells the others what happened in it."""

import datetime as dt

from retention.customers.models import ActivityKind


def _object(**properties: str) -> dict:
    return {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}


#: key → (label, JSON Schema of its properties)
KINDS: dict[str, tuple[str, dict]] = {
    "loyalty.joined": ("Joined a programme", _object(programme="string")),
    "loyalty.left": ("Left a programme", _object(programme="string")),
    "loyalty.tier_reached": ("Reached a tier", _object(programme="string", tier="string")),
    "loyalty.tier_lost": ("Lost a tier", _object(programme="string", tier="string")),
    "loyalty.reward_claimed": ("Claimed a reward", _object(programme="string", reward="string")),
    "loyalty.milestone_reached": ("Reached a milestone", _object(programme="string", milestone="string")),
    "loyalty.badge_earned": ("Earned a badge", _object(programme="string", badge="string")),
    "loyalty.points_adjusted": ("Points corrected", _object(programme="string", amount="integer")),
}


def seed(*, now: dt.datetime) -> None:
    """Make what is missing and refresh the others; run again it does nothing more."""
    ActivityKind.objects.bulk_create(
        [ActivityKind(key=key, label=label, schema=schema, is_built_in=True) for key, (label, schema) in KINDS.items()],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["label", "schema", "is_built_in"],
    )
