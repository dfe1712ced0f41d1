"""How offers go together: what one allows beside itself, and the shop's policy over all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, model_validator

from retention.incentives.baskets import amounts_text
from retention.incentives.parts import Amounts, Part, Points, Word, percent_text, some


class Stackable(Part):
    """What an offer allows beside itself.

    `exclusive`: nothing. `stackable`: whatever allows it in turn. `groups`: offers that share one of its groups, and no
    others. Both must allow each other. `priority` says who comes first, the higher number before the lower, in either
    mode. `base` says what its percentages are of: what earlier offers left, or the prices as the basket came.
    """

    kind: Literal["exclusive", "stackable", "groups"] = "stackable"
    groups: Annotated[tuple[Word, ...], Field(max_length=20)] = ()
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    base: Literal["left", "initial"] = "left"

    @model_validator(mode="after")
    def names_its_groups(self) -> Stackable:
        if (self.kind == "groups") != bool(self.groups):
            raise ValueError("name the groups that it goes with, and only then")
        return self

    def allows(self, other: Stackable) -> bool:
        """Whether both may take part in one order."""
        if self.kind == "exclusive" or other.kind == "exclusive":
            return False
        if self.kind == "groups" or other.kind == "groups":
            return not set(self.groups).isdisjoint(other.groups)
        return True

    def sentences(self) -> list[str]:
        words = []
        if self.kind == "exclusive":
            words.append(_("not with other offers"))
        elif self.kind == "groups":
            words.append(_("only with offers of %(groups)s") % {"groups": some(self.groups)})
        if self.base == "initial":
            words.append(_("counted from the first prices"))
        return words


class Stacking(Part):
    """The shop's policy for several offers in one order.

    `best_deal` takes the allowed combination that is worth most to the shopper; `priority` takes offers one after the
    other, each that still goes with those before. `most_offers` is how many at most. The ceiling is the most that all
    discounts together may come to, shipping included: a share of what the basket costs, an amount by currency, or the
    lower of both. Where a ceiling names amounts, baskets in other currencies get no discount.
    """

    mode: Literal["best_deal", "priority"] = "best_deal"
    most_offers: Annotated[int, Field(ge=1, le=100)] | None = None
    ceiling_basis_points: Points | None = None
    ceiling: Amounts = {}

    def sentence(self) -> str:
        words = [_("the best deal") if self.mode == "best_deal" else _("by priority")]
        if self.most_offers:
            words.append(
                ngettext("one offer an order", "up to %(n)s offers an order", self.most_offers)
                % {"n": self.most_offers}
            )
        if self.ceiling_basis_points:
            words.append(_("at most %(percent)s %% off") % {"percent": percent_text(self.ceiling_basis_points)})
        if self.ceiling:
            words.append(_("at most %(amounts)s off") % {"amounts": amounts_text(self.ceiling.items())})
        return ", ".join(words)
