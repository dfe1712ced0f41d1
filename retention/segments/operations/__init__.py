"""Writes: segments and stages with their versions, who is in, and uploaded lists."""

from retention.segments.operations.editing import (
    NameTaken,
    SegmentInUse,
    archive_segment,
    bring_back_segment,
    create_segment,
    save_segment,
)
from retention.segments.operations.lists import ListInUse, Uploaded, archive_list, upload_list
from retention.segments.operations.placing import Placed, count_to_place, place_customers
from retention.segments.operations.refreshing import (
    BeingRefreshed,
    Refreshed,
    follow_segment,
    look_again,
    prove_segment,
    refresh_segment,
)
from retention.segments.operations.stages import (
    NotTheStages,
    StageInUse,
    StageKeyTaken,
    archive_stage,
    bring_back_stage,
    create_stage,
    order_stages,
    save_stage,
)

__all__ = [
    "BeingRefreshed",
    "ListInUse",
    "NameTaken",
    "NotTheStages",
    "Placed",
    "Refreshed",
    "SegmentInUse",
    "StageInUse",
    "StageKeyTaken",
    "Uploaded",
    "archive_list",
    "archive_segment",
    "archive_stage",
    "bring_back_segment",
    "bring_back_stage",
    "count_to_place",
    "create_segment",
    "create_stage",
    "follow_segment",
    "look_again",
    "order_stages",
    "place_customers",
    "prove_segment",
    "refresh_segment",
    "save_segment",
    "save_stage",
    "upload_list",
]
