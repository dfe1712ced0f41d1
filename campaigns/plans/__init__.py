"""What a campaign is, whole, as the JSON of its version: who, when, what, within which bounds, and how it is tested."""

from campaigns.plans.bounds import Exits, Goal, Hours, Limits, Ramp, ReEntry, StartsLow
from campaigns.plans.plan import Plan, plan_of, plan_of_version, running_plan
from campaigns.plans.steps import AT_ONCE, END, Change, PlannedStep, Variant, Wait

__all__ = [
    "AT_ONCE",
    "END",
    "Change",
    "Exits",
    "Goal",
    "Hours",
    "Limits",
    "Plan",
    "PlannedStep",
    "Ramp",
    "ReEntry",
    "StartsLow",
    "Variant",
    "Wait",
    "plan_of",
    "plan_of_version",
    "running_plan",
]
