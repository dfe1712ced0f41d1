"""What other programs are told of referrals: every state of every friend, and partners' cash."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from referrals.models import Referral
from retention.event_kinds import EventKind
from retention.registries import EventSource, events

_GROUP = _("Referrals")
_SAMPLE: dict[str, Any] = {
    "referral": "01920000-0000-7000-8000-00000000000d",
    "scheme": "friends",
    "state": "pending",
    "reasons": [],
    "level": None,
    "order": None,
    "advocate": {
        "id": "01920000-0000-7000-8000-00000000000e",
        "customer": "01920000-0000-7000-8000-00000000000a",
        "partner": None,
    },
}
_ORDER = "A-1001"
_PARTNER = "01920000-0000-7000-8000-00000000000f"
_CASH: dict[str, Any] = {
    "partner": _PARTNER, "amount_minor": 250, "currency": "EUR", "referral": _SAMPLE["referral"],
}  # fmt: skip
#: State → the kind it is told as. Whoever is told of one is told of it each time that it is reached.
KINDS = {
    state: f"referrals.{'qualified' if state == Referral.State.HOLD else state}" for state in Referral.State.values
}


def _kind(label: Any, told: Any, state: str, **data: Any) -> EventKind:
    return EventKind(label, told, {**_SAMPLE, "state": state, **data})


@events.register
class StepSource(EventSource):
    """Each step of each referral; its customer is the friend."""

    key = "referrals.steps"
    group = _GROUP
    kinds: ClassVar = {
        "referrals.claimed": _kind(
            _("A friend came"), _("When a friend who followed a link is known; the checks are to come."), "claimed"
        ),
        "referrals.pending": _kind(
            _("The friend's step is awaited"),
            _("When the checks let a friend pass, or her order came back before the reward."),
            "pending",
        ),
        "referrals.qualified": _kind(
            _("The friend did what counts"), _("When it happened, and can still be returned."), "hold", order=_ORDER
        ),
        "referrals.review": _kind(
            _("To be looked at"),
            _("When checks send a referral to a person; the reasons say why."),
            "review",
            order=_ORDER,
            reasons=["referrals.same_device"],
        ),
        "referrals.approved": _kind(
            _("Approved"), _("When nothing stands in the way of the reward any more."), "approved", order=_ORDER
        ),
        "referrals.rewarded": _kind(
            _("Rewarded"),
            _("When the advocate has got what she was promised, or nothing is given for this friend."),
            "rewarded",
            order=_ORDER,
            level=1,
        ),
        "referrals.rejected": _kind(
            _("Rejected"),
            _("When checks or a person reject a referral."),
            "rejected",
            reasons=["referrals.self"],
        ),
        "referrals.lapsed": _kind(
            _("Lapsed"), _("When a friend did not do it in time."), "lapsed", reasons=["referrals.not_in_time"]
        ),
        "referrals.reversed": _kind(
            _("Reversed"),
            _("When the friend's order came back after the reward, or her time was over."),
            "reversed",
            order=_ORDER,
            level=1,
            reasons=["referrals.order_came_back"],
        ),
    }
    sql = """
        SELECT 'referrals.' || CASE step.state WHEN 'hold' THEN 'qualified' ELSE step.state END AS kind,
               'referrals.referralstep:' || step.id AS reference, referral.friend_id AS customer_id,
               step.at AS occurred_at,
               jsonb_build_object(
                   'referral', referral.public_id, 'scheme', scheme.key, 'state', step.state,
                   'reasons', to_jsonb(step.reasons), 'level', referral.level, 'order', bought.reference,
                   'advocate', jsonb_build_object('id', advocate.public_id, 'customer', customer.public_id,
                                                  'partner', partner.public_id)) AS data,
               step.xid
        FROM referrals_referralstep step
        JOIN referrals_referral referral ON referral.id = step.referral_id
        JOIN referrals_scheme scheme ON scheme.id = referral.scheme_id
        JOIN referrals_advocate advocate ON advocate.id = referral.advocate_id
        LEFT JOIN customers_customer customer ON customer.id = advocate.customer_id
        LEFT JOIN referrals_partner partner ON partner.id = advocate.partner_id
        LEFT JOIN customers_order bought ON bought.id = referral.order_id
        WHERE step.xid >= %(since)s::text::xid8 AND step.xid < %(until)s::text::xid8
    """


@events.register
class PartnerCashSource(EventSource):
    """Partners' cash, by the entries of their accounts."""

    key = "referrals.cash"
    group = _GROUP
    kinds: ClassVar = {
        "referrals.commission_earned": EventKind(
            _("A partner earned a commission"), _("When a friend's order earns a partner her share."), _CASH, False
        ),
        "referrals.commission_taken_back": EventKind(
            _("A commission was taken back"), _("When that order came back, as far as it did."), _CASH, False
        ),
        "referrals.partner_paid": EventKind(
            _("A partner was paid"),
            _("When a payout is marked as paid, for each partner in it."),
            {
                "partner": _PARTNER, "amount_minor": 250, "currency": "EUR",
                "payouts": "01920000-0000-7000-8000-000000000010",
            },
            False,
        ),
    }  # fmt: skip
    sql = """
        SELECT each.kind, 'ledger.entry:' || each.id AS reference, NULL::bigint AS customer_id,
               each.recorded_at AS occurred_at,
               jsonb_build_object('partner', partner.public_id, 'amount_minor', each.amount, 'currency', unit.currency)
               || CASE WHEN each.kind = 'referrals.partner_paid'
                       THEN jsonb_build_object('payouts', batch.public_id)
                       ELSE jsonb_build_object('referral', referral.public_id) END AS data,
               each.xid
        FROM (
            SELECT entry.*, CASE entry.verb WHEN 'issue' THEN 'referrals.commission_earned'
                                            WHEN 'take_back' THEN 'referrals.commission_taken_back'
                                            WHEN 'pay_out' THEN 'referrals.partner_paid' END AS kind
            FROM ledger_entry entry
            WHERE entry.xid >= %(since)s::text::xid8 AND entry.xid < %(until)s::text::xid8
              AND entry.verb IN ('issue', 'take_back', 'pay_out')
              AND entry.origin IN ('referrals.referral', 'referrals.payoutbatch')
        ) each
        JOIN ledger_account account ON account.id IN (each.from_account_id, each.to_account_id)
                                   AND account.kind = 'partner' AND account.origin = 'referrals.partner'
        JOIN referrals_partner partner ON partner.id = account.origin_id
        JOIN ledger_unit unit ON unit.id = each.unit_id
        LEFT JOIN referrals_referral referral ON each.origin = 'referrals.referral' AND referral.id = each.origin_id
        LEFT JOIN referrals_payoutbatch batch ON each.origin = 'referrals.payoutbatch' AND batch.id = each.origin_id
        WHERE each.kind = ANY(%(kinds)s)
    """
