"""How memberships and what came of them are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class MemberData(PersonData):
    key = "loyalty.member"
    model = "loyalty.Member"
    merging = "combine"  # a survivor who is in the programme herself keeps one membership
    #: The books of the programme keep that somebody was in it, by number alone.
    columns: ClassVar = {"customer": "keep", "joined_by": "keep", "prefers": "blank"}


@people.register
class EarningData(PersonData):
    key = "loyalty.earning"
    model = "loyalty.Earning"
    owner = "member__customer"
    columns: ClassVar = {"rule": "keep", "about": "keep", "tier": "keep", "why": "keep"}


@people.register
class UsedCodeData(PersonData):
    key = "loyalty.used_code"
    model = "loyalty.UsedCode"
    owner = "earning__member__customer"
    #: Of a pack or a receipt, not of a person; it stays used.
    columns: ClassVar = {"rule": "keep", "code": "keep"}


@people.register
class ClaimData(PersonData):
    key = "loyalty.claim"
    model = "loyalty.Claim"
    owner = "member__customer"
    columns: ClassVar = {"source": "keep", "origin": "keep"}


@people.register
class TierChangeData(PersonData):
    key = "loyalty.tier_change"
    model = "loyalty.TierChange"
    owner = "member__customer"
    merging = "stay"  # append-only
    columns: ClassVar = {"by": "keep", "reason": "keep"}


@people.register
class PassingData(PersonData):
    key = "loyalty.passing"
    model = "loyalty.Passing"
    owner = "member__customer"
    columns: ClassVar = {"milestone": "keep", "refusal": "keep"}


@people.register
class CompletionData(PersonData):
    key = "loyalty.completion"
    model = "loyalty.Completion"
    owner = "member__customer"
    columns: ClassVar = {"refusal": "keep"}
