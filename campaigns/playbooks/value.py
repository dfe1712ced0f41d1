"""Playbooks of value that waits: coupons, credit, store cash and points that are about to expire."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import Aim, CampaignPlaybook, Group, ReadyStep
from retention.registries import playbooks
from retention.shop.models import Shop


@playbooks.register
class CouponExpiring(CampaignPlaybook):
    key = "coupon_expiring"
    group = Group.VALUE
    aims = (Aim.SECOND_ORDER,)
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
    needs = {_("hold a coupon that expires"): needs.with_a_code_that_ends}


@playbooks.register
class CreditExpiring(CampaignPlaybook):
    key = "credit_expiring"
    group = Group.VALUE
    aims = (Aim.SECOND_ORDER,)
    label = _("Account credit about to expire")
    icon = "account_balance_wallet"
    plan = _("Two weeks before unspent credit expires its owner is told how much it is and until when.")
    expected = _("Most people forget what they have: one reminder brings a visit, and an order larger than the credit.")
    watch_out = _("Say it even if you would rather keep the money: credit that ends unsaid is felt as a trick.")
    occasion = "value_expiring"
    template = "value_expiring"
    needs = {_("have credit that ends"): needs.with_credit_that_ends}

    @classmethod
    def occasion_args(cls, *, now, zone):
        return {"days": 14, "unit": f"store_credit_{Shop.objects.get().currency.lower()}", "hour": "10:00"}


@playbooks.register
class StoreCashUnused(CampaignPlaybook):
    key = "store_cash_unused"
    group = Group.VALUE
    aims = (Aim.SECOND_ORDER, Aim.BASKET)
    label = _("Unused store cash")
    icon = "payments"
    plan = _("A week before store cash ends, those who have not spent theirs hear how much time is left.")
    expected = _("Store cash is spent in its last days; the reminder decides whether it is spent at all.")
    watch_out = _("Once is enough: whoever does not want it should not hear of it again. The next handing-out is soon.")
    occasion = "value_expiring"
    template = "value_expiring"
    needs = {_("have store cash that ends"): needs.with_store_cash_that_ends}

    @classmethod
    def occasion_args(cls, *, now, zone):
        return {"days": 7, "unit": f"store_cash_{Shop.objects.get().currency.lower()}", "hour": "10:00"}


@playbooks.register
class PointsExpiring(CampaignPlaybook):
    key = "points_expiring"
    group = Group.VALUE
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
    label = _("Points about to expire")
    icon = "stars"
    plan = _(
        "A month before points end their owner is told, while there is still time for a reward, and three days before"
        " once more, if she has not used them."
    )
    expected = _("Points that are spent bring their owners back; points that end unsaid drive them away.")
    watch_out = _("The unit is called points here; change it in the draft where yours has another key.")
    occasion = "value_expiring"
    args = {"days": 30, "unit": "points", "hour": "10:00"}
    steps = (ReadyStep("value_expiring"), ReadyStep("value_expiring", wait={"days": 27, "hour": "10:00"}))
    needs = {_("have points that end"): needs.with_points_that_end}


@playbooks.register
class ValueExpiring(CampaignPlaybook):
    key = "value_expiring"
    group = Group.VALUE
    aims = (Aim.SECOND_ORDER,)
    label = _("Whatever is about to expire")
    icon = "savings"
    plan = _(
        "A week before credit, points or what is left on a gift card expire unused, their owner hears how much ends and"
        " when. Nothing new is given."
    )
    expected = _("Whoever comes to spend it mostly pays something on top. It costs nothing that was not owed already.")
    watch_out = _(
        "One campaign for all units: launch it, or those for single units, not both. What is spent before the message"
        " leaves is not reminded of."
    )
    occasion = "value_expiring"
    args = {"days": 7, "unit": "", "hour": "10:00"}
    template = "value_expiring"
    needs = {_("hold something that expires"): needs.with_value_that_ends}
