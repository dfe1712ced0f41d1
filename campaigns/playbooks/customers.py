"""Playbooks that follow what customers do: the welcome."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.base import CampaignPlaybook, percent_off
from campaigns.playbooks.calendar import with_sign_up
from retention.registries import playbooks


@playbooks.register
class Welcome(CampaignPlaybook):
    key = "welcome"
    label = _("Welcome")
    icon = "waving_hand"
    plan = _(
        "As soon as someone signs up she gets a mail with a code of her own: 10 % off her first order, no minimum,"
        " for one week, not on low-margin products."
    )
    expected = _("The mail that is opened most of all; it brings the first order forward by days.")
    watch_out = _(
        "She must have agreed to mail. If she confirms only later, the mail goes then, for up to three days."
        " The code works for a first order only, so old customers who sign up again gain nothing."
    )
    occasion = "signed_up"
    template = "welcome"
    lateness_hours = 72
    needs = {_("have a sign-up date"): with_sign_up}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Welcome: 10 % off the first order", 10, hours=24 * 7, conditions=[{"kind": "first_order"}])
