"""What live holds keep: a basket's own gives way to it, and of another's it is told until when."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from retention.incentives.checkouts import Checkout
from retention.incentives.counting import CodeHeld, CodeRedeemed
from retention.incentives.decisions import Checked, Decision
from retention.incentives.facts import Facts
from retention.incentives.models import Redemption, Use
from retention.refusals import Refusal


def own_hold(checkout: Checkout, facts: Facts) -> Redemption | None:
    """The live hold of this very basket: the one that it names, or that of its order and shopper."""
    live = Redemption.objects.filter(state=Redemption.State.HELD, held_until__gt=facts.now)
    if checkout.hold:
        return live.filter(public_id=checkout.hold).first()
    if not checkout.order_reference:
        return None
    customer = facts.basket.shopper.id
    of_order = live.filter(order_reference=checkout.order_reference, customer_id=customer).order_by("-pk")
    # Guests are one another's only where everything that is known of them is the same.
    return next((held for held in of_order if customer or set(held.persons) == set(facts.persons)), None)


def with_holds_told(decision: Decision, now: dt.datetime) -> Decision:
    """The decision, where a code that is "used" only because a live hold keeps it is refused with that reason."""
    used = [one.offer.facts.code_id for one in decision.checked if any(map(_is_used, one.reasons))]
    if not used:
        return decision
    holds = Use.objects.filter(
        code_id__in=used, redemption__state=Redemption.State.HELD, redemption__held_until__gt=now
    ).values_list("code_id", "redemption__held_until")
    until: dict[int | None, dt.datetime] = {}
    for code_id, held_until in holds:
        until[code_id] = max(held_until, until.get(code_id, held_until))
    return replace(decision, checked=tuple(_told(one, until) for one in decision.checked))


def _told(one: Checked, until: Mapping[int | None, dt.datetime]) -> Checked:
    if (end := until.get(one.offer.facts.code_id)) is None:
        return one
    held = CodeHeld(until=end.isoformat()).as_refusal()
    return replace(one, reasons=tuple(held if _is_used(reason) else reason for reason in one.reasons))


def _is_used(reason: Refusal) -> bool:
    return reason.code == CodeRedeemed.code
