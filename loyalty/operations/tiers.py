"""The tiers of programmes."""

import datetime as dt

from loyalty.models import Programme
from loyalty.rules import ProgrammeRule


def sync_tiers(*, programme: Programme, rule: ProgrammeRule, now: dt.datetime) -> None:
    """Make the programme's rows of tiers say what its rule says."""
