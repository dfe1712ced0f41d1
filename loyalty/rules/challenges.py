"""So many of something within a time: what counts, how it is counted, and what it brings."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from loyalty.rules.parts import Names
from loyalty.rules.rewards import Descriptions, Picture
from loyalty.sentences import Teller
from retention.incentives.parts import Category, Part, Word

Count = Annotated[int, Field(ge=1, le=10_000)]
PropertyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]

#: Bought lines that were not returned whole, each at the moment of its order.
_LINES = """
    SELECT o.customer_id, o.placed_at AS at, {what}::text AS what, 0::bigint AS amount
    FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id
    JOIN customers_product p ON p.id = l.product_id
    WHERE o.state IN ('paid', 'fulfilled', 'partially_returned') AND {only}
"""
_ORDERS = """
    SELECT o.customer_id, o.placed_at AS at, o.id::text AS what, o.base_minor AS amount
    FROM customers_order o
    WHERE o.state IN ('paid', 'fulfilled', 'partially_returned') AND o.base_minor >= %(least_minor)s
"""
_ACTIVITIES = """
    SELECT a.customer_id, a.occurred_at AS at, a.id::text AS what, 0::bigint AS amount
    FROM customers_activity a
    WHERE a.kind = %(kind)s AND (%(field)s = '' OR a.properties ->> %(field)s = %(value)s)
"""


class Task(Part):
    """What counts. A subclass names its facts as SQL of (customer_id, at, what, amount) and what is reached by them."""

    kind: str

    @property
    def target(self) -> int:
        raise NotImplementedError

    @property
    def measure(self) -> str:
        """SQL of how much some of these facts are: different things, unless it is money."""
        return "count(DISTINCT fact.what)"

    def facts(self) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError

    def sentence(self, teller: Teller) -> str:
        raise NotImplementedError


class Orders(Task):
    """So many orders, each of at least so much in the base currency."""

    kind: Literal["orders"] = "orders"
    count: Count
    least_minor: Annotated[int, Field(ge=0, le=10**12)] = 0

    @property
    def target(self) -> int:
        return self.count

    def facts(self) -> tuple[str, dict[str, Any]]:
        return _ORDERS, {"least_minor": self.least_minor}

    def sentence(self, teller: Teller) -> str:
        if self.least_minor:
            return teller.say("task_orders_least", self.count, least=teller.money(self.least_minor))
        return teller.say("task_orders", self.count)


class Spend(Task):
    """So much money, in minor units of the base currency."""

    kind: Literal["spend"] = "spend"
    amount_minor: Annotated[int, Field(ge=1, le=10**12)]

    @property
    def target(self) -> int:
        return self.amount_minor

    @property
    def measure(self) -> str:
        return "coalesce(sum(fact.amount), 0)"

    def facts(self) -> tuple[str, dict[str, Any]]:
        return _ORDERS, {"least_minor": 0}

    def sentence(self, teller: Teller) -> str:
        return teller.say("task_spend", n=teller.money(self.amount_minor))


class Products(Task):
    """So many different products, all or those of some categories."""

    kind: Literal["products"] = "products"
    count: Count
    categories: Annotated[tuple[Category, ...], Field(max_length=20)] = ()

    @property
    def target(self) -> int:
        return self.count

    def facts(self) -> tuple[str, dict[str, Any]]:
        within = "(%(any)s OR p.category = ANY(%(paths)s) OR p.category LIKE ANY(%(below)s))"
        return _LINES.format(what="p.id", only=within), {
            "any": not self.categories,
            "paths": list(self.categories),
            "below": [f"{_escaped(path)}/%" for path in self.categories],
        }

    def sentence(self, teller: Teller) -> str:
        if self.categories:
            return teller.say("task_products_of", self.count, what=teller.any_of(self.categories))
        return teller.say("task_products", self.count)


class Categories(Task):
    """So many different categories, by the first word of their path."""

    kind: Literal["categories"] = "categories"
    count: Count

    @property
    def target(self) -> int:
        return self.count

    def facts(self) -> tuple[str, dict[str, Any]]:
        return _LINES.format(what="split_part(p.category, '/', 1)", only="p.category <> ''"), {}

    def sentence(self, teller: Teller) -> str:
        return teller.say("task_categories", self.count)


class Activities(Task):
    """So many activities of a kind, all or those of which one property is one value."""

    kind: Literal["activities"] = "activities"
    activity: Word
    count: Count
    field: PropertyName | Literal[""] = ""
    value: Annotated[str, StringConstraints(max_length=200)] = ""

    @property
    def target(self) -> int:
        return self.count

    def facts(self) -> tuple[str, dict[str, Any]]:
        return _ACTIVITIES, {"kind": self.activity, "field": self.field, "value": self.value}

    def sentence(self, teller: Teller) -> str:
        what = teller.say("task_activities", self.count, kind=teller.kind(self.activity))
        return teller.say("task_where", what=what, name=self.field, value=self.value) if self.field else what


AnyTask = Annotated[Orders | Spend | Products | Categories | Activities, Field(discriminator="kind")]


class ChallengePlan(Part):
    """A challenge, but for the rows of others that it names.

    Attributes:
        within_days: all of it within so many days, whichever; empty: within the whole time it runs.
        starts_at, ends_at: what happens in between counts.
        badge: it is shown as hers for good.
    """

    names: Annotated[Names, Field(min_length=1)]
    descriptions: Descriptions = {}
    image_url: Picture = ""
    task: AnyTask
    within_days: Annotated[int, Field(ge=1, le=366)] | None = None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    badge: bool = True
    points: Annotated[int, Field(ge=1, le=10**9)] | None = None

    @model_validator(mode="after")
    def window_is_half_open(self) -> Self:
        if any(at is not None and at.tzinfo is None for at in (self.starts_at, self.ends_at)):
            raise ValueError("an instant has a zone")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("it begins before it ends")
        return self

    def sentence(self, teller: Teller) -> str:
        what = self.task.sentence(teller)
        return teller.say("task_within", self.within_days, what=what) if self.within_days else what


class ChallengeRule(ChallengePlan):
    """The whole of one challenge: also the reward that it brings, and for whom it is.

    Attributes:
        segment_id: for those who are in it when it is seen that they did it; empty: every member.
    """

    segment_id: Annotated[int, Field(ge=1)] | None = None
    reward_id: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def brings_something(self) -> Self:
        if not (self.badge or self.reward_id or self.points):
            raise ValueError("a challenge brings a badge, a reward or points")
        return self


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
