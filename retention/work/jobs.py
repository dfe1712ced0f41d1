"""The `work` room's own jobs."""

import datetime as dt

from retention.registries import DueJob, jobs
from retention.work import imports, operations
from retention.work.models import JobRun


@jobs.register
class TidyRuns(DueJob):
    key = "work.tidy"
    label = "Forget old runs of jobs and files of imports"
    at = dt.time(4, 30)
    order = 95

    @classmethod
    def run(cls, *, now, progress):
        return {"due": operations.tidy_runs(now=now) + imports.forget_files(now=now)}

    @classmethod
    def preview(cls, *, now):
        old = JobRun.objects.filter(job__at=None, due_at__lt=now - dt.timedelta(days=2))
        return {"due": old.exclude(state__in=JobRun.OPEN).count()}


@jobs.register
class Imports(DueJob):
    """Files that wait for a worker, or whose worker died."""

    key = "work.imports"
    label = "Bring waiting files in"
    queue = "bulk"
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        due = imports.due_imports()
        for done, import_id in enumerate(due, start=1):
            imports.run_import(import_id=import_id, now=now)
            progress(done, len(due))
        return {"due": len(due)}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(imports.due_imports())}
