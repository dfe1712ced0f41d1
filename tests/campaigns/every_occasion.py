"""Every occasion with arguments of a marketer's and the words in which it says them, and the rows that these name."""

import datetime as dt

from loyalty import operations as loyalty
from loyalty.models import Reward
from loyalty.operations import rewards
from loyalty.rules import ProgrammeRule
from loyalty.rules.rewards import RewardRule
from retention.customers.models import ActivityKind, AttributeDefinition, Product
from retention.customers.models.lifecycle import Stage
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.units import UnitRule
from retention.segments.models import CustomerList, Segment
from tests.campaigns.conftest import BY

TEN = {"hour": "10:00"}
CLUB = {"names": {"en": "Club"}, "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}]}


def every_occasion(now: dt.datetime) -> list[tuple[str, dict, str]]:
    """(key, arguments, sentence), all of them; makes the rows."""
    Product.objects.create(
        sku="mug", name="Mug", category="Home/Kitchen", currency="EUR", price_minor=100, recorded_at=now
    )
    for key, label in (("viewed_product", "Viewed a product"), ("reviewed", "Reviewed")):
        ActivityKind.objects.create(key=key, label=label)
    AttributeDefinition.objects.create(key="passport", label="Passport until", kind="date")
    segment = str(Segment.objects.create(name="Friends").public_id)
    Stage.objects.create(key="loyal", position=1, name={"en": "Loyal"})
    chosen = str(CustomerList.objects.create(name="VIP", uploaded_at=now).public_id)
    ledger.money_unit(purpose="store_cash", currency="EUR", now=now, by=BY)
    mug = str(reward(now).public_id)
    return [
        ("birthday", TEN, "on the customer's birthday at 10:00 her time"),
        ("anniversary", TEN, "on every anniversary of the sign-up at 10:00 her time"),
        ("holiday", TEN, "on every public holiday of the customer's country at 10:00 her time"),
        ("one_date", {**TEN, "on": "2026-05-12", "clock": "shop"}, "once, on 2026-05-12 at 10:00 by the shop's clock"),
        ("recurring", {**TEN, "start": "2026-01-31", "every": 2, "unit": "months", "clock": "customer"},
         "every 2 months from 2026-01-31 on, at 10:00 by each customer's clock"),
        ("date_attribute", {**TEN, "attribute": "passport", "number": 6, "unit": "weeks", "side": "before"},
         "6 weeks before the date “Passport until”, at 10:00 her time"),
        ("local_event", {**TEN, "theme": "music", "days_before": 1},
         "1 day before a local event on “music” where she lives, at 10:00 her time"),
        ("signed_up", {}, "as soon as someone signs up"),
        ("activity", {"kind": "reviewed", "number": 0, "unit": "hours", "property": "rating", "value": "5"},
         "as soon as “Reviewed” happened where “rating” is 5"),
        ("activity", {**TEN, "kind": "viewed_product", "number": 1, "unit": "weeks", "category": "Home"},
         "1 week after “Viewed a product” happened with something from Home, at 10:00 her time"),
        ("nth_view", {"number": 3, "days": 30}, "on her 3. view of one and the same product within 30 days"),
        ("cart_abandoned", {"number": 3, "unit": "hours"}, "3 hours after she began a checkout and did not order"),
        ("cart_left", {"number": 1, "unit": "days"}, "1 day after she filled her cart and came to no checkout"),
        ("browsed", {"number": 1, "unit": "days", "product": "mug"},
         "1 day after she looked at the product mug and carted nothing"),
        ("trial_ended", {"number": 2, "unit": "days"}, "2 days after her trial ended without a purchase"),
        ("used_never", {"kind": "reviewed", "never": "viewed_product", "number": 7, "unit": "days"},
         "7 days after she first did “Reviewed” without ever doing “Viewed a product”"),
        ("did_not", {"kind": "reviewed", "number": 1, "unit": "hours"}, "1 hour after “Reviewed” without “an order”"),
        ("after_purchase", {**TEN, "category": "Home/Kitchen", "since": "fulfilled", "number": 6, "unit": "months"},
         "6 months after something from Home › Kitchen was delivered, at 10:00 her time"),
        ("nth_order", {"number": 5, "again": True}, "on every 5. order"),
        ("due_again", {**TEN, "days_before": 3}, "3 days before a product is used up, at 10:00 her time"),
        ("order_state", {"state": "fulfilled"}, "as soon as an order is delivered"),
        ("returned", {"reason": "faulty"}, "as soon as something is returned as “faulty”"),
        ("days_since_last_order", {**TEN, "days": 180, "already_days": 365},
         "180 days after the last order at 10:00 her time, and those silent already for up to 365 days"),
        ("rhythm_missed", {**TEN, "percent": 150, "orders": 3},
         "after 150 % of her usual time between orders, at 10:00 her time"),
        ("coupon_expiring", {**TEN, "days": 3}, "3 days before an unused coupon expires, at 10:00 her time"),
        ("coupon_unused", {**TEN, "days": 7},
         "7 days after a coupon was given that is not used yet, at 10:00 her time"),
        ("card_unused", {**TEN, "days": 30},
         "30 days after a gift card of which nothing was spent, at 10:00 her time"),
        ("value_expiring", {**TEN, "days": 7, "unit": "points"},
         "7 days before points expire unused, at 10:00 her time"),
        ("nearly_there", {"unit": "store_cash_eur", "amount": 100, "short": 10},
         "as soon as she is 10 or less short of 100 (store_cash_eur)"),
        ("segment_entered", {"segment": segment, "also_inside": True},
         "as soon as she is in the segment “Friends”, and those inside already"),
        ("segment_left", {"segment": segment}, "as soon as she leaves the segment “Friends”"),
        ("stage_entered", {"stage": "loyal"}, "as soon as she is in the stage “Loyal”"),
        ("stage_left", {"stage": "loyal"}, "as soon as she leaves the stage “Loyal”"),
        ("rfm_moved", {"after": "at_risk"}, "as soon as she comes into the group “At risk”"),
        ("new_product", {**TEN, "tag": "beach"},
         "on the day on which a product tagged “beach” is new, at 10:00 her time"),
        ("price_drop", {"interest": "viewed", "days": 30, "percent": 20},
         "as soon as a product costs at least 20 % less, to those who wished for it, carted it or looked at it"),
        ("back_in_stock", {"interest": "bought", "days": 30},
         "as soon as a product is in stock again, to those who bought it before"),
        ("called", {"name": "table-booked"}, "as soon as “table-booked” is called for her"),
        ("by_hand", {"list": chosen}, "once, for everybody on the list “VIP”, at the launch"),
        ("tier_moved", {"programme": "club", "move": "up"}, "as soon as she rises to a tier of “Club”"),
        ("tier_ending", {**TEN, "days": 60}, "60 days before her tier ends, at 10:00 her time"),
        ("points_statement", {**TEN, "day": 1},
         "on day 1 of each month at 10:00 her time, if her points moved in the month before"),
        ("never_redeemed", {**TEN, "days": 90, "least": 100, "unit": "club_points"},
         "90 days after her first points, if she has 100 or more and used none, at 10:00 her time (club_points)"),
        ("surprise_unused", {**TEN, "days": 14},
         "14 days after a surprise that she has not used, at 10:00 her time"),
        ("choice_closing", {**TEN, "days": 3}, "3 days before a choice of hers closes, at 10:00 her time"),
        ("short_of_reward", {"reward": mug, "short": 50}, "as soon as she is 50 or less short of the reward “A mug”"),
    ]  # fmt: skip


def reward(now: dt.datetime) -> Reward:
    """What members of a club can have for their points."""
    ledger.create_unit(key="club_points", rule=UnitRule(name="Points", kind="points"), now=now, by=BY)
    club = loyalty.create_programme(
        key="club", unit_key="club_points", rule=ProgrammeRule.model_validate(CLUB), now=now, by=BY
    )
    loyalty.launch_programme(programme_id=club.pk, now=now, by=BY)
    gives = {"name": "A mug", "effects": [{"kind": "experience", "name": "A mug"}]}
    mug = incentives.create_incentive(rule=IncentiveRule.model_validate(gives), now=now, by=BY)
    rule = RewardRule(names={"en": "A mug"}, kind="product", price=500, incentive_id=mug.pk)
    made = rewards.create_reward(programme_id=club.pk, rule=rule, now=now, by=BY)
    return rewards.start_reward(reward_id=made.pk, now=now, by=BY)
