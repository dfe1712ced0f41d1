"""A report's figures as rows of files: its advocates, its months, and what friends are worth against others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from referrals.models import Partner
from referrals.reports.figures import Report
from retention import money
from retention.work.ingest.files import harmless


def _advocate_rows(found: Report, currency: str) -> Iterator[list[str]]:
    yield ["as_of", "advocate_code", "partner", "friends", "won", "spend", "reward", "currency", "roi"]
    tops = found.found.leaders
    names = dict(Partner.objects.filter(pk__in=[top.partner_id for top in tops]).values_list("pk", "name"))
    for top in tops:
        yield [
            found.found.as_of.at.isoformat(timespec="minutes"),
            top.code,
            harmless(names.get(top.partner_id, "")),
            str(top.friends),
            str(top.won),
            str(money.to_major(top.spend_minor, currency)),
            str(money.to_major(top.reward_minor, currency)),
            currency,
            number(found.roi_of(top)),
        ]


def _month_rows(found: Report, currency: str) -> Iterator[list[str]]:
    yield ["month", "spend", "reward", "currency"]
    for month, spend, cost in found.found.months:
        amounts = (str(money.to_major(minor, currency)) for minor in (spend, cost))
        yield [f"{month:%Y-%m}", *amounts, currency]


def _worth_rows(found: Report, currency: str) -> Iterator[list[str]]:
    """What customers of each kind spent within the same days; the interval is of the difference of their means."""
    interval = found.difference.interval
    ends = [_major(end, currency) for end in (interval.low, interval.high)]
    yield ["customers", "count", "spend_each", "currency", "difference_from", "difference_to"]
    for name, worth, told in (("referred", found.found.referred, ends), ("others", found.found.others, ["", ""])):
        yield [name, str(worth.count), _major(worth.mean_minor, currency), currency, *told]


def _major(minor: float | None, currency: str) -> str:
    if minor is None or abs(minor) == float("inf"):
        return ""
    return str(money.to_major(money.round_half_up(Decimal(minor)), currency))


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


FILES: Mapping[str, Callable[[Report, str], Iterator[list[str]]]] = {
    "advocates": _advocate_rows,
    "months": _month_rows,
    "worth": _worth_rows,
}
