"""The report of referrals over HTTP: what they brought and cost in a period."""

import datetime as dt
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Schema
from pydantic import Field

from referrals.models import Scheme
from referrals.operations import NoSuchScheme
from referrals.reports.figures import report_of
from referrals.reports.reading import Asked, Worth
from retention import clock, money
from retention.doors.endpoints import Router
from retention.ledger.days import book_day
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.work.ingest.run import NoShop

router = Router("Referrals")
READ = "referrals:read"
YEAR = dt.timedelta(days=365)
#: So many of those who brought most.
LEADERS = 100


class BadReport(Refused):
    code = "referrals.bad_report"
    sentence = _("The period ends before it begins, or lies in no year from 2000 to 2099.")
    status = 422


class ReportFunnelOut(Schema):
    advocates: int
    invitations: int = Field(description="Different visitors by links, and friends who typed a code.")
    friends: int
    won: int = Field(description="Did what the scheme asks for, and it stood.")
    rewarded: int
    rejected: int
    reversed: int
    open: int
    spend_minor: int
    reward_minor: int = Field(description="Of both sides, as it was used or credited, and commissions.")


class ReportMonthOut(Schema):
    month: dt.date
    spend_minor: int
    reward_minor: int


class ReportWorthOut(Schema):
    count: int
    mean_minor: int | None


class ReportDifferenceOut(Schema):
    """Of the means, with its 95 % interval; empty where nothing can be said."""

    value_minor: int
    low_minor: int | None
    high_minor: int | None


class ReportLeaderOut(Schema):
    code: str
    friends: int
    won: int
    spend_minor: int
    reward_minor: int
    roi: float | None


class ReportOut(Schema):
    """Amounts are minor units of the shop's base currency."""

    currency: str
    first: dt.date
    last: dt.date
    as_of: dt.datetime
    is_being_counted: bool = Field(description="Newer figures are on their way.")
    funnel: ReportFunnelOut
    running_minor: int
    cost_per_customer_minor: int | None
    k: float | None
    roi: float | None
    months: list[ReportMonthOut]
    days: int = Field(description="After their first orders, within which referred and other customers' spend counts.")
    referred: ReportWorthOut
    others: ReportWorthOut
    difference: ReportDifferenceOut
    leaders: list[ReportLeaderOut] = Field(description="The hundred whose friends spent most.")


@router.get("referrals/report/", scope=READ, response=ReportOut)
def get_report(
    request: HttpRequest,
    first: dt.date | None = None,
    last: dt.date | None = None,
    scheme: Annotated[str, Query(max_length=40, description="Its key; all of them, if it is not said.")] = "",
    days: Annotated[
        Literal["30", "90", "180", "365"], Query(description="After first orders, to compare customers by.")
    ] = "90",
    running_minor: Annotated[int, Query(ge=0, le=10**12, description="Running cost a month.")] = 0,
):
    """Friends who came from the first day to the last, the last year if they are not said, and all that they did since.

    A large shop's are counted in the background, at least once a day; `as_of` says when. Before the first time the
    answer is `referrals.being_counted`.
    """
    shop, now = Shop.objects.first(), clock.now()
    if shop is None:
        raise NoShop
    last = last or book_day(now)
    first = first or last - YEAR
    if not dt.date(2000, 1, 1) <= first <= last < dt.date(2100, 1, 1):
        raise BadReport
    chosen = Scheme.objects.exclude(state=Scheme.State.DRAFT).filter(key=scheme).first() if scheme else None
    if scheme and chosen is None:
        raise NoSuchScheme
    report = report_of(
        Asked(chosen.pk if chosen else None, first, last, int(days)), running_minor=running_minor, now=now
    )
    found, interval = report.found, report.difference.interval
    return {
        "currency": shop.currency,
        "first": first,
        "last": last,
        "as_of": found.as_of.at,
        "is_being_counted": found.as_of.is_being_counted,
        "funnel": asdict(found.funnel),
        "running_minor": report.running_minor,
        "cost_per_customer_minor": report.cac_minor,
        "k": report.k,
        "roi": report.roi,
        "months": [
            {"month": month, "spend_minor": spend, "reward_minor": cost} for month, spend, cost in found.months
        ],
        "days": int(days),
        "referred": _worth(found.referred),
        "others": _worth(found.others),
        "difference": {
            "value_minor": _whole(report.difference.value),
            "low_minor": _whole(interval.low),
            "high_minor": _whole(interval.high),
        },
        "leaders": [{**asdict(top), "roi": report.roi_of(top)} for top in found.leaders[:LEADERS]],
    }  # fmt: skip


def _worth(worth: Worth) -> dict[str, int | None]:
    return {"count": worth.count, "mean_minor": _whole(worth.mean_minor)}


def _whole(minor: float | None) -> int | None:
    return None if minor is None or abs(minor) == float("inf") else money.round_half_up(Decimal(minor))
