"""The scheduled work of the board: counted once an hour, and when somebody asks."""

from django.utils.translation import gettext_lazy as _

from campaigns.boards.operations import JOB, count_board, is_due
from retention.registries import DueJob, jobs


@jobs.register
class CountBoard(DueJob):
    key = JOB
    label = _("Count the board of the days ahead")
    queue = "bulk"
    order = 65

    @classmethod
    def run(cls, *, now, progress):
        return {"due": count_board(now=now, progress=progress) if is_due(now=now) else 0}

    @classmethod
    def preview(cls, *, now):
        return {"due": int(is_due(now=now))}
