"""The board and the calendar: what was counted, with the buttons that change it; both show what the job wrote."""

import calendar
import datetime as dt
from collections import defaultdict
from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from campaigns.boards.models import Board, BoardLine
from campaigns.boards.operations import ask_board
from campaigns.calendar.models import EventDay
from campaigns.models import Campaign, Holiday
from retention import clock, money
from retention.doors.console import acting
from retention.incentives.models import Incentive
from retention.ledger.models import Unit
from retention.ledger.versions import rule_of
from retention.shop.models import Shop

may_see = permission_required("campaigns.view_campaign", raise_exception=True)
Kind = BoardLine.Kind
ICONS = {
    Kind.SENDS: "send", Kind.STEPS: "steps", Kind.STARTS: "play_circle", Kind.ENDS: "stop_circle",
    Kind.OUTBOX: "outbox", Kind.COUPONS: "confirmation_number", Kind.VALUE: "toll", Kind.HOLDS: "lock_clock",
}  # fmt: skip
#: What the figure of a line counts.
COUNTED = {
    Kind.SENDS: _("customers"), Kind.STEPS: _("customers"), Kind.OUTBOX: _("messages"), Kind.COUPONS: _("coupons"),
    Kind.VALUE: _("accounts"), Kind.HOLDS: _("holds"),
}  # fmt: skip
#: Of a campaign's states, the buttons that make sense: (name of the action, its words, whether it stops).
BUTTONS: dict[str, tuple[tuple[str, Any, bool], ...]] = {
    Campaign.State.LIVE: (("pause", _("Pause"), True),),
    Campaign.State.PAUSED: (("resume", _("Resume"), False), ("end", _("End"), True)),
}
#: How many of a kind a cell of the calendar names before it counts the rest.
NAMED = {"lines": 5, "holidays": 2, "events": 3}


@require_http_methods(["GET", "POST"])
@may_see
def board(request: HttpRequest) -> HttpResponse:
    """The days ahead; posting lets it be counted anew."""
    if request.method == "POST":
        if not request.user.has_perm("campaigns.launch_campaign"):
            raise PermissionDenied
        ask_board(**acting(request))
        messages.success(request, _("It is being counted. This page shows the new figures in a moment."))
        return redirect("campaigns:board")
    return render(request, "campaigns/boards/page.html", {**admin.site.each_context(request), **_board(request)})


@require_GET
@may_see
def board_lines(request: HttpRequest) -> HttpResponse:
    """The board alone, asked again while it is being counted."""
    return render(request, "campaigns/boards/lines.html", _board(request))


def _board(request: HttpRequest) -> dict[str, Any]:
    shop = Shop.objects.get()
    counted = Board.objects.filter(pk=1).first()
    today = clock.now().astimezone(clock.zone(shop.time_zone)).date()
    lines = list(BoardLine.objects.filter(on__gte=today).select_related("campaign"))
    units = {unit.key: unit for unit in Unit.objects.select_related("version")}
    expiring = {line.incentive_id for line in lines if line.incentive_id}
    live = set(Incentive.objects.filter(pk__in=expiring, state=Incentive.State.LIVE).values_list("pk", flat=True))
    overlaps = counted.days if counted else {}
    names = Campaign.objects.in_bulk([pk for day in overlaps.values() for pair in day["pairs"] for pk in pair[:2]])
    days = []
    for on, its_lines in groupby(sorted(lines, key=lambda line: line.on), key=lambda line: line.on):
        shown = [_line(line, shop.currency, units, live, request.user) for line in its_lines]
        shown.sort(key=lambda one: (-one["priority"], list(ICONS).index(one["line"].kind), one["name"]))
        costs = [one["line"].cost_minor for one in shown if one["line"].cost_minor]
        met = overlaps.get(on.isoformat(), {"customers": 0, "shared": 0, "pairs": []})
        days.append(
            {
                "on": on,
                "lines": shown,
                "customers": met["customers"],
                "shared": met["shared"],
                "pairs": [(names.get(one), names.get(other), heads) for one, other, heads in met["pairs"]],
                "cost": money.show(sum(costs), shop.currency, get_language() or "en") if costs else "",
            }
        )
    most = max((day["customers"] for day in days), default=0) or 1
    for day in days:
        day["height"] = 100 * day["customers"] // most
        day["shared_height"] = 100 * day["shared"] // most
    return {
        "title": _("Next 30 days"),
        "board": counted,
        "days": days,
        "today": today,
        "failed": Campaign.objects.filter(pk__in=counted.failed) if counted else (),
        "is_counting": counted is None or counted.asked_at is not None or counted.computed_at is None,
        "may_launch": request.user.has_perm("campaigns.launch_campaign"),
    }


