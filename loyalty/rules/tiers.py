"""The steps of a programme: what takes a member to each of them, and what it brings her."""

from __future__ import annotations

from retention.incentives.parts import Part


class TierRules(Part):
    """The tiers of a programme; without any it has none."""

    def percent(self, tier: str) -> int:
        """What members of this tier earn, in percent of what others do; 100 of an unknown one."""
        return 100
