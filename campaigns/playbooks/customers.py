"""Playbooks of the beginning: the welcome, a gift for consent, a second channel."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import WEEK, Aim, CampaignPlaybook, Group, ReadySegment, free_shipping, percent_off
from campaigns.playbooks.calendar import in_a_week
from retention.registries import playbooks


@playbooks.register
class Welcome(CampaignPlaybook):
    key = "welcome"
    group = Group.START
    aims = (Aim.FIRST_ORDER,)
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
    needs = {_("have a sign-up date"): needs.with_sign_up}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Welcome: 10 % off the first order", 10, hours=WEEK, conditions=[{"kind": "first_order"}])


@playbooks.register
class ConsentForGift(CampaignPlaybook):
    key = "consent_gift"
    group = Group.START
    aims = (Aim.REACH, Aim.FIRST_ORDER)
    label = _("Consent for a gift")
    icon = "mark_email_read"
    plan = _(
        "Whoever agrees to mail, at the checkout, in the preferences or by a popup, and has confirmed it where you ask"
        " for that, is thanked with free shipping for two weeks."
    )
    expected = _("Several times as many agree when something is given for it; most of them stay.")
    watch_out = _("The gift is for agreeing, never for not leaving: who unsubscribes keeps it. Those who agreed already"
                  " get nothing, unless the draft says so.")  # fmt: skip
    occasion = "segment_entered"
    args = {"segment": ReadySegment("email-consent"), "also_inside": False}
    template = "consent_gift"

    @classmethod
    def incentive(cls, *, currency):
        return free_shipping("Consent: free shipping", hours=2 * WEEK)


@playbooks.register
class ChannelAdoption(CampaignPlaybook):
    key = "channel_adoption"
    group = Group.START
    aims = (Aim.REACH,)
    label = _("A second channel")
    icon = "sms"
    plan = _("On a day of your choice those who get your mail but no SMS are asked to choose SMS too, for what is"
             " urgent; the draft says in a week.")  # fmt: skip
    expected = _("Customers on two channels order more often, and a mail that bounces is no longer the end.")
    watch_out = _("Say what will come by SMS, and how rarely. Keep SMS for what is over soon.")
    occasion = "one_date"
    template = "channel_adoption"
    audience = "email-consent"
    excluded = "sms-consent"
    needs = {_("may be written to by SMS already"): needs.with_sms_consent}

    @classmethod
    def occasion_args(cls, *, now, zone):
        return in_a_week(now, zone)
