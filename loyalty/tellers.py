"""Tellers of programmes' rules, with what they have to know read from the shop."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from django.utils.translation import get_language

from loyalty.models import Programme
from loyalty.rules import ProgrammeRule
from loyalty.sentences import Teller
from loyalty.versions import rule_of
from retention.customers.models import ActivityKind
from retention.ledger.versions import rule_of as unit_rule_of
from retention.shop.models import Shop
from retention.texts import choose


class Tellers:
    """Those of one reader; what all share is read once. Without a language it is the one of this request."""

    def __init__(self, language: str = "") -> None:
        self.language = language or get_language() or "en"

    @cached_property
    def plain(self) -> Teller:
        """One that knows the shop, and no programme."""
        kinds = dict(ActivityKind.objects.values_list("key", "label"))
        return Teller(self.language, self._shop.currency, kinds=kinds)

    @cached_property
    def _shop(self) -> Shop:
        return Shop.objects.get()

    def of(self, programme: Programme, rule: ProgrammeRule | None = None) -> Teller:
        """Of a programme, by its rule as it is or as it is being written."""
        rule = rule or rule_of(programme.version_id)
        default = self._shop.default_language
        tiers = {step.key: choose({**step.names}, self.language, default) for step in rule.tiers.steps}
        teller = replace(self.plain, unit=unit_rule_of(programme.unit), tiers=tiers)
        # Bonuses name other rules: by their names, or by what they give.
        rules = {
            one.key: choose(one.names, self.language, default) if one.names.get(default) else one.what(teller)
            for one in rule.earning
            if one.about != "bonus"
        }
        return replace(teller, rules=rules)


def teller_of(programme: Programme) -> Teller:
    """The one of a programme's rule as it is, in the language of this request."""
    return Tellers().of(programme)
