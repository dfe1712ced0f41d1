"""Jobs in the console: their hour, whether they are on, their runs; alerts to be settled."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject
from django.http import HttpRequest
from django.utils import formats
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.enums import ActionVariant

from retention import clock, registries
from retention.console.figures import figures_text
from retention.doors.console import EditAdmin, FactAdmin, acting, button, confirm
from retention.shop.models import Shop
from retention.work import operations
from retention.work.due import next_due
from retention.work.models import Alert, Job, JobRun
from retention.work.querysets import signs

STATES = {"waiting": "info", "running": "info", "done": "success", "failed": "danger"}
LEVELS = {"note": "info", "warning": "warning", "urgent": "danger"}
SHOWN_RUNS = 20


def label_of(key: str) -> str:
    """What people call a job, also one that this version no longer knows."""
    return str(registries.jobs[key].label or key) if key in registries.jobs else key


class RunInline(TabularInline):
    """The last runs."""

    model = JobRun
    verbose_name_plural = _("Last runs")
    fields = ("due_at", "lane", "shown", "started_at", "ended_at", "attempts", "what", "error")
    readonly_fields = fields
    extra = 0
    can_delete = False
    per_page = SHOWN_RUNS
    ordering = ("-due_at", "-lane")

    def has_add_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    @admin.display(description=_("state"))
    def shown(self, obj: JobRun) -> str:
        return obj.get_state_display()

    @admin.display(description=_("what it did"))
    def what(self, obj: JobRun) -> str:
        return figures_text(obj.figures)


@admin.register(Job)
class JobAdmin(EditAdmin):
    is_versioned = False
    list_display = ("label", "is_enabled", "hour", "next_due", "last", "what", "heartbeat_at")
    fields = ("is_enabled", "at", "next_due", "heartbeat_at")
    labels = {"at": _("Hour"), "heartbeat_at": _("Last sign of life")}
    readonly_fields = ("next_due", "heartbeat_at")
    inlines = (RunInline,)
    list_before_template = "work/signs.html"
    actions_detail = ("run_now",)
    list_per_page = 100

    def changelist_view(self, request, extra_context=None):
        operations.register_jobs()
        return super().changelist_view(request, {**(extra_context or {}), "signs": signs()})

    def get_queryset(self, request: HttpRequest):
        # One statement for the whole list: the shop's zone and each job's last run come with its row.
        last = JobRun.objects.filter(job=OuterRef("pk")).order_by("-due_at", "-lane")
        return (
            super()
            .get_queryset(request)
            .filter(key__in=list(registries.jobs.keys()))
            .annotate(
                zone=Coalesce(Subquery(Shop.objects.values("time_zone")[:1]), Value("UTC")),
                last_run=Subquery(last.values(run=JSONObject(state="state", figures="figures", error="error"))[:1]),
            )
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def operate(self, request, form, formsets, change):
        data = form.cleaned_data
        return operations.save_job(
            job_id=form.instance.pk, at=data["at"], is_enabled=data["is_enabled"], **acting(request)
        )

    @confirm(
        title=_("Run now"),
        description=_("One run more, by the next free worker. What was done already is not done again."),
        permissions=["work.change_job"],
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def run_now(self, request, form, obj):
        operations.run_soon(key=obj.key, **acting(request))
        return _("A worker was told. Its run is listed below.")

    @admin.display(description=_("job"), ordering="key")
    def label(self, obj: Job) -> str:
        return label_of(obj.key)

    @admin.display(description=_("hour"), ordering="at")
    def hour(self, obj: Job) -> str:
        return f"{obj.at:%H:%M}" if obj.at else _t("each minute")

    @admin.display(description=_("next due"))
    def next_due(self, obj: Job) -> Any:
        due = next_due(obj.at, obj.zone, clock.now()) if obj.is_enabled else None
        return formats.date_format(due.astimezone(clock.zone(obj.zone)), "DATETIME_FORMAT") if due else "—"

    @display(description=_("last run"), label={label: STATES[value] for value, label in JobRun.State.choices})
    def last(self, obj: Job) -> str | None:
        return str(JobRun.State(obj.last_run["state"]).label) if obj.last_run else None

    @admin.display(description=_("what it did"))
    def what(self, obj: Job) -> str:
        run = obj.last_run
        return (run["error"] or figures_text(run["figures"])) if run else "—"


@admin.register(JobRun)
class JobRunAdmin(FactAdmin):
    list_display = ("label", "due_at", "shown_state", "started_at", "ended_at", "what", "error")
    list_filter = ("job", "state")
    list_select_related = ("job",)
    ordering = ("-id",)
    fields = ("label", "due_at", "shown_state", "attempts", "started_at", "ended_at", "what", "error")
    readonly_fields = ("label", "shown_state", "what")
    labels = {"attempts": _("Tries"), "due_at": _("Was due"), "started_at": _("Began"), "ended_at": _("Ended")}
    empty_hint = _("Each time a job is done, its run is listed here with what it did.")

    @admin.display(description=_("job"), ordering="job")
    def label(self, obj: JobRun) -> str:
        return label_of(obj.job.key)

    @display(description=_("state"), label={label: STATES[value] for value, label in JobRun.State.choices})
    def shown_state(self, obj: JobRun) -> str:
        return obj.get_state_display()

    @admin.display(description=_("what it did"))
    def what(self, obj: JobRun) -> str:
        return figures_text(obj.figures)


@admin.register(Alert)
class AlertAdmin(FactAdmin):
    list_display = ("text", "shown_level", "raised_at", "resolved_at")
    list_filter = ("level", ("resolved_at", admin.EmptyFieldListFilter))
    fields = ("text", "shown_level", "look", "raised_at", "resolved_at")
    readonly_fields = ("shown_level", "look")
    labels = {"text": _("What"), "raised_at": _("Raised"), "resolved_at": _("Settled")}
    empty_hint = _("What somebody should look at is raised here, such as a job that is late or codes that run low.")

    @admin.display(description=_("where to look"))
    def look(self, obj: Alert) -> str:
        link = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
        return format_html(link, obj.url, _t("Open the page")) if obj.url else "—"

    actions_detail = ("settle",)

    @display(description=_("level"), label={label: LEVELS[value] for value, label in Alert.Level.choices})
    def shown_level(self, obj: Alert) -> str:
        return obj.get_level_display()

    settle = button(
        operations.settle_alert,
        of="alert_id",
        done=_("Settled."),
        title=_("Settle"),
        description=_("You have seen to it. It is raised again if it happens again."),
        permissions=["work.change_alert"],
        icon="done",
    )

    def buttons_of(self, obj: Alert) -> list[str] | None:
        return [] if obj.resolved_at else None
