"""Playbooks of news and surprises: new products, events nearby, and gifts that nobody waits for."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import WEEK, Aim, CampaignPlaybook, DateAttribute, Group, ReadySegment, percent_off
from retention.registries import playbooks


@playbooks.register
class NewProduct(CampaignPlaybook):
    key = "new_product"
    group = Group.NEWS
    aims = (Aim.SECOND_ORDER,)
    label = _("New product")
    icon = "new_releases"
    plan = _("On the day on which a product is launched everyone who agreed to mail is shown it; one mail tells of all"
             " products of that day.")  # fmt: skip
    expected = _("The best reason to write that there is, and the best test of whether people still care.")
    watch_out = _("Products need their launch date. Name a category or tag, or every new size is an announcement.")
    occasion = "new_product"
    args = {"category": "", "tag": "", "hour": "10:00"}
    template = "new_product"
    audience = "email-consent"


@playbooks.register
class LocalEvent(CampaignPlaybook):
    key = "local_event"
    group = Group.NEWS
    aims = (Aim.SECOND_ORDER, Aim.LOYALTY)
    label = _("Local event")
    icon = "festival"
    plan = _(
        "Two days before an event of your calendar those who live there hear of it, with 10 % off for a week. One"
        " campaign serves all events; each may bring an incentive of its own."
    )
    expected = _("Mails that are about her town are opened half as often again as those about everyone's.")
    watch_out = _("Who has no city is told of nothing. Look at the list of places without events now and then.")
    occasion = "local_event"
    args = {"theme": "", "days_before": 2, "hour": "10:00"}
    template = "local_event"
    needs = {_("have a city"): needs.with_a_city}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Local event: 10 % off", 10, hours=WEEK)


@playbooks.register
class SurpriseReward(CampaignPlaybook):
    key = "surprise_reward"
    group = Group.NEWS
    aims = (Aim.LOYALTY,)
    label = _("Surprise reward")
    icon = "redeem"
    plan = _("Who comes to five orders, the last within half a year, is surprised with 15 % off for a month; nobody"
             " is told before.")  # fmt: skip
    expected = _("A gift that nobody waits for is worth more than one that is due, and trains nobody to wait.")
    watch_out = _("Do not announce it, and do not repeat it on a rhythm: then it is a discount.")
    occasion = "segment_entered"
    args = {"segment": ReadySegment("vip"), "also_inside": False}
    template = "surprise_reward"
    needs = {_("have ordered twice or more"): needs.with_two_orders}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Surprise: 15 % off", 15, hours=4 * WEEK)


@playbooks.register
class LifeEvent(CampaignPlaybook):
    key = "life_event"
    group = Group.DATES
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
    label = _("Life event")
    icon = "family_restroom"
    plan = _(
        "Two weeks before a date that she told you, such as a wedding, a move or a birth, she gets good wishes and 10 %"
        " off for a month."
    )
    expected = _("Few people, at the moment at which they buy most. It needs no guessing: they told you.")
    watch_out = _("Ask what the date is for, and write to what she said, never to what you think you know. The draft"
                  " declares the attribute “Life event”; ask for it in the preferences.")  # fmt: skip
    occasion = "date_attribute"
    args = {
        "attribute": DateAttribute("life-event", _("Life event")),
        "number": 2, "unit": "weeks", "side": "before", "repeats": "once", "hour": "10:00", "leap_day": "02-28",
    }  # fmt: skip
    template = "life_event"
    needs = {_("have told the date of a life event"): needs.with_a_life_event}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Life event: 10 % off", 10, hours=4 * WEEK)
