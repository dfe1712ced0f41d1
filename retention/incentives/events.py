"""What other programs are told of incentives: what was given and used, what was undone, and what gift cards moved."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention.event_kinds import EventKind
from retention.registries import EventSource, events

_INCENTIVES = _("Incentives & codes")
_INCENTIVE = "01920000-0000-7000-8000-000000000013"
_REDEMPTION = "01920000-0000-7000-8000-000000000014"
_USED: dict[str, Any] = {
    "redemption": _REDEMPTION, "order": "A-1001", "currency": "EUR", "discount_minor": 500, "incentives": [_INCENTIVE],
}  # fmt: skip
_MOVED: dict[str, Any] = {
    "card": "01920000-0000-7000-8000-000000000015", "currency": "EUR", "amount_minor": 1000, "verb": "spend",
    "direction": "out",
}  # fmt: skip


@events.register
class GrantSource(EventSource):
    """Grants of something that is used; points and credit are told as movements of an account."""

    key = "incentives.grants"
    group = _INCENTIVES
    kinds: ClassVar = {
        "incentives.granted": EventKind(
            _("Something was given"),
            _("When an incentive is given to a customer, such as a coupon; its code is not told."),
            {
                "incentive": _INCENTIVE, "kind": "percent", "origin": "campaigns.touch",
                "expires_at": "2026-06-12T21:59:59+00:00",
            },
        )
    }  # fmt: skip
    sql = """
        SELECT 'incentives.granted' AS kind, 'incentives.grant:' || granted.id AS reference, granted.customer_id,
               granted.granted_at AS occurred_at,
               jsonb_build_object('incentive', incentive.public_id, 'kind', incentive.kind, 'origin', granted.origin,
                                  'expires_at', granted.expires_at) AS data,
               granted.xid
        FROM incentives_grant granted JOIN incentives_incentive incentive ON incentive.id = granted.incentive_id
        WHERE granted.xid >= %(since)s::text::xid8 AND granted.xid < %(until)s::text::xid8
          AND incentive.kind NOT IN ('points', 'store_credit', 'cash')
    """


@events.register
class RedemptionSource(EventSource):
    key = "incentives.redemptions"
    group = _INCENTIVES
    kinds: ClassVar = {
        "incentives.redeemed": EventKind(
            _("Offers were used"), _("When a checkout redeems what was offered; a hold alone is not told."), _USED
        )
    }
    sql = """
        SELECT 'incentives.redeemed' AS kind, 'incentives.redemption:' || redemption.id AS reference,
               redemption.customer_id, redemption.redeemed_at AS occurred_at,
               jsonb_build_object(
                   'redemption', redemption.public_id, 'order', redemption.order_reference,
                   'currency', redemption.currency, 'discount_minor', redemption.discount_minor,
                   'incentives', (SELECT coalesce(jsonb_agg(DISTINCT incentive.public_id), '[]')
                                  FROM incentives_use used
                                  JOIN incentives_incentive incentive ON incentive.id = used.incentive_id
                                  WHERE used.redemption_id = redemption.id)) AS data,
               redemption.xid
        FROM incentives_redemption redemption
        WHERE redemption.xid >= %(since)s::text::xid8 AND redemption.xid < %(until)s::text::xid8
          AND redemption.redeemed_at IS NOT NULL
    """


@events.register
class RollbackSource(EventSource):
    key = "incentives.rollbacks"
    group = _INCENTIVES
    kinds: ClassVar = {
        "incentives.rolled_back": EventKind(
            _("A use was undone"),
            _("When a redemption is undone, whole or of some lines."),
            {
                "redemption": _REDEMPTION, "order": "A-1001", "currency": "EUR", "discount_minor": 200,
                "is_whole": False,
            },
        )
    }  # fmt: skip
    sql = """
        SELECT 'incentives.rolled_back' AS kind, 'incentives.rollback:' || undone.id AS reference,
               redemption.customer_id, undone.rolled_back_at AS occurred_at,
               jsonb_build_object('redemption', redemption.public_id, 'order', redemption.order_reference,
                                  'currency', redemption.currency, 'discount_minor', undone.discount_minor,
                                  'is_whole', undone.is_last) AS data,
               undone.xid
        FROM incentives_rollback undone JOIN incentives_redemption redemption ON redemption.id = undone.redemption_id
        WHERE undone.xid >= %(since)s::text::xid8 AND undone.xid < %(until)s::text::xid8
    """


@events.register
class GiftCardSource(EventSource):
    """Movements of gift cards; a card is nobody's by itself."""

    key = "incentives.gift_cards"
    group = _INCENTIVES
    kinds: ClassVar = {
        "incentives.gift_card_moved": EventKind(
            _("A gift card's balance changed"),
            _("When a card is sold, topped up, spent, given back, corrected or expires."),
            _MOVED,
            has_customer=False,
        )
    }
    sql = """
        SELECT 'incentives.gift_card_moved' AS kind, 'ledger.entry:' || entry.id || ':' || card.id AS reference,
               NULL::bigint AS customer_id, entry.recorded_at AS occurred_at,
               jsonb_build_object(
                   'card', card.public_id, 'currency', card.currency, 'amount_minor', entry.amount, 'verb', entry.verb,
                   'direction', CASE card.account_id WHEN entry.to_account_id THEN 'in' ELSE 'out' END) AS data,
               entry.xid
        FROM ledger_entry entry
        JOIN incentives_giftcard card ON card.account_id IN (entry.from_account_id, entry.to_account_id)
        WHERE entry.xid >= %(since)s::text::xid8 AND entry.xid < %(until)s::text::xid8
    """
