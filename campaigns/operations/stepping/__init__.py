"""Steps: what is asked before each, giving and saying, and how a touch goes on."""

from campaigns.goals import ORIGIN
from campaigns.operations.stepping.due import take_due_steps
from campaigns.operations.stepping.taking import source, take_step
from campaigns.operations.stepping.touched import Stepped, Touched, after, wait_for

__all__ = ["ORIGIN", "Stepped", "Touched", "after", "source", "take_due_steps", "take_step", "wait_for"]
