"""Everything that moves value: one verb a function."""

from retention.ledger.operations.accounts import (
    NoSuchAccount,
    freeze,
    merge_accounts,
    open_accounts_of,
    open_customer_accounts,
    shop_account,
)
from retention.ledger.operations.corrections import (
    Reversed,
    Taking,
    adjust,
    give_back,
    reverse,
    take_back,
    take_back_each,
)
from retention.ledger.operations.holds import capture, hold, release, release_run_out
from retention.ledger.operations.night import activate, activate_each, cancel_pending, keep_night, move_ends
from retention.ledger.operations.transfers import MOST, Moved, Transfer, transfer, transfer_one
from retention.ledger.operations.units import NoSuchUnit, create_unit, money_unit, save_unit, unit_of

__all__ = [
    "MOST",
    "Moved",
    "NoSuchAccount",
    "NoSuchUnit",
    "Reversed",
    "Taking",
    "Transfer",
    "activate",
    "activate_each",
    "adjust",
    "cancel_pending",
    "capture",
    "create_unit",
    "freeze",
    "give_back",
    "hold",
    "keep_night",
    "merge_accounts",
    "money_unit",
    "move_ends",
    "open_accounts_of",
    "open_customer_accounts",
    "release",
    "release_run_out",
    "reverse",
    "save_unit",
    "shop_account",
    "take_back",
    "take_back_each",
    "transfer",
    "transfer_one",
    "unit_of",
]
