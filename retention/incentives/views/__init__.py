"""The console's views of this room, beside what the admin itself shows."""

from retention.incentives.views.abuse import abuse_view
from retention.incentives.views.builder import say_view, suggest_view
from retention.incentives.views.by_hand import check_in_view, settle_at_once
from retention.incentives.views.pages import batches_view, codes_file, effects_table, picture_view
from retention.incentives.views.trying import try_view

__all__ = [
    "abuse_view",
    "batches_view",
    "check_in_view",
    "codes_file",
    "effects_table",
    "picture_view",
    "say_view",
    "settle_at_once",
    "suggest_view",
    "try_view",
]
