"""What console pages are built from: fast lists, one-operation forms, confirmations, history."""

from retention.doors.console.confirm import ConfirmForm, confirm
from retention.doors.console.edits import EditAdmin, acting
from retention.doors.console.history import VersionHistory
from retention.doors.console.lists import CappedPaginator, FactAdmin, FastList

__all__ = [
    "CappedPaginator",
    "ConfirmForm",
    "EditAdmin",
    "FactAdmin",
    "FastList",
    "VersionHistory",
    "acting",
    "confirm",
]
