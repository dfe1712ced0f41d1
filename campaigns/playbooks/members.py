"""Playbooks of loyalty: the statement, tiers, the invitation to the programme, events for members, unused points."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import Aim, CampaignPlaybook, Group
from retention import clock
from retention.registries import playbooks


@playbooks.register
class PointsStatement(CampaignPlaybook):
    key = "points_statement"
    group = Group.VALUE
    aims = (Aim.LOYALTY,)
    icon = "receipt_long"
    label = _("Monthly points statement")
    plan = _(
        "On the first of the month every member whose balance moved in the month before reads what she has, and what"
        " is missing to the next reward and the next tier."
    )
    expected = _("Members who know their balance redeem more, and who redeems stays.")
    watch_out = _("Those whose balance did not move are left out: a statement of nothing is noise.")
    occasion = "points_statement"
    args = {"day": 1, "programme": "", "hour": "10:00"}
    template = "points_statement"
    needs = {_("are members of a programme"): needs.members}


@playbooks.register
class TierReached(CampaignPlaybook):
    key = "tier_reached"
    group = Group.NEWS
    aims = (Aim.LOYALTY,)
    icon = "military_tech"
    label = _("Tier reached")
    plan = _("As soon as a member rises to a tier she is congratulated, with what it brings her from now on.")
    expected = _("The moment of pride: the mail is read, and the perks are used from the first day.")
    watch_out = _("Name two or three perks in the programme, not ten. What rising gives she has already: give nothing"
                  " on top.")  # fmt: skip
    occasion = "tier_moved"
    args = {"programme": "", "tier": "", "move": "up"}
    template = "tier_reached"
    needs = {_("are members of a programme"): needs.members}


@playbooks.register
class TierEnding(CampaignPlaybook):
    key = "tier_ending"
    group = Group.VALUE
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
    icon = "trending_down"
    label = _("Tier about to end")
    plan = _("Two months before the time of her tier is over a member reads what is missing to keep it, while she can"
             " still do it.")  # fmt: skip
    expected = _("People work harder to keep what they have than to win what they have not.")
    watch_out = _("Whoever has done enough already is told just that: it is good news, and costs nothing.")
    occasion = "tier_ending"
    args = {"days": 60, "programme": "", "hour": "10:00"}
    template = "tier_ending"
    needs = {_("have a tier that ends"): needs.with_a_tier_that_ends}


@playbooks.register
class ProgrammeInvitation(CampaignPlaybook):
    key = "programme_invitation"
    group = Group.BOUGHT
    aims = (Aim.LOYALTY,)
    icon = "loyalty"
    label = _("Invitation to the programme")
    plan = _("After her second order a customer who is no member is shown what her orders would have earned her.")
    expected = _("Points that she could have earned already are the strongest reason to join.")
    watch_out = _("For programmes that are joined on request: where everyone is in, there is nobody to invite. Her own"
                  " figure is worked out when the mail leaves, by the rules as they are then.")  # fmt: skip
    occasion = "nth_order"
    args = {"number": 2, "again": False}
    template = "programme_invitation"
    excluded = "loyalty-members"
    needs = {_("have ordered twice or more"): needs.with_two_orders}


@playbooks.register
class MembersEvent(CampaignPlaybook):
    key = "members_event"
    group = Group.NEWS
    aims = (Aim.LOYALTY,)
    icon = "confirmation_number"
    label = _("Members-only event")
    plan = _("Two weeks from now members are invited to an event, with a ticket of their own that is checked in once.")
    expected = _("Few come, and they are the ones who tell others.")
    watch_out = _(
        "Set the date and the name of the event. Tickets are limited to 100: to invite the highest tiers first, narrow"
        " the audience to a segment of the condition “Loyalty tier”."
    )
    occasion = "one_date"
    template = "members_event"
    audience = "loyalty-members"
    needs = {_("are members of a programme"): needs.members}

    @classmethod
    def occasion_args(cls, *, now, zone):
        day = now.astimezone(clock.zone(zone)).date() + dt.timedelta(days=14)
        return {"on": day.isoformat(), "hour": "10:00", "clock": "shop"}

    @classmethod
    def incentive(cls, *, currency):
        return {
            "name": "Evening for members",
            "effects": [{"kind": "access", "to": "event", "name": "the evening for members", "is_ticket": True}],
            "codes": {"kind": "unique", "is_bound": True},
            "limits": {"issued": 100},
        }


@playbooks.register
class PointsUnused(CampaignPlaybook):
    key = "points_unused"
    group = Group.VALUE
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
    icon = "lightbulb"
    label = _("Points never used")
    plan = _("Three months after her first points a member who never used any is shown what she could have for them.")
    expected = _("Who has redeemed once understands the programme, and buys more often from then on.")
    watch_out = _(
        "Once only: whoever saves on purpose should not be pushed. Raise the least amount to the price of your cheapest"
        " reward."
    )
    occasion = "never_redeemed"
    args = {"days": 90, "unit": "", "least": 1, "hour": "10:00"}
    template = "points_unused"
    needs = {_("have points"): needs.with_points}


@playbooks.register
class ChoiceClosing(CampaignPlaybook):
    key = "choice_closing"
    group = Group.VALUE
    aims = (Aim.LOYALTY,)
    icon = "redeem"
    label = _("Choice of a reward about to close")
    plan = _("Three days before she can choose no more, a member who has not chosen yet is reminded of her rewards.")
    expected = _("A reward that she chose herself is used; one that came by itself is often forgotten.")
    watch_out = _("It is for milestones that let her choose. Whoever has chosen by then is not written to.")
    occasion = "choice_closing"
    args = {"days": 3, "programme": "", "hour": "10:00"}
    template = "choice_closing"
    needs = {_("have a reward to choose"): needs.with_an_open_choice}


@playbooks.register
class RewardNear(CampaignPlaybook):
    key = "reward_near"
    group = Group.VALUE
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
    icon = "flag"
    label = _("Little short of a reward")
    plan = _("As soon as a member is a little short of her next reward, she reads how little it is.")
    expected = _("The nearer the goal, the faster people go: the next order comes sooner, and is larger.")
    watch_out = _(
        "It is the next reward that she cannot have yet; choose one of them, and how much is little, in the occasion."
        " Once on each way up: only what she spends begins another."
    )
    occasion = "short_of_reward"
    args = {"reward": "", "short": 50}
    template = "reward_near"
    needs = {_("have points"): needs.with_points}


@playbooks.register
class SurpriseUnused(CampaignPlaybook):
    key = "surprise_unused"
    group = Group.VALUE
    aims = (Aim.LOYALTY, Aim.SECOND_ORDER)
    icon = "celebration"
    label = _("Surprise not used yet")
    plan = _("Two weeks after a surprise whoever has not used its code is reminded, with that very code.")
    expected = _("A surprise that is used is remembered; one that lies forgotten was given for nothing.")
    watch_out = _("Once for each surprise. What has no code, such as credit or a parcel, is not reminded of.")
    occasion = "surprise_unused"
    args = {"days": 14, "programme": "", "hour": "10:00"}
    template = "surprise_unused"
    needs = {_("have a surprise that is not used"): needs.with_an_unused_surprise}
