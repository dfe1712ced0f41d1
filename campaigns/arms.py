"""Who gets which variant of a campaign, and who is held out of it: drawn by a hash, so that it never changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from campaigns.models import Campaign
from campaigns.plans import Plan
from retention.experiments.assignment import arm_sql
from retention.experiments.holdouts import Holdout
from retention.experiments.querysets import global_holdout


@dataclass(frozen=True)
class Arms:
    """The draw of one campaign: its variants by weight, and the holdouts whose members become ghosts."""

    seed: str
    variants: tuple[tuple[str, int], ...]
    holdouts: tuple[Holdout, ...]

    @classmethod
    def of(cls, campaign: Campaign, plan: Plan) -> Arms:
        """The plan's own draw, and the shop's holdout where the plan does not ignore it."""
        seed = f"{campaign.public_id}:{plan.experiment}"
        holdouts = [Holdout(f"{seed}:holdout", plan.holdout_percent)] if plan.holdout_percent else []
        everywhere = None if plan.ignores_global_holdout else global_holdout()
        return cls(
            seed=seed,
            variants=tuple((variant.key, variant.weight) for variant in plan.variants),
            holdouts=(*holdouts, *([everywhere] if everywhere else [])),
        )

    def variant_sql(self, customer: str) -> tuple[str, list[Any]]:
        """The key of her variant, "" where there is no test; `customer` is an expression such as `c.id`."""
        if not self.variants:
            return "''", []
        keys, weights = zip(*self.variants, strict=True)
        position, params = arm_sql(self.seed, customer, weights)
        return f"(%s::text[])[1 + {position}]", [list(keys), *params]

    def ghost_sql(self, customer: str) -> tuple[str, list[Any]]:
        """Whether she is held out; `customer` is an expression such as `c.id`."""
        conditions, params = [], []
        for holdout in self.holdouts:
            text, its = holdout.sql(customer)
            conditions.append(text)
            params += its
        return " OR ".join(conditions) or "false", params
