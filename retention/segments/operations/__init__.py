"""Writes: segments and their versions, who is in, and uploaded lists."""

from retention.segments.operations.editing import (
    NameTaken,
    SegmentInUse,
    archive_segment,
    bring_back_segment,
    create_segment,
    save_segment,
)
from retention.segments.operations.lists import ListInUse, Uploaded, archive_list, upload_list
from retention.segments.operations.refreshing import (
    BeingRefreshed,
    Refreshed,
    follow_segment,
    prove_segment,
    refresh_segment,
)

__all__ = [
    "BeingRefreshed",
    "ListInUse",
    "NameTaken",
    "Refreshed",
    "SegmentInUse",
    "Uploaded",
    "archive_list",
    "archive_segment",
    "bring_back_segment",
    "create_segment",
    "follow_segment",
    "prove_segment",
    "refresh_segment",
    "save_segment",
    "upload_list",
]
