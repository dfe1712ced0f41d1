"""Everything that is done about schemes, referrals and partners: one verb a function."""

from referrals.operations.schemes import (
    AlreadyLaunched,
    HasEnded,
    IncentiveNotUsable,
    KeyTaken,
    KindIsFixed,
    NamesMissing,
    NoSuchScheme,
    NoSuchSegment,
    NotLive,
    NotPaused,
    create_scheme,
    end_scheme,
    launch_scheme,
    pause_scheme,
    resume_scheme,
    save_scheme,
)

__all__ = [
    "AlreadyLaunched",
    "HasEnded",
    "IncentiveNotUsable",
    "KeyTaken",
    "KindIsFixed",
    "NamesMissing",
    "NoSuchScheme",
    "NoSuchSegment",
    "NotLive",
    "NotPaused",
    "create_scheme",
    "end_scheme",
    "launch_scheme",
    "pause_scheme",
    "resume_scheme",
    "save_scheme",
]
