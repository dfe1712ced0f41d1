"""The HTTP endpoint of a campaign's results."""

import math
import uuid
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Schema
from pydantic import AwareDatetime, Field

from campaigns import operations
from campaigns.models import Campaign
from campaigns.results.experiments import Experiment, experiments
from campaigns.results.reading import HELD_OUT
from campaigns.results.report import LIFT, Report, results
from campaigns.results.words import label_of, money_minor
from retention import clock
from retention.doors.endpoints import Router
from retention.experiments.comparison import Compared
from retention.experiments.rates import Interval, wilson

router = Router("Campaigns")


class IntervalOut(Schema):
    """Ends of a 95 % interval; null where nothing is known."""

    low: float | None
    high: float | None


class ArmOut(Schema):
    key: str = Field(description="Of the variant; empty without a test, `holdout` for those held out.")
    label: str
    customers: int
    delivered: int = Field(description="Customers with a delivered message; of the holdout, those who would have been.")
    opened: int
    clicked: int
    converted: int
    conversion_rate: float | None
    conversion_interval: IntervalOut
    buyers: int
    revenue_minor: int
    discount_minor: int = Field(description="Used of what the campaign gave.")


class DifferenceOut(Schema):
    key: str
    against: str
    rate: float
    rate_interval: IntervalOut
    rate_p: float
    revenue_minor: float = Field(description="Per customer.")
    revenue_interval: IntervalOut
    revenue_p: float
    is_revenue_rough: bool = Field(description="Too few customers for how uneven their orders are.")
    needed: int | None = Field(description="Customers the arm needs for the lift asked for; null: not known yet.")
    verdict: Literal["too_few", "better", "worse", "no_difference"]


class RungOut(Schema):
    """Buyers of the goal's days, and what their orders cost beside the last rung for each."""

    segment: str = Field(description="Its name; empty: everybody.")
    buyers: int
    given_minor: int = Field(description="What the ladder took off their orders.")
    highest_minor: int = Field(description="What its last rung would have.")
    saved_minor: int


class ExperimentOut(Schema):
    since: int = Field(description="Number of the version with which it began.")
    began_at: AwareDatetime | None
    arms: list[str] = Field(description="Keys of its variants; empty without a test.")
    holdout_percent: int


class ResultsOut(Schema):
    since: int = Field(description="Which of the experiments this is.")
    goal: Literal["order", "activity", "redemption"]
    days: int
    lift_percent: int
    currency: str
    counted_at: AwareDatetime
    is_being_counted: bool = Field(description="Newer figures are on their way.")
    open: int = Field(description="Customers whose days are not over yet.")
    sample_ratio_p: float | None
    is_mismatch: bool = Field(description="Arms are not as large as planned: trust nothing else here.")
    arms: list[ArmOut]
    differences: list[DifferenceOut]
    ladder: list[RungOut] = Field(description="What later rungs saved, everybody first; empty where it is no ladder.")
    experiments: list[ExperimentOut] = Field(description="Of this campaign, the present one first.")


@router.get("campaigns/{uuid:id}/results/", scope="campaigns:read", response=ResultsOut)
def get_results(
    request: HttpRequest,
    id: uuid.UUID,
    lift: Annotated[int, Query(ge=1, le=500)] = LIFT,
    since: Annotated[int | None, Query(ge=1, description="Of an earlier experiment; else the present one.")] = None,
):
    """What came of a campaign: its arms, and how they differ; counted at most once in ten minutes.

    What was done to many is counted in the background: older figures are told meanwhile, and the first time 409
    `campaigns.being_counted`.
    """
    campaign = Campaign.objects.select_related("approved_version").filter(public_id=id).first()
    report = results(campaign=campaign, lift=lift, now=clock.now(), since=since) if campaign else None
    if report is None:
        raise operations.NoSuchCampaign
    return {**_out(report), "experiments": [_experiment(one) for one in experiments(campaign)]}


def _experiment(one: Experiment) -> dict:
    return {
        "since": one.since,
        "began_at": one.began_at,
        "arms": [variant.key for variant in one.plan.variants],
        "holdout_percent": one.plan.holdout_percent,
    }


def _out(report: Report) -> dict:
    first = report.arms[0].arm
    return {
        "since": report.since,
        "goal": report.goal,
        "days": report.days,
        "lift_percent": report.lift,
        "currency": report.currency,
        "counted_at": report.counted_at,
        "is_being_counted": report.is_being_counted,
        "open": report.is_open,
        "sample_ratio_p": report.ratio_p,
        "is_mismatch": report.is_mismatch,
        "arms": [
            {
                "key": _key(arm.arm),
                "label": label_of(report, arm.arm),
                "customers": arm.heads,
                "delivered": arm.delivered,
                "opened": arm.opened,
                "clicked": arm.clicked,
                "converted": arm.converted,
                "conversion_rate": arm.converted / arm.heads if arm.heads else None,
                "conversion_interval": _interval(wilson(arm.converted, arm.heads)),
                "buyers": arm.buyers,
                "revenue_minor": money_minor(arm.revenue),
                "discount_minor": money_minor(arm.cost),
            }
            for arm in report.arms
        ],
        "differences": [
            *(_difference(found, HELD_OUT) for found in report.beyond_holdout),
            *(_difference(found, first) for found in report.between),
        ],
        "ladder": [
            {
                "segment": rung.segment,
                "buyers": rung.buyers,
                "given_minor": rung.given,
                "highest_minor": rung.highest,
                "saved_minor": rung.saved,
            }
            for rung in report.ladder
        ],
    }


def _difference(found: Compared, against: str) -> dict:
    return {
        "key": _key(found.key),
        "against": _key(against),
        "rate": found.rate.value,
        "rate_interval": _interval(found.rate.interval),
        "rate_p": found.rate_p,
        "revenue_minor": found.money.value,
        "revenue_interval": _interval(found.money.interval),
        "revenue_p": found.money_p,
        "is_revenue_rough": found.is_rough,
        "needed": found.needed,
        "verdict": found.verdict.value,
    }


def _interval(interval: Interval) -> dict:
    return {"low": None, "high": None} if math.isinf(interval.low) else {"low": interval.low, "high": interval.high}


def _key(arm: str) -> str:
    return "holdout" if arm == HELD_OUT else arm
