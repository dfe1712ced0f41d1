"""The console's pages for segments, lists, stages and RFM groups."""

from retention.segments.admin import lists, memberships, rfm, segments, stages

__all__ = ["lists", "memberships", "rfm", "segments", "stages"]
