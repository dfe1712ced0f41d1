"""Playbooks that can be read already, and make a draft once the room is there that knows their facts."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.base import Aim, ComingPlaybook, Group
from retention.registries import playbooks

SUPPORT = _("Comes with surveys")


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
