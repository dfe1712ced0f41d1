"""Earning for what else members do, and for days of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from loyalty.facts import ActivityFact
from loyalty.rules.earning.base import Rule
from loyalty.rules.parts import Amount
from loyalty.sentences import Teller
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

    def sentence(self, teller: Teller) -> str:
        if self.one_of:
            return teller.say("is_one_of", name=self.name, values=teller.any_of(self.one_of))
        least = "" if self.least is None else f"{self.least:g}"
        most = "" if self.most is None else f"{self.most:g}"
        key = "is_between" if least and most else "is_least" if least else "is_most"
        return teller.say(key, name=self.name, least=least, most=most)


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

    def what(self, teller: Teller) -> str:
        n = teller.amount(self.amount)
        if self.per_property:
            said = teller.say("per_property", n=n, property=self.per_property, kind=teller.kind(self.activity))
        else:
            said = teller.say("activity", n=n, kind=teller.kind(self.activity, is_object=True))
        codes = [teller.say("code_once", property=self.code_property)] if self.code_property else []
        return ", ".join([said, *(each.sentence(teller) for each in self.filters), *codes])


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

    def what(self, teller: Teller) -> str:
        return teller.say(self.of, n=teller.amount(self.amount))
