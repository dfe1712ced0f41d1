"""A report's figures as words: percentages, money, intervals, verdicts; and as the rows of a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from campaigns.results.experiments import Experiment
from campaigns.results.reading import HELD_OUT, Figures
from campaigns.results.report import Report
from retention import money
from retention.experiments.comparison import Compared, Verdict
from retention.experiments.rates import Interval, wilson


def label_of(report: Report, arm: str) -> str:
    return _("Held out") if arm == HELD_OUT else report.labels.get(arm) or _("Everyone touched")


def verdict_words(verdict: Verdict) -> str:
    return {
        Verdict.TOO_FEW: _("Not enough data yet"),
        Verdict.BETTER: _("Better"),
        Verdict.WORSE: _("Worse"),
        Verdict.NO_DIFFERENCE: _("No difference to be seen"),
    }[verdict]


#: How a verdict looks: classes of the console's stylesheet.
TONES = {
    Verdict.TOO_FEW: "tone-warn",
    Verdict.BETTER: "tone-good",
    Verdict.WORSE: "tone-bad",
    Verdict.NO_DIFFERENCE: "tone",
}


def percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def points(interval: Interval) -> str:
    """Of a difference of shares, in percentage points."""
    return f"{signed(interval.low * 100)} … {signed(interval.high * 100)}"


def signed(number: float) -> str:
    """With its sign, a minus as it is printed."""
    return f"{number:+.1f}".replace("-", "−")


def amount(minor: float, currency: str, *, is_signed: bool = False) -> str:
    shown = money.show(money_minor(abs(minor) if is_signed else minor), currency)
    return f"{'−' if minor < 0 else '+'}{shown}" if is_signed else shown


def money_minor(minor: float) -> int:
    return int(math.floor(minor + 0.5))


def amounts(interval: Interval, currency: str, *, times: int = 1) -> str:
    if math.isinf(interval.low):
        return _("unknown")
    low, high = (amount(end * times, currency, is_signed=True) for end in (interval.low, interval.high))
    return f"{low} … {high}"


def probability(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def experiment_row(one: Experiment) -> dict[str, Any]:
    """One of the campaign's experiments in a list to choose from."""
    arms = [variant.label for variant in one.plan.variants] or [_("no test")]
    if one.plan.holdout_percent:
        arms.append(_("%(percent)s %% held out") % {"percent": one.plan.holdout_percent})
    began = formats.date_format(one.began_at, "DATE_FORMAT") if one.began_at else ""
    words = {"number": one.since, "arms": ", ".join(arms), "began": began}
    label = _("Version %(number)s, %(began)s: %(arms)s") if began else _("Version %(number)s: %(arms)s")
    return {"since": one.since, "label": label % words}


def ladder_rows(report: Report) -> list[dict[str, Any]]:
    """What the ladder saved; nothing while nobody has ordered."""
    if not any(rung.buyers for rung in report.ladder):
        return []
    return [
        {
            "label": rung.segment or _("Everyone touched"),
            "buyers": f"{rung.buyers:,}",
            "highest": amount(rung.highest, report.currency),
            "given": amount(rung.given, report.currency),
            "saved": amount(rung.saved, report.currency, is_signed=True),
        }
        for rung in report.ladder
    ]


def arm_rows(report: Report) -> list[dict[str, Any]]:
    """Each arm with its figures as a reader of the page wants them."""
    return [_arm_row(report, arm) for arm in report.arms]


def _arm_row(report: Report, arm: Figures) -> dict[str, Any]:
    sure = wilson(arm.converted, arm.heads)
    is_blank = report.goal == "redemption" and arm.arm == HELD_OUT
    return {
        "key": arm.arm,
        "is_held_out": arm.arm == HELD_OUT,
        "label": label_of(report, arm.arm),
        "heads": f"{arm.heads:,}",
        "delivered": f"{arm.delivered:,}",
        "opened": share_of(arm.opened, arm.delivered),
        "clicked": share_of(arm.clicked, arm.delivered),
        "converted": "" if is_blank else f"{arm.converted:,}",
        "rate": "" if is_blank else share_of(arm.converted, arm.heads),
        "rate_interval": "" if is_blank or not arm.heads else f"{percent(sure.low)} … {percent(sure.high)}",
        "each": amount(arm.revenue / arm.heads, report.currency) if arm.heads else "",
        "revenue": amount(arm.revenue, report.currency),
        "cost": amount(arm.cost, report.currency),
    }


