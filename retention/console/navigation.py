"""The sidebar as a marketer thinks, who sees which line of it, and where each role starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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


GROUPS: tuple[tuple[Promise, tuple[Line, ...]], ...] = (
    (
        _("Campaigns"),
        (
            Line(_("Campaigns"), "campaign", "campaigns_campaign_changelist", "campaigns.view_campaign"),
            Line(_("Playbooks"), "auto_stories", "campaigns_playbooks", "campaigns.add_campaign"),
            Line(_("Touches"), "touch_app", "campaigns_touch_changelist", "campaigns.view_touch"),
            Line(_("Holidays"), "celebration", "campaigns_holiday_changelist", "campaigns.view_holiday"),
        ),
    ),
    (
        _("Customers"),
        (
            Line(_("Customers"), "group", "customers_customer_changelist", "customers.view_customer"),
            Line(_("Orders"), "shopping_bag", "customers_order_changelist", "customers.view_order"),
            Line(_("Activities"), "footprint", "customers_activity_changelist", "customers.view_activity"),
            Line(_("Consents"), "fact_check", "customers_consent_changelist", "customers.view_consent"),
            Line(_("Products"), "sell", "customers_product_changelist", "customers.view_product"),
            Line(_("Imports"), "upload_file", "work_import_changelist", "work.view_import"),
            Line(
                _("Attributes"),
                "label",
                "customers_attributedefinition_changelist",
                "customers.view_attributedefinition",
            ),
            Line(_("Activity kinds"), "category", "customers_activitykind_changelist", "customers.view_activitykind"),
        ),
    ),
    (
        _("Segments"),
        (
            Line(_("Segments"), "pie_chart", "segments_segment_changelist", "segments.view_segment"),
            Line(_("Lists"), "list_alt", "segments_customerlist_changelist", "segments.view_customerlist"),
        ),
    ),
    (
        _("Incentives & codes"),
        (
            Line(_("Incentives"), "redeem", "incentives_incentive_changelist", "incentives.view_incentive"),
            Line(_("Codes"), "confirmation_number", "incentives_code_changelist", "incentives.view_code"),
            Line(_("Grants"), "volunteer_activism", "incentives_grant_changelist", "incentives.view_grant"),
            Line(_("Redemptions"), "receipt_long", "incentives_redemption_changelist", "incentives.view_redemption"),
        ),
    ),
    (
        _("Messages"),
        (
            Line(_("Templates"), "draft", "messaging_template_changelist", "messaging.view_template"),
            Line(_("Deliveries"), "outgoing_mail", "messaging_delivery_changelist", "messaging.view_delivery"),
            Line(_("Suppressions"), "unsubscribe", "messaging_suppression_changelist", "messaging.view_suppression"),
        ),
    ),
    (
        _("Support"),
        (
            Line(_("Sorry desk"), "support_agent", "support:desk", "support.add_compensation"),
            Line(_("Cases"), "folder_open", "support_case_changelist", "support.view_case"),
            Line(_("Compensations"), "healing", "support_compensation_changelist", "support.view_compensation"),
            Line(_("Reasons"), "help", "support_reason_changelist", "support.view_reason"),
            Line(_("Desk settings"), "tune", "support_desk_changelist", "support.change_desk"),
            Line(_("Agents' limits"), "speed", "support_agentlimit_changelist", "support.view_agentlimit"),
        ),
    ),
    (
        _("Jobs"),
        (
            Line(_("Jobs"), "schedule", "work_job_changelist", "work.view_job"),
            Line(_("Runs"), "history", "work_jobrun_changelist", "work.view_jobrun"),
            Line(
                _("Scheduler"),
                "timer",
                "django_celery_beat_periodictask_changelist",
                "django_celery_beat.view_periodictask",
            ),
            Line(_("Alerts"), "notifications", "work_alert_changelist", "work.view_alert"),
        ),
    ),
    (
        _("Settings"),
        (
            Line(_("Shop"), "storefront", "shop_shop_changelist", "shop.view_shop"),
            Line(_("Exchange rates"), "currency_exchange", "shop_exchangerate_changelist", "shop.view_exchangerate"),
            Line(_("Staff"), "badge", "shop_staff_changelist", "shop.view_staff"),
            Line(_("Roles"), "admin_panel_settings", "auth_group_changelist", "auth.view_group"),
            Line(_("API keys"), "key", "doors_apikey_changelist", "doors.view_apikey"),
            Line(_("Refused log-ins"), "lock_clock", "axes_accessattempt_changelist", "axes.view_accessattempt"),
            Line(_("Audit"), "policy", "audit_auditentry_changelist", "audit.view_auditentry"),
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
