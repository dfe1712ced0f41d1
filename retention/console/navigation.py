"""The sidebar as a marketer thinks, who sees which line of it, and where each role starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retention.doors.console.words import page_of

#: Rows that the palette (Ctrl+K) finds, in the order in which it shows them.
SEARCHED = (
    "customers.customer",
    "customers.order",
    "incentives.code",
    "campaigns.campaign",
    "segments.segment",
    "incentives.incentive",
    "messaging.template",
    "customers.product",
    "shop.staff",
)


@dataclass(frozen=True)
class Line:
    """One line of the sidebar: its address is `admin:` + `name`, or a room's own (`support:desk`).

    `right` is what it takes to see it.
    """

    title: Promise
    icon: str
    name: str
    right: str

    def link(self) -> str | None:
        try:
            return reverse(self.name if ":" in self.name else f"admin:{self.name}")
        except NoReverseMatch:
            return None


def _list(label: str, icon: str, title: Promise, *, right: str = "") -> Line:
    """The line of a model's list, such as "campaigns.touch": seen by whoever may view it, unless `right` says more."""
    room, model = label.split(".")
    return Line(title, icon, f"{room}_{model}_changelist", right or f"{room}.view_{model}")


GROUPS: tuple[tuple[Promise, tuple[Line, ...]], ...] = (
    (
        _("Campaigns"),
        (
            _list("campaigns.campaign", "campaign", _("Campaigns")),
            Line(_("Playbooks"), "auto_stories", "campaigns_playbooks", "campaigns.add_campaign"),
            Line(_("Next 30 days"), "view_timeline", "campaigns:board", "campaigns.view_campaign"),
            Line(_("Calendar"), "calendar_month", "campaigns:month", "campaigns.view_campaign"),
            _list("campaigns.touch", "touch_app", _("Touches")),
            Line(_("Why did she get it?"), "help_center", "campaigns:find", "campaigns.view_touch"),
            _list("campaigns.holiday", "celebration", _("Holidays")),
            _list("campaigns.calendar", "calendar_month", _("Calendars")),
            _list("campaigns.localevent", "festival", _("Local events")),
            _list("campaigns.place", "location_on", _("Places")),
            Line(_("Places without a calendar"), "wrong_location", "campaigns_uncovered", "campaigns.view_calendar"),
            _list("campaigns.call", "notifications_active", _("Calls")),
            _list("experiments.globalholdout", "science", _("Global holdout")),
            _list("campaigns.campaignpolicy", "rule", _("Approval policy")),
        ),
    ),
    (
        _("Customers"),
        (
            _list("customers.customer", "group", _("Customers")),
            _list("customers.order", "shopping_bag", _("Orders")),
            _list("customers.activity", "footprint", _("Activities")),
            _list("customers.consent", "fact_check", _("Consents")),
            _list("customers.product", "sell", _("Products")),
            _list("recommendations.productlink", "link", _("Looks and suggestions")),
            _list("recommendations.boughttogether", "join_inner", _("Bought together")),
            _list("work.import", "upload_file", _("Imports")),
            _list("work.columnmap", "view_column", _("Sources")),
            Line(_("Data health"), "monitor_heart", "customers_health", "customers.view_data_health"),
            _list("customers.attributedefinition", "label", _("Attributes")),
            _list("customers.lifeevent", "family_history", _("Life events")),
            _list("customers.activitykind", "category", _("Activity kinds")),
        ),
    ),
    (
        _("Segments"),
        (
            _list("segments.segment", "pie_chart", _("Segments")),
            Line(_("Overlap"), "join_inner", "segments_segment_overlap", "segments.view_segment"),
            Line(_("Lifecycle"), "route", "customers_stage_flow", "customers.view_stage"),
            _list("customers.stage", "steps", _("Stages")),
            Line(_("RFM groups"), "grid_view", "customers_rfm_grid", "customers.view_rfm"),
            _list("customers.rfm", "scoreboard", _("RFM scores")),
            _list("segments.customerlist", "list_alt", _("Lists")),
        ),
    ),
    (
        _("Incentives & codes"),
        (
            _list("incentives.incentive", "redeem", _("Incentives")),
            _list("incentives.code", "confirmation_number", _("Codes")),
            _list("incentives.grant", "volunteer_activism", _("Grants")),
            _list("incentives.redemption", "receipt_long", _("Redemptions")),
            Line(_("Abuse"), "gpp_maybe", "incentives_abuse", "incentives.view_redemption"),
            _list("incentives.budget", "savings", _("Budgets")),
            _list("incentives.checkoutpolicy", "rule", _("Checkout policy")),
            _list("incentives.fulfilment", "checklist", _("Work-list")),
            _list("incentives.ticket", "local_activity", _("Tickets")),
            Line(_("Check-in"), "qr_code_scanner", "incentives_ticket_check_in", "incentives.check_in_ticket"),
        ),
    ),
    (
        _("Loyalty"),
        (
            _list("loyalty.programme", "loyalty", _("Programmes")),
            _list("loyalty.member", "card_membership", _("Members")),
            _list("loyalty.reward", "redeem", _("Rewards")),
            _list("loyalty.claim", "shopping_basket", _("Claims")),
            _list("loyalty.passing", "flag", _("Milestones passed")),
            _list("loyalty.challenge", "emoji_events", _("Challenges")),
            _list("loyalty.completion", "military_tech", _("Challenges done")),
            _list("loyalty.surprise", "auto_awesome", _("Surprises")),
        ),
    ),
    (
        _("Value"),
        (
            _list("incentives.giftcard", "card_giftcard", _("Gift cards")),
            _list("ledger.account", "account_balance_wallet", _("Accounts")),
            _list("ledger.entry", "swap_horiz", _("Entries")),
            _list("ledger.unit", "toll", _("Units")),
            Line(_("Liability book"), "account_balance", "ledger_liability", "ledger.view_liability"),
        ),
    ),
    (
        _("Referrals"),
        (
            _list("referrals.scheme", "handshake", _("Schemes")),
            Line(_("Ready schemes"), "auto_stories", "referrals_ready", "referrals.add_scheme"),
            Line(_("Review queue"), "gavel", "referrals_review", "referrals.review_referral"),
            _list("referrals.referral", "group_add", _("Referrals")),
            _list("referrals.advocate", "campaign", _("Advocates")),
            Line(_("Reports"), "monitoring", "referrals_reports", "referrals.view_referral"),
            _list("referrals.partner", "storefront", _("Partners")),
            _list("referrals.payoutbatch", "payments", _("Payouts")),
        ),
    ),
    (
        _("Messages"),
        (
            _list("messaging.template", "draft", _("Templates")),
            _list("messaging.block", "widgets", _("Blocks")),
            _list("messaging.brandkit", "palette", _("Brand kit")),
            _list("messaging.delivery", "outgoing_mail", _("Deliveries")),
            _list("messaging.topic", "interests", _("Topics")),
            _list("messaging.suppression", "unsubscribe", _("Suppressions")),
            Line(_("Figures"), "monitoring", "messaging_figures", "messaging.view_delivery"),
            _list("messaging.event", "visibility", _("Opens, clicks, bounces")),
            _list("messaging.pause", "pause_circle", _("Pauses")),
            _list("messaging.outage", "cloud_off", _("Outages")),
            _list("messaging.messagingpolicy", "rule", _("Messaging policy")),
        ),
    ),
    (
        _("Support"),
        (
            Line(_("Sorry desk"), "support_agent", "support:desk", "support.add_compensation"),
            _list("support.case", "folder_open", _("Cases")),
            _list("support.compensation", "healing", _("Compensations")),
            _list("support.reason", "help", _("Reasons")),
            _list("support.desk", "tune", _("Desk settings"), right="support.change_desk"),
            _list("support.agentlimit", "speed", _("Agents' limits")),
        ),
    ),
    (
        _("Jobs"),
        (
            _list("work.job", "schedule", _("Jobs")),
            _list("work.jobrun", "history", _("Runs")),
            _list("django_celery_beat.periodictask", "timer", _("Scheduler")),
            _list("work.alert", "notifications", _("Alerts")),
        ),
    ),
    (
        _("Webhooks"),
        (
            _list("webhooks.endpoint", "webhook", _("Endpoints")),
            _list("webhooks.notice", "outbox", _("Notices")),
            Line(_("Events"), "menu_book", "webhooks_catalogue", "webhooks.view_endpoint"),
        ),
    ),
    (
        _("Settings"),
        (
            _list("shop.shop", "storefront", _("Shop")),
            _list("shop.exchangerate", "currency_exchange", _("Exchange rates")),
            _list("shop.staff", "badge", _("Staff")),
            _list("auth.group", "admin_panel_settings", _("Roles")),
            _list("doors.apikey", "key", _("API keys")),
            _list("axes.accessattempt", "lock_clock", _("Refused log-ins")),
            _list("audit.auditentry", "policy", _("Audit")),
        ),
    ),
)

