"""Playbooks of what was begun and left: a checkout, a cart, a look around, a trial."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import DAY_HOURS, Aim, CampaignPlaybook, Group, ReadyStep, free_shipping
from retention.registries import playbooks


@playbooks.register
class AbandonedCart(CampaignPlaybook):
    key = "abandoned_cart"
    group = Group.LEFT
    aims = (Aim.FIRST_ORDER, Aim.SECOND_ORDER)
    label = _("Abandoned cart")
    icon = "remove_shopping_cart"
    plan = _(
        "Three hours after a checkout was begun and left, she gets the way back to her cart; a day later, if she has"
        " not ordered, once more with free shipping for two days. Whoever orders hears nothing."
    )
    expected = _("The campaign that earns most per mail: of those reminded, about one in ten comes back.")
    watch_out = _("No discount in the first mail: else people leave carts to get it. Your shop must send checkouts with"
                  " the address that restores the cart.")  # fmt: skip
    occasion = "cart_abandoned"
    args = {"number": 3, "unit": "hours"}
    lateness_hours = 24
    needs = {_("have begun a checkout"): needs.with_a_checkout}
    bounds = {"goal": {"kind": "order", "days": 7}, "exits": {"on_goal": True}}
    steps = (
        ReadyStep("abandoned_cart"),
        ReadyStep(
            "abandoned_cart_again",
            lambda currency: free_shipping("Abandoned cart: free shipping", hours=48),
            wait={"hours": DAY_HOURS},
        ),
    )


@playbooks.register
class EmailMyCart(CampaignPlaybook):
    key = "email_my_cart"
    group = Group.LEFT
    aims = (Aim.FIRST_ORDER, Aim.SECOND_ORDER)
    label = _("Email my cart")
    icon = "forward_to_inbox"
    plan = _("A day after she filled a cart and came to no checkout, she gets it by mail, so that she need not search.")
    expected = _("Many fill carts to compare: to have it in the mail is a service, and brings back a few in a hundred.")
    watch_out = _("It says nothing of a discount, and should not. Who begins a checkout is left to “Abandoned cart”.")
    occasion = "cart_left"
    args = {"number": 1, "unit": "days"}
    template = "email_my_cart"
    lateness_hours = 24
    needs = {_("have filled a cart"): needs.with_a_cart}
    bounds = {"goal": {"kind": "order", "days": 7}}


@playbooks.register
class AbandonedBrowse(CampaignPlaybook):
    key = "abandoned_browse"
    group = Group.LEFT
    aims = (Aim.FIRST_ORDER, Aim.SECOND_ORDER)
    label = _("Looked around and left")
    icon = "visibility"
    plan = _("A day after she looked at a product and put nothing into a cart, she is shown it once more.")
    expected = _("Less than an abandoned cart, from many more people: fit for shops with few visits a customer.")
    watch_out = _("It shows that you watch. Keep it rare: the frequency cap, and nobody twice a month.")
    occasion = "browsed"
    args = {"product": "", "category": "", "number": 1, "unit": "days"}
    template = "abandoned_browse"
    lateness_hours = 24
    needs = {_("have looked at a product"): needs.with_a_look}
    bounds = {"goal": {"kind": "order", "days": 7}, "re_entry": {"days": 30}}


@playbooks.register
class TrialActivation(CampaignPlaybook):
    key = "trial_activation"
    group = Group.LEFT
    aims = (Aim.FIRST_ORDER,)
    label = _("Trial not used yet")
    icon = "rocket_launch"
    plan = _("Three days after a trial began without an order, she is helped to begin; ten days later once more.")
    expected = _("Who uses a trial in its first week buys several times as often as who does not.")
    watch_out = _("Set what counts as use: another activity instead of an order, where your shop reports one.")
    occasion = "did_not"
    args = {"kind": "trial_started", "product": "", "category": "", "instead": "", "number": 3, "unit": "days"}
    needs = {_("have begun a trial"): needs.with_a_trial}
    bounds = {"goal": {"kind": "order", "days": 30}, "exits": {"on_goal": True}}
    steps = (
        ReadyStep("trial_activation"),
        ReadyStep("trial_help", wait={"hours": 10 * DAY_HOURS}),
    )
