"""Writes of the `work` room: runs of jobs, heartbeats, alerts."""

from retention.work.operations.alerts import raise_alert, resolve_alert, settle_alert
from retention.work.operations.back_tests import do_back_tests
from retention.work.operations.foreground import Report, preview_due, run_due
from retention.work.operations.heartbeats import beat, watch
from retention.work.operations.runs import (
    GATHER,
    LEASE,
    JobIsOff,
    NoSuchJob,
    RunTakenOver,
    describe,
    facts_came,
    nudge,
    register_jobs,
    run,
    run_nudged,
    run_soon,
    save_job,
    tick,
    tidy_runs,
)

__all__ = [
    "GATHER",
    "LEASE",
    "JobIsOff",
    "NoSuchJob",
    "Report",
    "RunTakenOver",
    "beat",
    "describe",
    "do_back_tests",
    "facts_came",
    "nudge",
    "preview_due",
    "raise_alert",
    "register_jobs",
    "resolve_alert",
    "run",
    "run_due",
    "run_nudged",
    "run_soon",
    "save_job",
    "settle_alert",
    "tick",
    "tidy_runs",
    "watch",
]
