"""Everything that changes something in loyalty: one verb a function."""

from loyalty.operations.adjusting import adjust_many, adjust_points
from loyalty.operations.members import Joined, NoSuchMember, join, leave
from loyalty.operations.programmes import (
    NoSuchProgramme,
    archive_programme,
    create_programme,
    end_programme,
    launch_programme,
    pause_programme,
    resume_programme,
    save_programme,
)
from loyalty.operations.standing import NoSuchTier, NotAMember, NotHigher, invite, set_tier
from loyalty.operations.tiers import keep_tiers, retier

__all__ = [
    "Joined",
    "NoSuchMember",
    "NoSuchProgramme",
    "NoSuchTier",
    "NotAMember",
    "NotHigher",
    "adjust_many",
    "adjust_points",
    "archive_programme",
    "create_programme",
    "end_programme",
    "invite",
    "join",
    "keep_tiers",
    "launch_programme",
    "leave",
    "pause_programme",
    "resume_programme",
    "retier",
    "save_programme",
    "set_tier",
]
