"""The tiers of a programme as they are asked: rules and rows together, by rank."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from loyalty.models import Member, Programme, Tier
from loyalty.rules import TierRules
from loyalty.rules.tiers import local_day
from loyalty.versions import rule_of
from retention.ledger.days import shop_zone


@dataclass(frozen=True)
class Ladder:
    """The tiers of one programme: their rules, and their rows by rank."""

    programme: Programme
    rules: TierRules
    rows: dict[int, Tier]
    gone: dict[int, Tier]
    zone: str

    def rank(self, member: Member) -> int:
        """Of her tier in the rules as they are; of one that is gone, the nearest below it."""
        if member.tier_id is None:
            return 0
        if (tier := self.gone.get(member.tier_id)) is not None:
            return self.rules.reached(tier.threshold) if tier.threshold is not None else 0
        return next(rank for rank, row in self.rows.items() if row.pk == member.tier_id)

    def has_gone(self, member: Member) -> bool:
        return member.tier_id in self.gone

    def since(self, at: dt.datetime) -> dt.datetime | None:
        """From when on something counts at an instant."""
        return self.rules.counts_from(local_day(at, self.zone), self.zone)

    def until(self, rank: int, day: dt.date) -> dt.datetime | None:
        """When a tier that is hers from a day on is looked at again."""
        return self.rules.looked_at(self.rules.last_day(day), self.zone) if rank else None

    def last_day(self, member: Member) -> dt.date | None:
        """Of her tier, without grace."""
        return self.rules.last_day_of(member.tier_until, self.zone) if member.tier_until else None


def ladder_of(programme: Programme) -> Ladder:
    rules = rule_of(programme.version_id).tiers
    rows = {row.key: row for row in Tier.objects.filter(programme=programme)}
    return Ladder(
        programme,
        rules,
        {rank: rows[step.key] for rank, step in enumerate(rules.steps, 1)},
        {row.pk: row for key, row in rows.items() if not rules.rank(key)},
        shop_zone(),
    )
