"""Everything that is done about schemes, referrals and partners: one verb a function."""

from referrals.operations.advocates import (
    NotForCustomers,
    Opened,
    TooManyAtOnce,
    block_advocate,
    links_of,
    open_advocates,
)
from referrals.operations.checks import check
from referrals.operations.claiming import FriendCounted, Referred, SourceReused, refer
from referrals.operations.following import claim_due, claw_back_due, count_due, decide_due, qualify_due, reward_due
from referrals.operations.landing import take_friend
from referrals.operations.review import NoSuchReferral, NotInReview, OverAlready, approve, reject
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
    TemplateNotUsable,
    create_scheme,
    end_scheme,
    launch_scheme,
    pause_scheme,
    resume_scheme,
    save_scheme,
)
from referrals.operations.visits import record_visit

__all__ = [
    "AlreadyLaunched",
    "FriendCounted",
    "HasEnded",
    "IncentiveNotUsable",
    "KeyTaken",
    "KindIsFixed",
    "NamesMissing",
    "NoSuchReferral",
    "NoSuchScheme",
    "NoSuchSegment",
    "NotForCustomers",
    "NotInReview",
    "NotLive",
    "NotPaused",
    "Opened",
    "OverAlready",
    "Referred",
    "SourceReused",
    "TemplateNotUsable",
    "TooManyAtOnce",
    "approve",
    "block_advocate",
    "check",
    "claim_due",
    "claw_back_due",
    "count_due",
    "create_scheme",
    "decide_due",
    "end_scheme",
    "launch_scheme",
    "links_of",
    "open_advocates",
    "pause_scheme",
    "qualify_due",
    "record_visit",
    "refer",
    "reject",
    "resume_scheme",
    "reward_due",
    "save_scheme",
    "take_friend",
]
