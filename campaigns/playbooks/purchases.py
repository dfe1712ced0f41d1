"""Playbooks that follow a purchase: the next order, the use of this one, what goes with it, what people say of it."""

from django.utils.translation import gettext_lazy as _

from campaigns.playbooks import needs
from campaigns.playbooks.base import (
    WEEK,
    Aim,
    CampaignPlaybook,
    Group,
    ReadySegment,
    free_shipping,
    percent_off,
)
from retention.registries import playbooks

#: The arguments of "so long after a purchase" that do not differ.
_ANY = {"product": "", "category": "", "side": "after", "repeats": "once", "leap_day": "02-28"}


@playbooks.register
class BounceBack(CampaignPlaybook):
    key = "bounce_back"
    group = Group.BOUGHT
    aims = (Aim.SECOND_ORDER,)
    label = _("Bounce-back after a purchase")
    icon = "replay"
    plan = _(
        "Three days after an order was delivered, while the joy is fresh, the customer is thanked and gets 10 % off the"
        " next one, for a month, not on low-margin products."
    )
    expected = _("The second order decides whether she stays; this brings it forward more than anything else.")
    watch_out = _("Not together with other codes, and not before the parcel is there: so it waits for delivery.")
    occasion = "after_purchase"
    args = {**_ANY, "number": 3, "unit": "days", "since": "fulfilled", "hour": "10:00"}
    template = "bounce_back"
    needs = {_("have a delivered order"): needs.with_a_delivery}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Bounce-back: 10 % off", 10, hours=4 * WEEK)


@playbooks.register
class HowToUse(CampaignPlaybook):
    key = "how_to_use"
    group = Group.BOUGHT
    aims = (Aim.LOYALTY,)
    label = _("How to use your purchase")
    icon = "menu_book"
    plan = _("A day after delivery the customer gets a word on how to make the most of it, with the guide to the"
             " dearest product that has one.")  # fmt: skip
    expected = _("Fewer returns and complaints, and a mail that is opened because it is useful. It sells nothing.")
    watch_out = _("Whoever bought nothing that has a guide hears nothing: begin with guides to what is sold most.")
    occasion = "after_purchase"
    args = {**_ANY, "number": 1, "unit": "days", "since": "fulfilled", "hour": "10:00", "has_guide": True}
    template = "how_to_use"
    needs = {_("bought something that has a guide"): needs.with_something_to_learn}


@playbooks.register
class AddOn(CampaignPlaybook):
    key = "add_on"
    group = Group.BOUGHT
    aims = (Aim.SECOND_ORDER, Aim.BASKET)
    label = _("Add-on after a purchase")
    icon = "add_shopping_cart"
    plan = _("Two weeks after an order its buyer is shown what goes with the dearest thing in it, with free shipping"
             " for a week.")  # fmt: skip
    expected = _("Those who bought one thing are the likeliest buyers of what belongs to it.")
    watch_out = _("Name a product or a category in the draft: what goes with anything goes with nothing.")
    occasion = "after_purchase"
    args = {**_ANY, "number": 14, "unit": "days", "since": "placed", "hour": "10:00"}
    template = "add_on"
    needs = {_("have ordered"): needs.with_an_order}

    @classmethod
    def incentive(cls, *, currency):
        return free_shipping("Add-on: free shipping", hours=WEEK)


@playbooks.register
class HalfYear(CampaignPlaybook):
    key = "half_year"
    group = Group.BOUGHT
    aims = (Aim.SECOND_ORDER, Aim.LOYALTY)
    label = _("Half a year in the shoes")
    icon = "directions_walk"
    plan = _("Six months after an order its buyer is asked how the thing is doing, and gets 10 % off the next, for two"
             " weeks.")  # fmt: skip
    expected = _("It comes when many things begin to wear, and nobody else writes.")
    watch_out = _("Name the category that wears, such as shoes. What came back is not asked about.")
    occasion = "after_purchase"
    args = {**_ANY, "number": 6, "unit": "months", "since": "placed", "hour": "10:00"}
    template = "half_year"
    needs = {_("have ordered"): needs.with_an_order}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Half a year: 10 % off", 10, hours=2 * WEEK)


