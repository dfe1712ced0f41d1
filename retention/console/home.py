"""What the home page shows: how the machine is, what is running, and what happened today; every read is bounded."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, When
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from referrals.models import PayoutBatch
from referrals.querysets import to_review
from retention import clock
from retention.console.figures import figures_text
from retention.incentives.models import CodeBatch, Fulfilment, Grant, Redemption
from retention.incentives.remedies import Remedy, remedy_of
from retention.messaging.models import Delivery
from retention.work.models import Alert, Import, JobRun
from retention.work.querysets import PROCESSES, shop_zone, signs, standing

#: A figure of the home page counts no further than this; beyond it says "10,000+".
CAP = 10_000
SHOWN = 6
CAMPAIGNS_SHOWN = 10


@dataclass(frozen=True)
class Figure:
    """One number of today, and the list behind it."""

    label: str
    value: str
    link: str | None
    tone: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Home:
    """The parts of the page that this person may see; an absent part is None."""

    #: What only a person can decide or do; nothing that waits is not shown.
    waiting: list[Figure]
    figures: list[Figure]
    jobs: list[dict[str, Any]] | None
    processes: list[dict[str, Any]] | None
    campaigns: list[Campaign] | None
    #: Each with the button that helps at once, if there is one.
    alerts: list[tuple[Alert, Remedy | None]] | None
    imports: list[Import] | None
    batches: list[CodeBatch] | None
    more_campaigns: int
    as_of: dt.datetime
    zone: str

    @property
    def jobs_to_look_at(self) -> list[dict[str, Any]]:
        """Those that failed, are under way or are switched off."""
        return [job for job in self.jobs or () if job["is_to_look_at"]]

    @property
    def other_jobs(self) -> list[dict[str, Any]]:
        return [job for job in self.jobs or () if not job["is_to_look_at"]]


def read(user: Any, now: dt.datetime) -> Home:
    """Read the home page for one person: about a dozen short queries, whatever the size of the shop."""

    def allowed(right: str, part: Callable[[], Any]) -> Any:
        return part() if user.has_perm(right) else None

    zone = shop_zone()
    midnight = clock.local_instant(now.astimezone(clock.zone(zone)).date(), dt.time(), zone)
    live = allowed("campaigns.view_campaign", _live)
    return Home(
        waiting=_waiting(user),
        figures=[
            *(allowed("incentives.view_grant", lambda: [_issued(midnight)]) or []),
            *(allowed("incentives.view_redemption", lambda: [_redeemed(midnight)]) or []),
            *(allowed("messaging.view_delivery", lambda: _messages(midnight)) or []),
        ],
        jobs=allowed("work.view_job", lambda: _jobs(now)),
        processes=allowed("work.view_job", _processes),
        campaigns=live and live[0],
        alerts=allowed("work.view_alert", lambda: _alerts(user)),
        imports=allowed("work.view_import", _importing),
        batches=allowed("incentives.view_code", _making),
        more_campaigns=live[1] if live else 0,
        as_of=now,
        zone=zone,
    )


def _waiting(user: Any) -> list[Figure]:
    """What waits for a decision or a deed that this person may take."""
    drawn_up = PayoutBatch.objects.filter(state=PayoutBatch.State.DRAFT).exclude(drawn_up_by=user)
    asked: tuple[tuple[str, str, QuerySet, str | None], ...] = (
        ("campaigns.approve_campaign", _("Campaigns to approve"), Campaign.objects.filter(state=Campaign.State.REVIEW),
         _filtered("campaigns_campaign", Campaign.State.REVIEW)),
        ("referrals.review_referral", _("Referrals to look through"), to_review(), _page("referrals_review")),
        ("referrals.approve_payoutbatch", _("Payouts to approve"), drawn_up,
         _filtered("referrals_payoutbatch", PayoutBatch.State.DRAFT)),
        ("incentives.settle_fulfilment", _("Promises to keep"), Fulfilment.objects.filter(state=Fulfilment.State.OPEN),
         _filtered("incentives_fulfilment", Fulfilment.State.OPEN)),
    )  # fmt: skip
    found = [Figure(label, count_to_cap(rows), link) for right, label, rows, link in asked if user.has_perm(right)]
    return [figure for figure in found if figure.value != "0"]


def count_to_cap(rows: QuerySet) -> str:
    """How many rows there are, counted no further than `CAP`."""
    count = rows.order_by().values("pk")[: CAP + 1].count()
    return f"{CAP:,}+" if count > CAP else f"{count:,}"


def _newest(rows: QuerySet) -> QuerySet:
    """The last rows by id, enough to count to the cap: today's are among them, and no index by time is needed."""
    model = rows.model
    return model.objects.filter(pk__in=rows.order_by("-pk").values("pk")[: CAP + 1])