def share_of(count: int, of: int) -> str:
    return percent(count / of) if of else "–"


def compared_row(report: Report, found: Compared, *, against_holdout: bool) -> dict[str, Any]:
    heads = next((arm.heads for arm in report.arms if arm.arm == found.key), 0)
    is_blank = report.goal == "redemption" and against_holdout
    needed = found.needed
    return {
        "key": found.key,
        "label": label_of(report, found.key),
        "verdict": "" if is_blank else verdict_words(found.verdict),
        "tone": TONES[found.verdict],
        "rate": "" if is_blank else signed(found.rate.value * 100),
        "rate_interval": "" if is_blank else points(found.rate.interval),
        "rate_p": "" if is_blank else probability(found.rate_p),
        "money": amount(found.money.value, report.currency, is_signed=True),
        "money_interval": amounts(found.money.interval, report.currency),
        "money_p": probability(found.money_p),
        "is_rough": found.is_rough,
        "heads": f"{heads:,}",
        "needed": f"{needed:,}" if needed is not None else "",
        "progress": min(100, 100 * heads // needed) if needed else 0,
    }


def earned_sentence(report: Report) -> str:
    """What the campaign brought beyond those held out, in a sentence; "" where nobody is."""
    if report.whole is None:
        return ""
    heads = sum(arm.heads for arm in report.arms if arm.arm != HELD_OUT)
    found = report.whole.money
    words = {
        "amount": amount(found.value * heads, report.currency, is_signed=True),
        "interval": amounts(found.interval, report.currency, times=heads),
        "p": probability(report.whole.money_p),
    }
    return _("Revenue beyond the holdout: %(amount)s (95 %%: %(interval)s, p %(p)s).") % words


COLUMNS = (
    "arm", "label", "heads", "queued", "delivered", "opened", "clicked", "converted", "conversion_rate", "rate_low",
    "rate_high", "buyers", "revenue", "revenue_per_customer", "discount_cost", "currency", "rate_difference",
    "rate_difference_low", "rate_difference_high", "rate_p", "revenue_difference", "revenue_difference_low",
    "revenue_difference_high", "revenue_p", "needed", "verdict", "counted_at",
)  # fmt: skip


def as_rows(report: Report) -> Iterator[list[Any]]:
    """The head and a row for each arm; differences are to those held out, or where nobody is, to the first arm."""
    yield list(COLUMNS)
    compared = {found.key: found for found in report.beyond_holdout or report.between}
    for arm in report.arms:
        sure, found = wilson(arm.converted, arm.heads), compared.get(arm.arm)
        yield [
            "holdout" if arm.arm == HELD_OUT else arm.arm,
            label_of(report, arm.arm),
            arm.heads,
            arm.queued,
            arm.delivered,
            arm.opened,
            arm.clicked,
            arm.converted,
            f"{arm.converted / arm.heads:.6f}" if arm.heads else "",
            f"{sure.low:.6f}",
            f"{sure.high:.6f}",
            arm.buyers,
            money.to_major(money_minor(arm.revenue), report.currency),
            money.to_major(money_minor(arm.revenue / arm.heads), report.currency) if arm.heads else "",
            money.to_major(money_minor(arm.cost), report.currency),
            report.currency,
            *(_compared_cells(found, report.currency) if found else [""] * 10),
            report.counted_at.isoformat(),
        ]


def _compared_cells(found: Compared, currency: str) -> list[Any]:
    ends = [found.money.value, found.money.interval.low, found.money.interval.high]
    return [
        f"{found.rate.value:.6f}",
        f"{found.rate.interval.low:.6f}",
        f"{found.rate.interval.high:.6f}",
        f"{found.rate_p:.6f}",
        *["" if math.isinf(end) else money.to_major(money_minor(end), currency) for end in ends],
        f"{found.money_p:.6f}",
        found.needed or "",
        found.verdict.value,
    ]
