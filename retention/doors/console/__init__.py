"""What console pages are built from: fast lists, one-operation forms, confirmations, history."""

from retention.doors.console.acts import acting
from retention.doors.console.choosing import ChosenOrNew
from retention.doors.console.confirm import ConfirmForm, button, confirm
from retention.doors.console.edits import EditAdmin
from retention.doors.console.history import VersionHistory
from retention.doors.console.lists import CappedPaginator, DaysFilter, FactAdmin, FastList

__all__ = [
    "CappedPaginator",
    "ChosenOrNew",
    "ConfirmForm",
    "DaysFilter",
    "EditAdmin",
    "FactAdmin",
    "FastList",
    "VersionHistory",
    "acting",
    "button",
    "confirm",
]