def _issued(midnight: dt.datetime) -> Figure:
    value = count_to_cap(_newest(Grant.objects.all()).filter(granted_at__gte=midnight))
    return Figure(_("Coupons issued today"), value, _list("incentives_grant"))


def _redeemed(midnight: dt.datetime) -> Figure:
    value = count_to_cap(Redemption.objects.filter(redeemed_at__gte=midnight, ended_at=None))
    return Figure(_("Redeemed today"), value, _list("incentives_redemption"))


def _messages(midnight: dt.datetime) -> list[Figure]:
    def in_state(state: str) -> QuerySet:
        return Delivery.objects.filter(state=state)

    sent = count_to_cap(_newest(in_state("sent")).filter(ended_at__gte=midnight))
    failed = count_to_cap(_newest(in_state("failed")).filter(ended_at__gte=midnight))
    held, unknown = count_to_cap(in_state("held")), count_to_cap(in_state("unknown"))
    return [
        Figure(_("Messages sent today"), sent, _filtered("messaging_delivery", "sent")),
        Figure(
            _("Held back"),
            held,
            _filtered("messaging_delivery", "held"),
            hint=_("They leave when the reason to wait is gone."),
        ),
        Figure(
            _("Failed today"), failed, _filtered("messaging_delivery", "failed"), tone="" if failed == "0" else "bad"
        ),
        Figure(
            _("Unknown outcome"),
            unknown,
            _filtered("messaging_delivery", "unknown"),
            tone="" if unknown == "0" else "warn",
            hint=_("The mail server may or may not have them; they are never sent again blindly."),
        ),
    ]


def _jobs(now: dt.datetime) -> list[dict[str, Any]]:
    tones = {JobRun.State.DONE: "good", JobRun.State.FAILED: "bad", JobRun.State.RUNNING: "info"}
    return [
        {
            "label": job.label,
            "run": (run := job.runs[0] if job.runs else None),
            "tone": tones.get(run.state, "") if run else "",
            "figures": figures_text(run.figures) if run else "",
            "next_due_at": job.next_due_at,
            "is_enabled": job.job.is_enabled,
            "is_to_look_at": not job.job.is_enabled or (run is not None and run.state != JobRun.State.DONE),
        }
        for job in standing(now=now, runs=1)
    ]


def _processes() -> list[dict[str, Any]]:
    return [
        {"label": sign.label, "at": sign.at, "is_alive": sign.is_alive, "is_starting": sign.is_starting}
        for sign in signs()
        if sign.name in PROCESSES
    ]


def _alerts(user: Any) -> list[tuple[Alert, Remedy | None]]:
    """The newest open alerts, the urgent ones first."""
    is_urgent = Case(When(level=Alert.Level.URGENT, then=0), default=1, output_field=IntegerField())
    found = Alert.objects.filter(resolved_at=None).order_by(is_urgent, "-raised_at")[:SHOWN]
    return [(alert, remedy_of(alert, user)) for alert in found]


def _live() -> tuple[list[Campaign], int]:
    """The newest live campaigns, and how many more there are."""
    rows = Campaign.objects.filter(state=Campaign.State.LIVE, archived_at=None)
    shown = list(rows.order_by("-launched_at", "-pk").only("name", "launched_at", "occasion")[:CAMPAIGNS_SHOWN])
    return shown, rows.count() - len(shown) if len(shown) == CAMPAIGNS_SHOWN else 0


def _importing() -> list[Import]:
    return list(Import.objects.filter(state__in=[Import.State.WAITING, Import.State.RUNNING]).order_by("-pk")[:SHOWN])


def _making() -> list[CodeBatch]:
    waiting = CodeBatch.objects.filter(state=CodeBatch.State.WAITING)
    return list(waiting.select_related("incentive").order_by("pk")[:SHOWN])


def _list(name: str) -> str | None:
    return _page(f"{name}_changelist")


def _filtered(name: str, state: str) -> str | None:
    address = _list(name)
    return address and f"{address}?state__exact={state}"


def _page(name: str) -> str | None:
    """The address of a page, where it is there."""
    try:
        return reverse(f"admin:{name}")
    except NoReverseMatch:
        return None