_DESK = next(line for _title, lines in GROUPS for line in lines if line.name == "support:desk")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The navigation as the theme wants it, with only what this person may open."""
    groups: list[dict[str, Any]] = []
    if start_of(request.user) is None:
        home = reverse("admin:index")
        groups.append({"items": [_item(_("Home"), "home", home, is_here=request.path == home)]})
    for title, lines in _groups_of(request.user):
        seen = list(_open_to(request.user, lines))
        # A page may lie below another one, as the gallery does below the campaigns: the nearest line is lit alone.
        nearest = max((link for _line, link in seen if request.path.startswith(link)), key=len, default=None)
        if seen:
            items = [_item(line.title, line.icon, link, is_here=link == nearest) for line, link in seen]
            groups.append({"title": title, "separator": bool(groups), "items": items})
    return groups


def _item(title: Promise, icon: str, link: str, *, is_here: bool) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link, "active": is_here}


def trail(path: str, row: Any = None, title: Any = "") -> list[tuple[str, str | None]]:
    """Where one is, from the sidebar's group down: (words, address of a page above; None: no page, or this one).

    Args:
        row: whose page it is or belongs to.
        title: of the page itself, where it is neither a list nor a row's own page.
    """
    places = [(group, line, link) for group, lines in GROUPS for line in lines if (link := line.link())]
    around = [place for place in places if path.startswith(place[2])]
    if not around:
        return [(str(title), None)]
    group, line, link = max(around, key=lambda place: len(place[2]))
    # A row's page is told by its list; the group would only take the room that its buttons need.
    steps: list[tuple[str, str | None]] = [] if group == line.title or row is not None else [(str(group), None)]
    steps.append((str(line.title), link))
    if row is not None:
        steps.append((str(row), page_of(type(row), row.pk)))
    # A page that is the line's own says the same.
    if title and str(title) != str(line.title):
        steps.append((str(title), None))
    return [*steps[:-1], (steps[-1][0], None)]


def pages(request: HttpRequest) -> list[tuple[str, str, str]]:
    """(group, title, link) of every page this person may open, for the palette."""
    return [
        (str(title), str(line.title), link) for title, lines in GROUPS for line, link in _open_to(request.user, lines)
    ]


def start_of(user: Any) -> str | None:
    """Where someone starts whose work is one page: an agent at the sorry desk. None: at the home page."""
    if user.has_perm(_DESK.right) and not user.has_perm("campaigns.view_campaign"):
        return _DESK.link()
    return None


def _groups_of(user: Any) -> list[tuple[Promise, tuple[Line, ...]]]:
    """The groups in this person's order: the one with the page that is her work comes first."""
    return sorted(GROUPS, key=lambda group: _DESK not in group[1]) if start_of(user) is not None else list(GROUPS)


def address(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


def _open_to(user: Any, lines: tuple[Line, ...]) -> Iterator[tuple[Line, str]]:
    for line in lines:
        if user.has_perm(line.right) and (link := line.link()) is not None:
            yield line, link