def _line(line: BoardLine, currency: str, units: dict[str, Unit], live: set[int], user: Any) -> dict[str, Any]:
    """One line in words, with its links and buttons."""
    language = get_language() or "en"
    unit = units.get(line.label) if line.kind in (Kind.VALUE, Kind.HOLDS) else None
    campaign = line.campaign
    buttons = []
    if campaign is not None and user.has_perm("campaigns.launch_campaign"):
        buttons = [
            {"url": reverse(f"admin:campaigns_campaign_{act}", args=[campaign.pk]), "label": label, "is_stop": stops}
            for act, label, stops in BUTTONS.get(campaign.state, ())
        ]
    url = reverse("admin:campaigns_campaign_change", args=[campaign.pk]) if campaign is not None else ""
    if line.incentive_id is not None:
        url = reverse("admin:incentives_incentive_change", args=[line.incentive_id])
        if line.incentive_id in live and user.has_perm("incentives.stop_incentive"):
            stop = reverse("admin:incentives_incentive_stop", args=[line.incentive_id])
            buttons = [{"url": stop, "label": _("Stop the offer"), "is_stop": True}]
    name = str(campaign) if campaign is not None else str(unit.name if unit else line.label)
    return {
        "line": line,
        "icon": ICONS[Kind(line.kind)],
        "counted": COUNTED.get(Kind(line.kind), ""),
        "name": name or str(_("at checkouts")),
        "url": url,
        "amount": rule_of(unit).show(line.amount) if unit is not None and line.amount is not None else "",
        "cost": money.show(line.cost_minor, currency, language) if line.cost_minor is not None else "",
        "buttons": buttons,
        "priority": campaign.priority if campaign is not None else -1_000,
        "state": campaign.get_state_display() if campaign is not None else "",
        "is_paused": campaign is not None and campaign.state == Campaign.State.PAUSED,
    }


@require_GET
@may_see
def month(request: HttpRequest) -> HttpResponse:
    """A month: what campaigns do, holidays of the countries where customers are, and local events."""
    zone = Shop.objects.values_list("time_zone", flat=True).first() or "UTC"
    today = clock.now().astimezone(clock.zone(zone)).date()
    first = _month(request.GET.get("month", "")) or today.replace(day=1)
    after = (first + dt.timedelta(days=32)).replace(day=1)
    before = (first - dt.timedelta(days=1)).replace(day=1)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    cells = _cells(weeks[0][0], weeks[-1][-1])
    context = {
        **admin.site.each_context(request),
        "title": _("Calendar"),
        "first": first,
        "today": today,
        "before": before if before.year >= 1900 else None,
        "after": after if after.year <= 2200 else None,
        "names_of_days": weeks[0],
        "weeks": [
            [{"on": day, "is_outside": day.month != first.month, **cells[day]} for day in week] for week in weeks
        ],
        "board": Board.objects.filter(pk=1).first(),
    }
    return render(request, "campaigns/boards/month.html", context)


def _month(text: str) -> dt.date | None:
    try:
        found = dt.datetime.strptime(f"{text[:7]}-01", "%Y-%m-%d").date()  # noqa: DTZ007  a day, no instant
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2200 else None


def _cells(first: dt.date, last: dt.date) -> dict[dt.date, dict[str, Any]]:
    """Day → its campaigns, holidays and events, each day's from three bounded queries."""
    cells: dict[dt.date, dict[str, Any]] = defaultdict(lambda: {"lines": [], "holidays": [], "events": []})
    kinds = (Kind.SENDS, Kind.STEPS, Kind.STARTS, Kind.ENDS)
    lines = BoardLine.objects.filter(on__range=(first, last), kind__in=kinds, campaign__isnull=False)
    for line in lines.select_related("campaign").order_by("on", "-campaign__priority", "kind", "campaign_id"):
        cells[line.on]["lines"].append({"line": line, "icon": ICONS[Kind(line.kind)]})
    by_name: dict[tuple[dt.date, str], list[str]] = defaultdict(list)
    for on, name, country in (
        Holiday.objects.filter(on__range=(first, last), is_observed=True)
        .order_by("on", "name", "country")
        .values_list("on", "name", "country")
    ):
        by_name[on, name].append(country)
    for (on, name), countries in by_name.items():
        cells[on]["holidays"].append({"name": name, "countries": countries})
    for day in EventDay.objects.filter(on__range=(first, last)).select_related("event").order_by("on", "pk"):
        cells[day.on]["events"].append(day.event)
    for cell in cells.values():
        for kind in ("lines", "holidays", "events"):
            cell[f"more_{kind}"] = max(0, len(cell[kind]) - NAMED[kind])
            cell[kind] = cell[kind][: NAMED[kind]]
    return cells
