"""Playbooks against silence: win-back, and the coupon that is about to expire."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.base import CampaignPlaybook, living, percent_off
from retention.incentives.models import Code
from retention.registries import playbooks


def with_an_order():
    return living().filter(stats__last_order_at__isnull=False)


def with_a_code_that_ends():
    codes = Code.objects.filter(state=Code.State.GIVEN, expires_at__isnull=False, customer__isnull=False)
    return living().filter(pk__in=codes.values("customer"))


@playbooks.register
class WinBack(CampaignPlaybook):
    key = "win_back"
    label = _("Win-back")
    icon = "undo"
    plan = _(
        "Half a year after her last order each customer hears that she is missed, with 15 % off for 72 hours, not on"
        " low-margin products. Those who complained in the last 90 days are left in peace."
    )
    expected = _("A few in a hundred come back. Compare with those who come back by themselves before you raise it.")
    watch_out = _(
        "Do not teach people to wait for it: one try for each silence. Those silent already are only touched if you"
        " say so in the draft, all at once, so look at the head-count first."
    )
    occasion = "days_since_last_order"
    args = {"days": 180, "hour": "10:00", "already_days": 0}
    template = "win_back"
    excluded = "complainers"
    needs = {_("have ordered"): with_an_order}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Win-back: 15 % off", 15, hours=72)


@playbooks.register
class CouponExpiring(CampaignPlaybook):
    key = "coupon_expiring"
    label = _("Coupon about to expire")
    icon = "hourglass_bottom"
    plan = _(
        "Three days before an unused coupon expires its owner is reminded, with that very code. Nothing new is given."
    )
    expected = _("Reminders bring a good part of all redemptions and cost nothing more than the coupon did.")
    watch_out = _("A coupon good for less than three days is not reminded of. Used ones never are.")
    occasion = "coupon_expiring"
    args = {"days": 3, "hour": "10:00"}
    template = "coupon_expiring"
    needs = {_("hold a coupon that expires"): with_a_code_that_ends}
