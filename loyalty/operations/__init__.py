"""Everything that changes something in loyalty: one verb a function."""

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

__all__ = [
    "Joined",
    "NoSuchMember",
    "NoSuchProgramme",
    "archive_programme",
    "create_programme",
    "end_programme",
    "join",
    "launch_programme",
    "leave",
    "pause_programme",
    "resume_programme",
    "save_programme",
]
