"""A campaign's results as people and the API read them: arms, differences, what may be concluded, and since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from campaigns.plans import Plan
from campaigns.results.counting import arms_of, figures_of, rungs_of
from campaigns.results.experiments import Experiment, experiments
from campaigns.results.ladder import Rung
from campaigns.results.models import ResultCount
from campaigns.results.reading import HELD_OUT, Figures
from retention.experiments.comparison import Arm, Compared, compare
from retention.experiments.means import Amounts
from retention.experiments.models import GlobalHoldout
from retention.experiments.samples import MISMATCH_BELOW, ratio_p_value
from retention.refusals import Refused
from retention.shop.models import Shop

#: The smallest lifts of the rate that a reader may want to see, in percent; the middle one where nothing was chosen.
LIFTS = (5, 10, 20, 50, 100)
LIFT = 20


@dataclass(frozen=True)
class Report:
    """What came of one experiment of a campaign's.

    Attributes:
        arms: variants in the plan's order, those held out last.
        beyond_holdout: each variant against those held out; empty where nobody is.
        between: each variant against the first.
        ratio_p: how odd the sizes of the arms would be if only the lot had filled them; None: nothing to check.
        whole: all that were touched, in whichever variant, against those held out; None: nobody is held out.
        goal: "order", "activity" or "redemption"; those held out can redeem nothing.
        since: number of the version with which it began.
        is_being_counted: newer figures are on their way.
        ladder: what its later rungs saved, everybody first; empty where it is no ladder.
    """

    arms: tuple[Figures, ...]
    whole: Compared | None
    beyond_holdout: tuple[Compared, ...]
    between: tuple[Compared, ...]
    ratio_p: float | None
    goal: str
    days: int
    lift: int
    currency: str
    labels: dict[str, str]
    counted_at: dt.datetime
    since: int
    is_present: bool
    is_being_counted: bool
    ladder: tuple[Rung, ...]

    @property
    def is_mismatch(self) -> bool:
        """The arms are not as large as they were meant to be: something but the lot decided, and nothing holds."""
        return self.ratio_p is not None and self.ratio_p < MISMATCH_BELOW

    @property
    def is_open(self) -> int:
        return sum(arm.open for arm in self.arms)

    @property
    def heads(self) -> int:
        return sum(arm.heads for arm in self.arms)


class NoSuchExperiment(Refused):
    code = "campaigns.no_such_experiment"
    sentence = _("No experiment of this campaign began with version %(since)s.")
    status = 404


def results(
    *, campaign: Campaign, lift: int, now: dt.datetime, since: int | None = None, is_fresh: bool = False
) -> Report | None:
    """The report, at most ten minutes old; `is_fresh` counts again. None: it was never approved, so nothing ran.

    `since` is the version with which an earlier experiment began; without it, the present one is reported. What was
    done to many is counted in the background, and older figures are reported meanwhile.

    Raises:
        NoSuchExperiment
        BeingCounted: for the first time.
    """
    known = experiments(campaign)
    if not known:
        return None
    chosen = next((one for one in known if since in (None, one.since)), None)
    if chosen is None:
        raise NoSuchExperiment(since=since)
    return _report(campaign, chosen, known, figures_of(campaign, chosen, is_fresh=is_fresh, now=now), lift)


def _report(campaign: Campaign, chosen: Experiment, known: list[Experiment], kept: ResultCount, lift: int) -> Report:
    plan, currency = chosen.plan, Shop.objects.get().currency
    found = arms_of(kept)
    by_arm = {figures.arm: figures for figures in found}
    shown = [*_keys(plan), *([HELD_OUT] if HELD_OUT in by_arm else [])]
    arms = tuple(by_arm.get(key) or Figures(key, *[0] * 13) for key in shown)
    touched = [_arm(figures) for figures in arms if figures.arm != HELD_OUT]
    held = next((_arm(figures) for figures in arms if figures.arm == HELD_OUT), None)
    return Report(
        arms=arms,
        whole=compare(held, [_together(touched)], lift=lift / 100)[0] if held else None,
        beyond_holdout=tuple(compare(held, touched, lift=lift / 100)) if held else (),
        between=tuple(compare(touched[0], touched[1:], lift=lift / 100)),
        ratio_p=_ratio_p(campaign, plan, by_arm),
        goal=plan.goal.kind,
        days=plan.goal.days,
        lift=lift,
        currency=currency,
        labels={variant.key: variant.label for variant in plan.variants},
        counted_at=kept.counted_at,
        since=chosen.since,
        is_present=chosen == known[0],
        is_being_counted=kept.asked_at is not None,
        ladder=rungs_of(kept),
    )


def _arm(figures: Figures) -> Arm:
    money = Amounts(figures.heads, figures.revenue, figures.squares, figures.cubes)
    return Arm(figures.arm, figures.heads, figures.converted, money)


def _together(arms: list[Arm]) -> Arm:
    moneys = [arm.money for arm in arms]
    money = Amounts(
        count=sum(each.count for each in moneys),
        total=sum(each.total for each in moneys),
        squares=sum(each.squares for each in moneys),
        cubes=sum(each.cubes for each in moneys),
    )
    return Arm("", sum(arm.heads for arm in arms), sum(arm.converted for arm in arms), money)


def _ratio_p(campaign: Campaign, plan: Plan, by_arm: dict[str, Figures]) -> float | None:
    """The arms against the plan's shares, over those whom the campaign's own lot decided about."""
    percent = plan.holdout_percent
    parts = [variant.weight for variant in plan.variants] or [1]
    # Shares of all by one denominator: the holdout's percent, and the variants' parts of the rest.
    weights = {key: part * (100 - percent) for key, part in zip(_keys(plan), parts, strict=True)}
    if percent and not _was_redrawn(campaign):
        weights[HELD_OUT] = percent * sum(parts)
    if len(weights) < 2:
        return None
    return ratio_p_value([by_arm[key].drawn if key in by_arm else 0 for key in weights], list(weights.values()))


def _keys(plan: Plan) -> list[str]:
    return [variant.key for variant in plan.variants] or [""]


def _was_redrawn(campaign: Campaign) -> bool:
    """Whom the shop held out when the campaign began is not known any more: then its own cannot be told apart."""
    row = GlobalHoldout.objects.first()
    return bool(row and campaign.launched_at and row.since > campaign.launched_at)
