"""The few pieces of SQL that conditions are written in and Django lacks: exact negation, counts over another table,
typed questions to JSON, and a stable bucket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import BooleanField, Count, Exists, F, Func, IntegerField, JSONField, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import Subquery

from retention.customers.models import Customer


class IsNotTrue(Func):
    """`(…) IS NOT TRUE`: the exact complement, because what is unknown (NULL) is not so."""

    template = "(%(expressions)s) IS NOT TRUE"
    arity = 1
    output_field = BooleanField()


class SameText(Func):
    """`a = b` of two texts of different rows, beside a join that says which rows belong together.

    As `=` PostgreSQL would take it for a second chance of its own, guess that next to no row is left, and go through
    all groups of another condition for each of the many that are. Of a function it takes a third for granted.
    """

    function = "texteq"
    arity = 2
    output_field = BooleanField()


#: Questions with one answer for all; an empty Q would vanish inside OR and under `not`.
EVERYONE = Q(Value(True, output_field=BooleanField()))
NO_ONE = Q(Value(False, output_field=BooleanField()))


def exact(q: Q, *, negated: bool = False) -> Q:
    """The same question, or its exact complement, in AND and OR only.

    `not` goes down to the leaves, where it becomes NOT EXISTS or IS NOT TRUE. A leaf that is NULL then counts
    as no wherever it stands, so whoever is not in `q` is in `exact(q, negated=True)`, and nobody is in both.
    """
    negated ^= q.negated
    if q.connector not in (Q.AND, Q.OR):
        raise TypeError(f"conditions combine by AND and OR, not by {q.connector}")
    if not q.children:
        raise TypeError("a condition must ask something; ask EVERYONE or NO_ONE")
    connector = q.connector if not negated else (Q.OR if q.connector == Q.AND else Q.AND)
    return Q(*(_exact_child(child, negated) for child in q.children), _connector=connector)


def _exact_child(child: Any, negated: bool) -> Any:
    if isinstance(child, Q):
        return exact(child, negated=negated)
    if not negated:
        return child
    if isinstance(child, Exists):
        return ~child
    return IsNotTrue(Q(child) if isinstance(child, tuple) else child)


class Facts:
    """A question about her facts that remembers what they are, so that they can be told of one customer."""

    facts: QuerySet
    measure: Any
    of: str

    def about(self, facts: QuerySet, measure: Any, of: str) -> Any:
        self.facts, self.measure, self.of = facts, measure, of
        return self


class AnyOf(Facts, Exists):
    """She has one of them at least."""


class InGroups(Facts, Exists):
    """Whether the customer is among the groups of a query that selects customer ids and groups by them.

    EXISTS over a subquery in FROM: PostgreSQL makes it a semi or anti join, hashes it under OR, and for one
    customer pushes her id into the groups, so the same SQL is fast for everyone and for one. For some of them it groups
    everybody's facts unless it is told whose (`of_these`).
    """

    template = 'EXISTS(SELECT 1 FROM (%(subquery)s) "groups" ("of") WHERE "groups"."of" = %(customer)s)'

    def __init__(self, queryset: QuerySet, **extra: Any) -> None:
        Subquery.__init__(self, queryset, **extra)
        self.customer, self.groups = F("pk"), queryset

    def of_these(self, customers: QuerySet) -> InGroups:
        """The same of these customers alone: nobody else's facts are grouped, and nobody else is in a group."""
        theirs = self.groups.filter(**{f"{self.of}__in": customers.order_by().values("pk")})
        return InGroups(theirs).about(self.facts, self.measure, self.of)

    def get_source_expressions(self):
        return [self.query, self.customer]

    def set_source_expressions(self, exprs):
        self.query, self.customer = exprs

    def as_sql(self, compiler, connection, **extra_context):
        customer, params = compiler.compile(self.customer)
        sql, own = Subquery.as_sql(self, compiler, connection, customer=customer, **extra_context)
        return sql, (*own, *params)


