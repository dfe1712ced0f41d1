"""Playbooks that can be read already, and make a draft once the room is there that knows their facts."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks.base import Aim, ComingPlaybook, Group
from retention.registries import playbooks

LOYALTY, REFERRALS, SUPPORT = _("Comes with loyalty"), _("Comes with referrals"), _("Comes with surveys")


@playbooks.register
class PointsStatement(ComingPlaybook):
    key = "points_statement"
    group = Group.VALUE
    aims = (Aim.LOYALTY,)
    icon = "receipt_long"
    label = _("Monthly points statement")
    plan = _("Once a month every member reads what she earned, what she has, and what is missing to the next reward.")
    expected = _("Members who know their balance redeem more, and who redeems stays.")
    watch_out = _("Leave out those whose balance did not move: a statement of nothing is noise.")
    comes_with = LOYALTY


@playbooks.register
class TierReached(ComingPlaybook):
    key = "tier_reached"
    group = Group.NEWS
    aims = (Aim.LOYALTY,)
    icon = "military_tech"
    label = _("Tier reached")
    plan = _("As soon as a member rises to a tier she is congratulated, with what it brings her from now on.")
    expected = _("The moment of pride: the mail is read, and the perks are used from the first day.")
    watch_out = _("Name two or three perks, not all of them.")
    comes_with = LOYALTY


@playbooks.register
class ProgrammeInvitation(ComingPlaybook):
    key = "programme_invitation"
    group = Group.BOUGHT
    aims = (Aim.LOYALTY,)
    icon = "loyalty"
    label = _("Invitation to the programme")
    plan = _("After her second order a customer who is no member is shown what her points would be worth.")
    expected = _("Points that she has earned already are the strongest reason to join.")
    watch_out = _("Show her own figure, not the rule.")
    comes_with = LOYALTY


@playbooks.register
class MembersEvent(ComingPlaybook):
    key = "members_event"
    group = Group.NEWS
    aims = (Aim.LOYALTY,)
    icon = "confirmation_number"
    label = _("Members-only event")
    plan = _("Members of the upper tiers are invited to an event, with a ticket of their own that is checked in once.")
    expected = _("Few come, and they are the ones who tell others.")
    watch_out = _("Tickets are limited: invite the highest tier first.")
    comes_with = LOYALTY


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
