"""How accounts and entries are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class AccountData(PersonData):
    key = "ledger.account"
    model = "ledger.Account"
    merging = "combine"  # by entries: see `merge_accounts`
    #: The books keep what was owed to somebody, by number alone.
    columns: ClassVar = {"customer": "keep", "purpose": "keep", "origin": "keep"}


@people.register
class EntryData(PersonData):
    key = "ledger.entry"
    model = "ledger.Entry"
    owner = "to_account__customer"
    merging = "stay"  # append-only
    columns: ClassVar = {"source": "keep", "reason": "keep", "origin": "keep", "by": "keep"}


@people.register
class LotData(PersonData):
    key = "ledger.lot"
    model = "ledger.Lot"
    owner = "account__customer"
    merging = "stay"
    columns: ClassVar = {"pending_event": "keep"}


@people.register
class HoldData(PersonData):
    key = "ledger.hold"
    model = "ledger.Hold"
    owner = "account__customer"
    columns: ClassVar = {"source": "keep", "origin": "keep"}
