"""What members are given for having earned so much."""

from __future__ import annotations

from retention.incentives.parts import Part


class Milestone(Part):
    """One place on the way."""

    key: str
