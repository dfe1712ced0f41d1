"""The checkout's writes: redeem, hold, roll back; a module for each, and what they say."""

from retention.incentives.operations.redemptions.answers import (
    HoldDiffers,
    HoldOver,
    NoRate,
    NoSuchRedemption,
    NothingReturned,
    NothingToRedeem,
    NotRedeemed,
    Redeemed,
    RolledBackBefore,
    SourceReused,
    TooBusy,
    Validated,
)
from retention.incentives.operations.redemptions.holds import release, release_expired
from retention.incentives.operations.redemptions.redeeming import hold, redeem, redeem_held, validate
from retention.incentives.operations.redemptions.rolling_back import preview_rollback, roll_back

__all__ = [
    "HoldDiffers",
    "HoldOver",
    "NoRate",
    "NoSuchRedemption",
    "NotRedeemed",
    "NothingReturned",
    "NothingToRedeem",
    "Redeemed",
    "RolledBackBefore",
    "SourceReused",
    "TooBusy",
    "Validated",
    "hold",
    "preview_rollback",
    "redeem",
    "redeem_held",
    "release",
    "release_expired",
    "roll_back",
    "validate",
]
