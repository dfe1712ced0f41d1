"""The console's pages for segments, lists, stages and RFM groups."""

from retention.segments.admin import lists, rfm, segments, stages

__all__ = ["lists", "rfm", "segments", "stages"]