def narrowed(q: Q, among: Q | None = None, *, where: Callable[[QuerySet], bool] | None = None) -> Q:
    """The same question, right for whoever is `among`: facts are grouped of those alone whom all beside them leaves.

    What stands beside a group is asked twice, but of next to nobody the second time. Below `not`, too, whoever fails it
    is no matter: the whole has its answer without the group. `where` says of those left whether they are few enough.
    """
    beside = [child for child in q.children if q.connector == Q.AND and not _has_groups(child)]
    if among is not None:
        beside.append(among)
    rest = Q(*beside) if beside else None
    return Q(*(_narrowed_child(child, rest, where) for child in q.children), _connector=q.connector, _negated=q.negated)


def _narrowed_child(child: Any, among: Q | None, where: Callable[[QuerySet], bool] | None) -> Any:
    if isinstance(child, Q):
        return narrowed(child, among, where=where)
    if isinstance(child, InGroups) and among is not None:
        left = Customer.objects.filter(exact(among))
        return child.of_these(left) if where is None or where(left) else child
    return child


def _has_groups(child: Any) -> bool:
    return any(map(_has_groups, child.children)) if isinstance(child, Q) else isinstance(child, InGroups)


def any_of(facts: QuerySet, *, of: str = "customer") -> Q:
    """She has at least one of these facts; `of` is the path from a fact to its customer."""
    return Q(AnyOf(facts.filter(**{of: OuterRef("pk")})).about(facts, Count("*"), of))


def amounting(facts: QuerySet, measure: Any, low: float | None, high: float | None, *, of: str = "customer") -> Q:
    """What her facts amount to lies in low..high inclusive; without facts it is 0.

    `measure` is an aggregate that is never negative, such as `Count("*")`.
    """
    if low is None or low <= 0:
        return EVERYONE if high is None else ~_groups(facts, Q(measured__gt=high), measure, of)
    having = Q(measured__gte=low) if high is None else Q(measured__gte=low, measured__lte=high)
    return _groups(facts, having, measure, of)


def _groups(facts: QuerySet, having: Q, measure: Any, of: str) -> Q:
    # Facts of nobody make a group without a customer, which equals none.
    grouped = facts.order_by().values(of).annotate(measured=measure)
    return Q(InGroups(grouped.filter(having).values(of)).about(facts, measure, of))


def times(facts: QuerySet, measure: Any, low: int | None, high: int | None, *, of: str = "customer") -> Q:
    """As `amounting`, for counts: "at least once" and "never" need no counting."""
    if low == 1 and high is None:
        return any_of(facts, of=of)
    if not low and high == 0:
        return ~any_of(facts, of=of)
    return amounting(facts, measure, low, high, of=of)


def counter(column: str, low: float | None, high: float | None) -> Q:
    """A column that counts from 0 lies in low..high inclusive; a missing row is 0."""
    if low is None or low <= 0:
        return EVERYONE if high is None else ~Q(**{f"{column}__gt": high})
    return measure_in(column, low, high)


def measure_in(column: str, low: Any | None, high: Any | None) -> Q:
    """A column lies in low..high inclusive; unknown (NULL) is no."""
    bounds = {f"{column}__gte": low, f"{column}__lte": high}
    return Q(**{lookup: bound for lookup, bound in bounds.items() if bound is not None})


class JsonPath(Func):
    """`jsonb_path_exists`: typed (a text is never at least 5) and never NULL on a column that is not."""

    function = "jsonb_path_exists"
    output_field = BooleanField()


def json_holds(column: str, keys: list[str], test: str, params: Mapping[str, Any]) -> JsonPath:
    """Whether the value at `keys` inside a JSON column passes a jsonpath test over `@` and `$name` parameters."""
    path = "$" + "".join("." + json.dumps(key) for key in keys)
    where = f"{path} ? ({test})" if test else path
    return JsonPath(F(column), JsonPathText(Value(where)), Value(dict(params), output_field=JSONField()))


class JsonPathText(Func):
    template = "%(expressions)s::jsonpath"
    arity = 1
    output_field = BooleanField()


class Bucket(Func):
    """0…9,999, the same for a customer and a salt for ever: 32 bits of MD5 over `salt:id`, modulo 10,000."""

    template = "mod(('x' || substr(md5(%(expressions)s), 1, 8))::bit(32)::bigint, 10000)"
    arg_joiner = " || ':' || "
    output_field = IntegerField()
