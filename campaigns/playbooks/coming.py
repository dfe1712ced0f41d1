"""Playbooks that can be read already, and make a draft once the room is there that knows their facts."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.base import Aim, ComingPlaybook, Group
from retention.registries import playbooks

REFERRALS, SUPPORT = _("Comes with referrals"), _("Comes with surveys")


@playbooks.register
class ReferralInvite(ComingPlaybook):
    key = "referral_invite"
    group = Group.BOUGHT
    aims = (Aim.VOICE, Aim.FIRST_ORDER)
    icon = "group_add"
    label = _("Referral invitation")
    plan = _("After a good review or a third order the customer gets a link of her own, and something for both sides.")
    expected = _("Referred customers stay longer and cost less than any others.")
    watch_out = _("Ask those who are happy, at the moment at which they say so.")
    comes_with = REFERRALS


@playbooks.register
class NpsFollowUp(ComingPlaybook):
    key = "nps_follow_up"
    group = Group.BOUGHT
    aims = (Aim.VOICE, Aim.BACK)
    icon = "sentiment_satisfied"
    label = _("After a survey")
    plan = _("Who answers a survey is answered by what she said: the unhappy are called, the happy asked for a review.")
    expected = _("An unhappy customer who is answered within a day stays more often than one who never complained.")
    watch_out = _("Answer before you ask again.")
    comes_with = SUPPORT
