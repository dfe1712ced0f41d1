"""The stripes of offers that expect a rush."""

from django.db import connection

from retention.incentives.counting import STRIPES
from retention.incentives.models import Counter
from retention.incentives.rules import IncentiveRule


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
