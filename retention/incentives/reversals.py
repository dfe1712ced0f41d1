"""What a roll-back undoes beside the discount: what was paid with other than money, and what the order brought."""

from collections.abc import Iterator

from retention.incentives.models import CheckoutPolicy, Fulfilment, Grant, Redemption, Ticket
from retention.incentives.operations.benefits import value_entries
from retention.incentives.operations.brought import CHECKOUT, REDEEMED
from retention.incentives.operations.by_hand import withdraw_by_hand
from retention.incentives.operations.paying import return_to_tenders, returned_of
from retention.incentives.proration import Returned, paid_for
from retention.incentives.tenders import share_of
from retention.incentives.versions import policy_of
from retention.ledger import operations as ledger
from retention.ledger.models import Entry
from retention.registries import Reversal, reversals

REASON = "returned"


@reversals.register
class Tenders(Reversal):
    """Gift cards, credit and points get back what they paid of the returned lines."""

    key = "tenders"

    @classmethod
    def preview(cls, *, redemption, returned, now):
        parts = returned_of(redemption, returned)
        return {"amount_minor": sum(part["amount_minor"] for part in parts), "parts": parts} if parts else {}

    @classmethod
    def undo(cls, *, redemption, returned, source, now):
        told = cls.preview(redemption=redemption, returned=returned, now=now)
        if told:
            source = f"rollback:{redemption.pk}:{source}"
            return_to_tenders(redemption, told["parts"], source=source, reason=REASON, now=now, by=CHECKOUT)
        return told


@reversals.register
class Benefits(Reversal):
    """What an offer gave with the order goes back in the share in which the order does; it may have been spent."""

    key = "benefits"

    @classmethod
    def preview(cls, *, redemption, returned, now):
        parts = [
            {"unit": entry.unit.key, "amount": wanted, "taken": min(wanted, _reach(entry))}
            for entry, wanted in _shares(redemption, returned)
        ]
        return {"parts": parts} if parts else {}

    @classmethod
    def undo(cls, *, redemption, returned, source, now):
        parts = []
        for entry, wanted in _shares(redemption, returned):
            done = ledger.take_back(
                entry_id=entry.pk, amount=wanted, source=f"rollback:{redemption.pk}:{source}:{entry.pk}", reason=REASON,
                policy="negative" if entry.unit.may_be_negative else "balance", now=now, by=CHECKOUT,
            )  # fmt: skip
            parts.append({"unit": entry.unit.key, "amount": wanted, "taken": done.amount})
        return {"parts": parts} if parts else {}


@reversals.register
class ByHand(Reversal):
    """Tickets and presents that came with an order are off once nothing is left of it, where the policy says so."""

    key = "by_hand"

    @classmethod
    def preview(cls, *, redemption, returned, now):
        if not returned.is_last or not _withdraws():
            return {}
        grants = _brought_by(redemption)
        presents = Fulfilment.objects.filter(grant_id__in=grants).exclude(state=Fulfilment.State.CANCELLED)
        tickets = Ticket.objects.filter(grant_id__in=grants, withdrawn_at=None)
        told = [(one.what, one.state == Fulfilment.State.DONE) for one in presents.order_by("pk")]
        told += [(one.name, one.checked_in_at is not None) for one in tickets.order_by("pk")]
        withdrawn, kept = ([name for name, is_over in told if is_over is which] for which in (False, True))
        return {"withdrawn": withdrawn, "carried_out": kept} if told else {}

    @classmethod
    def undo(cls, *, redemption, returned, source, now):
        told = cls.preview(redemption=redemption, returned=returned, now=now)
        if told:
            withdraw_by_hand(grant_ids=_brought_by(redemption), now=now, by=CHECKOUT)
        return told


def _brought_by(redemption: Redemption) -> list[int]:
    return list(Grant.objects.filter(origin=REDEEMED, origin_id=redemption.pk).values_list("pk", flat=True))


def _withdraws() -> bool:
    version_id = CheckoutPolicy.objects.values_list("version_id", flat=True).first()
    return version_id is None or policy_of(version_id).withdraws_by_hand


def _shares(redemption: Redemption, returned: Returned) -> Iterator[tuple[Entry, int]]:
    bought = [line["quantity"] for line in redemption.effects["lines"]]
    before, after, whole = (paid_for(redemption.effects, units) for units in (returned.before, returned.after, bought))
    for entry in value_entries(_brought_by(redemption)):
        if wanted := share_of(entry.amount, before, after, whole):
            yield entry, wanted


def _reach(entry: Entry) -> int:
    """How much of an entry could be taken back now."""
    account = entry.to_account
    return entry.amount if entry.unit.may_be_negative else max(0, account.balance - account.held)
