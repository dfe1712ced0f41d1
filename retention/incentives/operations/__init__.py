"""Everything that changes what is given: one verb a function."""

from retention.incentives.operations.grant_life import give, take_back, void_grant
from retention.incentives.operations.grants import Granted, grant
from retention.incentives.operations.life import create_incentive, go_live, resume, save_incentive, stop

__all__ = [
    "Granted",
    "create_incentive",
    "give",
    "go_live",
    "grant",
    "resume",
    "save_incentive",
    "stop",
    "take_back",
    "void_grant",
]
