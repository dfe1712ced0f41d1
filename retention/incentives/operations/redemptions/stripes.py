"""Room on stripes, for offers that expect a rush."""

from django.db import connection

from retention.incentives.counting import STRIPES, Ask, is_own
from retention.incentives.decisions import Decision
from retention.incentives.models import Counter
from retention.incentives.operations.redemptions.writing import stripe_of_connection
from retention.incentives.rules import IncentiveRule

#: A lease is for at least so many uses.
USES_A_LEASE = 20


def lease(decision: Decision) -> None:
    """See to it that this connection's stripes have room for these uses, as far as their limits leave any.

    Where none is left the next reading of the counters gives the precise reason.
    """
    for one in decision.applied:
        rule = one.offer.rule
        if not rule.limits.expects_rush:
            continue
        for ask in one.offer.asks:
            if is_own(ask.key):
                need = one.applied.discount_minor if ask.key.currency else 1
                _lease(ask, need, max(need, _largest(rule, ask.key.currency)) * USES_A_LEASE)


def prepare_stripes(incentive_id: int, rule: IncentiveRule, *, is_stopped: bool) -> None:
    """The rows of an incentive that expects a rush, there before anyone counts on them, so that a stop reaches all.

    Where it had no limit before, what was used is leased to each stripe; from then on they lease what they need.
    """
    if not rule.limits.expects_rush:
        return
    Counter.objects.bulk_create(
        [
            Counter(incentive_id=incentive_id, scope=Counter.Scope.STRIPE, subject_id=number, is_stopped=is_stopped)
            for number in range(1, STRIPES + 1)
        ],
        ignore_conflicts=True,
    )
    own = Counter.objects.filter(incentive_id=incentive_id, scope=Counter.Scope.INCENTIVE, period="")
    own.filter(currency="").update(is_striped=True)
    limits = rule.limits
    currencies = {limit.currency for limit in limits.windows if limit.per == "incentive" and limit.within == "life"}
    currencies |= {limits.money.currency} if limits.money else set()
    currencies |= {""} if limits.total else set()
    for currency in sorted(currencies):
        Counter.objects.bulk_create(
            [
                Counter(incentive_id=incentive_id, scope=Counter.Scope.STRIPE, subject_id=number, currency=currency)
                for number in range(1, STRIPES + 1)
            ],
            ignore_conflicts=True,
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT lease_all_v1(%s, %s)", [incentive_id, currency])


def _lease(ask: Ask, need: int, chunk: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lease_v1(%s, %s, %s, %s, %s, %s)",
            [ask.key.incentive_id, ask.key.currency, stripe_of_connection(), need, chunk, ask.most],
        )


def _largest(rule: IncentiveRule, currency: str) -> int:
    """The largest discount that the rule itself names; what it does not name, the use at hand stands for."""
    if not currency:
        return 1
    caps = [getattr(effect, "cap", None) or getattr(effect, "amounts", None) or {} for effect in rule.effects]
    return sum(cap.get(currency, 0) for cap in caps)
