"""The `work` room's own jobs."""

import datetime as dt

from retention.registries import DueJob, jobs
from retention.work import operations
from retention.work.models import JobRun


@jobs.register
class TidyRuns(DueJob):
    key = "tidy_runs"
    label = "Forget old runs of jobs"
    at = dt.time(4, 30)
    order = 95

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.tidy_runs(now=now)}

    @classmethod
    def preview(cls, *, now):
        old = JobRun.objects.filter(job__at=None, due_at__lt=now - dt.timedelta(days=2))
        return {"due": old.exclude(state__in=JobRun.OPEN).count()}
