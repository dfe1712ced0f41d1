"""What other programs are told of loyalty: who came, rose and fell, what was earned, and what was taken for it."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from retention.event_kinds import EventKind
from retention.registries import EventSource, events

_LOYALTY = _("Loyalty")
_CLAIM = "01920000-0000-7000-8000-00000000000c"
_REWARD = "01920000-0000-7000-8000-00000000000b"


@events.register
class ActivitySource(EventSource):
    """What the room tells its neighbours of, but for what another table says better."""

    key = "loyalty.activities"
    group = _LOYALTY
    kinds: ClassVar = {
        "loyalty.joined": EventKind(
            _("Joined a programme"), _("When a customer becomes a member, also again."), {"programme": "club"}
        ),
        "loyalty.left": EventKind(
            _("Left a programme"), _("When a member leaves; she keeps what she has."), {"programme": "club"}
        ),
        "loyalty.reward_claimed": EventKind(
            _("Claimed a reward"),
            _("When a member takes a reward, or gets one for nothing."),
            {"programme": "club", "reward": _REWARD, "points": 100, "claim": _CLAIM},
        ),
        "loyalty.milestone_reached": EventKind(
            _("Reached a milestone"),
            _("When a member passes a milestone, each time."),
            {"programme": "club", "milestone": "hundred", "is_choice": False},
        ),
        "loyalty.badge_earned": EventKind(
            _("Earned a badge"),
            _("When a member has done a challenge that brings a badge."),
            {"programme": "club", "badge": "Three in May"},
        ),
        "loyalty.points_adjusted": EventKind(
            _("Points were corrected"),
            _("When a person gives or takes points with a reason."),
            {"programme": "club", "amount": -50},
        ),
    }
    # The claim has its number in the activity's reference.
    sql = """
        SELECT told.kind, told.reference, told.customer_id, told.occurred_at,
               told.properties || CASE WHEN claim.id IS NULL THEN '{}'
                                       ELSE jsonb_build_object('claim', claim.public_id) END AS data,
               told.xid
        FROM customers_activity told
        LEFT JOIN loyalty_claim claim ON claim.id =
            CASE WHEN told.kind = 'loyalty.reward_claimed' THEN split_part(told.reference, ':', 2)::bigint END
        WHERE told.xid >= %(since)s::text::xid8 AND told.xid < %(until)s::text::xid8 AND told.kind = ANY(%(kinds)s)
    """


@events.register
class TierSource(EventSource):
    key = "loyalty.tiers"
    group = _LOYALTY
    kinds: ClassVar = {
        "loyalty.tier_reached": EventKind(
            _("Reached a tier"),
            _("When a member moves up: by what counts, by invitation, by hand or by other rules."),
            {"programme": "club", "before": "silver", "after": "gold", "why": "reached", "qualifying": 512},
        ),
        "loyalty.tier_lost": EventKind(
            _("Lost a tier"),
            _("When a member moves down, or leaves."),
            {"programme": "club", "before": "gold", "after": "silver", "why": "expired", "qualifying": 90},
        ),
    }
    sql = """
        SELECT CASE WHEN change.is_up THEN 'loyalty.tier_reached' ELSE 'loyalty.tier_lost' END AS kind,
               'loyalty.tierchange:' || change.id AS reference, member.customer_id, change.changed_at AS occurred_at,
               jsonb_build_object('programme', programme.key, 'before', before.key, 'after', after.key,
                                  'why', change.why, 'qualifying', change.qualifying) AS data,
               change.xid
        FROM loyalty_tierchange change
        JOIN loyalty_member member ON member.id = change.member_id
        JOIN loyalty_programme programme ON programme.id = member.programme_id
        LEFT JOIN loyalty_tier before ON before.id = change.before_id
        LEFT JOIN loyalty_tier after ON after.id = change.after_id
        WHERE change.xid >= %(since)s::text::xid8 AND change.xid < %(until)s::text::xid8
    """


@events.register
class ReturnedClaimSource(EventSource):
    key = "loyalty.returned_claims"
    group = _LOYALTY
    kinds: ClassVar = {
        "loyalty.reward_returned": EventKind(
            _("A reward was taken back"),
            _("When a claim is undone; whether its points come back, the reward says."),
            {"programme": "club", "reward": _REWARD, "points": 100, "claim": _CLAIM},
        )
    }
    sql = """
        SELECT 'loyalty.reward_returned' AS kind, 'loyalty.claim:' || claim.id AS reference, member.customer_id,
               claim.ended_at AS occurred_at,
               jsonb_build_object('programme', programme.key, 'reward', reward.public_id, 'points', claim.price,
                                  'claim', claim.public_id) AS data,
               claim.xid
        FROM loyalty_claim claim
        JOIN loyalty_reward reward ON reward.id = claim.reward_id
        JOIN loyalty_member member ON member.id = claim.member_id
        JOIN loyalty_programme programme ON programme.id = member.programme_id
        WHERE claim.xid >= %(since)s::text::xid8 AND claim.xid < %(until)s::text::xid8 AND claim.state = 'returned'
    """


@events.register
class PointsSource(EventSource):
    """What rules gave, and what of it was taken back, by the entries that moved it."""

    key = "loyalty.points"
    group = _LOYALTY
    kinds: ClassVar = {
        "loyalty.points_earned": EventKind(
            _("Earned points"),
            _("When a rule of a programme gives something, also where it counts only later."),
            {
                "programme": "club", "unit": "points", "rule": "base", "amount": 50, "order": "A-1001",
                "activity": None, "counts_from": "2026-05-12T10:00:00+00:00",
            },
        ),
        "loyalty.points_taken_back": EventKind(
            _("Earned points were taken back"),
            _("When what earned them came back, as far as they were there."),
            {
                "programme": "club", "unit": "points", "rule": "base", "amount": 20, "order": "A-1001",
                "activity": None,
            },
        ),
    }  # fmt: skip
    sql = """
        SELECT each.kind, 'ledger.entry:' || each.id AS reference, member.customer_id,
               each.recorded_at AS occurred_at,
               jsonb_build_object('programme', programme.key, 'unit', unit.key, 'rule', earning.rule,
                                  'amount', each.amount, 'order', bought.reference, 'activity', did.kind)
               || CASE WHEN each.kind = 'loyalty.points_earned'
                       THEN jsonb_build_object('counts_from', lot.active_at) ELSE '{}' END AS data,
               each.xid
        FROM (
            SELECT entry.*, coalesce(entry.reverses_id, entry.id) AS of_id,
                   CASE entry.verb WHEN 'issue' THEN 'loyalty.points_earned'
                                   WHEN 'take_back' THEN 'loyalty.points_taken_back' END AS kind
            FROM ledger_entry entry
            WHERE entry.xid >= %(since)s::text::xid8 AND entry.xid < %(until)s::text::xid8
              AND entry.verb IN ('issue', 'take_back')
        ) each
        JOIN ledger_entry given ON given.id = each.of_id AND given.verb = 'issue' AND given.origin = 'incentives.grant'
        JOIN incentives_grant granted ON granted.id = given.origin_id AND granted.origin = 'loyalty.earning'
        JOIN loyalty_earning earning ON earning.id = granted.origin_id
        JOIN loyalty_member member ON member.id = earning.member_id
        JOIN loyalty_programme programme ON programme.id = member.programme_id
        JOIN ledger_unit unit ON unit.id = each.unit_id
        LEFT JOIN ledger_lot lot ON lot.entry_id = each.id
        LEFT JOIN customers_order bought ON bought.id = earning.order_id
        LEFT JOIN customers_activity did ON did.id = earning.activity_id
        WHERE each.kind = ANY(%(kinds)s)
    """
