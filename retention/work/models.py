"""Work that people can see: jobs with their hours and runs, marks, heartbeats, imports and alerts."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from retention.audit.models import Version


class Job(models.Model):
    """One kind of scheduled work; the timetable in code makes the row, people edit its hour."""

    key = models.CharField(max_length=60, unique=True)
    is_enabled = models.BooleanField("enabled", default=True)
    at = models.TimeField(
        null=True, blank=True, help_text="Hour in the shop's zone; empty: at every tick, each minute."
    )
    heartbeat_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["key"]

    def __str__(self):
        return self.key


class JobRun(models.Model):
    """One run of a job for one due instant; its lease is by the database's clock, everything else by the door's."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting for a worker"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    #: In these a lane of a job is taken.
    OPEN = ("waiting", "running")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="runs")
    due_at = models.DateTimeField(help_text="The instant it was due; a run missed is caught up once.")
    lane = models.PositiveSmallIntegerField(default=0, help_text="Jobs of several lanes run side by side.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Also tells a run from one that took it over.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(
        null=True, help_text="Past it, a run that waits was lost and one that is running has died."
    )
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="due, touched, granted, queued, sent, skipped by reason.")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-due_at"]
        constraints = [
            models.UniqueConstraint(fields=["job", "due_at", "lane"], name="one_run_a_due_instant"),
            models.UniqueConstraint(
                fields=["job", "lane"], condition=Q(state__in=["waiting", "running"]), name="one_open_run_a_lane"
            ),
        ]
        indexes = [
            models.Index(fields=["job", "-started_at"], name="run_by_job"),
        ]

    def __str__(self):
        return f"Run {self.pk}"


class Watermark(models.Model):
    """How far a consumer has come: in time, or in the marks that facts carry."""

    key = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField(null=True)
    mark = models.BigIntegerField(null=True)

    def __str__(self):
        return self.key


class Heartbeat(models.Model):
    """The last sign of life of a process of a name, such as `beat` or `worker`."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()

    def __str__(self):
        return self.name


class ColumnMap(models.Model):
    """Which columns of a source's files are which of ours; chosen again when a file with the same columns comes."""

    name = models.CharField(max_length=80, unique=True, help_text="Where the files come from, such as “ERP export”.")
    kind = models.CharField(max_length=40)
    headers = ArrayField(models.CharField(max_length=120), help_text="Columns of its files, sorted.")
    layout = models.JSONField(help_text="columns, constants, words, dates, has_decimal_comma.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "source"
        ordering = ["name"]

    def __str__(self):
        return self.name


class Import(models.Model):
    """One file of facts on its way in: progress, result, and a file of the rows that were refused."""

    class State(models.TextChoices):
        PREPARED = "prepared", "being prepared"
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=80, blank=True, help_text="What its columns were read by.")
    layout = models.JSONField(default=dict, help_text="The columns as they were chosen then; empty: they are ours.")
    file = models.FileField(upload_to="imports/%Y/%m/")
    file_name = models.CharField(max_length=200)
    good_only = models.BooleanField("import the good rows, return the rest", default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    is_cancelling = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True)
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    rows_done = models.BigIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="new, changed, unchanged, refused.")
    errors = models.FileField(upload_to="imports/%Y/%m/", blank=True)
    error = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self):
        return f"{self.file_name} ({self.kind})"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class Alert(models.Model):
    """Something a person should look at; one open alert per kind and subject, however often it is raised."""

    class Level(models.TextChoices):
        NOTE = "note"
        WARNING = "warning"
        URGENT = "urgent"

    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, blank=True)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.WARNING)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=200, blank=True)
    raised_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(resolved_at=None), name="one_open_alert"),
        ]

    def __str__(self):
        return self.text


class BackTest(models.Model):
    """A look at days gone by that somebody asked for; the result stays with its version and time, whatever comes later.

    Every room that looks back has its own, with whose rules they are and what it finds.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    #: Still to come.
    OPEN = (State.WAITING, State.RUNNING)

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    first = models.DateField(help_text="First day of the shop's that is looked at.")
    last = models.DateField(help_text="Last one.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="Parts that are through.")
    total = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="The result, in the shape of the room's own class.")
    error = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    computed_at = models.DateTimeField(null=True, help_text="As of when facts were read.")

    class Meta:
        abstract = True
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="%(app_label)s_back_test_has_days")
        ]

    def __str__(self):
        return f"Back-test {self.pk}"
