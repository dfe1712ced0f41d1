"""The tiers of a programme as they are asked: rules and rows together, by rank."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from loyalty.models import Programme, Tier
from loyalty.rules import TierRules
from loyalty.rules.tiers import local_day
from loyalty.versions import rule_of
from retention.ledger.days import shop_zone


class Placed(Protocol):
    """Whoever has a place: a member, or what was read of her."""

    @property
    def tier_id(self) -> int | None: ...
    @property
    def tier_until(self) -> dt.datetime | None: ...


@dataclass(frozen=True)
class Ladder:
    """The tiers of one programme: their rules, their rows by rank, and the rank of every row, also of those gone."""

    programme: Programme
    rules: TierRules
    rows: dict[int, Tier]
    gone: dict[int, Tier]
    ranks: dict[int | None, int]
    zone: str
    #: What counts: as the rules call it; of what was spent, with `ProgrammeRule.earns_on`.
    measure: str

    def rank(self, member: Placed) -> int:
        """Of her tier in the rules as they are; of one that is gone, the nearest below it."""
        return self.ranks[member.tier_id]

    def has_gone(self, member: Placed) -> bool:
        return member.tier_id in self.gone

    def since(self, at: dt.datetime) -> dt.datetime | None:
        """From when on something counts at an instant."""
        return self.rules.counts_from(local_day(at, self.zone), self.zone)

    def until(self, rank: int, day: dt.date) -> dt.datetime | None:
        """When a tier that is hers from a day on is looked at again."""
        return self.rules.looked_at(self.rules.last_day(day), self.zone) if rank else None

    def last_day(self, member: Placed) -> dt.date | None:
        """Of her tier, without grace."""
        return self.rules.last_day_of(member.tier_until, self.zone) if member.tier_until else None


def ladder_of(programme: Programme) -> Ladder:
    rule = rule_of(programme.version_id)
    rules = rule.tiers
    measure = f"spend_{rule.earns_on}" if rules.measure == "spend" else rules.measure
    every = {row.key: row for row in Tier.objects.filter(programme=programme)}
    rows = {rank: every[step.key] for rank, step in enumerate(rules.steps, 1)}
    gone = {row.pk: row for key, row in every.items() if not rules.rank(key)}
    ranks: dict[int | None, int] = {None: 0, **{row.pk: rank for rank, row in rows.items()}}
    ranks |= {pk: rules.reached(row.threshold) if row.threshold is not None else 0 for pk, row in gone.items()}
    return Ladder(programme, rules, rows, gone, ranks, shop_zone(), measure)
