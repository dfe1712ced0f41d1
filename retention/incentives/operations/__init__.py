"""Everything that changes what is given: one verb a function."""

from retention.incentives.operations.budgets import save_budget, save_policy
from retention.incentives.operations.by_hand import check_in, settle_fulfilment
from retention.incentives.operations.code_batches import apply_version_to_codes, fill_batch, generate_codes
from retention.incentives.operations.exporting import NoSuchBatch, export_codes
from retention.incentives.operations.grant_life import give, take_back, void_grant
from retention.incentives.operations.grants import Granted, grant
from retention.incentives.operations.life import create_incentive, go_live, resume, save_incentive, stop
from retention.incentives.operations.reconcile import reconcile
from retention.incentives.operations.redemptions import (
    Redeemed,
    Validated,
    hold,
    preview_rollback,
    redeem,
    redeem_held,
    release,
    release_expired,
    roll_back,
    validate,
)
from retention.incentives.operations.shoppers import drop_tiers, put_tiers
from retention.incentives.qualifying import Qualified, qualify

__all__ = [
    "Granted",
    "NoSuchBatch",
    "Qualified",
    "Redeemed",
    "Validated",
    "apply_version_to_codes",
    "check_in",
    "create_incentive",
    "drop_tiers",
    "export_codes",
    "fill_batch",
    "generate_codes",
    "give",
    "go_live",
    "grant",
    "hold",
    "preview_rollback",
    "put_tiers",
    "qualify",
    "reconcile",
    "redeem",
    "redeem_held",
    "release",
    "release_expired",
    "resume",
    "roll_back",
    "save_budget",
    "save_incentive",
    "save_policy",
    "settle_fulfilment",
    "stop",
    "take_back",
    "validate",
    "void_grant",
]
