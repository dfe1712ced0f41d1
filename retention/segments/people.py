"""How being in a segment or on a list is forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class MembershipData(PersonData):
    key = "segments.membership"
    model = "segments.Membership"
    #: A bare number; who is erased or merged is meant by no rule and leaves at the next refresh.
    columns: ClassVar = {"customer": "keep"}


@people.register
class MembershipChangeData(PersonData):
    key = "segments.membership_change"
    model = "segments.MembershipChange"
    merging = "stay"  # as what happened to the number it happened to
    columns: ClassVar = {"customer": "keep"}


@people.register
class ListEntryData(PersonData):
    key = "segments.list_entry"
    model = "segments.ListEntry"
    #: A bare number; the line she was named by was never kept.
    columns: ClassVar = {"customer": "keep"}
