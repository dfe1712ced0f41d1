"""Playbooks against silence: winning back by one try or by a ladder, and subscribers who sleep."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import (
    WEEK,
    Aim,
    CampaignPlaybook,
    Group,
    ReadySegment,
    ReadyStep,
    free_shipping,
    percent_off,
)
from retention.registries import playbooks


@playbooks.register
class WinBack(CampaignPlaybook):
    key = "win_back"
    group = Group.SILENCE
    aims = (Aim.BACK,)
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
    needs = {_("have ordered"): needs.with_an_order}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Win-back: 15 % off", 15, hours=72)


@playbooks.register
class WinBackLadder(CampaignPlaybook):
    key = "win_back_ladder"
    group = Group.SILENCE
    aims = (Aim.BACK,)
    label = _("Win-back ladder")
    icon = "stairs"
    plan = _(
        "Four months after her last order she hears that she is missed; a week later, if she has not come back, she"
        " gets free shipping; then 10 % off, and at last 20 % off. Who is used to discounts begins at the shipping;"
        " whoever orders leaves the ladder at once."
    )
    expected = _("Many come back on the first two steps, which cost next to nothing: the ladder saves what a"
                 " discount for all would have given away.")  # fmt: skip
    watch_out = _("Do not shorten the weeks: people learn to wait for the end. Nobody climbs it twice in half a year.")
    occasion = "days_since_last_order"
    args = {"days": 120, "hour": "10:00", "already_days": 0}
    excluded = "complainers"
    needs = {_("have ordered"): needs.with_an_order}
    bounds = {
        "goal": {"kind": "order", "days": 45},
        "exits": {"on_goal": True},
        "starts_low": {"others_at": "step-2", "below_percent": 10},
        "cool_down_days": 14,
        "re_entry": {"days": 182},
    }
    steps = (
        ReadyStep("win_back_hello"),
        ReadyStep(
            "win_back_shipping",
            lambda currency: free_shipping("Win-back: free shipping", hours=WEEK),
            wait={"hours": WEEK},
        ),
        ReadyStep(
            "win_back_small",
            lambda currency: percent_off("Win-back ladder: 10 % off", 10, hours=WEEK),
            wait={"hours": WEEK},
        ),
        ReadyStep(
            "win_back_bigger",
            lambda currency: percent_off("Win-back ladder: 20 % off", 20, hours=72),
            wait={"hours": 2 * WEEK},
        ),
    )


@playbooks.register
class SleepingSubscriber(CampaignPlaybook):
    key = "sleeping_subscriber"
    group = Group.SILENCE
    aims = (Aim.REACH, Aim.BACK)
    label = _("Sleeping subscriber")
    icon = "bedtime"
    plan = _(
        "Who gets your mail and has opened none for 30 days is asked whether she still wants it, with one button that"
        " says which mails. Nothing is given."
    )
    expected = _("About one in ten stays by choice. Those who leave only harmed the delivery of your mail.")
    watch_out = _("Some mail programs hide that a mail was opened: look at the share who open before you believe it.")
    occasion = "segment_entered"
    args = {"segment": ReadySegment("sleeping-subscribers"), "also_inside": False}
    template = "sleeping_subscriber"
    needs = {_("have opened a mail"): needs.with_an_opened_mail}
    bounds = {"re_entry": {"days": 182}}
