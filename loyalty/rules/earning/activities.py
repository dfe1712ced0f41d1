"""Earning for what else members do, and for days of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, model_validator

from loyalty.facts import ActivityFact
from loyalty.rules.earning.base import Rule
from loyalty.rules.parts import Amount
from retention.incentives.parts import Part

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
#: No property is worth more than so many of what it counts.
MOST = 10**6


class PropertyIs(Part):
    """A property has one of some values, as texts (a switch is true or false), or a number from `least` to `most`."""

    name: Name
    one_of: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def says_something(self) -> PropertyIs:
        if bool(self.one_of) == (self.least is not None or self.most is not None):
            raise ValueError("say values, or a stretch of numbers")
        return self

    def holds(self, properties: Mapping[str, Any]) -> bool:
        value = properties.get(self.name)
        if self.one_of:
            said = str(value).lower() if isinstance(value, bool) else str(value)
            return value is not None and said in self.one_of
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def sentence(self) -> str:
        if self.one_of:
            return _("%(name)s is %(values)s") % {"name": self.name, "values": ", ".join(self.one_of)}
        if self.most is None:
            return _("%(name)s from %(least)s") % {"name": self.name, "least": f"{self.least:g}"}
        if self.least is None:
            return _("%(name)s up to %(most)s") % {"name": self.name, "most": f"{self.most:g}"}
        return _("%(name)s from %(least)s to %(most)s") % {
            "name": self.name, "least": f"{self.least:g}", "most": f"{self.most:g}",
        }  # fmt: skip


class ForActivity(Rule):
    """For an activity of any kind: a review, a sign-up, a friend who came, the code of a pack, or the shop's own.

    Attributes:
        filters: what its properties must say, all of them.
        per_property: the amount is for each of what this property counts, such as kilometres.
        code_property: the property with a code, such as of a pack or a receipt, of which each earns once.
    """

    about: ClassVar[str] = "activity"

    kind: Literal["activity"] = "activity"
    activity: Name
    amount: Amount
    filters: Annotated[tuple[PropertyIs, ...], Field(max_length=10)] = ()
    per_property: Name | None = None
    code_property: Name | None = None
    is_multiplied: bool = False

    def means(self, fact: Any) -> bool:
        if fact.kind != self.activity or not all(each.holds(fact.properties) for each in self.filters):
            return False
        return self.code_property is None or self.code(fact) != ""

    def code(self, fact: ActivityFact) -> str:
        """The code that it brings, in one spelling; empty for none."""
        said = fact.properties.get(self.code_property) if self.code_property else None
        return str(said).strip().upper()[:100] if isinstance(said, str | int) and not isinstance(said, bool) else ""

    def worth(self, fact: Any) -> Fraction:
        if self.per_property is None:
            return Fraction(self.amount)
        count = fact.properties.get(self.per_property)
        if isinstance(count, bool) or not isinstance(count, int | float) or not 0 < count <= MOST:
            return Fraction(0)
        return self.amount * Fraction(Decimal(str(count)))

    def what(self) -> str:
        if self.per_property:
            words = {"n": self.amount, "property": self.per_property, "activity": self.activity}
            parts = [_("%(n)s for each of “%(property)s” of “%(activity)s”") % words]
        else:
            parts = [_("%(n)s for “%(activity)s”") % {"n": self.amount, "activity": self.activity}]
        parts += [each.sentence() for each in self.filters]
        if self.code_property:
            parts.append(_("each “%(property)s” once") % {"property": self.code_property})
        return ", ".join(parts)


class Yearly(Rule):
    """Once a year: on her birthday (29 February on the 28th where there is none), or on the day she joined."""

    about: ClassVar[str] = "day"

    kind: Literal["yearly"] = "yearly"
    of: Literal["birthday", "joining"] = "birthday"
    amount: Amount
    is_multiplied: bool = False

    def means(self, fact: Any) -> bool:
        return fact.of == self.of

    def worth(self, fact: Any) -> Fraction:
        return Fraction(self.amount)

    def what(self) -> str:
        said = {
            "birthday": _("%(n)s on her birthday"),
            "joining": _("%(n)s on each anniversary of joining"),
        }
        return said[self.of] % {"n": self.amount}
