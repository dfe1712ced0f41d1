"""What other programs are told of the books: every movement of a customer's account."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention.event_kinds import EventKind
from retention.registries import EventSource, events


def _kind(label: Any, told: Any, direction: str) -> EventKind:
    sample = {"unit": "points", "currency": "", "amount": 50, "direction": direction, "origin": "incentives.grant"}
    return EventKind(label, told, sample)


@events.register
class EntrySource(EventSource):
    """Customers' accounts; gift cards' and partners' are told by the rooms whose they are."""

    key = "ledger.entries"
    group = _("Points and credit")
    kinds: ClassVar = {
        "ledger.issued": _kind(_("Value was given"), _("When points or credit come to an account."), "in"),
        "ledger.topped_up": _kind(_("Value was paid in"), _("When money is paid into an account."), "in"),
        "ledger.spent": _kind(_("Value was spent"), _("When a checkout or a reward takes from an account."), "out"),
        "ledger.given_back": _kind(
            _("Spent value came back"), _("When what was spent is undone, by a return or by hand."), "in"
        ),
        "ledger.taken_back": _kind(
            _("Given value was taken back"), _("When what was given is undone, by a return or by hand."), "out"
        ),
        "ledger.expired": _kind(_("Value expired"), _("At night, when what was left in time was not spent."), "out"),
        "ledger.corrected": _kind(_("A balance was corrected"), _("When a person or a program corrects it."), "in"),
        "ledger.paid_out": _kind(_("Value was paid out"), _("When an account is paid out in cash."), "out"),
        "ledger.passed_on": _kind(_("Value was passed on"), _("When one account gives to another, for each."), "out"),
        "ledger.merged": _kind(
            _("Value moved with its customer"), _("When two customers turn out to be one, for each account."), "in"
        ),
    }
    sql = """
        SELECT moved.kind, 'ledger.entry:' || moved.id || ':' || moved.direction AS reference, moved.customer_id,
               moved.recorded_at AS occurred_at,
               jsonb_build_object('unit', unit.key, 'currency', unit.currency, 'amount', moved.amount,
                                  'direction', moved.direction, 'origin', moved.origin) AS data,
               moved.xid
        FROM (
            SELECT entry.id, entry.recorded_at, entry.amount, entry.origin, entry.unit_id, entry.xid,
                   account.customer_id, CASE account.id WHEN entry.to_account_id THEN 'in' ELSE 'out' END AS direction,
                   'ledger.' || CASE entry.verb
                       WHEN 'issue' THEN 'issued' WHEN 'top_up' THEN 'topped_up' WHEN 'spend' THEN 'spent'
                       WHEN 'give_back' THEN 'given_back' WHEN 'take_back' THEN 'taken_back'
                       WHEN 'expire' THEN 'expired' WHEN 'adjust' THEN 'corrected' WHEN 'pay_out' THEN 'paid_out'
                       WHEN 'transfer' THEN 'passed_on' WHEN 'merge' THEN 'merged' END AS kind
            FROM ledger_entry entry
            JOIN ledger_account account
              ON account.id IN (entry.from_account_id, entry.to_account_id) AND account.kind = 'customer'
            WHERE entry.xid >= %(since)s::text::xid8 AND entry.xid < %(until)s::text::xid8
        ) moved
        JOIN ledger_unit unit ON unit.id = moved.unit_id
        WHERE moved.kind = ANY(%(kinds)s)
    """