@playbooks.register
class Replenishment(CampaignPlaybook):
    key = "replenishment"
    group = Group.BOUGHT
    aims = (Aim.SECOND_ORDER,)
    label = _("Time to refill")
    icon = "autorenew"
    plan = _(
        "Three days before a product is used up, by its own interval or by her rhythm once she has bought it three"
        " times, its buyer is reminded, with nothing off."
    )
    expected = _("The most welcome reminder there is: orders without a discount, and on time.")
    watch_out = _("Products need their interval in days. Too early is worse than too late.")
    occasion = "due_again"
    args = {"product": "", "category": "", "by": "customer", "days_before": 3, "hour": "10:00"}
    template = "replenishment"
    needs = {_("bought something with an interval"): needs.with_something_used_up}


@playbooks.register
class NthOrderGift(CampaignPlaybook):
    key = "nth_order"
    group = Group.BOUGHT
    aims = (Aim.LOYALTY,)
    label = _("Every fifth order")
    icon = "filter_5"
    plan = _("On every fifth order the customer is thanked, with free shipping for a month.")
    expected = _("Whoever knows of it orders the fifth time sooner. Whoever does not is surprised and tells others.")
    watch_out = _("Cancelled orders do not count, and one that takes a cancelled one's place brings no second gift.")
    occasion = "nth_order"
    args = {"number": 5, "again": True}
    template = "nth_order"
    needs = {_("have ordered twice or more"): needs.with_two_orders}

    @classmethod
    def incentive(cls, *, currency):
        return free_shipping("Fifth order: free shipping", hours=4 * WEEK)


@playbooks.register
class ReferralInvite(CampaignPlaybook):
    key = "referral_invite"
    group = Group.BOUGHT
    aims = (Aim.VOICE, Aim.FIRST_ORDER)
    label = _("Referral invitation")
    icon = "group_add"
    plan = _("With her third order the customer gets a link of her own, to be passed on, and reads what it brings her"
             " friends.")  # fmt: skip
    expected = _("Referred customers stay longer and cost less than any others.")
    watch_out = _("Launch a referral scheme first: while none is live there is no link, and nobody is written to.")
    occasion = "nth_order"
    args = {"number": 3, "again": False}
    template = "referral_invite"
    excluded = "complainers"
    needs = {_("have ordered twice or more"): needs.with_two_orders}


@playbooks.register
class ReviewRequest(CampaignPlaybook):
    key = "review_request"
    group = Group.BOUGHT
    aims = (Aim.VOICE,)
    label = _("Request for a review")
    icon = "rate_review"
    plan = _("Ten days after delivery the buyer is asked what she thinks of the product. Nothing is given for it.")
    expected = _("A few in a hundred write; what they write sells to those who come after them.")
    watch_out = _("Never pay for good reviews only: that is forbidden in many countries, and readers notice.")
    occasion = "after_purchase"
    args = {**_ANY, "number": 10, "unit": "days", "since": "fulfilled", "hour": "17:00"}
    template = "review_request"
    excluded = "complainers"
    needs = {_("have a delivered order"): needs.with_a_delivery}


@playbooks.register
class FaultyReturn(CampaignPlaybook):
    key = "faulty_return"
    group = Group.BOUGHT
    aims = (Aim.BACK, Aim.LOYALTY)
    label = _("Voucher for a faulty return")
    icon = "assignment_return"
    plan = _(
        "As soon as something is returned as faulty, its buyer hears that you are sorry, with 15 % off the next order"
        " for two months: at once, not after the refund."
    )
    expected = _("Who is made whole at once often stays longer than who never had a fault.")
    watch_out = _("The reason is the word that your system sends with the return; the draft says “faulty”.")
    occasion = "returned"
    args = {"reason": "faulty", "product": "", "category": ""}
    template = "faulty_return"
    bounds = {"ignores_global_holdout": True}
    lateness_hours = 96
    needs = {_("have returned something"): needs.with_a_return}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Faulty return: 15 % off", 15, hours=8 * WEEK)


@playbooks.register
class CrossCategory(CampaignPlaybook):
    key = "cross_category"
    group = Group.BOUGHT
    aims = (Aim.BASKET, Aim.LOYALTY)
    label = _("Another category")
    icon = "category"
    plan = _("Who has bought twice or more, always from one category, is shown another, with 10 % off for two weeks.")
    expected = _("Customers of two categories stay far longer than customers of one.")
    watch_out = _("Narrow the code to the category that you want to be tried, or it pays for what she buys anyway.")
    occasion = "segment_entered"
    args = {"segment": ReadySegment("one-category-buyers"), "also_inside": False}
    template = "cross_category"
    needs = {_("have ordered twice or more"): needs.with_two_orders}

    @classmethod
    def incentive(cls, *, currency):
        return percent_off("Another category: 10 % off", 10, hours=2 * WEEK)
